import type { Connection } from '../connection.ts';

/** Objects of a connection and its session, as measured: over TCP and TLS alike. */
const objectBytes = 7 * 1024;

/** What connections hold together. */
export interface Account {
  /** Memory that the process does not count: of the system's sockets and of TLS. */
  readonly uncounted: number;
  /** All that goes with the connections. */
  readonly held: number;
  /** Bytes that wait for their sockets, and how many sockets these are. */
  readonly waiting: number;
  readonly waitingFor: number;
}

/** Waiting bytes of a socket that matter. */
const noted = 4 * 1024;

/**
 * Bytes that are kept for this connection and go with it, beside what every one takes: packets that are not whole, what
 * waits for its socket, what it has not acknowledged, its topic aliases, and without a session that stays its filters. A
 * view of what can become large, not an account of every object.
 */
export function weightOf(connection: Connection): number {
  const { outbox, incomingAliases, session, transport } = connection;
  let weight = connection.reader.heldBytes + outbox.waiting + (transport.gatheredBytes ?? 0);
  if (incomingAliases !== null) for (const topic of incomingAliases) weight += topic?.length ?? 0;
  if (session !== null && !session.isPersistent)
    weight += session.unacknowledgedBytes + session.queue.memoryBytes + session.filterBytes;
  return weight;
}

/** Adds up what connections hold. */
export function sumUp(connections: Iterable<Connection>): Account {
  let uncounted = 0;
  let held = 0;
  let waiting = 0;
  let waitingFor = 0;
  for (const connection of connections) {
    const { transport, outbox } = connection;
    const beside = transport.uncountedBytes ?? 0;
    uncounted += beside;
    held += beside + objectBytes + weightOf(connection);
    if (outbox.waiting < noted) continue;
    waiting += outbox.waiting;
    waitingFor++;
  }
  return { uncounted, held, waiting, waitingFor };
}
