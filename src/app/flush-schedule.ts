import type { Clock, Timer } from '#base';
import type { Ingest } from '#telemetry';

/**
 * When to commit. After a pause the first messages are committed at the end of their turn, so that an alarm waits for
 * nothing; while they keep coming, a commit gathers what `batchDelayMs` brings, because each one waits for the disk.
 */
export class FlushSchedule {
  readonly #ingest: Ingest;
  readonly #clock: Clock;
  readonly #batchDelayMs: number;
  /** By the monotonic clock. */
  #lastFlush = Number.NEGATIVE_INFINITY;
  #immediate: NodeJS.Immediate | undefined;
  #timer: Timer | undefined;

  constructor(ingest: Ingest, clock: Clock, batchDelayMs: number) {
    this.#ingest = ingest;
    this.#clock = clock;
    this.#batchDelayMs = batchDelayMs;
  }

  /** To be called after each `push`. */
  onPush(): void {
    if (this.#immediate !== undefined) return;
    if (this.#timer !== undefined) {
      // A full batch does not wait for its timer.
      if (this.#ingest.isDue) this.#flush();
      return;
    }
    const wait = this.#lastFlush + this.#batchDelayMs - this.#clock.monotonic();
    if (wait <= 0) this.#immediate = setImmediate(() => this.#flush());
    else this.#timer = this.#clock.after(Math.ceil(wait), () => this.#flush());
  }

  close(): void {
    if (this.#immediate !== undefined) clearImmediate(this.#immediate);
    this.#timer?.cancel();
  }

  #flush(): void {
    this.close();
    this.#immediate = undefined;
    this.#timer = undefined;
    this.#ingest.flush();
    this.#lastFlush = this.#clock.monotonic();
  }
}
