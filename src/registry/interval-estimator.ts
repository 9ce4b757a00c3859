/**
 * A device's publishing interval: the median of its last three, so that one gap does not move it and two readings after
 * a change do. Of two it takes the shorter one, because a gap only ever makes one longer.
 */
export class IntervalEstimator {
  /** Milliseconds; `undefined` until one interval has been seen. */
  value: number | undefined;
  /** The last and the one before it; 0 = not yet. */
  #last = 0;
  #beforeLast = 0;

  /** `known`: the interval as a process before this one saw it, in milliseconds. */
  constructor(known: number | undefined) {
    this.value = known;
  }

  /** Takes the time between two readings that follow each other, in milliseconds; 0 and less tells nothing. */
  add(intervalMs: number): void {
    if (!(intervalMs > 0)) return;
    const oldest = this.#beforeLast;
    const middle = this.#last;
    this.#beforeLast = middle;
    this.#last = intervalMs;
    if (oldest > 0) this.value = median(oldest, middle, intervalMs);
    else if (middle > 0) this.value = Math.min(middle, intervalMs);
    else this.value ??= intervalMs;
  }
}

function median(a: number, b: number, c: number): number {
  return Math.max(Math.min(a, b), Math.min(Math.max(a, b), c));
}
