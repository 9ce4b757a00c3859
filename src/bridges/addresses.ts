import type { Clock, Dialer, Timer, TransportHandler } from '#base';

const probeMs = 30_000;
const probeTimeoutMs = 10_000;

/**
 * Where the other broker may be, best first. A place that fails is followed by the next one at once; when all have
 * failed, there is a pause.
 */
export class Addresses {
  readonly #dialers: readonly [Dialer, ...Dialer[]];
  readonly #isRoundRobin: boolean;
  #index = 0;
  /** Places tried since the last pause or success. */
  #tried = 0;

  constructor(dialers: readonly [Dialer, ...Dialer[]], isRoundRobin: boolean) {
    this.#dialers = dialers;
    this.#isRoundRobin = isRoundRobin;
  }

  get current(): Dialer {
    return this.#dialers[this.#index] ?? this.#dialers[0];
  }

  /** The first place, where another one is in use and the first is to be gone back to. */
  get preferred(): Dialer | null {
    return this.#index === 0 || this.#isRoundRobin ? null : this.#dialers[0];
  }

  onConnected(): void {
    this.#tried = 0;
  }

  /** A connection that stood is over. */
  onLost(): void {
    this.#tried = 0;
    this.#index = this.#isRoundRobin ? (this.#index + 1) % this.#dialers.length : 0;
  }

  /** No connection came about. True: another place is to be tried, now. */
  onFailed(): boolean {
    this.#index = (this.#index + 1) % this.#dialers.length;
    this.#tried++;
    if (this.#tried < this.#dialers.length) return true;
    this.#tried = 0;
    return false;
  }
}

/** Looks now and then whether a place answers again. */
export class Probe {
  readonly #clock: Clock;
  #timer: Timer | null = null;
  #abort: AbortController | null = null;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Calls `onAnswer` once, when a connection (with TLS: its handshake) could be made. */
  start(dialer: Dialer, onAnswer: () => void): void {
    this.stop();
    this.#timer = this.#clock.every(probeMs, () => this.#try(dialer, onAnswer));
  }

  stop(): void {
    this.#timer?.cancel();
    this.#timer = null;
    this.#abort?.abort();
    this.#abort = null;
  }

  #try(dialer: Dialer, onAnswer: () => void): void {
    if (this.#abort !== null) return;
    const abort = new AbortController();
    this.#abort = abort;
    const limit = this.#clock.after(probeTimeoutMs, () => abort.abort());
    dialer.dial(silent, abort.signal).then(
      (transport) => {
        limit.cancel();
        transport.destroy();
        if (abort.signal.aborted) return;
        this.stop();
        onAnswer();
      },
      () => {
        limit.cancel();
        if (this.#abort === abort) this.#abort = null;
      },
    );
  }
}

const silent: TransportHandler = { onBytes: () => {}, onDrain: () => {}, onClose: () => {} };
