import type { Clock, Logger, PeerInfo, Transport } from '#base';
import type { ListenerConfig } from '#config';

/** Where a listener really listens: the port that the system gave for port 0. A Unix socket has its path and port 0. */
export interface BoundAddress {
  readonly address: string;
  readonly port: number;
}

/** One open door. */
export interface Listener {
  /** Opens the door. Rejects with `PORT_TAKEN`, `LISTEN_FAILED`, `TLS_INVALID`, `CREDENTIALS_INVALID` or `FILE_UNREADABLE`. */
  start(): Promise<BoundAddress>;
  /**
   * Reads and checks all that `config` names, and changes nothing: that is for `commit`. Rejects as `start` does, and with
   * `CONFIG_INVALID` where `config` is another door (`isSameDoor`), which has to be opened instead.
   */
  prepareReload(config: ListenerConfig, bounds?: ListenerBounds): Promise<PreparedReload>;
  /** Takes no more connections; those that were handed on are the broker's. Without effect when closed. */
  close(): Promise<void>;
  readonly statistics: Readonly<ListenerStatistics>;
}

/** What a reload will change, read and checked. */
export interface PreparedReload {
  /** Holds for every connection from now on; those that are open stay. Cannot fail. */
  commit(): void;
  /** For the log: what is allowed and probably not meant. */
  readonly warnings: readonly string[];
}

export interface ListenerStatistics {
  accepted: number;
  /** Closed at once: `maximumConnections` were open, `maximumHandshakes` under way, or `admit` said no. */
  refused: number;
  /** Of these: because of `maximumHandshakes`. */
  handshakesRefused: number;
  /** TLS and WebSocket handshakes that failed. */
  handshakeFailures: number;
  /** Connections without the PROXY protocol header that is asked for, or with a bad one. */
  proxyFailures: number;
}

/** Why a listener refuses a connection by itself. */
export type ListenerBound = 'connections' | 'handshakes';

/** The broker's bounds for each of its listeners; a listener's own configuration may name narrower ones. */
export interface ListenerBounds {
  /** Of this listener alone. */
  readonly maximumConnections: number;
  /**
   * PROXY headers, TLS and WebSocket handshakes under way at once; absent or 0 = no bound of their own. One address may
   * have as many of the latter two as it leaves places for others.
   */
  readonly maximumHandshakes?: number;
}

export interface ListenerContext extends ListenerBounds {
  /** Names the listener in each line: `log.child('listener:detectors')`. */
  readonly log: Logger;
  readonly clock: Clock;
  /** For a PROXY header, a TLS handshake and a WebSocket request, each. Default: 10,000. */
  readonly handshakeTimeoutMs?: number;
  /**
   * Asked before such a handshake begins, because it costs so much more than the question. Behind a proxy the address is
   * the client's. Absent = everybody may.
   */
  readonly admit?: (address: string) => boolean;
  /** Told of each connection that one of the listener's own bounds has refused. */
  readonly onRefused?: (bound: ListenerBound) => void;
  /** Gets the secrets of each TLS session, a line each (NSS key log): whoever has them can read all. Absent = nobody. */
  readonly keyLog?: (line: Buffer) => void;
}

export type OnTransport = (transport: Transport) => void;

/** The peer of a connection that stays on this machine. */
export const localPeer: PeerInfo = { address: 'local', port: 0, certificate: null };

/** Whether a listener that runs with `before` can go on with `after`: it listens for the same at the same place. */
export function isSameDoor(before: ListenerConfig, after: ListenerConfig): boolean {
  return (
    before.protocol === after.protocol &&
    before.address === after.address &&
    before.port === after.port &&
    before.path === after.path &&
    before.networkInterface === after.networkInterface &&
    before.ipVersion === after.ipVersion
  );
}
