import { PacketType, ProtocolVersion } from '../constants.ts';
import { Cursor } from '../cursor.ts';
import type { AckPacket, AckProperties } from '../packets.ts';
import { hasProperties, readProperties, writeProperties } from '../properties.ts';
import { ReasonCode } from '../reason-code.ts';
import { Writer } from '../writer.ts';

/** PUBACK, PUBREC, PUBREL or PUBCOMP as the hot path reads it: one record, used again. */
export interface AckRecord {
  type: number;
  packetId: number;
  /** Before MQTT 5: 0. */
  reasonCode: number;
  /** `null` where there is none. */
  properties: AckProperties | null;
}

/** A record for `decodeAck` to fill. */
export function createAckRecord(): AckRecord {
  return { type: 0, packetId: 0, reasonCode: 0, properties: null };
}

/** Reason codes of PUBACK and PUBREC (MQTT 5, tables 3-4 and 3-5). */
const publishAnswers: ReadonlySet<number> = new Set([0x00, 0x10, 0x80, 0x83, 0x87, 0x90, 0x91, 0x97, 0x99]);
/** Reason codes of PUBREL and PUBCOMP (MQTT 5, tables 3-6 and 3-7). */
const releaseAnswers: ReadonlySet<number> = new Set([0x00, 0x92]);

/**
 * Decodes the PUBACK, PUBREC, PUBREL or PUBCOMP in `bytes[start, end)` (MQTT 5, 3.4 to 3.7) into a record. 0, or why
 * not; then the record is not to be used.
 */
export function decodeAck(
  bytes: Buffer,
  start: number,
  bodyStart: number,
  end: number,
  version: ProtocolVersion,
  into: AckRecord,
): ReasonCode {
  const first = bytes[start]!;
  const type = first >> 4;
  if ((first & 0x0f) !== (type === PacketType.Pubrel ? 2 : 0)) return ReasonCode.MalformedPacket; // [MQTT-3.6.1-1]
  if (end - bodyStart < 2) return ReasonCode.MalformedPacket;
  const packetId = (bytes[bodyStart]! << 8) | bytes[bodyStart + 1]!;
  if (packetId === 0) return ReasonCode.ProtocolError; // [MQTT-2.2.1-3]
  into.type = type;
  into.packetId = packetId;
  into.reasonCode = ReasonCode.Success;
  into.properties = null;
  if (version !== ProtocolVersion.V5)
    return end - bodyStart === 2 ? ReasonCode.Success : ReasonCode.MalformedPacket;
  if (bodyStart - start > 2 && bytes[bodyStart - 1] === 0) return ReasonCode.MalformedPacket; // [MQTT-1.5.5-1]
  if (end - bodyStart === 2) return ReasonCode.Success;
  return decodeOutcome(bytes, bodyStart + 2, end, into);
}

/** The reason code and the properties, of which the latter may be left out (MQTT 5, 3.4.2.1 and 3.4.2.2.1). */
function decodeOutcome(bytes: Buffer, at: number, end: number, into: AckRecord): ReasonCode {
  const reasonCode = bytes[at]!;
  if (!isAnswer(into.type, reasonCode)) return ReasonCode.ProtocolError; // [MQTT-3.4.2-1] and its like
  into.reasonCode = reasonCode;
  if (at + 1 === end) return ReasonCode.Success;
  const cursor = new Cursor(bytes, at + 1, end);
  const properties = readProperties(cursor, into.type as AckPacket['type']);
  if (cursor.code !== ReasonCode.Success) return cursor.code;
  if (cursor.remaining > 0) return ReasonCode.MalformedPacket;
  if (hasProperties(properties)) into.properties = properties;
  return ReasonCode.Success;
}

function isAnswer(type: number, reasonCode: number): boolean {
  const known = type === PacketType.Puback || type === PacketType.Pubrec ? publishAnswers : releaseAnswers;
  return known.has(reasonCode);
}

/**
 * Writes an acknowledgement in its shortest form, at most five bytes, and gives back where it ends. The reason code
 * is written in MQTT 5 only, and only when it is not 0.
 */
export function writeAck(
  into: Buffer,
  offset: number,
  type: AckPacket['type'],
  packetId: number,
  reasonCode: number,
  version: ProtocolVersion,
): number {
  into[offset] = firstByte(type);
  into[offset + 1] = 2;
  into[offset + 2] = packetId >> 8;
  into[offset + 3] = packetId;
  if (reasonCode === 0 || version !== ProtocolVersion.V5) return offset + 4;
  into[offset + 1] = 3;
  into[offset + 4] = reasonCode;
  return offset + 5;
}

function firstByte(type: AckPacket['type']): number {
  return (type << 4) | (type === PacketType.Pubrel ? 2 : 0);
}

/** An acknowledgement as one buffer of its own, with its properties. */
export function encodeAck(packet: AckPacket, version: ProtocolVersion): Buffer {
  const { type, packetId, reasonCode, properties } = packet;
  if (version !== ProtocolVersion.V5 || !hasProperties(properties)) {
    const bytes = Buffer.alloc(5);
    return bytes.subarray(0, writeAck(bytes, 0, type, packetId, reasonCode, version));
  }
  const writer = new Writer();
  writer.uint16(packetId);
  writer.byte(reasonCode);
  writeProperties(writer, type, properties);
  return writer.finish(firstByte(type));
}
