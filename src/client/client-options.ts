import type { Clock, Dialer, Logger } from '#base';
import type { PublishProperties, Qos, SubscribePacket, Will } from '#mqtt';
import type { ClientAuthentication } from './authentication.ts';

/** Calls back later in this turn of the event loop: what was gathered until then leaves in one write. */
export type Scheduler = (callback: () => void) => void;

/** What a client is and how it behaves; fixed for its life. */
export interface ClientOptions {
  readonly dialer: Dialer;
  readonly clock: Clock;
  readonly log: Logger;
  /** Empty: the broker chooses one (MQTT 5), for clean sessions only. */
  readonly clientId: string;
  /** 4 is MQTT 3.1.1, 5 is MQTT 5. */
  readonly version: 4 | 5;
  readonly cleanStart: boolean;
  /** 0 = no pings and no dead-peer limit. */
  readonly keepAliveSeconds: number;
  /** MQTT 5: how long the broker keeps the session after the connection; default 0 (ends with it). */
  readonly sessionExpirySeconds?: number;
  /** MQTT 5: unacknowledged QoS 1 and 2 messages that the broker may have under way to us; default 65,535. */
  readonly receiveMaximum?: number;
  readonly username?: string;
  readonly password?: Buffer | string;
  readonly will?: Will;
  /** MQTT 5: sign in by this method of enhanced authentication, instead of or beside user name and password. */
  readonly authentication?: ClientAuthentication;
  /** True: `ReceivedMessage.acknowledge` must be called for each QoS 1 and 2 message; default false. */
  readonly manualAcknowledge?: boolean;
  /** Back-off between tries, or `false`: the end of the first connection is the end of the client. */
  readonly reconnect: false | BackoffRange;
  /** Largest packet taken from the broker, in bytes; default 1 MiB. */
  readonly maximumPacketSize?: number;
  /** Publishes (QoS 1 and 2) that may wait for the window or for a connection; default 10,000. */
  readonly maximumQueuedMessages?: number;
  /** Default: `setImmediate`. */
  readonly scheduler?: Scheduler;
}

/** Waiting times between tries, in milliseconds. */
export interface BackoffRange {
  readonly minimumMs: number;
  readonly maximumMs: number;
}

export type ClientState = 'connecting' | 'connected' | 'waiting' | 'closed';

export interface PublishOptions {
  readonly qos?: Qos;
  readonly retain?: boolean;
  /** MQTT 5 only; left out towards 3.1.1. */
  readonly properties?: Partial<PublishProperties>;
}

/** The broker's answer. A code of 0x80 or more is a refusal; QoS 0 has none and gives 0. */
export interface PublishResult {
  readonly reasonCode: number;
  readonly reasonString?: string;
}

export interface SubscribeRequest {
  readonly filter: string;
  readonly qos: Qos;
  /** MQTT 5; default false. */
  readonly noLocal?: boolean;
  /** MQTT 5; default false. */
  readonly retainAsPublished?: boolean;
  /** MQTT 5; default 0: send retained messages. */
  readonly retainHandling?: 0 | 1 | 2;
}

export type SubscribeProperties = SubscribePacket['properties'];

/** A message from the broker. */
export interface ReceivedMessage {
  readonly topic: string;
  /** A view, valid during `onMessage` only; after `keep()` a copy that stays. */
  readonly payload: Buffer;
  readonly qos: Qos;
  readonly retain: boolean;
  readonly dup: boolean;
  readonly properties: PublishProperties | null;
  /** Copies what is a view, so that the message may be used after `onMessage`. */
  keep(): this;
  /**
   * With `manualAcknowledge`: says that the message is dealt with (0) or refused (0x80 or more, MQTT 5). May come in any
   * order and at any time; the answers leave in the order of reception. A second call and QoS 0 do nothing.
   */
  acknowledge(reasonCode?: number): void;
}

/** Counters of a client's life, over all its connections. */
export interface ClientStatistics {
  connects: number;
  published: number;
  redelivered: number;
  refused: number;
  received: number;
  duplicates: number;
}

export type MessageHandler = (message: ReceivedMessage) => void;
export type StateHandler = (state: ClientState, detail?: string) => void;
