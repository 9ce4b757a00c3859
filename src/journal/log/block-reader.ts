import { closeSync, openSync, readSync } from 'node:fs';
import type { LogWriter } from './log-writer.ts';
import type { Segment, SegmentList } from './segment.ts';

const blockSize = 1024 * 1024;

/**
 * Reads records one by one while nothing else goes on: at the start. What is near in the log is read together; views
 * are good until the next call.
 */
export class BlockReader {
  readonly #segments: SegmentList;
  readonly #writer: LogWriter;
  readonly #block = Buffer.allocUnsafeSlow(blockSize);
  #segment: Segment | null = null;
  #fd = -1;
  #start = 0;
  #end = 0;

  constructor(segments: SegmentList, writer: LogWriter) {
    this.#segments = segments;
    this.#writer = writer;
  }

  /** The bytes of a record; fewer when the file is shorter than it was. */
  read(lsn: number, size: number): Buffer {
    const pending = this.#writer.pendingRecord(lsn, size);
    if (pending !== null) return pending;
    if (this.#segment === null || lsn < this.#segment.base || lsn >= this.#segment.end) this.#open(lsn);
    if (size > blockSize) return this.#readInto(Buffer.allocUnsafeSlow(size), lsn);
    if (lsn < this.#start || lsn + size > this.#end) {
      this.#start = lsn;
      this.#end = lsn + this.#readInto(this.#block, lsn).length;
    }
    return this.#block.subarray(
      lsn - this.#start,
      Math.min(lsn - this.#start + size, this.#end - this.#start),
    );
  }

  close(): void {
    if (this.#fd !== -1) closeSync(this.#fd);
    this.#fd = -1;
    this.#segment = null;
    this.#start = 0;
    this.#end = 0;
  }

  #open(lsn: number): void {
    this.close();
    const segment = this.#segments.find(lsn);
    if (segment === undefined) return;
    this.#fd = openSync(segment.file, 'r');
    this.#segment = segment;
  }

  #readInto(into: Buffer, lsn: number): Buffer {
    if (this.#segment === null) return into.subarray(0, 0);
    const length = Math.min(into.length, this.#segment.end - lsn);
    return into.subarray(0, readSync(this.#fd, into, 0, length, this.#segment.positionOf(lsn)));
  }
}
