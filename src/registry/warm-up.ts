import type { EpochMs } from '#model';

/** Durations in milliseconds. */
export interface WarmUpOptions {
  /** How long a sensor may take after its hello until a reading means anything. */
  readonly warmUpMs: number;
  /** A sensor that has read 0 this long since its hello is warm: a cold one reads gas first. */
  readonly warmProofMs: number;
}

/** One reading proves nothing: a cold sensor may flicker. */
const proofReadings = 3;

/**
 * The warm-up of one detector (docs/decisions/0004-warm-up.md): from its hello until `warmUpMs` later, or until it has
 * read 0 without a break for `warmProofMs` and three times.
 */
export class WarmUp {
  /** When it ends or ended at the latest; 0 = none was seen. Compared with times of reception, so a backlog is judged by its own hour. */
  until: EpochMs;
  /** Its end was noticed, or there was none. */
  isOver: boolean;
  /** By this machine's clock: when its end is noticed without a reading. */
  #noticeAt: EpochMs;
  #zeroSince: EpochMs = 0;
  #zeroReadings = 0;

  constructor(until: EpochMs) {
    this.until = until;
    this.isOver = until === 0;
    this.#noticeAt = until;
  }

  /** A hello. What waited for the uplink is judged by `receivedAt`, but its readings are still to come: so also `now`. */
  begin(receivedAt: EpochMs, now: EpochMs, options: WarmUpOptions): void {
    this.until = receivedAt + options.warmUpMs;
    this.isOver = false;
    this.#noticeAt = Math.max(now, receivedAt) + options.warmUpMs;
    this.#zeroSince = 0;
    this.#zeroReadings = 0;
  }

  /** Takes a reading; `isZero` = every value of it is 0. Returns true at the end of the warm-up. */
  onReading(isZero: boolean, receivedAt: EpochMs, options: WarmUpOptions): boolean {
    if (this.isOver) return false;
    if (!isZero) this.#zeroReadings = 0;
    else {
      if (this.#zeroReadings === 0) this.#zeroSince = receivedAt;
      this.#zeroReadings += 1;
      const isProven =
        this.#zeroReadings >= proofReadings && receivedAt - this.#zeroSince >= options.warmProofMs;
      if (isProven && receivedAt < this.until) this.until = receivedAt;
    }
    this.isOver = receivedAt >= this.until;
    return this.isOver;
  }

  /** Whether a reading of that time means nothing yet. */
  covers(receivedAt: EpochMs): boolean {
    return receivedAt < this.until;
  }

  /** Returns true when the warm-up has just ended by the clock. */
  tick(now: EpochMs): boolean {
    if (this.isOver || now < this.#noticeAt) return false;
    this.isOver = true;
    return true;
  }
}
