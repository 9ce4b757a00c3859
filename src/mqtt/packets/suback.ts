import { PacketType, ProtocolVersion } from '../constants.ts';
import type { Cursor } from '../cursor.ts';
import type { SubackPacket } from '../packets.ts';
import { readProperties, writeProperties } from '../properties.ts';
import { ReasonCode } from '../reason-code.ts';
import { Writer } from '../writer.ts';

/** Reason codes of SUBACK (MQTT 5, table 3-8). */
const reasonCodes: ReadonlySet<number> = new Set([
  0x00, 0x01, 0x02, 0x80, 0x83, 0x87, 0x8f, 0x91, 0x97, 0x9e, 0xa1, 0xa2,
]);

/** Return codes of SUBACK before MQTT 5 (3.1.1, [MQTT-3.9.3-2]). */
const returnCodes: ReadonlySet<number> = new Set([0x00, 0x01, 0x02, 0x80]);

/** Reads a SUBACK (MQTT 5, 3.9; 3.1.1, 3.9). */
export function readSuback(cursor: Cursor, version: ProtocolVersion): SubackPacket {
  const packetId = cursor.packetId();
  const properties = version === ProtocolVersion.V5 ? readProperties(cursor, PacketType.Suback) : {};
  const known = version === ProtocolVersion.V5 ? reasonCodes : returnCodes;
  return { type: PacketType.Suback, packetId, reasonCodes: readReasonCodes(cursor, known), properties };
}

/** The payload of SUBACK and UNSUBACK: at least one reason code, each of them known. */
export function readReasonCodes(cursor: Cursor, known: ReadonlySet<number>): number[] {
  const codes: number[] = [];
  if (cursor.remaining === 0) cursor.fail(ReasonCode.ProtocolError, 'no reason code');
  while (cursor.remaining > 0) {
    const code = cursor.byte('reason code');
    codes.push(code);
    if (!known.has(code)) cursor.fail(ReasonCode.ProtocolError, `reason code ${code} does not exist here`);
  }
  return codes;
}

/** Encodes a SUBACK; before MQTT 5 the codes are 0, 1, 2 or 0x80. */
export function encodeSuback(packet: SubackPacket, version: ProtocolVersion): Buffer {
  const writer = new Writer();
  writer.uint16(packet.packetId);
  if (version === ProtocolVersion.V5) writeProperties(writer, PacketType.Suback, packet.properties);
  for (const code of packet.reasonCodes) writer.byte(code);
  return writer.finish(PacketType.Suback << 4);
}
