import { PacketType, type AckPacket, type AckRecord, type PublishPacket } from '#mqtt';

/** What a trace tells of a PUBLISH, either way. */
export type TracedPublish = Pick<PublishPacket, 'topic' | 'payload' | 'qos' | 'retain' | 'dup' | 'packetId'>;

const ackNames: Readonly<Record<AckPacket['type'], string>> = {
  [PacketType.Puback]: 'PUBACK',
  [PacketType.Pubrec]: 'PUBREC',
  [PacketType.Pubrel]: 'PUBREL',
  [PacketType.Pubcomp]: 'PUBCOMP',
};

/** The lines of `-d`, word for word those of the mosquitto tools. */
export class PacketTrace {
  readonly #print: (line: string) => void;
  readonly #isQuiet: boolean;
  /** As the lines name the client: `null` until it has an id. */
  clientId: string | undefined;

  /** `isQuiet`: packets alone, as the mosquitto tools do with `--quiet`. */
  constructor(print: (line: string) => void, clientId: string | undefined, isQuiet: boolean) {
    this.#print = print;
    this.#isQuiet = isQuiet;
    this.clientId = clientId;
  }

  sending(what: string): void {
    this.#print(`Client ${this.clientId ?? 'null'} sending ${what}`);
  }

  received(what: string): void {
    this.#print(`Client ${this.clientId ?? 'null'} received ${what}`);
  }

  sendingPublish(packet: TracedPublish): void {
    this.sending(publishText(packet));
  }

  receivedPublish(packet: TracedPublish): void {
    this.received(publishText(packet));
  }

  sendingAck(type: AckPacket['type'], packetId: number, reasonCode: number): void {
    const hasReason = type === PacketType.Puback || type === PacketType.Pubrec;
    this.sending(`${ackNames[type]} (m${packetId}${hasReason ? `, rc${reasonCode}` : ''})`);
  }

  receivedAck({ type, packetId, reasonCode }: AckRecord): void {
    const hasReason = type === PacketType.Puback || type === PacketType.Pubcomp;
    this.received(
      `${ackNames[type as AckPacket['type']]} (Mid: ${packetId}${hasReason ? `, RC:${reasonCode}` : ''})`,
    );
  }

  /** `Subscribed (mid: 1): 0, 1`. */
  subscribed(packetId: number, codes: readonly number[]): void {
    if (!this.#isQuiet) this.#print(`Subscribed (mid: ${packetId}): ${codes.join(', ')}`);
  }
}

function publishText({ topic, payload, qos, retain, dup, packetId }: TracedPublish): string {
  const flags = `d${Number(dup)}, q${qos}, r${Number(retain)}, m${packetId}`;
  return `PUBLISH (${flags}, '${topic === '' ? 'null' : topic}', ... (${payload.length} bytes))`;
}
