import type { BrokerCore } from '../core.ts';
import type { Session } from '../sessions/session.ts';

/** Between two lines about the same client. */
const quietMs = 60_000;

/** Says in the log that messages for this client are dropped, once in a minute, with their number. */
export function logFullQueue(core: BrokerCore, session: Session): void {
  session.dropsSinceLogged++;
  const { now, sparing } = core;
  if (now - session.lastDropLogged < quietMs) return;
  core.tell({ kind: 'dropping', clientId: session.clientId });
  const fields = {
    dropped: session.dropsSinceLogged,
    queued: session.queue.length,
    connected: session.connection !== null,
  };
  const effect = 'is full; new messages for it are dropped';
  sparing.warning(
    `the queue of client ${session.clientId} ${effect}`,
    fields,
    `the queue of a client ${effect}`,
  );
  session.lastDropLogged = now;
  session.dropsSinceLogged = 0;
}
