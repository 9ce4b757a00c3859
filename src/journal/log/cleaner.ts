import type { JournalIndex } from '../index/journal-index.ts';
import { createDeliveryRecord, readDelivery, rewriteDelivery } from '../records/delivery-record.ts';
import { batchHeaderSize, isBatchIntact, readBatchHeader, RecordType } from '../records/format.ts';
import { readWill, skipMessage } from '../records/message-record.ts';
import { RecordReader } from '../records/record-reader.ts';
import { readSession, readSubscription, writeSession } from '../records/session-record.ts';
import type { LogFiles } from './log-files.ts';
import type { LogWriter } from './log-writer.ts';
import type { Segment, SegmentList } from './segment.ts';

/** What is read at once; also the least that is moved before it waits for a commit. */
const chunkSize = 256 * 1024;

export interface CleanerOptions {
  readonly files: LogFiles;
  readonly index: JournalIndex;
  readonly segments: SegmentList;
  readonly writer: LogWriter;
  readonly salt: number;
  readonly segmentBytes: number;
  readonly maximumBytes: number;
  /** A segment cannot be read: it stays, and nothing more is cleaned. */
  readonly onDamage: (file: string, what: string) => void;
}

/**
 * Gives the disk back: what is still needed of the oldest segment is written again at the end of the log, a little per
 * commit, then the segment is removed. Only ever the oldest: so what ends a record always stands behind it, and may
 * go when it is the oldest itself.
 */
export class Cleaner {
  /** Bytes that were written again. */
  movedBytes = 0;
  readonly #options: CleanerOptions;
  readonly #reader = new RecordReader(Buffer.alloc(0), 0, 0);
  readonly #record = createDeliveryRecord();
  #isRunning = false;
  #isStopped = false;
  #isDamaged = false;
  #onCommit: (() => void) | null = null;
  #onIdle: (() => void) | null = null;
  #lastCommitBytes = 0;

  constructor(options: CleanerOptions) {
    this.#options = options;
  }

  /** After each commit: goes on, or looks whether there is something to do. */
  onCommitted(bytes: number): void {
    this.#lastCommitBytes = bytes;
    const waiting = this.#onCommit;
    this.#onCommit = null;
    waiting?.();
    if (!this.#isRunning) this.start();
  }

  start(): void {
    if (this.#isRunning || this.#isStopped || this.#isDamaged || !this.#isWorthwhile()) return;
    this.#isRunning = true;
    void this.#run();
  }

  /** Ends after the piece that is under way. */
  async stop(): Promise<void> {
    this.#isStopped = true;
    if (!this.#isRunning) return;
    const idle = new Promise<void>((resolve) => (this.#onIdle = resolve));
    this.#onCommit?.();
    await idle;
  }

  async #run(): Promise<void> {
    while (!this.#isStopped && !this.#isDamaged && this.#isWorthwhile()) {
      const { head } = this.#options.segments;
      if (head === undefined) break;
      try {
        await this.#clean(head);
      } catch (error) {
        this.#damaged(head, error instanceof Error ? error.message : String(error));
      }
    }
    this.#isRunning = false;
    this.#onIdle?.();
  }

  /** Garbage beyond what is live, or nearly all of the oldest segment; never the segment that is written to. */
  #isWorthwhile(): boolean {
    const { segments, segmentBytes, maximumBytes, writer } = this.#options;
    const { head, bytes, liveBytes } = segments;
    if (head === undefined || head === segments.tail || head.end <= writer.headLsn) return false;
    if (head.liveBytes === 0) return true;
    if (writer.state !== 'ok' && head.liveBytes > chunkSize) return bytes > maximumBytes * 0.9;
    if (head.liveBytes * 4 <= head.length) return true;
    const garbage = bytes - liveBytes;
    const allowed = bytes > maximumBytes * 0.75 ? segmentBytes : liveBytes + 2 * segmentBytes;
    return garbage > allowed;
  }

  /** Moves what is live, then tells that the log begins behind it. */
  async #clean(head: Segment): Promise<void> {
    if (head.liveBytes > 0) await this.#move(head);
    if (this.#isStopped || this.#isDamaged) return;
    if (head.liveBytes > 0) {
      this.#damaged(head, `still holds ${head.liveBytes} bytes that are needed`);
      return;
    }
    const { writer } = this.#options;
    writer.headLsn = head.end;
    writer.batch();
    await this.#commit();
  }

  async #move(head: Segment): Promise<void> {
    const { files, writer } = this.#options;
    const fd = await files.openToRead(head.file);
    try {
      let chunk: Buffer = Buffer.allocUnsafeSlow(chunkSize);
      let movedSince = 0;
      for (let lsn = head.base; lsn < head.end && head.liveBytes > 0 && !this.#isStopped;) {
        const wanted = Math.min(chunk.length, head.end - lsn);
        const got = await files.read(fd, chunk.subarray(0, wanted), head.positionOf(lsn));
        const before = writer.pendingBytes;
        const used = this.#moveChunk(chunk, got, lsn);
        if (this.#isDamaged) return;
        if (used < 0) {
          chunk = Buffer.allocUnsafeSlow(Math.min(-used, head.end - lsn));
          continue;
        }
        lsn += used;
        const moved = writer.pendingBytes - before;
        this.movedBytes += moved;
        movedSince += moved;
        if (movedSince < Math.max(chunkSize, this.#lastCommitBytes)) continue;
        movedSince = 0;
        await this.#commit();
      }
    } finally {
      await files.close(fd);
    }
  }

  /** Moves what is live of the whole batches in a chunk. Bytes of these; negative = bytes that one batch needs. */
  #moveChunk(chunk: Buffer, length: number, lsn: number): number {
    const { segments, salt } = this.#options;
    const head = segments.head!;
    let at = 0;
    while (at + batchHeaderSize <= length) {
      const header = readBatchHeader(chunk, at);
      if (header === null || header.lsn !== lsn + at)
        return this.#damaged(head, 'holds something that is no batch');
      const end = at + batchHeaderSize + header.length;
      if (end > length) break;
      if (!isBatchIntact(chunk, at, header.length, salt))
        return this.#damaged(head, 'holds a batch with a wrong checksum');
      this.#moveBatch(chunk, at + batchHeaderSize, end, header.lsn + batchHeaderSize);
      at = end;
    }
    if (at > 0) return at;
    if (length < batchHeaderSize) return this.#damaged(head, 'ends within a batch');
    const needed = batchHeaderSize + (readBatchHeader(chunk, 0)?.length ?? 0);
    return needed <= length ? this.#damaged(head, 'ends within a batch') : -needed;
  }

  #moveBatch(bytes: Buffer, start: number, end: number, lsn: number): void {
    const reader = this.#reader;
    reader.bytes = bytes;
    reader.at = start;
    reader.end = end;
    while (reader.at < end) {
      const begin = reader.at;
      this.#moveRecord(reader, begin, lsn + begin - start);
    }
  }

  #moveRecord(reader: RecordReader, begin: number, lsn: number): void {
    const { index } = this.#options;
    const type = reader.byte();
    switch (type) {
      case RecordType.Message:
        this.#moveMessage(reader, begin, lsn);
        break;
      case RecordType.Queued:
        this.#moveDelivery(reader, lsn);
        break;
      case RecordType.Retained: {
        reader.varint();
        const entry = index.retained.get(reader.text());
        if (entry?.lsn === lsn) this.#copy(reader, begin, entry);
        break;
      }
      case RecordType.RetainedCleared:
        reader.skipSized();
        break;
      case RecordType.Session:
        this.#moveSession(readSession(reader).id, lsn);
        break;
      default:
        this.#moveOfSession(reader, type, begin, lsn);
    }
  }

  #moveOfSession(reader: RecordReader, type: number, begin: number, lsn: number): void {
    const entry = this.#options.index.sessionsById.get(reader.varint());
    switch (type) {
      case RecordType.Subscription: {
        const placed = entry?.subscriptions.get(readSubscription(reader).filter);
        if (placed?.lsn === lsn) this.#copy(reader, begin, placed);
        break;
      }
      case RecordType.Incoming: {
        const packetId = reader.varint();
        if (entry?.incoming?.get(packetId) !== lsn) break;
        const placed = { lsn: 0 };
        this.#copy(reader, begin, placed);
        this.#options.index.addIncoming(entry, packetId, placed.lsn);
        break;
      }
      case RecordType.Will:
        readWill(reader);
        if (entry?.will?.lsn === lsn) this.#copy(reader, begin, entry.will);
        break;
      case RecordType.Unsubscription:
        reader.skipSized();
        break;
      case RecordType.SessionEnded:
      case RecordType.WillCleared:
        break;
      case RecordType.SessionState:
        reader.varint();
        reader.varint();
        reader.varint();
        break;
      case RecordType.IncomingReleased:
      case RecordType.Received:
      case RecordType.Done:
        reader.varint();
        break;
      default: // Sent
        reader.varint();
        reader.varint();
    }
  }

  #moveMessage(reader: RecordReader, begin: number, lsn: number): void {
    const { index, writer } = this.#options;
    const { messages } = index;
    const slot = messages.find(reader.varint());
    const weight = reader.varint();
    skipMessage(reader);
    if (slot === -1 || messages.lsnOf(slot) !== lsn) return;
    const size = reader.at - begin;
    const batch = writer.batch();
    batch.reserve(size);
    const to = batch.end;
    batch.raw(reader.bytes, begin, reader.at);
    writer.take(lsn, size);
    messages.place(slot, to, size, weight);
    writer.add(to, size);
  }

  #moveDelivery(reader: RecordReader, lsn: number): void {
    const { index, writer } = this.#options;
    const record = this.#record;
    readDelivery(reader, record);
    const deliveries = index.sessionsById.get(record.sessionId)?.deliveries;
    const place = deliveries?.find(record.serial) ?? -1;
    if (deliveries === undefined || place === -1 || deliveries.lsnAt(place) !== lsn) return;
    const batch = writer.batch();
    const packetId = deliveries.packetIdAt(place);
    const isReceived = deliveries.isReceivedAt(place);
    const to = batch.end;
    const size = rewriteDelivery(batch, record, reader.bytes, reader.at, packetId, isReceived);
    writer.take(lsn, deliveries.sizeAt(place));
    deliveries.move(place, to, size);
    writer.add(to, size);
  }

  #moveSession(id: number, lsn: number): void {
    const { index, writer } = this.#options;
    const entry = index.sessionsById.get(id);
    if (entry === undefined || entry.clientId === null || entry.lsn !== lsn) return;
    const batch = writer.batch();
    const to = batch.end;
    const { clientId, owner, expirySeconds, disconnectedAt, lastSerial } = entry;
    const size = writeSession(batch, { id, clientId, owner, expirySeconds, disconnectedAt, lastSerial });
    writer.take(lsn, entry.size);
    entry.lsn = to;
    entry.size = size;
    writer.add(to, size);
  }

  /** Copies a record as it is; `placed` then says where it stands. */
  #copy(reader: RecordReader, begin: number, placed: { lsn: number }): void {
    const { writer } = this.#options;
    const size = reader.at - begin;
    const batch = writer.batch();
    batch.reserve(size);
    const to = batch.end;
    batch.raw(reader.bytes, begin, reader.at);
    if (placed.lsn !== 0) {
      writer.take(placed.lsn, size);
      writer.add(to, size);
    }
    placed.lsn = to;
  }

  /** Resolves after the next commit. */
  #commit(): Promise<void> {
    return new Promise((resolve) => (this.#onCommit = resolve));
  }

  #damaged(segment: Segment, what: string): 0 {
    this.#isDamaged = true;
    this.#options.onDamage(segment.file, what);
    return 0;
  }
}
