import { PacketType, ProtocolVersion } from '../constants.ts';
import type { Cursor } from '../cursor.ts';
import type { DisconnectPacket } from '../packets.ts';
import { hasProperties, readProperties, writeProperties } from '../properties.ts';
import { ReasonCode } from '../reason-code.ts';
import { Writer } from '../writer.ts';

/** Reason codes of DISCONNECT, from either side (MQTT 5, table 3-10). */
const reasonCodes: ReadonlySet<number> = new Set([
  0x00, 0x04, 0x80, 0x81, 0x82, 0x83, 0x87, 0x89, 0x8b, 0x8d, 0x8e, 0x8f, 0x90, 0x93, 0x94, 0x95, 0x96, 0x97,
  0x98, 0x99, 0x9a, 0x9b, 0x9c, 0x9d, 0x9e, 0x9f, 0xa0, 0xa1, 0xa2,
]);

/** Reads a DISCONNECT (MQTT 5, 3.14): reason code and properties may be left out. Before MQTT 5 it is empty. */
export function readDisconnect(cursor: Cursor, version: ProtocolVersion): DisconnectPacket {
  if (version !== ProtocolVersion.V5 || cursor.remaining === 0) {
    return { type: PacketType.Disconnect, reasonCode: ReasonCode.Success, properties: {} };
  }
  const reasonCode = cursor.byte('reason code');
  if (!reasonCodes.has(reasonCode)) {
    cursor.fail(ReasonCode.ProtocolError, `reason code ${reasonCode} does not exist here`); // [MQTT-3.14.2-1]
  }
  const properties = cursor.remaining === 0 ? {} : readProperties(cursor, PacketType.Disconnect);
  return { type: PacketType.Disconnect, reasonCode, properties };
}

/** Encodes a DISCONNECT in its shortest form. */
export function encodeDisconnect(packet: DisconnectPacket, version: ProtocolVersion): Buffer {
  const writer = new Writer();
  if (version === ProtocolVersion.V5) {
    const more = hasProperties(packet.properties);
    if (more || packet.reasonCode !== 0) writer.byte(packet.reasonCode);
    if (more) writeProperties(writer, PacketType.Disconnect, packet.properties);
  }
  return writer.finish(PacketType.Disconnect << 4);
}
