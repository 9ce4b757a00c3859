import { messageOf, type PeerInfo, type SparingLog } from '#base';
import type { ProtocolVersion, PublishProperties, Qos, ReasonCode } from '#mqtt';
import type { Identity } from './ports.ts';
import type { DropPolicy } from './statistics.ts';

/** What a hook is told about a client. */
export interface ClientInfo {
  readonly clientId: string;
  readonly name: string | null;
  readonly peer: PeerInfo;
  readonly listener: string;
  readonly version: ProtocolVersion;
}

/** A message as hooks see it. `payload` is a view that is valid during the call: copy what is kept. */
export interface HookMessage {
  readonly topic: string;
  readonly payload: Buffer;
  readonly qos: Qos;
  readonly retain: boolean;
  readonly properties: Readonly<PublishProperties> | null;
}

/** What a message becomes: itself (`undefined`), another under the same topic, or nothing. */
export type Transformed = MessageChange | MessageDrop | undefined;

/** What is left out stays as it is. `properties` are laid over those that are there; `null` removes all. */
export interface MessageChange {
  readonly payload?: Buffer;
  readonly retain?: boolean;
  readonly properties?: Partial<PublishProperties> | null;
}

export interface MessageDrop {
  /** Why, for the log. */
  readonly drop: string;
  /** What its sender is told (MQTT 5); default: that nobody has subscribed. 0x80 and above: that it is refused. */
  readonly reasonCode?: ReasonCode;
}

/**
 * Handlers of the program around the broker. They run on the broker's thread and must be quick. Lists: push to add one.
 * Of those on the path of every message there is one, or `null`: then they cost a comparison.
 */
export interface Hooks {
  readonly onClientConnected: ((client: ClientInfo) => void)[];
  readonly onClientDisconnected: ((client: ClientInfo, reason: string) => void)[];
  readonly onSubscribed: ((client: ClientInfo, filter: string, qos: Qos) => void)[];
  readonly onUnsubscribed: ((client: ClientInfo, filter: string) => void)[];
  readonly onDropped: ((policy: DropPolicy, clientId: string, topic: string) => void)[];
  /** Before routing, for what clients publish and for their wills. A fault in it ends that client's connection. */
  transform: ((message: HookMessage, client: Identity) => Transformed) | null;
  /** After routing; `client` is `null` for what the program around the broker publishes. */
  published: ((message: HookMessage, client: Identity | null) => void) | null;
  /** A message is written for a client: handed over at QoS 0, not yet acknowledged at QoS 1 and 2. */
  delivered: ((message: HookMessage, clientId: string, qos: Qos) => void) | null;
}

export function createHooks(): Hooks {
  return {
    onClientConnected: [],
    onClientDisconnected: [],
    onSubscribed: [],
    onUnsubscribed: [],
    onDropped: [],
    transform: null,
    published: null,
    delivered: null,
  };
}

/** Calls a handler; its fault is its own and never reaches a connection. */
export function callHook<A extends readonly unknown[]>(
  handler: (...values: A) => void,
  log: SparingLog,
  ...values: A
): void {
  try {
    handler(...values);
  } catch (error) {
    log.error(`a hook failed: ${messageOf(error)}`, {});
  }
}

/** Calls each handler. */
export function callHooks<A extends readonly unknown[]>(
  handlers: readonly ((...values: A) => void)[],
  log: SparingLog,
  ...values: A
): void {
  for (const handler of handlers) callHook(handler, log, ...values);
}
