/** How often each sequence number of one detector was seen; a byte for each, so that millions fit. */
export class SequenceCounts {
  #counts = new Uint8Array(1024);
  /** Different numbers that were seen. */
  size = 0;

  /** Counts it and gives how often it has come now, 255 at most. */
  add(sequence: number): number {
    if (sequence >= this.#counts.length) {
      const grown = new Uint8Array(Math.max(sequence + 1, this.#counts.length * 2));
      grown.set(this.#counts);
      this.#counts = grown;
    }
    const count = Math.min(255, (this.#counts[sequence] ?? 0) + 1);
    this.#counts[sequence] = count;
    if (count === 1) this.size++;
    return count;
  }

  has(sequence: number): boolean {
    return (this.#counts[sequence] ?? 0) > 0;
  }

  /** Those that were seen `minimum` times at least, in order. */
  *seen(minimum = 1): Generator<number> {
    for (const [sequence, count] of this.#counts.entries()) if (count >= minimum) yield sequence;
  }
}
