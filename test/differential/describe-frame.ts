import { decodePacket, PacketType, reasonName, type Packet, type ProtocolVersion } from '#mqtt';

/** Numbers the packet ids that the broker has chosen towards one client: `#1`, `#2` …, so that two brokers compare. */
export class IdNumbers {
  readonly #ids: number[] = [];

  name(packetId: number): string {
    let at = this.#ids.indexOf(packetId);
    if (at < 0) at = this.#ids.push(packetId) - 1;
    return `#${at + 1}`;
  }

  /** The id behind a number; `undefined` when the broker has not sent that many. */
  idOf(number: number): number | undefined {
    return this.#ids[number - 1];
  }
}

const names = new Map<number, string>(
  Object.entries(PacketType).map(([name, type]) => [type, name.toUpperCase()]),
);

/**
 * One packet from a broker in words that do not depend on chance or on the order of properties: ids by their number,
 * an assigned client id by that it is there. Reason strings are left out: they are free text.
 */
export function describeFrame(frame: Buffer, version: ProtocolVersion, ids: IdNumbers): string {
  let bodyStart = 2;
  while (frame[bodyStart - 1]! > 127) bodyStart++;
  // A refusal of a protocol level may come in another version's form.
  const spoken = frame[0] === PacketType.Connack << 4 && frame.length > 4 ? 5 : version;
  const packet = decodePacket(frame, 0, bodyStart, frame.length, spoken);
  if (packet.type === 0) return `malformed ${frame.toString('hex')}`;
  const name = names.get(packet.type) ?? '';
  return [name, ...fieldsOf(packet, version, ids), propertiesOf(packet)]
    .filter((part) => part !== '')
    .join(' ');
}

function fieldsOf(packet: Packet, version: ProtocolVersion, ids: IdNumbers): string[] {
  switch (packet.type) {
    case PacketType.Connack:
      return [codeName(packet.reasonCode, version), packet.sessionPresent ? 'session' : ''];
    case PacketType.Publish: {
      const { topic, payload, qos, retain, dup, packetId } = packet;
      const id = qos === 0 ? '' : ids.name(packetId);
      const flags = [`q${qos}`, retain ? 'retain' : '', dup ? 'dup' : '', id];
      const text =
        payload.length > 20 ? `${payload.length} bytes` : JSON.stringify(payload.toString('latin1'));
      return [...flags, JSON.stringify(topic), text];
    }
    case PacketType.Pubrel:
      return [ids.name(packet.packetId), codeName(packet.reasonCode, version)];
    case PacketType.Puback:
    case PacketType.Pubrec:
    case PacketType.Pubcomp:
      return [String(packet.packetId), codeName(packet.reasonCode, version)];
    case PacketType.Suback:
      return [String(packet.packetId), packet.reasonCodes.map((code) => `0x${hex(code)}`).join(',')];
    case PacketType.Unsuback:
      return [String(packet.packetId), packet.reasonCodes.map((code) => `0x${hex(code)}`).join(',')];
    case PacketType.Disconnect:
    case PacketType.Auth:
      return [codeName(packet.reasonCode, version)];
    default:
      return [];
  }
}

function codeName(code: number, version: ProtocolVersion): string {
  if (code === 0) return '';
  return version === 5 ? `0x${hex(code)} ${reasonName(code)}` : `0x${hex(code)}`;
}

function hex(value: number): string {
  return value.toString(16).padStart(2, '0');
}

function propertiesOf(packet: Packet): string {
  if (!('properties' in packet) || packet.properties === null) return '';
  const shown: string[] = [];
  const properties = packet.properties as Record<string, unknown>;
  for (const name of Object.keys(properties).sort((a, b) => (a < b ? -1 : 1))) {
    const value = properties[name];
    if (value === undefined || name === 'reasonString' || (Array.isArray(value) && value.length === 0))
      continue;
    if (name === 'assignedClientIdentifier') shown.push(name);
    else if (Buffer.isBuffer(value)) shown.push(`${name}=${value.toString('hex')}`);
    else shown.push(`${name}=${JSON.stringify(value)}`);
  }
  return shown.length === 0 ? '' : `{${shown.join(' ')}}`;
}
