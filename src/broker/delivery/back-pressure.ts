import type { Connection } from '../connection.ts';
import { PauseReason } from '../phase.ts';
import type { BrokerCore } from '../core.ts';
import type { Session } from '../sessions/session.ts';

/** So long a client is watched before it is judged. */
const watchMs = 10_000;

/** What a finished message counts towards the rate: one, and one for each KiB that it had. */
export function drainOf(bytes: number): number {
  return 1 + (bytes >> 10);
}

/**
 * Makes publishers wait for a connected subscriber whose queue (QoS 1 and 2) is more than half full, until it is less
 * than a quarter full.
 *
 *   held      its acknowledgements wait (with MQTT 5 its window closes), and
 *   still     it is not read from either, where that cannot do harm
 *
 * Invariant: a connection that is not read has nothing to acknowledge (nothing in flight towards it, nothing queued
 * for it). So every queue that somebody waits for belongs to a client whose acknowledgements are read, and no circle of
 * clients that publish to each other can stop. When a message at QoS 1 or 2 comes for a connection that is not read,
 * it is read again at once. What is written to a client as a subscriber (PUBLISH, PUBREL) never waits for this.
 *
 * A subscriber that acknowledges nothing for 10 s, or less than `minimumDrainRate`, is waited for no longer, or one that
 * answers every nine seconds could stop its publishers for ever: its queue then drops by its bounds, as that of a client
 * without a connection does. It is waited for again when it keeps to the rate, or has caught up.
 */
export class BackPressure {
  readonly #core: BrokerCore;
  /** Sessions that somebody waits for. */
  readonly #full = new Set<Session>();
  /** Sessions that nobody waits for because they were too slow. */
  readonly #stalled = new Set<Session>();

  constructor(core: BrokerCore) {
    this.#core = core;
  }

  /** Lets a publisher wait for a session. */
  hold(publisher: Connection, session: Session): void {
    if (publisher.isEnding) return;
    if (session.isStalled && !this.#hasRecovered(session)) return;
    session.holding ??= new Set();
    publisher.heldBy ??= new Set();
    if (session.holding.size === 0) {
      this.#watch(session);
      this.#full.add(session);
    }
    if (!session.holding.has(publisher)) {
      session.holding.add(publisher);
      publisher.heldBy.add(session);
      this.#core.statistics.publishersHeld++;
    }
    if (publisher.session?.owesNothing === true) publisher.pause(PauseReason.Held);
  }

  /** Reads from a held connection again, because something is about to be sent that it has to acknowledge. */
  letRead(connection: Connection): void {
    connection.unpause(PauseReason.Held);
  }

  /** The session sent something on: nobody waits any more when its queue is short enough. */
  relax(session: Session): void {
    if (session.holding !== null && session.holding.size > 0 && session.queue.isBelowQuarter)
      this.release(session);
  }

  /** Nobody waits for this session any more. */
  release(session: Session): void {
    if (!this.#full.delete(session) || session.holding === null) return;
    for (const publisher of session.holding) {
      publisher.heldBy?.delete(session);
      if (!publisher.isHeld) this.#letGo(publisher);
    }
    session.holding.clear();
  }

  /** The session is over. */
  end(session: Session): void {
    this.release(session);
    this.#stalled.delete(session);
  }

  /** A publisher is gone. */
  forget(publisher: Connection): void {
    if (publisher.heldBy === null) return;
    for (const session of publisher.heldBy) {
      session.holding?.delete(publisher);
      if (session.holding?.size === 0) this.#full.delete(session);
    }
    publisher.heldBy.clear();
  }

  /** Called each second. */
  sweep(): void {
    const now = this.#core.clock.monotonic();
    for (const session of this.#full) {
      if (now - session.drainedSince < watchMs) continue;
      if (session.drained < enoughOf(session)) this.#giveUp(session);
      else this.#watch(session);
    }
    for (const session of this.#stalled) {
      if (!this.#hasRecovered(session) && now - session.drainedSince >= watchMs) this.#watch(session);
    }
  }

  /** It keeps up again; then it is waited for again. */
  #hasRecovered(session: Session): boolean {
    if (session.drained < enoughOf(session) && !session.queue.isBelowQuarter) return false;
    session.isStalled = false;
    this.#stalled.delete(session);
    return true;
  }

  #watch(session: Session): void {
    session.drained = 0;
    session.drainedSince = this.#core.clock.monotonic();
  }

  #giveUp(session: Session): void {
    const { sparing, statistics } = this.#core;
    const { clientId, drained, queue, inflight } = session;
    session.isStalled = true;
    this.#stalled.add(session);
    statistics.reached['drain-rate']++;
    this.release(session);
    const what = drained === 0 ? 'acknowledges nothing' : 'acknowledges too slowly';
    const fields = { queued: queue.length, in_flight: inflight.size, drained_in_10_s: drained };
    const effect = `${what}; its publishers wait no longer`;
    sparing.warning(`client ${clientId} ${effect}`, fields, `a client ${effect}`);
    this.#watch(session);
  }

  #letGo(publisher: Connection): void {
    publisher.unpause(PauseReason.Held);
    publisher.releaseDeferred();
  }
}

/** What it has to finish while it is watched. */
function enoughOf({ minimumDrainRate }: Session): number {
  return Math.max(1, (minimumDrainRate * watchMs) / 1000);
}
