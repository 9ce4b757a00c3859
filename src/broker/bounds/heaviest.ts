import { ReasonCode } from '#mqtt';
import type { BrokerCore } from '../core.ts';
import type { Connection } from '../connection.ts';
import { localAddress } from './admission.ts';

/** Share of the memory bound that clients' connections may hold together when the memory is full … */
const most = 0.5;
/** … and down to which the heaviest of them end. */
const enough = 0.4;

/** Who holds less is never ended for it. */
const light = 16 * 1024;

/**
 * Bytes that are kept for this connection and go with it: packets that are not whole, what waits for its socket, what
 * it has not acknowledged, its topic aliases. A view of what can become large, not an account of every object.
 */
function weightOf(connection: Connection): number {
  const { outbox, incomingAliases, session, transport } = connection;
  let weight = connection.reader.heldBytes + outbox.waiting + (transport.gatheredBytes ?? 0);
  if (incomingAliases !== null) for (const topic of incomingAliases) weight += topic?.length ?? 0;
  if (session !== null && !session.isPersistent) weight += session.unacknowledgedBytes + session.queue.bytes;
  return weight;
}

/**
 * Ends the connections that hold most, where all together hold more than half of the memory bound. For when the memory
 * is full: what they hold has come, or is on its way, whatever is refused from now on. What is local stays. How many.
 */
export function endHeaviest(core: BrokerCore): number {
  const { maximumMemory = 0 } = core.limits;
  const weights: { readonly connection: Connection; readonly weight: number }[] = [];
  let sum = 0;
  for (const connection of core.connections) {
    if (connection.isEnding || connection.transport.peer.address === localAddress) continue;
    const weight = weightOf(connection);
    sum += weight;
    if (weight >= light) weights.push({ connection, weight });
  }
  if (sum <= maximumMemory * most) return 0;
  weights.sort((a, b) => b.weight - a.weight);
  let ended = 0;
  for (const { connection, weight } of weights) {
    if (sum <= maximumMemory * enough) break;
    connection.disconnect(ReasonCode.QuotaExceeded, 'the memory is full and this client holds much of it');
    connection.transport.destroy();
    sum -= weight;
    ended++;
  }
  core.statistics.reached['memory-clients'] += ended;
  if (ended > 0)
    core.log.warning('the memory is full; the clients that held most of it are disconnected', {
      clients: ended,
    });
  return ended;
}
