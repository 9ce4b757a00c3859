import { queryObjects } from 'node:v8';
import { Message } from '../../src/broker/message.ts';
import { Session } from '../../src/broker/sessions/session.ts';
import { FuzzPeer } from './fuzz-peer.ts';
import { observers, type FuzzWorld } from './fuzz-world.ts';

/** What the broker says of itself under `$SYS` is retained as well: more topics than it has today. */
const ownMessages = 400;

/**
 * What is still alive in this process, after a collection, that must be gone when the last client of the only world has
 * gone; `null` = nothing. Counters can agree while something is held in a set that nobody counts.
 */
export async function leakOf(world: FuzzWorld): Promise<string | null> {
  // The route that was remembered last holds who it led to until the next one is.
  await world.take(world.checkService());
  const { sessions, retainedMessages } = world.broker.statistics;
  const bounds = [
    ['connections', FuzzPeer, observers],
    ['sessions', Session, sessions],
    ['messages', Message, retainedMessages + ownMessages],
  ] as const;
  for (const [name, kind, bound] of bounds) {
    const alive = queryObjects(kind, { format: 'count' });
    if (alive > bound) return `${name}: ${alive} are still held where ${bound} are there`;
  }
  return null;
}
