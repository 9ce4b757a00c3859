import type { Clock, Dialer, Logger } from '#base';
import type { Scheduler } from '#client';
import type { BridgeConfig } from '#config';
import type { PublishLocally } from './link-notices.ts';

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
  /** Messages that wait in the bridge's session; for a lazy start. Absent: it connects at once. */
  readonly queueDepth?: () => number;
  /** For notifications; absent: none on our side. */
  readonly publishLocally?: PublishLocally;
  readonly clock: Clock;
  readonly log: Logger;
  /** With `config.username`. */
  readonly password?: Buffer | string;
  /** Default: `setImmediate`. */
  readonly scheduler?: Scheduler;
}
