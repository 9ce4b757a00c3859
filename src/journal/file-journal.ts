import { DavylampError, messageOf, type Logger } from '#base';
import type {
  Journal,
  JournalState,
  StoredDelivery,
  StoredDeliveryState,
  StoredMessage,
  StoredState,
  StoredSubscription,
  StoredWill,
} from '#broker';
import type { JournalIndex } from './index/journal-index.ts';
import { SessionEntry } from './index/session-entry.ts';
import { loadRetained, loadSession } from './load.ts';
import type { Cleaner } from './log/cleaner.ts';
import type { DeliveryReader } from './log/delivery-reader.ts';
import { BlockReader } from './log/block-reader.ts';
import type { LogWriter } from './log/log-writer.ts';
import type { SegmentList } from './log/segment.ts';
import { RecordType } from './records/format.ts';
import { weightOf, writeMessage, writeWill } from './records/message-record.ts';
import { writeDelivery } from './records/delivery-record.ts';
import {
  writeNamed,
  writeNumbers,
  writeSession,
  writeSessionState,
  writeSubscription,
} from './records/session-record.ts';

/** What a journal counts, for `$SYS`. */
export interface JournalStatistics {
  readonly state: JournalState;
  readonly segments: number;
  /** Bytes of the log. */
  readonly bytes: number;
  /** Bytes of records that are still needed. */
  readonly liveBytes: number;
  /** Bytes that wait to be written. */
  readonly pendingBytes: number;
  /** Group commits, and what they wrote. */
  readonly flushes: number;
  readonly bytesWritten: number;
  /** Bytes of these that were moved from the oldest segment to the end. */
  readonly bytesMoved: number;
  readonly failedCommits: number;
  /** Milliseconds of the last commit, and their moving mean. */
  readonly lastCommitMs: number;
  readonly meanCommitMs: number;
  readonly sessions: number;
  readonly deliveries: number;
  readonly messages: number;
  readonly retained: number;
}

/** The parts that a journal is made of; `openJournal` makes them. */
export interface FileJournalParts {
  readonly folder: string;
  readonly log: Logger;
  readonly index: JournalIndex;
  readonly segments: SegmentList;
  readonly writer: LogWriter;
  readonly cleaner: Cleaner;
  readonly reader: DeliveryReader;
  readonly unlock: () => void;
}

/** The journal in a folder: an append-only log in segments, and an index of it in memory. */
export class FileJournal implements Journal {
  readonly #folder: string;
  readonly #log: Logger;
  readonly #index: JournalIndex;
  readonly #segments: SegmentList;
  readonly #writer: LogWriter;
  readonly #cleaner: Cleaner;
  readonly #reader: DeliveryReader;
  readonly #unlock: () => void;
  #onDurable: () => void = () => {};
  #onState: (state: JournalState, reason: string) => void = () => {};
  #blocks: BlockReader | null = null;
  #isClosed = false;

  constructor(parts: FileJournalParts) {
    this.#folder = parts.folder;
    this.#log = parts.log;
    this.#index = parts.index;
    this.#segments = parts.segments;
    this.#writer = parts.writer;
    this.#cleaner = parts.cleaner;
    this.#reader = parts.reader;
    this.#unlock = parts.unlock;
  }

  get sequence(): number {
    return this.#writer.sequence;
  }

  get durableSequence(): number {
    return this.#writer.durableSequence;
  }

  /** Whether more should be given to it than what makes room: `ok` = yes. */
  get state(): JournalState {
    return this.#writer.state;
  }

  get statistics(): JournalStatistics {
    const { counters } = this.#writer;
    return {
      ...counters,
      state: this.#writer.state,
      segments: this.#segments.all.length,
      bytes: this.#segments.bytes,
      liveBytes: this.#segments.liveBytes,
      pendingBytes: this.#writer.pendingBytes,
      bytesMoved: this.#cleaner.movedBytes,
      sessions: this.#index.sessions.size,
      deliveries: this.#index.deliveryCount,
      messages: this.#index.messages.size,
      retained: this.#index.retained.size,
    };
  }

  onDurable(callback: () => void): void {
    this.#onDurable = callback;
  }

  /** Sets who is called whenever `state` has changed; the reason is a sentence for people, empty when it is `ok`. */
  onState(callback: (state: JournalState, reason: string) => void): void {
    this.#onState = callback;
  }

  load(): StoredState {
    const blocks = new BlockReader(this.#segments, this.#writer);
    this.#blocks = blocks;
    const context = { folder: this.#folder, index: this.#index, blocks };
    const retained = loadRetained(context);
    const index = this.#index;
    return {
      retained,
      sessions: {
        *[Symbol.iterator]() {
          for (const entry of index.sessions.values()) yield loadSession(context, entry);
          blocks.close();
        },
      },
    };
  }

  /**
   * Reads queued deliveries of a session back: those behind `afterSerial` that were neither sent nor urgent, in their order,
   * at most `maximumCount` and about `maximumBytes` of topics and payloads, but one at least. Empty = there are none.
   * Also what is not durable yet. Rejects with `JOURNAL_UNUSABLE` when they cannot be read.
   */
  async readDeliveries(
    clientId: string,
    afterSerial: number,
    maximumCount: number,
    maximumBytes: number,
  ): Promise<readonly StoredDeliveryState[]> {
    const entry = this.#index.sessions.get(clientId);
    return entry === undefined ? [] : this.#reader.read(entry, afterSerial, maximumCount, maximumBytes);
  }

  recordSessionOpened(clientId: string, owner: string | null, expirySeconds: number): void {
    const index = this.#index;
    let entry = index.sessions.get(clientId);
    if (entry !== undefined && entry.owner === owner) {
      this.#recordState(entry, expirySeconds, 0);
      return;
    }
    if (entry !== undefined) this.recordSessionEnded(clientId);
    entry = new SessionEntry(index.nextSessionId++);
    entry.owner = owner;
    entry.expirySeconds = expirySeconds;
    const batch = this.#writer.batch();
    const lsn = batch.end;
    const { id } = entry;
    const facts = { id, clientId, owner, expirySeconds, disconnectedAt: 0, lastSerial: 0 };
    const size = writeSession(batch, facts);
    index.addSession(entry, clientId, lsn, size);
    this.#writer.sequence++;
  }

  recordSessionClosed(clientId: string, expirySeconds: number, disconnectedAt: number): void {
    this.#recordState(this.#session(clientId), expirySeconds, disconnectedAt);
  }

  recordSessionEnded(clientId: string): void {
    const entry = this.#index.sessions.get(clientId);
    if (entry === undefined) return;
    writeNumbers(this.#writer.batch(), RecordType.SessionEnded, entry.id);
    this.#index.removeSession(entry);
    this.#writer.sequence++;
  }

  recordSubscription(clientId: string, subscription: StoredSubscription): void {
    const entry = this.#session(clientId);
    const batch = this.#writer.batch();
    const lsn = batch.end;
    const size = writeSubscription(batch, entry.id, subscription);
    this.#index.addSubscription(entry, subscription, lsn, size);
    this.#writer.sequence++;
  }

  recordUnsubscription(clientId: string, filter: string): void {
    const entry = this.#session(clientId);
    writeNamed(this.#writer.batch(), RecordType.Unsubscription, entry.id, filter);
    this.#index.removeSubscription(entry, filter);
    this.#writer.sequence++;
  }

  recordDeliveryQueued(clientId: string, delivery: StoredDelivery): void {
    const entry = this.#session(clientId);
    if (delivery.serial <= entry.lastSerial)
      throw new DavylampError('BUG', `delivery ${delivery.serial} of client ${clientId} is out of order`);
    entry.lastSerial = delivery.serial;
    const slot = this.#store(delivery.message);
    const batch = this.#writer.batch();
    const lsn = batch.end;
    const size = writeDelivery(batch, entry.id, delivery.message.journalId, delivery);
    this.#index.addDelivery(entry, delivery.serial, slot, lsn, size, delivery.isUrgent ?? false);
    this.#writer.sequence++;
  }

  recordDeliverySent(clientId: string, serial: number, packetId: number): void {
    const { id, deliveries } = this.#session(clientId);
    const place = deliveries.find(serial);
    if (place === -1) return;
    writeNumbers(this.#writer.batch(), RecordType.Sent, id, serial, packetId);
    deliveries.setPacketId(place, packetId);
    this.#writer.sequence++;
  }

  recordDeliveryReceived(clientId: string, serial: number): void {
    const { id, deliveries } = this.#session(clientId);
    const place = deliveries.find(serial);
    if (place === -1) return;
    writeNumbers(this.#writer.batch(), RecordType.Received, id, serial);
    deliveries.setReceived(place);
    this.#writer.sequence++;
  }

  recordDeliveryDone(clientId: string, serial: number): void {
    const entry = this.#session(clientId);
    const place = entry.deliveries.find(serial);
    if (place === -1) return;
    writeNumbers(this.#writer.batch(), RecordType.Done, entry.id, serial);
    this.#index.removeDelivery(entry, place);
    this.#writer.sequence++;
  }

  recordIncoming(clientId: string, packetId: number): void {
    const entry = this.#session(clientId);
    const batch = this.#writer.batch();
    const lsn = batch.end;
    writeNumbers(batch, RecordType.Incoming, entry.id, packetId);
    this.#index.addIncoming(entry, packetId, lsn);
    this.#writer.sequence++;
  }

  recordIncomingReleased(clientId: string, packetId: number): void {
    const entry = this.#session(clientId);
    writeNumbers(this.#writer.batch(), RecordType.IncomingReleased, entry.id, packetId);
    this.#index.removeIncoming(entry, packetId);
    this.#writer.sequence++;
  }

  recordRetained(message: StoredMessage): void {
    const slot = this.#store(message);
    const batch = this.#writer.batch();
    const lsn = batch.end;
    const size = writeNamed(batch, RecordType.Retained, message.journalId, message.topic);
    this.#index.setRetained(message.topic, slot, lsn, size);
    this.#writer.sequence++;
  }

  recordRetainedCleared(topic: string): void {
    if (!this.#index.retained.has(topic)) return;
    writeNamed(this.#writer.batch(), RecordType.RetainedCleared, -1, topic);
    this.#index.clearRetained(topic);
    this.#writer.sequence++;
  }

  recordWill(clientId: string, will: StoredWill): void {
    const entry = this.#session(clientId);
    const batch = this.#writer.batch();
    const lsn = batch.end;
    const size = writeWill(batch, entry.id, will);
    this.#index.setWill(entry, will, lsn, size);
    this.#writer.sequence++;
  }

  recordWillCleared(clientId: string): void {
    const entry = this.#index.sessions.get(clientId);
    if (entry === undefined || entry.will === null) return;
    writeNumbers(this.#writer.batch(), RecordType.WillCleared, entry.id);
    this.#index.clearWill(entry);
    this.#writer.sequence++;
  }

  /**
   * Makes everything durable that was recorded and gives the folder free. Rejects with `JOURNAL_UNUSABLE` when the disk
   * does not take it; the folder is free all the same.
   */
  async close(): Promise<void> {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#blocks?.close();
    await this.#cleaner.stop();
    try {
      await this.#writer.close();
    } finally {
      this.#unlock();
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  /** Called by the writer after each commit. */
  committed(bytes: number): void {
    this.#tell(this.#onDurable);
    this.#cleaner.onCommitted(bytes);
  }

  /** Called by the writer. */
  stateChanged(state: JournalState, reason: string): void {
    if (state === 'ok') this.#log.notice(`journal ${this.#folder} takes messages again`);
    else this.#log.error(`journal ${this.#folder} takes no new messages: ${reason}`, { state });
    this.#tell(() => this.#onState(state, reason));
  }

  /** Whoever is told must not keep the journal from going on. */
  #tell(callback: () => void): void {
    try {
      callback();
    } catch (error) {
      this.#log.error(`BUG in what follows a commit of the journal; please report it: ${messageOf(error)}`);
    }
  }

  /** What is to be remembered of a session that is not there would be lost without a word. */
  #session(clientId: string): SessionEntry {
    const entry = this.#index.sessions.get(clientId);
    if (entry === undefined)
      throw new DavylampError('BUG', `a record for the session of client ${clientId}, which is not open`);
    return entry;
  }

  #recordState(entry: SessionEntry, expirySeconds: number, disconnectedAt: number): void {
    const { id, lastSerial } = entry;
    writeSessionState(this.#writer.batch(), { id, expirySeconds, disconnectedAt, lastSerial });
    entry.expirySeconds = expirySeconds;
    entry.disconnectedAt = disconnectedAt;
    this.#writer.sequence++;
  }

  /** Writes a message, once: whoever refers to it next finds it. Its slot. */
  #store(message: StoredMessage): number {
    const index = this.#index;
    if (message.journalId !== 0) {
      const slot = index.messages.find(message.journalId);
      if (slot !== -1) return slot;
    }
    const id = index.nextMessageId++;
    const batch = this.#writer.batch();
    const lsn = batch.end;
    const size = writeMessage(batch, id, message);
    message.journalId = id;
    return index.addMessage(id, lsn, size, weightOf(message));
  }
}
