import type { Clock, Logger } from '#base';

const quietMs = 10_000;

/** Tells of messages that were not passed on: one line in ten seconds, with a count of the others. */
export class RefusalLog {
  readonly #clock: Clock;
  readonly #log: Logger;
  #lastAt = -Infinity;
  #untold = 0;

  constructor(clock: Clock, log: Logger) {
    this.#clock = clock;
    this.#log = log;
  }

  tell(what: string, topic: string, reason: string): void {
    const now = this.#clock.monotonic();
    if (now - this.#lastAt < quietMs) {
      this.#untold += 1;
      return;
    }
    this.#log.warning(what, { topic, reason, others: this.#untold === 0 ? undefined : this.#untold });
    this.#lastAt = now;
    this.#untold = 0;
  }
}
