import type { BackoffRange } from './client-options.ts';

/** A connection that held this long was good: the next cut starts again at the minimum. */
const goodLinkMs = 30_000;

/**
 * How long to wait before the next try: decorrelated jitter, so that many clients of one broker that restarted do not
 * come back in step. Each wait is random between the minimum and three times the wait before, at most the maximum.
 */
export class Backoff {
  readonly #range: BackoffRange;
  readonly #random: () => number;
  #previousMs: number;

  constructor(range: BackoffRange, random: () => number = Math.random) {
    this.#range = range;
    this.#random = random;
    this.#previousMs = range.minimumMs;
  }

  /** Milliseconds to wait now. */
  next(): number {
    const { minimumMs, maximumMs } = this.#range;
    const upper = Math.max(minimumMs, this.#previousMs * 3);
    const waitMs = Math.min(maximumMs, Math.round(minimumMs + this.#random() * (upper - minimumMs)));
    this.#previousMs = waitMs;
    return waitMs;
  }

  /** Milliseconds to wait after a fault that a quick try will not cure: the maximum, spread by a tenth. */
  longest(): number {
    this.#previousMs = this.#range.maximumMs;
    return Math.round(this.#range.maximumMs * (0.9 + this.#random() * 0.1));
  }

  /** Tells how long the connection that ended now had been up. */
  onConnectionEnd(upMs: number): void {
    if (upMs >= goodLinkMs) this.#previousMs = this.#range.minimumMs;
  }
}
