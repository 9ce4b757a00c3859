import { segmentHeaderSize } from '../records/format.ts';

/** One file of the log. */
export class Segment {
  /** LSN of its first byte behind the header. */
  readonly base: number;
  readonly previousBase: number;
  readonly file: string;
  /** LSN behind what is on the disk. */
  end: number;
  /** Bytes of records that the index points to. */
  liveBytes = 0;

  constructor(file: string, base: number, previousBase: number) {
    this.file = file;
    this.base = base;
    this.previousBase = previousBase;
    this.end = base;
  }

  /** Bytes of records and batch headers. */
  get length(): number {
    return this.end - this.base;
  }

  /** Where this LSN stands in the file. */
  positionOf(lsn: number): number {
    return segmentHeaderSize + lsn - this.base;
  }
}

/** Segments in the order of their bases, without gaps. */
export class SegmentList {
  readonly #segments: Segment[] = [];

  get all(): readonly Segment[] {
    return this.#segments;
  }

  get head(): Segment | undefined {
    return this.#segments[0];
  }

  get tail(): Segment | undefined {
    return this.#segments.at(-1);
  }

  add(segment: Segment): void {
    this.#segments.push(segment);
  }

  removeHead(): void {
    this.#segments.shift();
  }

  /** The segment in which an LSN stands; `undefined` when it stands in none. */
  find(lsn: number): Segment | undefined {
    let low = 0;
    let high = this.#segments.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.#segments[middle]!.base <= lsn) low = middle + 1;
      else high = middle;
    }
    const segment = this.#segments[low - 1];
    return segment !== undefined && lsn < segment.end ? segment : undefined;
  }

  /** Bytes on the disk, headers of segments left out. */
  get bytes(): number {
    const { head, tail } = this;
    return head === undefined || tail === undefined ? 0 : tail.end - head.base;
  }

  get liveBytes(): number {
    let sum = 0;
    for (const segment of this.#segments) sum += segment.liveBytes;
    return sum;
  }
}
