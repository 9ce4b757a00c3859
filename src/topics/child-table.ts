/** Slots of a segment at most: to divide one takes a tenth of a millisecond or two, however large the table is. */
const largestSegment = 1 << 14;
const smallestSegment = 8;

/**
 * A part of the table: open addressing, a slot is two words, hash and id (0 = free). At most half of the slots are
 * taken, so that runs stay short.
 */
class Segment {
  readonly slots: Int32Array;
  /** Slots, less one. */
  readonly mask: number;
  /** So many upper bits of the hash are the same for all that belong here. */
  readonly depth: number;
  #used = 0;

  constructor(size: number, depth: number) {
    this.slots = new Int32Array(size * 2);
    this.mask = size - 1;
    this.depth = depth;
  }

  get isFull(): boolean {
    return this.#used * 2 > this.mask;
  }

  add(hash: number, id: number): void {
    const { slots, mask } = this;
    let place = hash & mask;
    while (slots[place * 2 + 1] !== 0) place = (place + 1) & mask;
    slots[place * 2] = hash;
    slots[place * 2 + 1] = id;
    this.#used++;
  }

  remove(hash: number, id: number): void {
    const { slots, mask } = this;
    let gap = hash & mask;
    while (slots[gap * 2 + 1] !== id) gap = (gap + 1) & mask;
    // What follows in the run moves up, so that no look-up ends at the gap too early.
    for (let next = (gap + 1) & mask; slots[next * 2 + 1] !== 0; next = (next + 1) & mask) {
      const home = (slots[next * 2] as number) & mask;
      if (((next - home) & mask) < ((next - gap) & mask)) continue;
      slots[gap * 2] = slots[next * 2] as number;
      slots[gap * 2 + 1] = slots[next * 2 + 1] as number;
      gap = next;
    }
    slots[gap * 2 + 1] = 0;
    this.#used--;
  }

  /** What is in here, in one segment of twice the size. */
  doubled(): Segment {
    const next = new Segment((this.mask + 1) * 2, this.depth);
    this.#copy((hash, id) => next.add(hash, id));
    return next;
  }

  /** What is in here, in two: by the next bit of the hash. */
  divided(): [Segment, Segment] {
    const zeros = new Segment(this.mask + 1, this.depth + 1);
    const ones = new Segment(this.mask + 1, this.depth + 1);
    const bit = 0x80000000 >>> this.depth;
    this.#copy((hash, id) => ((hash & bit) === 0 ? zeros : ones).add(hash, id));
    return [zeros, ones];
  }

  #copy(into: (hash: number, id: number) => void): void {
    const { slots } = this;
    for (let i = 0; i < slots.length; i += 2) {
      const id = slots[i + 1] as number;
      if (id !== 0) into(slots[i] as number, id);
    }
  }
}

/**
 * Hashes to ids, several under one hash where it comes so. Grows a segment at a time:
 *
 *   directory, by the upper two bits:  00 ─┐ 01 ─┐ 10 ─┐ 11 ─┐
 *   segments                           A (depth 2) B   C (depth 1)
 *
 * A full segment that is not yet large is doubled, a large one divided; the directory is doubled when it does not tell
 * the halves apart. So no step takes longer than another, with a million ids as with a thousand.
 */
export class ChildTable {
  #segments: Segment[] = [new Segment(smallestSegment, 0)];
  #depth = 0;

  /** The segment that what has this hash is in: to be searched from the slot `hash & mask` on, up to a free one. */
  segmentOf(hash: number): { readonly slots: Int32Array; readonly mask: number } {
    return this.#segments[this.#placeOf(hash)] as Segment;
  }

  add(hash: number, id: number): void {
    let segment = this.#segments[this.#placeOf(hash)] as Segment;
    while (segment.isFull) {
      this.#makeRoom(segment, hash);
      segment = this.#segments[this.#placeOf(hash)] as Segment;
    }
    segment.add(hash, id);
  }

  /** The id is in the table. */
  remove(hash: number, id: number): void {
    const segment = this.#segments[this.#placeOf(hash)] as Segment;
    segment.remove(hash, id);
  }

  #placeOf(hash: number): number {
    return (hash >>> 1) >>> (31 - this.#depth); // in two steps: a shift by 32 would be none
  }

  #makeRoom(segment: Segment, hash: number): void {
    if (segment.mask + 1 < largestSegment) {
      const next = segment.doubled();
      this.#replace(segment, hash, next, next);
      return;
    }
    if (segment.depth === this.#depth) {
      this.#segments = this.#segments.flatMap((one) => [one, one]);
      this.#depth++;
    }
    const [zeros, ones] = segment.divided();
    this.#replace(segment, hash, zeros, ones);
  }

  /** All places of a segment are side by side: the first half is for a next bit of 0. */
  #replace(segment: Segment, hash: number, zeros: Segment, ones: Segment): void {
    const places = 1 << (this.#depth - segment.depth);
    const first = this.#placeOf(hash) & -places;
    this.#segments.fill(zeros, first, first + (places >>> 1));
    this.#segments.fill(ones, first + (places >>> 1), first + places);
  }
}
