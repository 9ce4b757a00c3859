import { PauseReason, type Connection } from '../connection.ts';
import type { BrokerCore } from '../core.ts';
import type { Session } from '../sessions/session.ts';

/** A client that acknowledges nothing for so long is not waited for any more. */
const stallMs = 10_000;

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
 * A subscriber that makes no progress for 10 s is waited for no longer: its queue then drops by its bounds, as that of
 * a client without a connection does.
 */
export class BackPressure {
  readonly #core: BrokerCore;
  /** Sessions that somebody waits for. */
  readonly #full = new Set<Session>();

  constructor(core: BrokerCore) {
    this.#core = core;
  }

  /** Lets a publisher wait for a session. */
  hold(publisher: Connection, session: Session): void {
    if (session.isStalled || publisher.isEnding) return;
    if (session.holding.size === 0) {
      session.lastProgress = this.#core.clock.monotonic();
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
    if (session.holding.size > 0 && session.queue.isBelowQuarter) this.release(session);
  }

  /** Nobody waits for this session any more. */
  release(session: Session): void {
    if (!this.#full.delete(session)) return;
    for (const publisher of session.holding) {
      publisher.heldBy.delete(session);
      if (publisher.heldBy.size === 0) this.#letGo(publisher);
    }
    session.holding.clear();
  }

  /** A publisher is gone. */
  forget(publisher: Connection): void {
    for (const session of publisher.heldBy) {
      session.holding.delete(publisher);
      if (session.holding.size === 0) this.#full.delete(session);
    }
    publisher.heldBy.clear();
  }

  /** Called each second. */
  sweep(): void {
    const now = this.#core.clock.monotonic();
    for (const session of this.#full) {
      if (now - session.lastProgress < stallMs) continue;
      session.isStalled = true;
      this.release(session);
      this.#core.log.warning(
        `client ${session.clientId} acknowledges nothing; its publishers wait no longer`,
        {
          queued: session.queue.length,
          in_flight: session.inflight.size,
        },
      );
    }
  }

  #letGo(publisher: Connection): void {
    publisher.unpause(PauseReason.Held);
    publisher.releaseDeferred();
  }
}
