import type { Clock, Timer } from '#base';
import type { JournalState } from '#broker';
import type { Ledger } from '../index/journal-index.ts';
import { isDiskFull, journalError, whyFailed } from '../journal-error.ts';
import type { Batch } from '../records/batch.ts';
import { batchHeaderSize, writeBatchHeader } from '../records/format.ts';
import type { LogFiles } from './log-files.ts';
import { Pending } from './pending.ts';
import type { Reserve } from './reserve.ts';
import { createSegment, sealSegment } from './segment-files.ts';
import type { Segment, SegmentList } from './segment.ts';

/** While a write is under way, a batch is closed at the end of a turn when it has so many bytes. */
const batchBytes = 1024 * 1024;

/** Batches in one write. */
const batchesPerWrite = 64;

const firstRetryMs = 50;
const lastRetryMs = 5_000;

/** Weight of the last commit in the mean of latencies. */
const meanWeight = 0.05;

export interface LogWriterOptions {
  readonly folder: string;
  readonly files: LogFiles;
  readonly clock: Clock;
  readonly reserve: Reserve;
  readonly segments: SegmentList;
  /** The last segment, open for writing. */
  readonly fd: number;
  readonly salt: number;
  readonly headLsn: number;
  readonly segmentBytes: number;
  readonly maximumBytes: number;
  readonly maximumPendingBytes: number;
  /** After each commit. */
  readonly onCommitted: (bytes: number) => void;
  readonly onState: (state: JournalState, reason: string) => void;
}

/** What the writer counts. */
export interface LogCounters {
  flushes: number;
  bytesWritten: number;
  lastCommitMs: number;
  meanCommitMs: number;
  failedCommits: number;
}

/**
 * Brings batches to the disk: one write and one flush at a time, off the event loop, while the next batch gathers.
 * What fails is tried again until it succeeds: nothing is left out, and nothing counts before it is on the disk.
 */
export class LogWriter implements Ledger {
  readonly counters: LogCounters = {
    flushes: 0,
    bytesWritten: 0,
    lastCommitMs: 0,
    meanCommitMs: 0,
    failedCommits: 0,
  };
  /** Number of the last record. */
  sequence = 0;
  durableSequence = 0;
  /** Everything before this LSN is no longer needed; counts when it is on the disk. */
  headLsn: number;
  readonly #options: LogWriterOptions;
  readonly #pending: Pending;
  #fd: number;
  #durableHeadLsn: number;
  #isScheduled = false;
  #isRunning = false;
  #isClosing = false;
  /** What is recorded from now on goes nowhere. */
  #isClosed = false;
  /** A flush failed: what the file holds behind its last good commit cannot be trusted. */
  #isDistrusted = false;
  #isDiskFull = false;
  #failure = '';
  #retryMs = firstRetryMs;
  #hurry: (() => void) | null = null;
  #reserveTimer: Timer | null = null;
  #state: JournalState = 'ok';
  #onIdle: (() => void) | null = null;
  #closeError: unknown = null;

  constructor(options: LogWriterOptions) {
    this.#options = options;
    this.#pending = new Pending(tailOf(options.segments).end);
    this.#fd = options.fd;
    this.headLsn = options.headLsn;
    this.#durableHeadLsn = options.headLsn;
  }

  get state(): JournalState {
    return this.#state;
  }

  /** LSN behind what is on the disk. */
  get durableLsn(): number {
    return tailOf(this.#options.segments).end;
  }

  get pendingBytes(): number {
    return this.#pending.end - this.durableLsn;
  }

  /** The batch that the next record goes to; it is written after this turn. */
  batch(): Batch {
    if (!this.#isScheduled) {
      this.#isScheduled = true;
      setImmediate(this.#onTurn);
    }
    return this.#pending.open();
  }

  add(lsn: number, size: number): void {
    const place = this.#placeOf(lsn);
    if (place !== undefined) place.liveBytes += size;
  }

  take(lsn: number, size: number): void {
    const place = this.#placeOf(lsn);
    if (place !== undefined) place.liveBytes -= size;
  }

  /** The bytes of a record that is not on the disk yet; `null` = it is. A view, good for this turn. */
  pendingRecord(lsn: number, size: number): Buffer | null {
    if (lsn < this.durableLsn) return null;
    const batch = this.#pending.find(lsn);
    if (batch === undefined) return null;
    return batch.bytes.subarray(lsn - batch.lsn, Math.min(lsn - batch.lsn + size, batch.length));
  }

  /** Takes the reserve, when there is none; called once at the start. */
  start(): void {
    this.#takeReserve();
    this.updateState();
  }

  /** Writes what is left; rejects with `JOURNAL_UNUSABLE` when that fails. */
  async close(): Promise<void> {
    this.#isClosing = true;
    this.#reserveTimer?.cancel();
    this.#hurry?.();
    if (this.#isRunning || !this.#pending.isEmpty) {
      const idle = new Promise<void>((resolve) => (this.#onIdle = resolve));
      if (!this.#isRunning) void this.#run();
      await idle;
    }
    this.#isClosed = true;
    await this.#options.files.close(this.#fd);
    if (this.#closeError !== null)
      throw journalError(this.#options.folder, 'write what was recorded', this.#closeError);
  }

  /** Looks at what makes the journal full. */
  updateState(): void {
    const { maximumBytes, maximumPendingBytes, segments, reserve, onState } = this.#options;
    let state: JournalState = 'ok';
    let reason = '';
    if (this.#failure !== '') {
      state = this.#isDiskFull ? 'full' : 'failed';
      reason = this.#failure;
    } else if (this.#isDiskFull && !reserve.isHeld) {
      state = 'full';
      reason = 'the disk is full; make room';
    } else if (segments.bytes + this.pendingBytes > this.#boundOf(maximumBytes)) {
      state = 'full';
      reason = 'it has reached its maximum size; let clients fetch what waits, or raise the maximum';
    } else if (this.pendingBytes > this.#boundOf(maximumPendingBytes)) {
      state = 'full';
      reason = 'the disk is slower than what is to be written';
    }
    if (state === 'ok') this.#isDiskFull = false;
    if (state === this.#state) return;
    this.#state = state;
    onState(state, reason);
  }

  /** Once full, a tenth has to be free again: else it would go to and fro. */
  #boundOf(maximum: number): number {
    return this.#state === 'full' ? maximum * 0.9 : maximum;
  }

  readonly #onTurn = (): void => {
    this.#isScheduled = false;
    if (this.#pending.isEmpty || this.#isClosed) return;
    if (!this.#isRunning) void this.#run();
    else if (this.#pending.openLength >= batchBytes) this.#pending.close(this.sequence, this.headLsn);
    if (this.pendingBytes > this.#options.maximumPendingBytes) this.updateState();
  };

  async #run(): Promise<void> {
    this.#isRunning = true;
    while (!this.#pending.isEmpty) {
      this.#pending.close(this.sequence, this.headLsn);
      const begin = this.#options.clock.monotonic();
      let batches: readonly Batch[];
      try {
        batches = await this.#writeSome();
      } catch (error) {
        if (await this.#onFailed(error)) continue;
        break;
      }
      this.#onWritten(batches, this.#options.clock.monotonic() - begin);
    }
    this.#isRunning = false;
    this.#onIdle?.();
  }

  async #writeSome(): Promise<readonly Batch[]> {
    const { files, segments } = this.#options;
    const first = this.#pending.closed[0]!;
    if (this.#isDistrusted || this.#isBeyond(tailOf(segments), first.length)) await this.#rotate();
    const segment = tailOf(segments);
    const batches: Batch[] = [first];
    let bytes = first.length;
    // While there is hardly room, what fits is better than nothing.
    const most = this.#failure === '' ? batchesPerWrite : 1;
    for (const batch of this.#pending.closed.slice(1, most)) {
      if (this.#isBeyond(segment, bytes + batch.length)) break;
      batches.push(batch);
      bytes += batch.length;
    }
    const buffers = batches.map((batch) => this.#finished(batch));
    await files.write(this.#fd, buffers, segment.positionOf(first.lsn));
    try {
      await files.syncData(this.#fd);
    } catch (error) {
      // Which pages are on the disk is not known, and a second flush may claim that all are.
      this.#isDistrusted = true;
      throw error;
    }
    return batches;
  }

  #isBeyond(segment: Segment, bytes: number): boolean {
    return segment.length > 0 && segment.length + bytes > this.#options.segmentBytes;
  }

  #finished(batch: Batch): Buffer {
    const { salt } = this.#options;
    const { lsn } = batch;
    const header = {
      length: batch.length - batchHeaderSize,
      flags: 0,
      lsn,
      durableLsn: this.durableLsn,
      headLsn: batch.headLsn,
    };
    writeBatchHeader(batch.bytes, header, salt);
    return batch.bytes.subarray(0, batch.length);
  }

  #onWritten(batches: readonly Batch[], milliseconds: number): void {
    const { segments, onCommitted } = this.#options;
    const segment = tailOf(segments);
    const last = batches.at(-1)!;
    const before = segment.end;
    for (const batch of batches) segment.liveBytes += batch.liveBytes;
    segment.end = last.end;
    this.#pending.remove(batches.length);
    this.durableSequence = last.sequence;
    this.#durableHeadLsn = last.headLsn;
    const { counters } = this;
    counters.flushes++;
    counters.bytesWritten += last.end - before;
    counters.lastCommitMs = milliseconds;
    counters.meanCommitMs +=
      (milliseconds - counters.meanCommitMs) * (counters.flushes === 1 ? 1 : meanWeight);
    this.#failure = '';
    this.#retryMs = firstRetryMs;
    this.#dropHeads();
    this.updateState();
    onCommitted(last.end - before);
  }

  /** Waits before the next attempt; false = there is none. */
  async #onFailed(error: unknown): Promise<boolean> {
    const { clock, files, segments, reserve } = this.#options;
    this.counters.failedCommits++;
    this.#isDiskFull = isDiskFull(error);
    if (!this.#isDiskFull) this.#isDistrusted = true;
    this.#failure = whyFailed(error);
    let isRoomMade = false;
    if (this.#isDiskFull) {
      isRoomMade = await reserve.release().catch(() => false);
      const segment = tailOf(segments);
      await files.truncate(this.#fd, segment.positionOf(segment.end)).catch(() => {});
      this.#takeReserveLater();
    }
    this.updateState();
    if (isRoomMade) return true;
    if (this.#isClosing) {
      this.#closeError = error;
      return false;
    }
    await new Promise<void>((resolve) => {
      this.#hurry = resolve;
      clock.after(this.#retryMs, resolve);
    });
    this.#hurry = null;
    this.#retryMs = Math.min(this.#retryMs * 2, lastRetryMs);
    return true;
  }

  /** The next batch begins a new segment. */
  async #rotate(): Promise<void> {
    const { folder, files, segments, salt, clock } = this.#options;
    const tail = tailOf(segments);
    // One in which nothing counts is replaced by another of the same name.
    const previousBase = tail.length === 0 ? tail.previousBase : tail.base;
    const created = await createSegment(files, folder, tail.end, previousBase, salt, clock.now());
    const former = this.#fd;
    this.#fd = created.fd;
    if (tail.length > 0) {
      segments.add(created.segment);
      // Without the seal all is well, but for the chance to notice that the next file is lost.
      if (!this.#isDistrusted)
        await sealSegment(files, former, tail, this.#durableHeadLsn, salt).catch(() => {});
    }
    this.#isDistrusted = false;
    await files.close(former).catch(() => {});
  }

  #dropHeads(): void {
    const { segments, files } = this.#options;
    for (let head = segments.head; head !== undefined && head !== segments.tail; head = segments.head) {
      if (head.end > this.#durableHeadLsn) break;
      segments.removeHead();
      files.remove(head.file).catch(() => {}); // the next start removes it
    }
  }

  #takeReserve(): void {
    if (this.#options.reserve.isHeld || this.#isClosing) return;
    this.#options.reserve.take().then(
      () => this.updateState(),
      (error: unknown) => {
        this.#isDiskFull ||= isDiskFull(error);
        this.updateState();
        this.#takeReserveLater();
      },
    );
  }

  #takeReserveLater(): void {
    this.#reserveTimer?.cancel();
    this.#reserveTimer = this.#options.clock.after(lastRetryMs / 5, () => {
      if (this.#failure === '') this.#takeReserve();
      else this.#takeReserveLater();
    });
  }

  #placeOf(lsn: number): { liveBytes: number } | undefined {
    return lsn >= this.durableLsn ? this.#pending.find(lsn) : this.#options.segments.find(lsn);
  }
}

function tailOf(segments: SegmentList): Segment {
  const { tail } = segments;
  if (tail === undefined) throw new Error('a log has at least one segment');
  return tail;
}
