import { ReasonCode } from '#mqtt';
import type { BrokerCore } from '../core.ts';
import type { Connection } from '../connection.ts';
import type { Session } from '../sessions/session.ts';
import { weightOf } from './account.ts';
import { localAddress } from './admission.ts';

/**
 * Share of the memory bound, without what all connections take anyway, that clients' connections may hold together when
 * the memory is full …
 */
const most = 0.5;
/** … and down to which the heaviest of them end. */
const enough = 0.4;

/** Who holds less is never ended for it. */
const light = 16 * 1024;

interface Holder {
  readonly connection: Connection;
  /** Of what it makes the broker hold. */
  readonly weight: number;
  /** Of what its transport takes in memory that the process does not count. */
  readonly beside: number;
}

/**
 * Ends the connections that hold most, where all together hold more than half of the memory bound. For when the memory
 * is full: what they hold has come, or is on its way, whatever is refused from now on. What is local stays. `bound`: of
 * what they may take in all, with their transports; `Infinity` = what each takes anyway does not count. How many.
 */
export function endHeaviest(core: BrokerCore, bound: number): number {
  const { maximumMemory = 0 } = core.limits;
  const holders: Holder[] = [];
  let sum = 0;
  let room = maximumMemory;
  for (const connection of core.connections) {
    if (connection.isEnding || connection.transport.peer.address === localAddress) continue;
    const weight = weightOf(connection);
    const beside = connection.transport.uncountedBytes ?? 0;
    sum += weight;
    room -= beside;
    if (weight >= light || bound < Infinity) holders.push({ connection, weight, beside });
  }
  let all = sum + maximumMemory - room;
  if (sum <= room * most && all <= bound) return 0;
  holders.sort((a, b) => b.weight + b.beside - a.weight - a.beside);
  let ended = 0;
  for (const { connection, weight, beside } of holders) {
    if (sum <= room * enough && all <= bound) break;
    connection.disconnect(ReasonCode.QuotaExceeded, 'the memory is full and this client holds much of it');
    connection.transport.destroy();
    // Not only when its socket has closed: until then as much again may have come from others.
    connection.reader.abandon();
    sum -= weight;
    all -= weight + beside;
    ended++;
  }
  core.statistics.reached['memory-clients'] += ended;
  if (ended > 0)
    core.sparing.warning('the memory is full; the clients that held most of it are disconnected', {
      clients: ended,
    });
  return ended;
}

/**
 * Ends sessions of absent clients that hold most in memory (unacknowledged messages, queues that cannot be left on the
 * disk), until about `bytes` are free: they would lock everybody else out for as long as they last. Not those of this
 * machine: a bridge's holds what a site has measured. How many.
 */
export function endAbsent(core: BrokerCore, bytes: number): number {
  const heavy: { readonly session: Session; readonly weight: number }[] = [];
  for (const session of core.sessions.offline) {
    if (session.isLocal) continue;
    const weight = session.unacknowledgedBytes + session.queue.memoryBytes;
    if (weight >= light) heavy.push({ session, weight });
  }
  heavy.sort((a, b) => b.weight - a.weight);
  let freed = 0;
  let ended = 0;
  for (const { session, weight } of heavy) {
    if (freed >= bytes) break;
    core.lifecycle.end(session);
    freed += weight;
    ended++;
  }
  core.statistics.reached['memory-sessions'] += ended;
  if (ended > 0)
    core.sparing.warning(
      'sessions of absent clients hold too much of the memory; those that held most are ended, with their messages',
      { sessions: ended },
    );
  return ended;
}
