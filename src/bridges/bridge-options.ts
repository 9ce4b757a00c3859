import type { Clock, Dialer, Logger } from '#base';
import type { Scheduler } from '#client';
import type { BridgeConfig, BridgeTopicConfig, LimitsConfig } from '#config';
import type { PublishLocally } from './link-notices.ts';

/** How far a topic may go, and how many user properties a message may have. */
export type MessageBounds = Pick<
  LimitsConfig,
  'maximumTopicLevels' | 'maximumTopicLength' | 'maximumUserProperties'
>;

/** What a bridge is made of. */
export interface BridgeOptions {
  readonly config: BridgeConfig;
  /** Names this broker in the loop tag: unique among the brokers that are bridged together. */
  readonly brokerName: string;
  /** Into our own broker. */
  readonly localDialer: Dialer;
  readonly remoteDialer: Dialer;
  /** To the other places of `config.moreAddresses`, in their order. */
  readonly moreDialers?: readonly Dialer[];
  /** Filters that the bridge's session has in our own broker. */
  readonly subscribed?: () => readonly string[];
  /** What a bridge before this one, to the same broker, carried. */
  readonly formerTopics?: readonly BridgeTopicConfig[];
  /** Messages that wait in the bridge's session; for a lazy start. Absent: it connects at once. */
  readonly queueDepth?: () => number;
  /** What our own broker takes of a message: beyond it, it would end the connection, over and over. Absent: all. */
  readonly bounds?: MessageBounds;
  /** For notifications; absent: none on our side. */
  readonly publishLocally?: PublishLocally;
  readonly clock: Clock;
  readonly log: Logger;
  /** With `config.username`. */
  readonly password?: Buffer | string;
  /** Default: `setImmediate`. */
  readonly scheduler?: Scheduler;
}
