import type { Clock, Logger, PeerInfo, Transport } from '#base';

/** Where a listener really listens: the port that the system gave for port 0. A Unix socket has its path and port 0. */
export interface BoundAddress {
  readonly address: string;
  readonly port: number;
}

/** One open door. */
export interface Listener {
  /** Opens the door. Rejects with `PORT_TAKEN`, `LISTEN_FAILED`, `TLS_INVALID` or `FILE_UNREADABLE`. */
  start(): Promise<BoundAddress>;
  /** Takes no more connections; those that were handed on are the broker's. Without effect when closed. */
  close(): Promise<void>;
  readonly statistics: Readonly<ListenerStatistics>;
}

export interface ListenerStatistics {
  accepted: number;
  /** Closed at once: `maximumConnections` were open, `maximumHandshakes` under way, or `admit` said no. */
  refused: number;
  /** Of these: because of `maximumHandshakes`. */
  handshakesRefused: number;
  /** TLS and WebSocket handshakes that failed. */
  handshakeFailures: number;
}

export interface ListenerContext {
  /** Names the listener in each line: `log.child('listener:detectors')`. */
  readonly log: Logger;
  readonly clock: Clock;
  /** Of this listener alone. */
  readonly maximumConnections: number;
  /** TLS and WebSocket handshakes under way at once; absent = no bound of their own. */
  readonly maximumHandshakes?: number;
  /** Asked before such a handshake begins, because it costs so much more than the question. Absent = everybody may. */
  readonly admit?: (address: string) => boolean;
}

export type OnTransport = (transport: Transport) => void;

/** The peer of a connection that stays on this machine. */
export const localPeer: PeerInfo = { address: 'local', port: 0, certificate: null };
