import type { Clock } from './clock.ts';
import type { LogFields, Logger } from './logger.ts';

const quietMs = 10_000;

/** Warnings that a peer can cause as often as it likes: one line in ten seconds, with a count of the others. */
export class SparingLog {
  readonly #clock: Clock;
  readonly #log: Logger;
  #lastAt = Number.NEGATIVE_INFINITY;
  #untold = 0;

  constructor(clock: Clock, log: Logger) {
    this.#clock = clock;
    this.#log = log;
  }

  /** True = it was written. */
  warning(message: string, fields: LogFields): boolean {
    const now = this.#clock.monotonic();
    if (now - this.#lastAt < quietMs) {
      this.#untold += 1;
      return false;
    }
    this.#log.warning(message, { ...fields, others: this.#untold === 0 ? undefined : this.#untold });
    this.#lastAt = now;
    this.#untold = 0;
    return true;
  }
}
