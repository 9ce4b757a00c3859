import type { BrokerCore } from '../core.ts';
import type { Connection } from '../connection.ts';
import { PauseReason } from '../phase.ts';

/** Packets of one client that are handled at a stretch: a whole chunk of small messages, and hardly a millisecond. */
export const packetsAtAStretch = 1024;

/** What one filter of a SUBSCRIBE or UNSUBSCRIBE takes, in packets. */
export const packetsOfAFilter = 8;

/** Clients that go on in one turn. */
const clientsInATurn = 4;

/**
 * Lets clients that send much take turns. A chunk of 64 KiB may hold 32,000 packets: with a few hundred clients that
 * send such, everybody else would wait for all of them. So who has had its stretch waits, unread and in order, and a few
 * of those go on in each turn of the event loop; whoever sends little never waits here.
 */
export class FairShare {
  readonly #core: BrokerCore;
  readonly #waiting = new Set<Connection>();
  readonly #step = (): boolean => this.#goOn();

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
    let left = clientsInATurn;
    for (const connection of this.#waiting) {
      this.#waiting.delete(connection);
      connection.unpause(PauseReason.Turn);
      left--;
      if (left === 0) break;
    }
    return this.#waiting.size > 0;
  }
}
