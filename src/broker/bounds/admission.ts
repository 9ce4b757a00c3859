import { SparingLog, type Transport } from '#base';
import type { Connection } from '../connection.ts';
import type { BrokerCore } from '../core.ts';
import type { Identity } from '../ports.ts';
import type { BoundName } from '../statistics.ts';
import { networkOf } from './network-of.ts';

/** The address of what connects without a network: Unix sockets, bridges and other parts of this machine. */
export const localAddress = 'local';

/**
 * Who may have a connection. The bounds hold over all listeners together. A flood from outside must not lock the
 * broker's own parts out: what is local is counted, never refused here (a Unix socket has its listener's bound).
 */
export class Admission {
  readonly #core: BrokerCore;
  readonly #log: SparingLog;
  readonly #byNetwork = new Map<string, number>();
  readonly #byUser = new Map<string, number>();
  /** Connections that are not local. */
  #outside = 0;

  constructor(core: BrokerCore) {
    this.#core = core;
    this.#log = new SparingLog(core.clock, core.log);
  }

  /** Whether a connection from this address finds a place now. A refusal is counted and told in the log, sparingly. */
  mayConnect(address: string, listener: string): boolean {
    const core = this.#core;
    if (!core.isClosing) {
      const bound = this.#boundReached(address);
      if (bound === null) return true;
      core.statistics.reached[bound]++;
      if (this.#log.warning(`a connection is refused: ${reasons[bound]}`, { listener, address, bound }))
        core.tell({ kind: 'connection-refused', address, bound });
    }
    core.statistics.connectionsRefused++;
    return false;
  }

  /** Takes a connection in. */
  enter(connection: Connection): void {
    this.#core.connections.add(connection);
    this.#count(connection.transport, 1);
  }

  /** Its transport is gone. */
  leave(connection: Connection): void {
    if (!this.#core.connections.delete(connection)) return;
    this.#count(connection.transport, -1);
    const name = connection.identity?.name ?? null;
    if (name !== null) add(this.#byUser, name, -1);
  }

  /**
   * Gives a connection its identity, unless its user has as many as are allowed. The connection that it takes over
   * makes way for it.
   */
  signIn(connection: Connection, identity: Identity): boolean {
    const { limits, sessions, statistics } = this.#core;
    const { name, clientId } = identity;
    const { maximumConnectionsPerUser: bound = 0 } = limits;
    if (name !== null) {
      const former = sessions.get(clientId)?.connection?.identity?.name === name ? 1 : 0;
      const open = (this.#byUser.get(name) ?? 0) - former;
      if (bound > 0 && open >= bound && connection.transport.peer.address !== localAddress) {
        statistics.reached['connections-per-user']++;
        return false;
      }
      add(this.#byUser, name, 1);
    }
    connection.identity = identity;
    return true;
  }

  #boundReached(address: string): keyof typeof reasons | null {
    if (address === localAddress) return null;
    const { limits, memory } = this.#core;
    const { maximumConnections, maximumConnectionsPerAddress: perAddress = 0 } = limits;
    if (this.#outside >= maximumConnections) return 'connections';
    if (perAddress > 0 && (this.#byNetwork.get(networkOf(address)) ?? 0) >= perAddress)
      return 'connections-per-address';
    return memory.isTight ? 'memory' : null;
  }

  #count({ peer }: Transport, by: 1 | -1): void {
    if (peer.address === localAddress) return;
    this.#outside += by;
    add(this.#byNetwork, networkOf(peer.address), by);
  }
}

const reasons = {
  connections: 'there are as many as maximum_connections allows',
  'connections-per-address': 'its address has as many as maximum_connections_per_address allows',
  memory: 'the memory is nearly full; raise maximum_memory where the machine has more',
} as const satisfies Partial<Record<BoundName, string>>;

function add(counts: Map<string, number>, key: string, by: number): void {
  const count = (counts.get(key) ?? 0) + by;
  if (count === 0) counts.delete(key);
  else counts.set(key, count);
}
