import { PacketType, ProtocolVersion, type Qos } from '../constants.ts';
import { Cursor } from '../cursor.ts';
import type { PublishPacket, PublishProperties } from '../packets.ts';
import { ReasonCode } from '../reason-code.ts';
import { decodeText, isAsciiText, utf8Length, writeText } from '../utf8.ts';
import { varintLength, writeVarint } from '../writer.ts';
import {
  publishPropertiesLength,
  readPublishProperties,
  writePublishProperties,
} from './publish-properties.ts';

const nothing = Buffer.alloc(0);

/**
 * A PUBLISH as `decodePublish` finds it: one for all packets of a reader, filled again for each. The payload is
 * `bytes[payloadStart, payloadStart + payloadLength)`; a view of it, which costs as much as finding it, is made only for
 * who asks for `payload`.
 */
export class PublishRecord implements PublishPacket {
  readonly type = PacketType.Publish;
  topic = '';
  qos: Qos = 0;
  retain = false;
  dup = false;
  packetId = 0;
  properties: PublishProperties | null = null;
  bytes: Buffer = nothing;
  payloadStart = 0;
  payloadLength = 0;
  /** The payload is the one that came, not one that was put in its place. */
  isOriginal = true;
  #view: Buffer | null = null;

  get payload(): Buffer {
    return (this.#view ??= this.bytes.subarray(this.payloadStart, this.payloadStart + this.payloadLength));
  }

  set payload(payload: Buffer) {
    this.place(payload, 0, payload.length);
    this.isOriginal = false;
  }

  /** For `decodePublish`: where the payload stands. */
  place(bytes: Buffer, start: number, end: number): void {
    this.bytes = bytes;
    this.payloadStart = start;
    this.payloadLength = end - start;
    this.isOriginal = true;
    this.#view = null;
  }

  /** As a packet of its own, whose payload is a view. */
  toPacket(): PublishPacket {
    const { type, topic, payload, qos, retain, dup, packetId, properties } = this;
    return { type, topic, payload, qos, retain, dup, packetId, properties };
  }
}

/**
 * Decodes the PUBLISH in `bytes[start, end)` (MQTT 5, 3.3) into a record; only topic and properties are new. 0, or why not; then the record is not to be used. Wildcards, an empty topic and the alias are the caller's.
 * `known`: a topic that it may well be, of an earlier packet; if so that string is used and none is made.
 */
export function decodePublish(
  bytes: Buffer,
  start: number,
  bodyStart: number,
  end: number,
  version: ProtocolVersion,
  into: PublishRecord,
  known = '',
): ReasonCode {
  const first = bytes[start]!;
  const qos = (first >> 1) & 3;
  if (qos === 3) return ReasonCode.MalformedPacket; // [MQTT-3.3.1-4]
  const dup = (first & 0x08) !== 0;
  if (dup && qos === 0) return ReasonCode.MalformedPacket; // [MQTT-3.3.1-2]

  let at = bodyStart + 2;
  if (at > end) return ReasonCode.MalformedPacket;
  const topicEnd = at + ((bytes[bodyStart]! << 8) | bytes[bodyStart + 1]!);
  if (topicEnd > end) return ReasonCode.MalformedPacket;
  const isKnown = topicEnd - at === known.length && isAsciiText(bytes, at, known);
  const topic = isKnown ? known : decodeText(bytes, at, topicEnd); // [MQTT-3.3.2-1]
  if (topic === undefined) return ReasonCode.MalformedPacket;
  at = topicEnd;

  let packetId = 0;
  if (qos !== 0) {
    if (at + 2 > end) return ReasonCode.MalformedPacket;
    packetId = (bytes[at]! << 8) | bytes[at + 1]!;
    if (packetId === 0) return ReasonCode.ProtocolError; // [MQTT-2.2.1-3]
    at += 2;
  }

  let properties: PublishProperties | null = null;
  if (version === ProtocolVersion.V5) {
    if (bodyStart - start > 2 && isPadded(bytes, bodyStart)) return ReasonCode.MalformedPacket; // [MQTT-1.5.5-1]
    if (at >= end) return ReasonCode.MalformedPacket;
    if (bytes[at] === 0) {
      at += 1;
    } else {
      const cursor = new Cursor(bytes, at, end);
      properties = readPublishProperties(cursor, PacketType.Publish);
      if (cursor.code !== ReasonCode.Success) return cursor.code;
      at = cursor.at;
    }
  }

  into.topic = topic;
  into.place(bytes, at, end);
  into.qos = qos as Qos;
  into.retain = (first & 0x01) !== 0;
  into.dup = dup;
  into.packetId = packetId;
  into.properties = properties;
  return ReasonCode.Success;
}

/** True when a length of several bytes ends in one that adds nothing. */
function isPadded(bytes: Buffer, bodyStart: number): boolean {
  return bytes[bodyStart - 1] === 0;
}

/** The size in bytes of a whole PUBLISH. `topicLength` is in UTF-8 bytes, at most 65,535. */
export function publishLength(
  topicLength: number,
  payloadLength: number,
  qos: Qos,
  properties: PublishProperties | null,
  version: ProtocolVersion,
): number {
  const body = bodyLength(topicLength, payloadLength, qos, propertiesLength(properties, version), version);
  return 1 + varintLength(body) + body;
}

function propertiesLength(properties: PublishProperties | null, version: ProtocolVersion): number {
  return version === ProtocolVersion.V5 && properties !== null ? publishPropertiesLength(properties) : 0;
}

function bodyLength(
  topicLength: number,
  payloadLength: number,
  qos: Qos,
  propertiesSize: number,
  version: ProtocolVersion,
): number {
  let length = 2 + topicLength + payloadLength;
  if (qos !== 0) length += 2;
  if (version === ProtocolVersion.V5) length += varintLength(propertiesSize) + propertiesSize;
  return length;
}

/**
 * Writes a whole PUBLISH of `publishLength` bytes at `offset` and gives back where it ends. The caller has made sure
 * that it fits, and that the packet is one that may exist (an id at QoS 1 and 2, no `dup` at QoS 0).
 */
export function writePublish(
  into: Buffer,
  offset: number,
  topic: string,
  topicLength: number,
  payload: Buffer,
  qos: Qos,
  retain: boolean,
  dup: boolean,
  packetId: number,
  properties: PublishProperties | null,
  version: ProtocolVersion,
): number {
  const { length } = payload;
  const at = writePublishHead(
    into,
    offset,
    topic,
    topicLength,
    length,
    qos,
    retain,
    dup,
    packetId,
    properties,
    version,
  );
  into.set(payload, at);
  return at + length;
}

/** As `writePublish`, but for the payload of `payloadLength` bytes: that follows in a piece of its own. */
export function writePublishHead(
  into: Buffer,
  offset: number,
  topic: string,
  topicLength: number,
  payloadLength: number,
  qos: Qos,
  retain: boolean,
  dup: boolean,
  packetId: number,
  properties: PublishProperties | null,
  version: ProtocolVersion,
): number {
  const propertiesSize = propertiesLength(properties, version);
  into[offset] = (PacketType.Publish << 4) | (dup ? 0x08 : 0) | (qos << 1) | (retain ? 0x01 : 0);
  let at = writeVarint(
    into,
    offset + 1,
    bodyLength(topicLength, payloadLength, qos, propertiesSize, version),
  );
  into[at] = topicLength >> 8;
  into[at + 1] = topicLength;
  at = writeText(into, at + 2, topic, topicLength);
  if (qos !== 0) {
    into[at] = packetId >> 8;
    into[at + 1] = packetId;
    at += 2;
  }
  if (version === ProtocolVersion.V5) {
    at = writeVarint(into, at, propertiesSize);
    if (propertiesSize !== 0) at = writePublishProperties(into, at, properties!);
  }
  return at;
}

/** Where the packet identifier of an encoded PUBLISH at QoS 1 or 2 stands in `frame`, so that it can be patched. */
export function packetIdOffset(frame: Buffer): number {
  let at = 1;
  while (frame[at]! > 127) at += 1;
  at += 1;
  return at + 2 + ((frame[at]! << 8) | frame[at + 1]!);
}

/** A PUBLISH as one buffer of its own. */
export function encodePublish(packet: PublishPacket, version: ProtocolVersion): Buffer {
  const { topic, payload, qos, properties } = packet;
  const topicLength = utf8Length(topic);
  const bytes = Buffer.allocUnsafe(publishLength(topicLength, payload.length, qos, properties, version));
  writePublish(
    bytes,
    0,
    topic,
    topicLength,
    payload,
    qos,
    packet.retain,
    packet.dup,
    packet.packetId,
    properties,
    version,
  );
  return bytes;
}
