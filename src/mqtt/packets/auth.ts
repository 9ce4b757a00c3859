import { PacketType, ProtocolVersion } from '../constants.ts';
import type { Cursor } from '../cursor.ts';
import type { AuthPacket } from '../packets.ts';
import { hasProperties, readProperties, writeProperties } from '../properties.ts';
import { ReasonCode } from '../reason-code.ts';
import { Writer } from '../writer.ts';
import { checkAuthentication } from './connect.ts';

/** Reason codes of AUTH (MQTT 5, table 3-11). */
const reasonCodes: ReadonlySet<number> = new Set([0x00, 0x18, 0x19]);

/**
 * Reads an AUTH (MQTT 5, 3.15). Empty means success without properties (3.15.2.1); otherwise the method must be there,
 * unless success is all that is said.
 */
export function readAuth(cursor: Cursor, version: ProtocolVersion): AuthPacket {
  if (version !== ProtocolVersion.V5)
    cursor.fail(ReasonCode.ProtocolError, 'this packet exists only in MQTT 5');
  if (cursor.remaining === 0)
    return { type: PacketType.Auth, reasonCode: ReasonCode.Success, properties: {} };
  const reasonCode = cursor.byte('reason code');
  if (!reasonCodes.has(reasonCode)) {
    cursor.fail(ReasonCode.ProtocolError, `reason code ${reasonCode} does not exist here`); // [MQTT-3.15.2-1]
  }
  const properties: AuthPacket['properties'] = readProperties(cursor, PacketType.Auth);
  checkAuthentication(cursor, properties);
  if (reasonCode !== ReasonCode.Success && properties.authenticationMethod === undefined) {
    cursor.fail(ReasonCode.ProtocolError, 'authentication method is missing'); // 3.15.2.2.2
  }
  return { type: PacketType.Auth, reasonCode, properties };
}

/** Encodes an AUTH in its shortest form. Exists in MQTT 5 only. */
export function encodeAuth(packet: AuthPacket): Buffer {
  const writer = new Writer();
  if (packet.reasonCode !== 0 || hasProperties(packet.properties)) {
    writer.byte(packet.reasonCode);
    writeProperties(writer, PacketType.Auth, packet.properties);
  }
  return writer.finish(PacketType.Auth << 4);
}
