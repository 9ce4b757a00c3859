import type { BridgeConfig, BridgeTopicConfig } from '#config';
import type { BrokerLink } from '#client';
import { bridgeProperty } from '#model';
import {
  PacketType,
  ReasonCode,
  type ConnackPacket,
  type ConnectPacket,
  type Qos,
  type SubscribePacket,
  type SubackPacket,
  type SubscriptionRequest,
  type UnsubackPacket,
  type UnsubscribePacket,
  type Will,
} from '#mqtt';

/** QoS 1 and 2 messages under way in each direction, at most, where the configuration does not say. */
const defaultWindow = 1000;

export function windowOf(config: BridgeConfig): number {
  return config.receiveMaximum ?? defaultWindow;
}

/**
 * The same at QoS 2 towards 3.1.1, which cannot say what it takes: Mosquitto acknowledges what exceeds its 20 in flight
 * and drops it.
 */
const unknownWindow = 20;

/** Ids of messages belong to the brokers, which count from 1: the last one is the bridge's own, for its one SUBSCRIBE. */
const subscribeId = 65_535;
/** And the one before, for its one UNSUBSCRIBE. */
const unsubscribeId = 65_534;
/** The session stays until the broker ends it (MQTT 5, 3.1.2.11.2). */
const noExpiry = 0xffffffff;

/** Its session in our own broker. */
export function localClientId(config: BridgeConfig): string {
  return config.localClientId ?? `bridge-${config.name}`;
}

/** CONNECT to our own broker: a session that is the bridge's queue. */
export function localConnect(config: BridgeConfig, remoteReceiveMaximum: number | undefined): ConnectPacket {
  const isBlind =
    config.protocolVersion !== 5 &&
    config.topics.some((topic) => topic.qos === 2 && topic.direction !== 'in');
  return {
    type: PacketType.Connect,
    version: 5,
    bridge: false,
    clientId: localClientId(config),
    // A lazy link begins because something waits: that must not be forgotten.
    cleanStart: config.localCleanStart === true && config.startType !== 'lazy',
    keepAlive: 0,
    username: config.localUsername,
    password: config.localPassword === undefined ? undefined : Buffer.from(config.localPassword),
    will: null,
    properties: {
      sessionExpiry: noExpiry,
      // Our broker must not send more than the other one may be sent.
      receiveMaximum: Math.min(isBlind ? unknownWindow : windowOf(config), remoteReceiveMaximum ?? 65_535),
    },
  };
}

/** CONNECT to the other broker. */
export function remoteConnect(
  config: BridgeConfig,
  brokerName: string,
  password: Buffer | string | undefined,
  receiveMaximum: number,
  asBridge: boolean,
  will: Will | null,
): ConnectPacket {
  const { sessionExpirySeconds: sessionExpiry, topicAliasMaximum } = config;
  return {
    type: PacketType.Connect,
    version: config.protocolVersion,
    bridge: asBridge,
    clientId: config.clientId,
    cleanStart: config.cleanStart,
    keepAlive: config.keepAliveSeconds,
    username: config.username ?? undefined,
    password: typeof password === 'string' ? Buffer.from(password) : password,
    will,
    properties:
      config.protocolVersion === 5
        ? {
            sessionExpiry,
            receiveMaximum,
            userProperties: [[bridgeProperty.broker, brokerName]],
            ...(topicAliasMaximum === undefined ? {} : { topicAliasMaximum }),
          }
        : {},
  };
}

/**
 * What our broker is to send out; `null` = nothing. Retained messages come with a subscription that is new (1), always (0)
 * or never (2): a link that comes back does not bring them all again.
 */
export function localSubscribe(
  config: BridgeConfig,
  remote: ConnackPacket | null,
  retainHandling: SubscriptionRequest['retainHandling'] = 1,
): SubscribePacket | null {
  const maximumQos: Qos = remote?.properties.maximumQos ?? 2;
  const topics = config.topics.filter((topic) => topic.direction !== 'in');
  return subscribe(topics.map((topic) => request(topic, topic.localPrefix, maximumQos, 5, retainHandling)));
}

/** What the other broker is to send in; `null` = nothing. */
export function remoteSubscribe(config: BridgeConfig, remote: ConnackPacket | null): SubscribePacket | null {
  const topics = config.topics.filter((topic) => topic.direction !== 'out');
  const maximumQos: Qos = remote?.properties.maximumQos ?? 2;
  return subscribe(
    topics.map((topic) => request(topic, topic.remotePrefix, maximumQos, config.protocolVersion, 1)),
  );
}

/** Ends what our own broker has subscribed for this bridge and it carries no more; `null` = there is nothing. */
export function localUnsubscribe(
  config: BridgeConfig,
  subscribed: readonly string[],
): UnsubscribePacket | null {
  const wanted = new Set(
    config.topics
      .filter(({ direction }) => direction !== 'in')
      .map((topic) => topic.localPrefix + topic.filter),
  );
  return unsubscribe(subscribed.filter((filter) => !wanted.has(filter)));
}

/**
 * Ends what an earlier configuration may have left subscribed at the other broker: what is only sent, and of `former`
 * what is carried no more. `null` = there is nothing.
 */
export function remoteUnsubscribe(
  config: BridgeConfig,
  former: readonly BridgeTopicConfig[],
): UnsubscribePacket | null {
  const wanted = new Set(
    config.topics
      .filter(({ direction }) => direction !== 'out')
      .map((topic) => topic.remotePrefix + topic.filter),
  );
  const unwanted = [
    ...config.topics.filter(({ direction }) => direction === 'out'),
    ...former.filter(({ direction }) => direction !== 'out'),
  ]
    .map((topic) => topic.remotePrefix + topic.filter)
    .filter((filter) => !wanted.has(filter));
  return unsubscribe([...new Set(unwanted)]);
}

/** What a Davylamp broker calls itself; `null` = it is another one, or does not say. */
export function nameOf({ properties }: ConnackPacket): string | null {
  const found = properties.userProperties?.find(([name]) => name === bridgeProperty.broker);
  return found === undefined || found[1] === '' ? null : found[1];
}

/** QoS 1 and 2 messages that a broker takes at once (MQTT 5, 3.2.2.3.3). */
export function receiveMaximumOf(connack: ConnackPacket): number {
  return connack.properties.receiveMaximum ?? 65_535;
}

/** 0 = the answer fits what was asked. [MQTT-3.8.4-6] */
export function subackFault(
  answer: SubackPacket | UnsubackPacket,
  asked: SubscribePacket | null,
): ReasonCode {
  if (answer.type === PacketType.Unsuback)
    return answer.packetId === unsubscribeId ? ReasonCode.Success : ReasonCode.ProtocolError;
  const fits =
    asked !== null &&
    answer.packetId === asked.packetId &&
    answer.reasonCodes.length === asked.subscriptions.length;
  return fits ? ReasonCode.Success : ReasonCode.ProtocolError;
}

export function send(link: BrokerLink | null, packet: SubscribePacket | UnsubscribePacket | null): void {
  if (packet !== null) link?.outbox.packet(packet);
}

function request(
  topic: BridgeTopicConfig,
  prefix: string,
  maximumQos: Qos,
  version: 4 | 5,
  retainHandling: SubscriptionRequest['retainHandling'],
): SubscriptionRequest {
  const isV5 = version === 5;
  return {
    filter: prefix + topic.filter,
    qos: Math.min(topic.qos, maximumQos) as Qos,
    noLocal: isV5,
    retainAsPublished: isV5,
    retainHandling: isV5 ? retainHandling : 0,
  };
}

function subscribe(subscriptions: readonly SubscriptionRequest[]): SubscribePacket | null {
  if (subscriptions.length === 0) return null;
  return { type: PacketType.Subscribe, packetId: subscribeId, subscriptions, properties: {} };
}

function unsubscribe(filters: readonly string[]): UnsubscribePacket | null {
  if (filters.length === 0) return null;
  return { type: PacketType.Unsubscribe, packetId: unsubscribeId, filters, properties: {} };
}
