import type { StoredDelivery } from '#broker';
import { textBound, type Batch } from './batch.ts';
import { RecordType } from './format.ts';
import type { RecordReader } from './record-reader.ts';

/** Bits of a `Queued` record's flags; the lowest two are the QoS. */
const Flag = { Retain: 4, Received: 8, Sent: 16, Identifiers: 32, Share: 64, Urgent: 128 } as const;

/** A `Queued` record as it is read. */
export interface DeliveryRecord {
  sessionId: number;
  serial: number;
  messageId: number;
  qos: number;
  retain: boolean;
  isUrgent: boolean;
  received: boolean;
  /** Wall time in milliseconds; 0 = not known. */
  queuedAt: number;
  /** 0 = not yet sent. */
  packetId: number;
  /** Where identifiers and share begin. */
  restStart: number;
  hasIdentifiers: boolean;
  hasShare: boolean;
}

export function createDeliveryRecord(): DeliveryRecord {
  return {
    sessionId: 0,
    serial: 0,
    messageId: 0,
    qos: 0,
    retain: false,
    isUrgent: false,
    received: false,
    queuedAt: 0,
    packetId: 0,
    restStart: 0,
    hasIdentifiers: false,
    hasShare: false,
  };
}

/**
 * `type flags session serial message [packetId] queuedAt [identifiers] [share]`: a message that waits for a session. The size
 * in bytes.
 */
export function writeDelivery(
  batch: Batch,
  sessionId: number,
  messageId: number,
  delivery: StoredDelivery,
): number {
  const {
    serial,
    qos,
    retain,
    subscriptionIdentifiers,
    share = '',
    isUrgent = false,
    queuedAt = 0,
  } = delivery;
  const count = subscriptionIdentifiers.length;
  batch.reserve(48 + count * 5 + textBound(share));
  const start = batch.length;
  batch.byte(RecordType.Queued);
  batch.byte(
    qos |
      (retain ? Flag.Retain : 0) |
      (isUrgent ? Flag.Urgent : 0) |
      (count > 0 ? Flag.Identifiers : 0) |
      (share === '' ? 0 : Flag.Share),
  );
  batch.varint(sessionId);
  batch.varint(serial);
  batch.varint(messageId);
  batch.varint(queuedAt);
  if (count > 0) {
    batch.varint(count);
    for (let i = 0; i < count; i++) batch.varint(subscriptionIdentifiers[i]!);
  }
  if (share !== '') batch.text(share);
  return batch.length - start;
}

/** Reads behind the type, up to the end of the record. */
export function readDelivery(reader: RecordReader, into: DeliveryRecord): void {
  const flags = reader.byte();
  into.qos = flags & 3;
  into.retain = (flags & Flag.Retain) !== 0;
  into.isUrgent = (flags & Flag.Urgent) !== 0;
  into.received = (flags & Flag.Received) !== 0;
  into.hasIdentifiers = (flags & Flag.Identifiers) !== 0;
  into.hasShare = (flags & Flag.Share) !== 0;
  into.sessionId = reader.varint();
  into.serial = reader.varint();
  into.messageId = reader.varint();
  into.packetId = (flags & Flag.Sent) === 0 ? 0 : reader.varint();
  into.queuedAt = reader.varint();
  into.restStart = reader.at;
  if (into.hasIdentifiers) {
    const count = reader.varint();
    for (let i = 0; i < count && !reader.isOverrun; i++) reader.varint();
  }
  if (into.hasShare) reader.skipSized();
}

/** Identifiers and share of a record that has been read. */
export function readDeliveryRest(
  bytes: Buffer,
  record: DeliveryRecord,
  reader: RecordReader,
): { readonly subscriptionIdentifiers: number[]; readonly share: string } {
  const subscriptionIdentifiers: number[] = [];
  reader.bytes = bytes;
  reader.at = record.restStart;
  if (record.hasIdentifiers) {
    const count = reader.varint();
    for (let i = 0; i < count && !reader.isOverrun; i++) subscriptionIdentifiers.push(reader.varint());
  }
  return { subscriptionIdentifiers, share: record.hasShare ? reader.text() : '' };
}

/** Writes a record that was read from `bytes` once more, as the delivery stands now. The size in bytes. */
export function rewriteDelivery(
  batch: Batch,
  record: DeliveryRecord,
  bytes: Buffer,
  end: number,
  packetId: number,
  received: boolean,
): number {
  batch.reserve(48 + end - record.restStart);
  const start = batch.length;
  batch.byte(RecordType.Queued);
  batch.byte(
    record.qos |
      (record.retain ? Flag.Retain : 0) |
      (received ? Flag.Received : 0) |
      (packetId === 0 ? 0 : Flag.Sent) |
      (record.isUrgent ? Flag.Urgent : 0) |
      (record.hasIdentifiers ? Flag.Identifiers : 0) |
      (record.hasShare ? Flag.Share : 0),
  );
  batch.varint(record.sessionId);
  batch.varint(record.serial);
  batch.varint(record.messageId);
  if (packetId !== 0) batch.varint(packetId);
  batch.varint(record.queuedAt);
  batch.raw(bytes, record.restStart, end);
  return batch.length - start;
}
