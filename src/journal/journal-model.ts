/** For the tests of the journal: a journal in memory that is plainly right, and what a real one is compared by. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { silentLogger, SystemClock } from '#base';
import type {
  StoredDelivery,
  StoredDeliveryState,
  StoredMessage,
  StoredSubscription,
  StoredWill,
} from '#broker';
import { ProtocolVersion, publishLength } from '#mqtt';
import type { FileJournal } from './file-journal.ts';
import { openJournal, type JournalOptions } from './open-journal.ts';

/** A folder that is removed at the end. */
export class TemporaryFolder {
  readonly root: string;

  constructor(parent = tmpdir()) {
    this.root = mkdtempSync(path.join(parent, 'davylamp-journal-'));
  }

  get journal(): string {
    return path.join(this.root, 'journal');
  }

  [Symbol.dispose](): void {
    rmSync(this.root, { recursive: true, force: true });
  }
}

/** Opens a journal with small files. */
export function openSmall(folder: string, options: Partial<JournalOptions> = {}): Promise<FileJournal> {
  return openJournal({
    folder,
    clock: new SystemClock(),
    log: silentLogger,
    segmentBytes: 2048,
    reserveBytes: 4096,
    ...options,
  });
}

/** A message that no journal has seen. */
export function messageOf(
  topic: string,
  payload: string | Buffer,
  more: Partial<StoredMessage> = {},
): StoredMessage {
  return {
    topic,
    payload: Buffer.from(payload),
    qos: 1,
    properties: null,
    publisherId: 'publisher',
    expiresAt: 0,
    journalId: 0,
    ...more,
  };
}

/** A delivery at QoS 1 without anything special. */
export function deliveryOf(
  serial: number,
  message: StoredMessage,
  more: Partial<StoredDelivery> = {},
): StoredDelivery {
  return { serial, message, qos: 1, retain: false, subscriptionIdentifiers: [], ...more };
}

/** Resolves when everything that was recorded so far is on the disk. */
export function durable(journal: FileJournal): Promise<void> {
  return new Promise((resolve) => {
    const look = (): void => {
      if (journal.durableSequence >= journal.sequence) resolve();
    };
    journal.onDurable(look);
    look();
  });
}

interface ModelSession {
  owner: string | null;
  expirySeconds: number;
  disconnectedAt: number;
  readonly subscriptions: Map<string, StoredSubscription>;
  readonly deliveries: Map<number, StoredDeliveryState>;
  readonly incoming: Set<number>;
  will: StoredWill | null;
}

/** What a journal must know after the same records. */
export class JournalModel {
  readonly sessions = new Map<string, ModelSession>();
  readonly retained = new Map<string, StoredMessage>();

  open(clientId: string, owner: string | null, expirySeconds: number): void {
    const session = this.sessions.get(clientId);
    if (session !== undefined && session.owner === owner) {
      Object.assign(session, { expirySeconds, disconnectedAt: 0 });
      return;
    }
    this.sessions.set(clientId, {
      owner,
      expirySeconds,
      disconnectedAt: 0,
      subscriptions: new Map(),
      deliveries: new Map(),
      incoming: new Set(),
      will: null,
    });
  }

  /** As `readable` gives what a journal has loaded. */
  get readable(): unknown {
    return {
      sessions: [...this.sessions]
        .map(([clientId, session]) => ({
          clientId,
          owner: session.owner,
          expirySeconds: session.expirySeconds,
          disconnectedAt: session.disconnectedAt,
          subscriptions: [...session.subscriptions.values()].toSorted(byFilter),
          deliveries: [...session.deliveries.values()]
            .toSorted((a, b) => a.serial - b.serial)
            .map(readableDelivery),
          incoming: [...session.incoming].toSorted((a, b) => a - b),
          will: readableWill(session.will),
        }))
        .toSorted(byClient),
      retained: [...this.retained.values()].map(readableMessage).toSorted(),
    };
  }
}

/** What an opened journal found, in a form that can be compared. */
export function readable(journal: FileJournal): unknown {
  const state = journal.load();
  const retained = [...state.retained].map(readableMessage).toSorted();
  const sessions = [...state.sessions].map((session) => {
    const deliveries = [...session.deliveries];
    const ordinary = deliveries.filter(({ packetId, isUrgent }) => packetId === 0 && isUrgent !== true);
    const { queue } = session;
    assert.equal(queue?.messages, ordinary.length);
    assert.equal(
      queue.bytes,
      sumOf(ordinary, ({ message }) => weightOf(message)),
    );
    assert.ok(queue.lastSerial >= (deliveries.at(-1)?.serial ?? 0));
    assert.deepEqual(
      [...queue.inflight, ...queue.urgent].map(readableDelivery),
      [
        ...deliveries.filter(({ packetId }) => packetId !== 0),
        ...deliveries.filter(({ packetId, isUrgent }) => packetId === 0 && isUrgent === true),
      ].map(readableDelivery),
    );
    return {
      clientId: session.clientId,
      owner: session.owner,
      expirySeconds: session.expirySeconds,
      disconnectedAt: session.disconnectedAt,
      subscriptions: session.subscriptions.toSorted(byFilter),
      deliveries: deliveries.map(readableDelivery),
      incoming: session.incomingPacketIds.toSorted((a, b) => a - b),
      will: readableWill(session.will),
    };
  });
  return { sessions: sessions.toSorted(byClient), retained };
}

export function readableDelivery(delivery: StoredDeliveryState): unknown {
  const { message, share = '', isUrgent = false, queuedAt = 0, subscriptionIdentifiers, ...rest } = delivery;
  const identifiers = [...subscriptionIdentifiers];
  return { ...rest, share, isUrgent, queuedAt, identifiers, message: readableMessage(message) };
}

function readableMessage(message: StoredMessage): string {
  const { topic, payload, qos, properties, publisherId, expiresAt } = message;
  return JSON.stringify({ topic, payload: payload.toString('hex'), qos, properties, publisherId, expiresAt });
}

function readableWill(stored: StoredWill | null): string {
  if (stored === null) return '';
  const { topic, payload, qos, retain, delay, properties } = stored.will;
  const text = payload.toString('hex');
  return JSON.stringify({ topic, payload: text, qos, retain, delay, properties, dueAt: stored.dueAt });
}

function weightOf({ topic, payload, properties }: StoredMessage): number {
  if (properties === null) return Buffer.byteLength(topic) + payload.length;
  return publishLength(Buffer.byteLength(topic), payload.length, 0, properties, ProtocolVersion.V5);
}

function sumOf<T>(list: readonly T[], value: (one: T) => number): number {
  return list.reduce((sum, one) => sum + value(one), 0);
}

function byFilter(a: StoredSubscription, b: StoredSubscription): number {
  return a.filter < b.filter ? -1 : 1;
}

function byClient(a: { readonly clientId: string }, b: { readonly clientId: string }): number {
  return a.clientId < b.clientId ? -1 : 1;
}
