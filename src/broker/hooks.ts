import { messageOf, type Logger, type PeerInfo } from '#base';
import type { ProtocolVersion } from '#mqtt';
import type { DropPolicy } from './statistics.ts';

/** What a hook is told about a client. */
export interface ClientInfo {
  readonly clientId: string;
  readonly name: string | null;
  readonly peer: PeerInfo;
  readonly listener: string;
  readonly version: ProtocolVersion;
}

/** Lists of handlers; push to add one. They run on the broker's thread and must be quick; what they throw is logged. */
export interface Hooks {
  readonly onClientConnected: ((client: ClientInfo) => void)[];
  readonly onClientDisconnected: ((client: ClientInfo, reason: string) => void)[];
  readonly onDropped: ((policy: DropPolicy, clientId: string, topic: string) => void)[];
}

export function createHooks(): Hooks {
  return { onClientConnected: [], onClientDisconnected: [], onDropped: [] };
}

/** Calls each handler; a handler's fault is its own and never reaches a connection. */
export function callHooks<A extends readonly unknown[]>(
  handlers: readonly ((...values: A) => void)[],
  log: Logger,
  ...values: A
): void {
  for (const handler of handlers) {
    try {
      handler(...values);
    } catch (error) {
      log.error(`a hook failed: ${messageOf(error)}`);
    }
  }
}
