import {
  decodePublish,
  ProtocolVersion,
  publishLength,
  PublishRecord,
  utf8Length,
  writePublish,
  type Qos,
  type Will,
} from '#mqtt';
import type { StoredMessage, StoredWill } from '#broker';
import { textBound, type Batch } from './batch.ts';
import { RecordType } from './format.ts';
import type { RecordReader } from './record-reader.ts';

/** Stands where a PUBLISH above QoS 0 must have a packet id; says nothing. */
const anyPacketId = 1;

const { V5 } = ProtocolVersion;

/** Bytes that a queue's bounds count for a message: topic, payload and properties, as the broker's own `Message.size`. */
export function weightOf({ topic, payload, properties }: StoredMessage): number {
  const topicLength = utf8Length(topic);
  if (properties === null) return topicLength + payload.length;
  return publishLength(topicLength, payload.length, 0, properties, V5);
}

/** `type id weight expiresAt publisherId PUBLISH`. The size in bytes. */
export function writeMessage(batch: Batch, id: number, message: StoredMessage): number {
  const { topic, payload, qos, properties, publisherId, expiresAt } = message;
  const topicLength = utf8Length(topic);
  const frameLength = publishLength(topicLength, payload.length, qos, properties, V5);
  batch.reserve(32 + textBound(publisherId) + frameLength);
  const start = batch.length;
  batch.byte(RecordType.Message);
  batch.varint(id);
  batch.varint(weightOf(message));
  batch.varint(expiresAt);
  batch.text(publisherId);
  batch.length = writePublish(
    batch.bytes,
    batch.length,
    topic,
    topicLength,
    payload,
    qos,
    false,
    false,
    anyPacketId,
    properties,
    V5,
  );
  return batch.length - start;
}

/** Reads behind the type. `null` = it is not a message, or not the one with this id. */
export function readMessage(reader: RecordReader, id: number): StoredMessage | null {
  if (reader.varint() !== id) return null;
  reader.varint();
  const expiresAt = reader.varint();
  const publisherId = reader.text();
  const packet = readPublish(reader);
  if (packet === null) return null;
  const { topic, payload, qos, properties } = packet;
  return { topic, payload: copyOf(payload), qos, properties, publisherId, expiresAt, journalId: id };
}

/** Passes over the fields behind `weight`. */
export function skipMessage(reader: RecordReader): void {
  reader.varint();
  reader.skipSized();
  skipPublish(reader);
}

/** `type session dueAt delay PUBLISH`. The size in bytes. */
export function writeWill(batch: Batch, sessionId: number, stored: StoredWill): number {
  const { topic, payload, qos, retain, delay, properties } = stored.will;
  const topicLength = utf8Length(topic);
  batch.reserve(32 + publishLength(topicLength, payload.length, qos, properties, V5));
  const start = batch.length;
  batch.byte(RecordType.Will);
  batch.varint(sessionId);
  batch.varint(stored.dueAt);
  batch.varint(delay);
  batch.length = writePublish(
    batch.bytes,
    batch.length,
    topic,
    topicLength,
    payload,
    qos,
    retain,
    false,
    anyPacketId,
    properties,
    V5,
  );
  return batch.length - start;
}

/** Reads behind the session; `null` = it is no will. */
export function readWill(reader: RecordReader): StoredWill | null {
  const dueAt = reader.varint();
  const delay = reader.varint();
  const packet = readPublish(reader);
  if (packet === null) return null;
  const { topic, payload, qos, retain, properties } = packet;
  const will: Will = { topic, payload: copyOf(payload), qos, retain, delay, properties };
  return { will, dueAt };
}

/** Where the PUBLISH at `at` has its body and its end. */
function frameAt(reader: RecordReader): { bodyStart: number; end: number } {
  const start = reader.at;
  reader.at = start + 1;
  const length = reader.varint();
  const bodyStart = reader.at;
  reader.at = bodyStart + length;
  return { bodyStart, end: reader.at };
}

function readPublish(reader: RecordReader): PublishRecord | null {
  const start = reader.at;
  const { bodyStart, end } = frameAt(reader);
  const packet = new PublishRecord();
  if (end > reader.end || decodePublish(reader.bytes, start, bodyStart, end, V5, packet) !== 0) return null;
  return packet;
}

function skipPublish(reader: RecordReader): void {
  frameAt(reader);
}

/** A copy: a view would pin the chunk that was read. */
function copyOf(payload: Buffer): Buffer {
  const own = Buffer.allocUnsafeSlow(payload.length);
  payload.copy(own);
  return own;
}

/** QoS from two bits of a record. */
export function qosOf(bits: number): Qos {
  return bits === 1 || bits === 2 ? bits : 0;
}
