import { PacketType, ProtocolVersion } from '../constants.ts';
import type { Cursor } from '../cursor.ts';
import type { UnsubscribePacket } from '../packets.ts';
import { readProperties, writeProperties } from '../properties.ts';
import { ReasonCode } from '../reason-code.ts';
import { Writer } from '../writer.ts';

/** Reads an UNSUBSCRIBE (MQTT 5, 3.10; 3.1.1, 3.10). Whether a filter is valid is the caller's. */
export function readUnsubscribe(cursor: Cursor, version: ProtocolVersion): UnsubscribePacket {
  const packetId = cursor.packetId();
  const properties = version === ProtocolVersion.V5 ? readProperties(cursor, PacketType.Unsubscribe) : {};
  const filters: string[] = [];
  if (cursor.remaining === 0) cursor.fail(ReasonCode.ProtocolError, 'no topic filter'); // [MQTT-3.10.3-2]
  while (cursor.remaining > 0) filters.push(cursor.string('topic filter')); // [MQTT-3.10.3-1]
  return { type: PacketType.Unsubscribe, packetId, filters, properties };
}

/** Encodes an UNSUBSCRIBE. */
export function encodeUnsubscribe(packet: UnsubscribePacket, version: ProtocolVersion): Buffer {
  const writer = new Writer();
  writer.uint16(packet.packetId);
  if (version === ProtocolVersion.V5) writeProperties(writer, PacketType.Unsubscribe, packet.properties);
  for (const filter of packet.filters) writer.string(filter);
  return writer.finish((PacketType.Unsubscribe << 4) | 2);
}
