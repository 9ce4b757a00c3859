import { messageOf } from '#base';
import type { BrokerCore } from '../core.ts';
import { restoredDelivery } from '../restore.ts';
import type { Session } from './session.ts';

/** What is read back at once: messages, and bytes of topics and payloads. */
const pageCount = 512;
const pageBytes = 512 * 1024;
/** A disk that did not give a page is asked again after so many milliseconds. */
const againMs = 1000;

/** Brings what a session's queue has left on the disk back into memory, a page at a time, before it is needed. */
export class QueuePages {
  readonly #core: BrokerCore;

  constructor(core: BrokerCore) {
    this.#core = core;
  }

  /** Reads the next page of a session that wants one; it is pumped when the page is there. */
  load(session: Session): void {
    const { queue, clientId } = session;
    const { journal } = this.#core;
    if (!queue.wantsPage || journal.readDeliveries === undefined) return;
    queue.isLoading = true;
    journal.readDeliveries(clientId, queue.pageAfter, pageCount, pageBytes).then(
      (page) => {
        queue.isLoading = false;
        if (this.#core.sessions.get(clientId) !== session) return;
        if (page.length === 0) this.#miss(session);
        else queue.addPage(page.map(restoredDelivery));
        this.#core.deliverer.dropAged(session);
        this.#core.deliverer.pump(session);
      },
      (error: unknown) => {
        const what = 'cannot be read back';
        const text = `queued messages of client ${clientId} ${what}: ${messageOf(error)}`;
        this.#core.sparing.error(text, {}, `queued messages of a client ${what}`);
        this.#core.clock.after(againMs, () => {
          queue.isLoading = false;
          if (this.#core.sessions.get(clientId) === session) this.#core.deliverer.pump(session);
        });
      },
    );
  }

  #miss(session: Session): void {
    const { queue, clientId } = session;
    const before = queue.bytes;
    const missing = queue.forgetSpilled();
    this.#core.countQueued(-missing, queue.bytes - before);
    this.#core.statistics.dropped.unreadable += missing;
    this.#core.sparing.error(
      `BUG: ${missing} queued messages of client ${clientId} are not in the journal`,
      {},
      'BUG: queued messages of a client are not in the journal',
    );
  }
}
