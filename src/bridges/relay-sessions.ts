import type { BridgeConfig } from '#config';
import type { ConnackPacket, Qos } from '#mqtt';
import { receiveMaximumOf } from './bridge-packets.ts';

/** What is known of the two sessions when both connections are up. */
export interface RelaySessions {
  readonly receiverVersion: 4 | 5;
  /** What the other broker calls itself; `null` = it does not. */
  readonly remoteName: string | null;
  readonly senderSessionPresent: boolean;
  readonly receiverSessionPresent: boolean;
  /** The other broker has several addresses, and this is not the one that packets last crossed to: is it the same broker? */
  readonly isOtherPlace: boolean;
  /** How many QoS 1 and 2 messages the receiver takes at once. */
  readonly receiveMaximum: number;
  /**
   * Highest QoS that the receiver takes. What was queued before that was known is lowered; the exchange with its sender
   * is then ended here.
   */
  readonly maximumQos: Qos;
  readonly retainAvailable: boolean;
  /** Topic aliases that the receiver takes; 0 = none. */
  readonly topicAliasMaximum: number;
}

/** Which sessions were there before, and where. */
export interface Presence {
  readonly remoteName: string | null;
  readonly ours: boolean;
  readonly theirs: boolean;
  readonly isOtherPlace: boolean;
}

/** Towards the other broker, whose CONNACK is `theirs`. */
export function outSessions(config: BridgeConfig, presence: Presence, theirs: ConnackPacket): RelaySessions {
  return {
    ...takenBy(theirs),
    receiverVersion: config.protocolVersion,
    senderSessionPresent: presence.ours,
    receiverSessionPresent: presence.theirs,
    isOtherPlace: presence.isOtherPlace,
    remoteName: presence.remoteName,
    topicAliasMaximum: Math.min(config.topicAliasMaximum ?? 0, theirs.properties.topicAliasMaximum ?? 0),
  };
}

/** Towards our own broker, whose CONNACK is `ours`. */
export function inSessions(presence: Presence, ours: ConnackPacket): RelaySessions {
  return {
    ...takenBy(ours),
    receiverVersion: 5,
    senderSessionPresent: presence.theirs,
    receiverSessionPresent: presence.ours,
    isOtherPlace: presence.isOtherPlace,
    remoteName: presence.remoteName,
    topicAliasMaximum: 0, // in memory it would gain nothing
  };
}

function takenBy(
  connack: ConnackPacket,
): Pick<RelaySessions, 'receiveMaximum' | 'maximumQos' | 'retainAvailable'> {
  const { maximumQos = 2, retainAvailable = true } = connack.properties;
  return { receiveMaximum: receiveMaximumOf(connack), maximumQos, retainAvailable };
}
