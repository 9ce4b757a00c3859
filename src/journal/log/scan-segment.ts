import { fstatSync, readSync } from 'node:fs';
import {
  BatchFlag,
  batchHeaderSize,
  batchMagic,
  isBatchIntact,
  readBatchHeader,
  segmentHeaderSize,
  type BatchHeader,
  type SegmentHeader,
} from '../records/format.ts';

const chunkSize = 4 * 1024 * 1024;

/** No batch is larger: what claims to be is damaged. */
const largestBatch = 0x7000_0000;

/** Takes one batch whose checksum is right: its records are `bytes[start, end)`. A sentence when they are not records. */
export type BatchSink = (header: BatchHeader, bytes: Buffer, start: number, end: number) => string | null;

export interface ScanResult {
  /** Position in the file behind the last good batch. */
  readonly position: number;
  /** LSN behind the last good batch, a seal left out. */
  readonly end: number;
  readonly batches: number;
  readonly isSealed: boolean;
  /** `headLsn` of the last batch; -1 without one. */
  readonly headLsn: number;
  /** Why it ends before the end of the file; `null` = it does not. */
  readonly fault: string | null;
  readonly fileSize: number;
}

/** A file that is read from front to back in large pieces; the bytes that are looked at lie in `bytes[at, filled)`. */
class Window {
  readonly #fd: number;
  readonly #stop: number;
  bytes: Buffer = Buffer.allocUnsafeSlow(chunkSize);
  at = 0;
  filled = 0;
  /** Position in the file of `bytes[0]`. */
  start: number;

  constructor(fd: number, start: number, stop: number) {
    this.#fd = fd;
    this.start = start;
    this.#stop = stop;
  }

  get position(): number {
    return this.start + this.at;
  }

  /** Has so many bytes at `at`, unless the file ends before. */
  has(length: number): boolean {
    if (this.filled - this.at >= length) return true;
    if (this.#stop - this.position < length) return false;
    this.#shift(length);
    while (this.filled < this.bytes.length) {
      const room = Math.min(this.bytes.length - this.filled, this.#stop - this.start - this.filled);
      const got = room <= 0 ? 0 : readSync(this.#fd, this.bytes, this.filled, room, this.start + this.filled);
      if (got === 0) break;
      this.filled += got;
    }
    return this.filled - this.at >= length;
  }

  #shift(length: number): void {
    const into = length <= this.bytes.length ? this.bytes : Buffer.allocUnsafeSlow(length);
    this.bytes.copy(into, 0, this.at, this.filled);
    this.bytes = into;
    this.start += this.at;
    this.filled -= this.at;
    this.at = 0;
  }
}

/**
 * Reads the batches of a segment in order and stops at the first that is not good, or at `stopLsn`, where the next
 * segment begins.
 */
export function scanSegment(
  fd: number,
  header: SegmentHeader,
  stopLsn: number,
  onBatch: BatchSink,
): ScanResult {
  const fileSize = fstatSync(fd).size;
  const stop = Math.min(fileSize, segmentHeaderSize + stopLsn - header.base);
  const window = new Window(fd, segmentHeaderSize, stop);
  let batches = 0;
  let isSealed = false;
  let headLsn = -1;
  let fault: string | null = null;
  while (window.position < stop && !isSealed) {
    const lsn = header.base + window.position - segmentHeaderSize;
    const found = goodBatch(window, header, lsn);
    if (typeof found === 'string') {
      fault = found;
      break;
    }
    const start = window.at + batchHeaderSize;
    fault = onBatch(found, window.bytes, start, start + found.length);
    if (fault !== null) break;
    window.at = start + found.length;
    batches++;
    headLsn = found.headLsn;
    isSealed = (found.flags & BatchFlag.Seal) !== 0;
  }
  const { position } = window;
  const end = header.base + position - segmentHeaderSize - (isSealed ? batchHeaderSize : 0);
  return { position, end, batches, isSealed, headLsn, fault, fileSize };
}

/** The batch at the window, or why there is none. */
function goodBatch(window: Window, segment: SegmentHeader, lsn: number): BatchHeader | string {
  if (!window.has(batchHeaderSize)) return 'ends within the header of a batch';
  const header = readBatchHeader(window.bytes, window.at);
  if (header === null) return 'holds something that is no batch';
  if (header.length > largestBatch) return 'holds a batch with an impossible length';
  if (!window.has(batchHeaderSize + header.length)) return 'ends within a batch';
  if (!isBatchIntact(window.bytes, window.at, header.length, segment.salt))
    return 'holds a batch with a wrong checksum';
  return header.lsn === lsn ? header : 'holds a batch that belongs elsewhere';
}

/**
 * Looks behind `position` for whole batches of this journal, and gives each to `onBatch`: what a repair can save, and
 * what proves that a bad place is damage and no interrupted write.
 */
export function searchBatches(
  fd: number,
  segment: SegmentHeader,
  position: number,
  onBatch: (header: BatchHeader, bytes: Buffer, start: number, end: number) => void,
): void {
  const window = new Window(fd, position, fstatSync(fd).size);
  while (window.has(batchHeaderSize)) {
    const next = window.bytes.subarray(0, window.filled).indexOf(batchMagic, window.at);
    if (next === -1) {
      window.at = Math.max(window.at, window.filled - batchMagic.length + 1);
      continue;
    }
    window.at = next;
    const lsn = segment.base + window.position - segmentHeaderSize;
    const found = window.has(batchHeaderSize) ? goodBatch(window, segment, lsn) : '';
    if (typeof found === 'string') window.at += 1;
    else {
      const start = window.at + batchHeaderSize;
      onBatch(found, window.bytes, start, start + found.length);
      window.at = start + found.length;
    }
  }
}
