import { PacketType, ProtocolVersion } from '../constants.ts';
import type { Cursor } from '../cursor.ts';
import type { UnsubackPacket } from '../packets.ts';
import { readProperties, writeProperties } from '../properties.ts';
import { Writer } from '../writer.ts';
import { readReasonCodes } from './suback.ts';

/** Reason codes of UNSUBACK (MQTT 5, table 3-9). */
const knownCodes: ReadonlySet<number> = new Set([0x00, 0x11, 0x80, 0x83, 0x87, 0x8f, 0x91]);

/** Reads an UNSUBACK (MQTT 5, 3.11); before MQTT 5 it has no payload (3.1.1, 3.11). */
export function readUnsuback(cursor: Cursor, version: ProtocolVersion): UnsubackPacket {
  const packetId = cursor.packetId();
  if (version !== ProtocolVersion.V5)
    return { type: PacketType.Unsuback, packetId, reasonCodes: [], properties: {} };
  const properties = readProperties(cursor, PacketType.Unsuback);
  return {
    type: PacketType.Unsuback,
    packetId,
    reasonCodes: readReasonCodes(cursor, knownCodes),
    properties,
  };
}

/** Encodes an UNSUBACK; before MQTT 5 the reason codes are left out. */
export function encodeUnsuback(packet: UnsubackPacket, version: ProtocolVersion): Buffer {
  const writer = new Writer();
  writer.uint16(packet.packetId);
  if (version === ProtocolVersion.V5) {
    writeProperties(writer, PacketType.Unsuback, packet.properties);
    for (const code of packet.reasonCodes) writer.byte(code);
  }
  return writer.finish(PacketType.Unsuback << 4);
}
