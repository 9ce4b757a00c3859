import type { StoredSubscription } from '#broker';
import { textBound, type Batch } from './batch.ts';
import { RecordType } from './format.ts';
import { qosOf } from './message-record.ts';
import type { RecordReader } from './record-reader.ts';

/** What is written of a session itself. */
export interface SessionFacts {
  readonly id: number;
  readonly clientId: string;
  readonly owner: string | null;
  readonly expirySeconds: number;
  readonly disconnectedAt: number;
  /** The highest serial of its deliveries so far, as it stood then. */
  readonly lastSerial: number;
}

/** `type session expiry disconnectedAt lastSerial clientId hasOwner [owner]`. The size in bytes. */
export function writeSession(batch: Batch, session: SessionFacts): number {
  const { clientId, owner } = session;
  batch.reserve(50 + textBound(clientId) + textBound(owner ?? ''));
  const start = batch.length;
  batch.byte(RecordType.Session);
  batch.varint(session.id);
  batch.varint(session.expirySeconds);
  batch.varint(session.disconnectedAt);
  batch.varint(session.lastSerial);
  batch.text(clientId);
  batch.byte(owner === null ? 0 : 1);
  if (owner !== null) batch.text(owner);
  return batch.length - start;
}

/** Reads behind the type. */
export function readSession(reader: RecordReader): SessionFacts {
  const id = reader.varint();
  const expirySeconds = reader.varint();
  const disconnectedAt = reader.varint();
  const lastSerial = reader.varint();
  const clientId = reader.text();
  const owner = reader.byte() === 0 ? null : reader.text();
  return { id, clientId, owner, expirySeconds, disconnectedAt, lastSerial };
}

/** `type session options identifier filter`. The size in bytes. */
export function writeSubscription(batch: Batch, sessionId: number, options: StoredSubscription): number {
  const { filter, qos, noLocal, retainAsPublished, retainHandling, subscriptionIdentifier } = options;
  batch.reserve(32 + textBound(filter));
  const start = batch.length;
  batch.byte(RecordType.Subscription);
  batch.varint(sessionId);
  batch.byte(qos | (noLocal ? 4 : 0) | (retainAsPublished ? 8 : 0) | (retainHandling << 4));
  batch.varint(subscriptionIdentifier);
  batch.text(filter);
  return batch.length - start;
}

/** Reads behind the session. */
export function readSubscription(reader: RecordReader): StoredSubscription {
  const options = reader.byte();
  const subscriptionIdentifier = reader.varint();
  const filter = reader.text();
  const handling = (options >> 4) & 3;
  return {
    filter,
    qos: qosOf(options & 3),
    noLocal: (options & 4) !== 0,
    retainAsPublished: (options & 8) !== 0,
    retainHandling: handling === 1 || handling === 2 ? handling : 0,
    subscriptionIdentifier,
  };
}

/** `type session expiry disconnectedAt lastSerial`. */
export function writeSessionState(batch: Batch, state: Omit<SessionFacts, 'clientId' | 'owner'>): void {
  writeNumbers(batch, RecordType.SessionState, state.id, state.expirySeconds, state.disconnectedAt);
  batch.varint(state.lastSerial);
}

/** A record of a type and whole numbers. */
export function writeNumbers(batch: Batch, type: RecordType, first: number, second = -1, third = -1): void {
  batch.reserve(42);
  batch.byte(type);
  batch.varint(first);
  if (second >= 0) batch.varint(second);
  if (third >= 0) batch.varint(third);
}

/** A record of a type, a whole number (left out when negative) and a text. The size in bytes. */
export function writeNamed(batch: Batch, type: RecordType, number: number, text: string): number {
  batch.reserve(16 + textBound(text));
  const start = batch.length;
  batch.byte(type);
  if (number >= 0) batch.varint(number);
  batch.text(text);
  return batch.length - start;
}
