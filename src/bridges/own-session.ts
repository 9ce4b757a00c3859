import type { Clock } from '#base';
import type { ConnackPacket } from '#mqtt';
import { KnownSession } from './known-session.ts';

/** The session in our own broker: the bridge's queue. */
export class OwnSession extends KnownSession {
  /** Resolved when the queue stands, or the first try to make it has failed. */
  readonly stands = Promise.withResolvers<void>();
  readonly #clock: Clock;
  /** It stands, and was left in good order. */
  isPrepared = false;
  /**
   * Subscriptions are made before there is somewhere to deliver to: their retained messages are still to come. True at
   * first, also for a session of an earlier run: it may have ended before they came.
   */
  isRetainedOwed = true;
  /** Messages that our broker takes at once: learnt from its CONNACK, told to the other side. */
  receiveMaximum: number;
  /** How long our broker keeps it, from when it was left, on the monotonic clock. */
  #keptMs = Infinity;
  #leftAt = 0;

  constructor(clock: Clock, receiveMaximum: number) {
    super();
    this.receiveMaximum = receiveMaximum;
    this.#clock = clock;
  }

  /** It must not expire while the other side is away, however long that is: half of its time is over. */
  get isAging(): boolean {
    return this.isPrepared && this.#clock.monotonic() - this.#leftAt > this.#keptMs / 2;
  }

  override onConnack(connack: ConnackPacket): void {
    super.onConnack(connack);
    if (!connack.sessionPresent) this.isRetainedOwed = true;
    this.#keptMs = (connack.properties.sessionExpiry ?? Infinity) * 1000;
  }

  /** Our connection to it is over. */
  onLeft(): void {
    this.#leftAt = this.#clock.monotonic();
  }
}
