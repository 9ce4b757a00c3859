import type { BridgeConfig, BridgeTopicConfig } from '#config';
import {
  PacketType,
  type ConnackPacket,
  type ConnectPacket,
  type Qos,
  type SubscribePacket,
  type SubscriptionRequest,
} from '#mqtt';

/** QoS 1 and 2 messages under way in each direction, at most. */
export const window = 1000;

/**
 * The same at QoS 2 towards 3.1.1, which cannot say what it takes: Mosquitto acknowledges what exceeds its 20 in flight
 * and drops it.
 */
const unknownWindow = 20;

/** Ids of messages belong to the brokers, which count from 1: the last one is the bridge's own, for its one SUBSCRIBE. */
const subscribeId = 65_535;
/** The session stays until the broker ends it (MQTT 5, 3.1.2.11.2). */
const noExpiry = 0xffffffff;

/** CONNECT to our own broker: a session that is the bridge's queue. */
export function localConnect(config: BridgeConfig, remoteReceiveMaximum: number | undefined): ConnectPacket {
  const isBlind =
    config.protocolVersion !== 5 &&
    config.topics.some((topic) => topic.qos === 2 && topic.direction !== 'in');
  return {
    type: PacketType.Connect,
    version: 5,
    bridge: false,
    clientId: `bridge-${config.name}`,
    cleanStart: false,
    keepAlive: 0,
    username: undefined,
    password: undefined,
    will: null,
    properties: {
      sessionExpiry: noExpiry,
      // Our broker must not send more than the other one may be sent.
      receiveMaximum: Math.min(isBlind ? unknownWindow : window, remoteReceiveMaximum ?? window),
    },
  };
}

/** CONNECT to the other broker. */
export function remoteConnect(
  config: BridgeConfig,
  password: Buffer | string | undefined,
  receiveMaximum: number,
  asBridge: boolean,
): ConnectPacket {
  return {
    type: PacketType.Connect,
    version: config.protocolVersion,
    bridge: asBridge,
    clientId: config.clientId,
    cleanStart: config.cleanStart,
    keepAlive: config.keepAliveSeconds,
    username: config.username ?? undefined,
    password: typeof password === 'string' ? Buffer.from(password) : password,
    will: null,
    properties:
      config.protocolVersion === 5 ? { sessionExpiry: config.sessionExpirySeconds, receiveMaximum } : {},
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
