/** Where a message stands when its record has not been seen. */
export const unknownLsn = -1;

const initialCapacity = 64;
const nowhere = 0xffff_ffff;

/**
 * Messages that something refers to, by id: numbers in columns, no objects, some 45 bytes each.
 *
 *   slot       0    1    2    3
 *   #ids     | 17 | ·  | 19 | 20 |       id of the message
 *   #lsns    | …                         where its record stands
 *   #sizes   | …                         bytes of the record; of a free slot: the next free one
 *   #weights | …                         bytes that queue bounds count
 *   #counts  | 2  | 0  | 1  | 1  |       deliveries and retained topics that refer to it
 *
 *   #buckets   id → slot + 1, open addressing, at most half full; what follows a removed one moves up
 */
export class MessageTable {
  #capacity = initialCapacity;
  #ids = new Float64Array(initialCapacity);
  #lsns = new Float64Array(initialCapacity);
  #sizes = new Uint32Array(initialCapacity);
  #weights = new Uint32Array(initialCapacity);
  #counts = new Uint32Array(initialCapacity);
  #buckets = new Uint32Array(initialCapacity * 2);
  #firstFree = nowhere;
  /** Slots from here on were never used. */
  #unused = 0;
  #size = 0;

  get size(): number {
    return this.#size;
  }

  /** The slot of a message, or -1. */
  find(id: number): number {
    const mask = this.#buckets.length - 1;
    for (let at = hash(id) & mask; ; at = (at + 1) & mask) {
      const entry = this.#buckets[at]!;
      if (entry === 0) return -1;
      if (this.#ids[entry - 1] === id) return entry - 1;
    }
  }

  /** Adds a message that is not there; nothing refers to it yet. */
  add(id: number, lsn: number, size: number, weight: number): number {
    if (this.#size === this.#capacity) this.#grow();
    let slot = this.#firstFree;
    if (slot === nowhere) slot = this.#unused++;
    else this.#firstFree = this.#sizes[slot]!;
    this.#ids[slot] = id;
    this.#lsns[slot] = lsn;
    this.#sizes[slot] = size;
    this.#weights[slot] = weight;
    this.#counts[slot] = 0;
    this.#size++;
    this.#enter(slot);
    return slot;
  }

  /** The record stands somewhere else now. */
  place(slot: number, lsn: number, size: number, weight: number): void {
    this.#lsns[slot] = lsn;
    this.#sizes[slot] = size;
    this.#weights[slot] = weight;
  }

  refer(slot: number): void {
    this.#counts[slot] = this.#counts[slot]! + 1;
  }

  /** One less refers to it; true when nothing does any more. */
  release(slot: number): boolean {
    const left = this.#counts[slot]! - 1;
    this.#counts[slot] = left;
    return left === 0;
  }

  idOf(slot: number): number {
    return this.#ids[slot]!;
  }

  lsnOf(slot: number): number {
    return this.#lsns[slot]!;
  }

  sizeOf(slot: number): number {
    return this.#sizes[slot]!;
  }

  weightOf(slot: number): number {
    return this.#weights[slot]!;
  }

  countOf(slot: number): number {
    return this.#counts[slot]!;
  }

  /** Takes the message out; its slot is used again. */
  remove(slot: number): void {
    this.#leave(slot);
    this.#sizes[slot] = this.#firstFree;
    this.#firstFree = slot;
    this.#ids[slot] = 0;
    this.#size--;
    if (this.#size === 0 && this.#capacity > initialCapacity) this.#reset();
  }

  /** The slots in use; they may be removed on the way. */
  slots(): number[] {
    const slots: number[] = [];
    for (const entry of this.#buckets) if (entry !== 0) slots.push(entry - 1);
    return slots;
  }

  #enter(slot: number): void {
    const mask = this.#buckets.length - 1;
    let at = hash(this.#ids[slot]!) & mask;
    while (this.#buckets[at] !== 0) at = (at + 1) & mask;
    this.#buckets[at] = slot + 1;
  }

  #leave(slot: number): void {
    const buckets = this.#buckets;
    const mask = buckets.length - 1;
    let hole = hash(this.#ids[slot]!) & mask;
    while (buckets[hole] !== slot + 1) hole = (hole + 1) & mask;
    for (let at = (hole + 1) & mask; buckets[at] !== 0; at = (at + 1) & mask) {
      const home = hash(this.#ids[buckets[at]! - 1]!) & mask;
      // It may move up unless its home lies between the hole and itself.
      if (((at - home) & mask) >= ((at - hole) & mask)) {
        buckets[hole] = buckets[at]!;
        hole = at;
      }
    }
    buckets[hole] = 0;
  }

  #grow(): void {
    this.#capacity *= 2;
    this.#ids = copied(new Float64Array(this.#capacity), this.#ids);
    this.#lsns = copied(new Float64Array(this.#capacity), this.#lsns);
    this.#sizes = copied(new Uint32Array(this.#capacity), this.#sizes);
    this.#weights = copied(new Uint32Array(this.#capacity), this.#weights);
    this.#counts = copied(new Uint32Array(this.#capacity), this.#counts);
    this.#buckets = new Uint32Array(this.#capacity * 2);
    for (let slot = 0; slot < this.#size; slot++) this.#enter(slot); // it was full: every slot is in use
  }

  /** Gives memory back. */
  #reset(): void {
    this.#capacity = initialCapacity;
    this.#ids = new Float64Array(initialCapacity);
    this.#lsns = new Float64Array(initialCapacity);
    this.#sizes = new Uint32Array(initialCapacity);
    this.#weights = new Uint32Array(initialCapacity);
    this.#counts = new Uint32Array(initialCapacity);
    this.#buckets = new Uint32Array(initialCapacity * 2);
    this.#firstFree = nowhere;
    this.#unused = 0;
  }
}

/** Ids come one after the other: multiplying spreads them. */
function hash(id: number): number {
  return Math.imul(id ^ (id / 0x1_0000_0000), 0x9e37_79b1) >>> 7;
}

function copied<T extends Float64Array | Uint32Array>(into: T, from: T): T {
  into.set(from);
  return into;
}
