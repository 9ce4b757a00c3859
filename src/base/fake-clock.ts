import type { Clock, Timer } from './clock.ts';

interface Pending {
  due: number;
  readonly period: number;
  readonly callback: () => void;
}

/** A clock that stands still until a test moves it. Timers fire in the order of their due time. */
export class FakeClock implements Clock {
  #now: number;
  #jumps = 0;
  readonly #pending = new Set<Pending>();

  constructor(startMs = 1_700_000_000_000) {
    this.#now = startMs;
  }

  now(): number {
    return this.#now + this.#jumps;
  }

  monotonic(): number {
    return this.#now;
  }

  after(delayMs: number, callback: () => void): Timer {
    return this.#add({ due: this.#now + delayMs, period: 0, callback });
  }

  every(periodMs: number, callback: () => void): Timer {
    return this.#add({ due: this.#now + periodMs, period: periodMs, callback });
  }

  /** Sets the wall clock, as a person or a time server does: the time that passes is not touched. */
  jump(milliseconds: number): void {
    this.#jumps += milliseconds;
  }

  /** Moves the time forward by `milliseconds` and fires what falls due on the way. */
  advance(milliseconds: number): void {
    const end = this.#now + milliseconds;
    for (;;) {
      let next: Pending | undefined;
      for (const timer of this.#pending) {
        if (timer.due <= end && (next === undefined || timer.due < next.due)) next = timer;
      }
      if (next === undefined) break;
      this.#now = next.due;
      if (next.period > 0) next.due += next.period;
      else this.#pending.delete(next);
      next.callback();
    }
    this.#now = end;
  }

  #add(timer: Pending): Timer {
    this.#pending.add(timer);
    return { cancel: () => this.#pending.delete(timer) };
  }
}
