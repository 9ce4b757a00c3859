import type { BrokerCore } from '../core.ts';
import type { Connection } from '../connection.ts';
import { PauseReason } from '../phase.ts';

/** Packets of one client that are handled at a stretch: a whole chunk of small messages, and hardly a millisecond. */
export const packetsAtAStretch = 1024;

/** What one filter of a SUBSCRIBE or UNSUBSCRIBE takes, in packets. */
export const packetsOfAFilter = 8;

/** What those who go on in one turn may take together: four stretches. */
const packetsInATurn = 4 * packetsAtAStretch;

/**
 * Lets clients that send much take turns. A chunk of 64 KiB may hold 32,000 packets: with a few hundred clients that
 * send such, everybody else would wait for all of them. So who has had its stretch waits, unread and in order, and a few
 * of those go on in each turn of the event loop; whoever sends little never waits here. Who has taken more than its stretch,
 * with one packet of a thousand filters, takes the place of several: the turn is smaller by that, or the next ones are.
 */
export class FairShare {
  readonly #core: BrokerCore;
  readonly #waiting = new Set<Connection>();
  readonly #step = (): boolean => this.#goOn();
  /** Packets left to this turn; what is missing, the next ones make up for. */
  #left = packetsInATurn;

  constructor(core: BrokerCore) {
    this.#core = core;
  }

  /** This client has had its stretch. */
  wait(connection: Connection): void {
    if (connection.isEnding || this.#waiting.has(connection)) return;
    connection.pause(PauseReason.Turn);
    if (this.#waiting.size === 0) this.#core.turn.addTask(this.#step);
    this.#waiting.add(connection);
  }

  /** True = somebody still waits. */
  #goOn(): boolean {
    if (this.#core.turn.isBehind) return true;
    this.#left = Math.min(this.#left + packetsInATurn, packetsInATurn);
    for (const connection of this.#waiting) {
      if (this.#left <= 0) break;
      this.#waiting.delete(connection);
      this.#left -= packetsAtAStretch - Math.min(connection.stretch, 0);
      connection.unpause(PauseReason.Turn);
    }
    return this.#waiting.size > 0;
  }
}
