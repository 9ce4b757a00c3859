import { Batch } from '../records/batch.ts';

/** Buffers that are kept for the next batches, and the largest that is. */
const keptBuffers = 4;
const largestKept = 2 * 1024 * 1024;

/**
 * Batches that are not on the disk: closed ones, oldest first, and the one that records go to.
 *
 *   durable | #closed[0] | #closed[1] | … | #open      without gaps in their LSNs
 */
export class Pending {
  readonly #closed: Batch[] = [];
  readonly #spare: Buffer[] = [];
  #open: Batch | null = null;
  #end: number;

  constructor(lsn: number) {
    this.#end = lsn;
  }

  /** LSN behind everything. */
  get end(): number {
    return this.#open === null ? this.#end : this.#open.end;
  }

  get isEmpty(): boolean {
    return this.#open === null && this.#closed.length === 0;
  }

  get openLength(): number {
    return this.#open === null ? 0 : this.#open.length;
  }

  get closed(): readonly Batch[] {
    return this.#closed;
  }

  /** The batch that records go to. */
  open(): Batch {
    this.#open ??= new Batch(this.#end, this.#spare.pop() ?? null);
    return this.#open;
  }

  /** Later records go to another batch: no record of one packet may be parted from the others by that. */
  close(sequence: number, headLsn: number): void {
    if (this.#open === null) return;
    this.#open.sequence = sequence;
    this.#open.headLsn = headLsn;
    this.#end = this.#open.end;
    this.#closed.push(this.#open);
    this.#open = null;
  }

  /** The oldest so many are on the disk. */
  remove(count: number): void {
    for (const { bytes } of this.#closed.splice(0, count))
      if (this.#spare.length < keptBuffers && bytes.length <= largestKept) this.#spare.push(bytes);
  }

  /** The batch in which an LSN stands. */
  find(lsn: number): Batch | undefined {
    if (this.#open !== null && lsn >= this.#open.lsn) return this.#open;
    let low = 0;
    let high = this.#closed.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.#closed[middle]!.lsn <= lsn) low = middle + 1;
      else high = middle;
    }
    return this.#closed[low - 1];
  }
}
