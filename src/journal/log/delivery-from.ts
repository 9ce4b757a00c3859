import type { StoredDeliveryState, StoredMessage } from '#broker';
import { createDeliveryRecord, readDelivery, readDeliveryRest } from '../records/delivery-record.ts';
import { RecordType } from '../records/format.ts';
import { qosOf, readMessage } from '../records/message-record.ts';
import { RecordReader } from '../records/record-reader.ts';

/** A delivery from its record and that of its message; `null` = they are not these. */
export function deliveryFrom(
  deliveryBytes: Buffer,
  messageBytes: Buffer,
  sessionId: number,
  serial: number,
  messageId: number,
  packetId: number,
  received: boolean,
): StoredDeliveryState | null {
  const reader = new RecordReader(deliveryBytes, 0, deliveryBytes.length);
  if (reader.byte() !== RecordType.Queued) return null;
  const record = createDeliveryRecord();
  readDelivery(reader, record);
  const isIt = record.sessionId === sessionId && record.serial === serial && record.messageId === messageId;
  if (!isIt || reader.isOverrun) return null;
  const { qos, retain, isUrgent, queuedAt } = record;
  const { subscriptionIdentifiers, share } = readDeliveryRest(deliveryBytes, record, reader);
  const message = messageFrom(messageBytes, messageId);
  if (message === null) return null;
  return {
    serial,
    message,
    qos: qosOf(qos),
    retain,
    subscriptionIdentifiers,
    share,
    isUrgent,
    queuedAt,
    packetId,
    received,
  };
}

/** A message from its record; `null` = it is another one. */
export function messageFrom(bytes: Buffer, messageId: number): StoredMessage | null {
  const reader = new RecordReader(bytes, 0, bytes.length);
  return reader.byte() === RecordType.Message ? readMessage(reader, messageId) : null;
}
