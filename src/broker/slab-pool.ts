/** A small slab holds what one turn gives an ordinary client; a large one what a busy one gets. */
const smallSlab = 4 * 1024;
const middleSlab = 16 * 1024;
export const largeSlab = 64 * 1024;

/** Bounds of the pool, 8 MiB in all: so many stay for reuse, the rest is left to the collector. */
const maximumSmall = 512;
const maximumMiddle = 128;
const maximumLarge = 64;

/** Memory that an outbox gathers frames in. */
export class Slab {
  readonly bytes: Buffer;
  #head: Buffer;

  /** `allocUnsafeSlow`, because a slab lives long and must not pin Node's shared 8 KiB pool. */
  constructor(length: number) {
    this.bytes = Buffer.allocUnsafeSlow(length);
    this.#head = this.bytes;
  }

  /** A view of its first bytes; the same one as the last time where as many are asked for, which is common. */
  head(length: number): Buffer {
    if (this.#head.length !== length) this.#head = this.bytes.subarray(0, length);
    return this.#head;
  }
}

/** What outboxes have that gather nothing. */
export const noSlab = new Slab(0);

/** Slabs that outboxes share; only bytes that were written are ever handed out. */
export class SlabPool {
  readonly #small: Slab[] = [];
  readonly #middle: Slab[] = [];
  readonly #large: Slab[] = [];

  /** The least slab that holds `length` bytes; beyond a large one, exactly as many. */
  take(length: number): Slab {
    if (length <= smallSlab) return this.#small.pop() ?? new Slab(smallSlab);
    if (length <= middleSlab) return this.#middle.pop() ?? new Slab(middleSlab);
    if (length <= largeSlab) return this.#large.pop() ?? new Slab(largeSlab);
    return new Slab(length);
  }

  give(slab: Slab): void {
    const { length } = slab.bytes;
    if (length === smallSlab && this.#small.length < maximumSmall) this.#small.push(slab);
    else if (length === middleSlab && this.#middle.length < maximumMiddle) this.#middle.push(slab);
    else if (length === largeSlab && this.#large.length < maximumLarge) this.#large.push(slab);
  }
}
