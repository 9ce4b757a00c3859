/** A small slab holds what one turn gives an ordinary client; a large one what a busy one gets. */
export const smallSlab = 4 * 1024;
export const largeSlab = 64 * 1024;

/** Bounds of the pool: 2 MiB of small and 4 MiB of large slabs stay for reuse, the rest is left to the collector. */
const maximumSmall = 512;
const maximumLarge = 64;

/**
 * Slabs of memory that outboxes gather frames in. `allocUnsafeSlow`, because a slab lives long and must not pin
 * Node's shared 8 KiB pool; only bytes that were written are ever handed out.
 */
export class SlabPool {
  readonly #small: Buffer[] = [];
  readonly #large: Buffer[] = [];

  /** A slab of `smallSlab`, `largeSlab` or, for a frame that fits neither, exactly `length` bytes. */
  take(length: number): Buffer {
    if (length <= smallSlab) return this.#small.pop() ?? Buffer.allocUnsafeSlow(smallSlab);
    if (length <= largeSlab) return this.#large.pop() ?? Buffer.allocUnsafeSlow(largeSlab);
    return Buffer.allocUnsafeSlow(length);
  }

  give(slab: Buffer): void {
    if (slab.length === smallSlab && this.#small.length < maximumSmall) this.#small.push(slab);
    else if (slab.length === largeSlab && this.#large.length < maximumLarge) this.#large.push(slab);
  }
}
