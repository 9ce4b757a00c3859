import type { Clock, Timer } from '#base';

/** How often a lazy bridge looks at its queue, in milliseconds. */
const lookMs = 250;

export interface LazyStartOptions {
  readonly clock: Clock;
  /** Messages that must wait before it is worth connecting. */
  readonly threshold: number;
  /** Milliseconds without a message after which it is worth parting. */
  readonly idleMs: number;
  /** Messages that wait now. */
  readonly depth: () => number;
}

/** When a lazy bridge connects and parts. */
export class LazyStart {
  readonly #options: LazyStartOptions;
  #timer: Timer | null = null;

  constructor(options: LazyStartOptions) {
    this.#options = options;
  }

  /** Calls back once, as soon as enough waits or `isAging` says that the queue must be looked after. */
  untilWork(isAging: () => boolean, callback: () => void): void {
    const { depth, threshold } = this.#options;
    this.#look(() => depth() >= threshold || isAging(), callback);
  }

  /** Calls back once, when `messages` has not risen for the idle time and nothing waits. */
  untilIdle(messages: () => number, callback: () => void): void {
    const { clock, idleMs, depth } = this.#options;
    let last = messages();
    let since = clock.monotonic();
    this.#look(() => {
      const now = messages();
      if (now !== last || depth() > 0) since = clock.monotonic();
      last = now;
      return clock.monotonic() - since >= idleMs;
    }, callback);
  }

  stop(): void {
    this.#timer?.cancel();
    this.#timer = null;
  }

  #look(isTime: () => boolean, callback: () => void): void {
    this.stop();
    if (isTime()) {
      callback();
      return;
    }
    this.#timer = this.#options.clock.every(lookMs, () => {
      if (!isTime()) return;
      this.stop();
      callback();
    });
  }
}
