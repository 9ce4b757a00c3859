import type { BrokerCore } from '../core.ts';
import type { Session } from '../sessions/session.ts';

/** Between two lines about the same client. */
const quietMs = 60_000;

/** Says in the log that messages for this client are dropped, once in a minute, with their number. */
export function logFullQueue(core: BrokerCore, session: Session): void {
  session.dropsSinceLogged++;
  const { now, log } = core;
  if (now - session.lastDropLogged < quietMs) return;
  core.tell({ kind: 'dropping', clientId: session.clientId });
  log.warning(`the queue of client ${session.clientId} is full; new messages for it are dropped`, {
    dropped: session.dropsSinceLogged,
    queued: session.queue.length,
    connected: session.connection !== null,
  });
  session.lastDropLogged = now;
  session.dropsSinceLogged = 0;
}
