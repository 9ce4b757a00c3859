import type { Clock, Timer } from '#base';

/** What a keep-alive watches and does. */
export interface KeepAliveLink {
  /** Counts the writes so far. */
  writes(): number;
  /** Counts the chunks that came so far. */
  chunks(): number;
  /** False: we do not read, so silence says nothing about the peer. */
  isReading(): boolean;
  ping(): void;
  /** No sign of life within half a keep-alive after a ping. */
  onSilence(): void;
}

/**
 * Pings when half the keep-alive has passed without a write or without a byte from the peer, and gives the peer up when
 * nothing comes within another half. One coarse timer, a quarter of the keep-alive; counters instead of time stamps, so
 * the packet path pays nothing. [MQTT-3.1.2-20]
 */
export class KeepAlive {
  readonly #link: KeepAliveLink;
  readonly #timer: Timer | null;
  #writes = 0;
  #chunks = 0;
  #quietOut = 0;
  #quietIn = 0;
  #ticksSincePing = -1;

  constructor(clock: Clock, seconds: number, link: KeepAliveLink) {
    this.#link = link;
    this.#timer = seconds === 0 ? null : clock.every(seconds * 250, () => this.#tick());
  }

  stop(): void {
    this.#timer?.cancel();
  }

  #tick(): void {
    const link = this.#link;
    const writes = link.writes();
    const chunks = link.chunks();
    this.#quietOut = writes === this.#writes ? this.#quietOut + 1 : 0;
    this.#quietIn = chunks === this.#chunks && link.isReading() ? this.#quietIn + 1 : 0;
    this.#writes = writes;
    this.#chunks = chunks;
    if (this.#quietIn === 0) this.#ticksSincePing = -1;
    if (this.#ticksSincePing >= 0) {
      this.#ticksSincePing += 1;
      if (this.#ticksSincePing >= 2) link.onSilence();
    } else if (this.#quietOut >= 2 || this.#quietIn >= 2) {
      this.#ticksSincePing = 0;
      link.ping();
    }
  }
}
