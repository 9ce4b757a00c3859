import type { AlarmRule, EpochMs } from '#model';

/**
 * Whether the process is in alarm, by one rule: set-point, deadband, on-delay and off-delay. Knows nothing of people.
 * Delays run by the time of the readings; when no further reading comes, by this machine's clock (`tick`), counted from
 * the arrival, so that a backlog of old readings is not judged before its next reading has had time to follow.
 */
export class AlarmCondition {
  readonly #rule: AlarmRule;
  isActive: boolean;
  /** The latest reading that counted. */
  lastValue = 0;
  lastAt: EpochMs = -Infinity;
  /** The latest reading was of a sensor that is warming up: it changes nothing until that is over. */
  #isWarming = false;
  /** When the value crossed towards the other state; `NaN` while it has not. */
  #crossedAt = Number.NaN;
  #dueAt: EpochMs = 0;

  constructor(rule: AlarmRule, isActive: boolean) {
    this.#rule = rule;
    this.isActive = isActive;
  }

  /** Takes a reading. Returns true when `isActive` has changed. */
  observe(value: number, at: EpochMs, isWarming: boolean, now: EpochMs): boolean {
    if (at < this.lastAt) return this.observeUntrusted(value, at, isWarming, now);
    this.#isWarming = isWarming;
    this.#take(value, at, now);
    return !isWarming && this.#hasLasted(at);
  }

  /**
   * Takes a value that may begin an alarm but never end one: a reading that came late, or a sequence number that came
   * before, is no proof that the air is clean now.
   */
  observeUntrusted(value: number, at: EpochMs, isWarming: boolean, now: EpochMs): boolean {
    if (isWarming || value < this.#rule.setPoint) return false;
    this.#isWarming = false;
    this.#take(value, Math.max(at, this.lastAt), now);
    return this.#hasLasted(this.lastAt);
  }

  /** The warm-up is over and no reading has come since: the latest one counts now. */
  endWarmUp(now: EpochMs): boolean {
    if (!this.#isWarming) return false;
    this.#isWarming = false;
    return this.#hasLasted(this.lastAt) || this.tick(now);
  }

  /** Ends delays for which no reading comes any more. */
  tick(now: EpochMs): boolean {
    if (this.#isWarming || Number.isNaN(this.#crossedAt) || now < this.#dueAt) return false;
    return this.#switch();
  }

  #take(value: number, at: EpochMs, now: EpochMs): void {
    this.lastValue = value;
    this.lastAt = at;
    const { setPoint, deadband, onDelayMs, offDelayMs } = this.#rule;
    const isBeyond = this.isActive ? value < setPoint - deadband : value >= setPoint;
    if (!isBeyond) this.#crossedAt = Number.NaN;
    else if (Number.isNaN(this.#crossedAt)) {
      this.#crossedAt = at;
      this.#dueAt = now + (this.isActive ? offDelayMs : onDelayMs);
    }
  }

  #hasLasted(at: EpochMs): boolean {
    const delayMs = this.isActive ? this.#rule.offDelayMs : this.#rule.onDelayMs;
    return at - this.#crossedAt >= delayMs && this.#switch();
  }

  #switch(): true {
    this.isActive = !this.isActive;
    this.#crossedAt = Number.NaN;
    return true;
  }
}
