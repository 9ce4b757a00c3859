import { bridgeTlsOf } from './build-tls-files.ts';
import type { BridgeConfig, BridgeTopicConfig } from './config.ts';
import { optionalField } from './optional-field.ts';
import type { Section } from './section.ts';

/** Whoever gives one of these means TLS. */
const speaksTls = ['ca_file', 'ca_folder', 'certificate_file', 'psk_file'];

/** Makes the configuration of one `[[bridge]]`; `machine` names this broker. */
export function bridgeOf(bridge: Section, machine: string): BridgeConfig {
  const files = bridgeTlsOf(bridge);
  const isTls = bridge.booleanOrNull('tls') ?? speaksTls.some((key) => bridge.has(key));
  return {
    name: bridge.text('name'),
    host: bridge.text('host'),
    port: bridge.numberOrNull('port') ?? (isTls ? 8883 : 1883),
    tls: isTls ? files : null,
    protocolVersion: bridge.number('protocol_version') as BridgeConfig['protocolVersion'],
    clientId: bridge.textOrNull('client_id') ?? `davylamp-${machine}-${bridge.text('name')}`,
    username: bridge.textOrNull('username'),
    passwordFile: bridge.textOrNull('password_file'),
    keepAliveSeconds: bridge.number('keep_alive'),
    cleanStart: bridge.boolean('clean_start'),
    sessionExpirySeconds: bridge.number('session_expiry'),
    retryMinimumMs: bridge.number('retry_minimum'),
    retryMaximumMs: bridge.number('retry_maximum'),
    topics: bridge.all('topic').map(bridgeTopicOf),
    ...bridgeLinkOf(bridge, isTls ? 8883 : 1883),
    ...bridgeQueueOf(bridge),
    ...bridgeHabitsOf(bridge),
  };
}

function bridgeTopicOf(topic: Section): BridgeTopicConfig {
  return {
    filter: topic.text('filter'),
    direction: topic.text('direction') as BridgeTopicConfig['direction'],
    qos: topic.number('qos') as BridgeTopicConfig['qos'],
    localPrefix: topic.text('local_prefix'),
    remotePrefix: topic.text('remote_prefix'),
  };
}

type Address = NonNullable<BridgeConfig['moreAddresses']>[number];

/** `host`, `host:port`, `[address]:port`; `null` when it is none of these. */
export function parseAddress(text: string, defaultPort: number): Address | null {
  const found = /^(?:\[([0-9a-fA-F:.]+)\]|([^\s:[\]]+))(?::(\d{1,5}))?$/.exec(text);
  if (found === null) return null;
  const [, bracketed, name, digits] = found;
  const port = digits === undefined ? defaultPort : Number(digits);
  return port >= 1 && port <= 65_535 ? { host: bracketed ?? name ?? '', port } : null;
}

type Link = Pick<
  BridgeConfig,
  | 'moreAddresses'
  | 'roundRobin'
  | 'startType'
  | 'lazyThreshold'
  | 'lazyIdleMs'
  | 'notifications'
  | 'notificationsLocalOnly'
  | 'notificationTopic'
  | 'localAddress'
  | 'webSocketPath'
  | 'receiveMaximum'
  | 'topicAliasMaximum'
>;

function bridgeLinkOf(bridge: Section, defaultPort: number): Link {
  const notificationTopic = bridge.textOrNull('notification_topic');
  const localAddress = bridge.textOrNull('local_address');
  const webSocketPath = bridge.textOrNull('websocket_path');
  return {
    moreAddresses: bridge
      .texts('more_addresses')
      .map((text) => parseAddress(text, defaultPort))
      .filter((address) => address !== null),
    roundRobin: bridge.boolean('round_robin'),
    startType: bridge.text('start') as NonNullable<BridgeConfig['startType']>,
    lazyThreshold: bridge.number('lazy_threshold'),
    lazyIdleMs: bridge.number('lazy_idle'),
    notifications: bridge.boolean('notifications'),
    notificationsLocalOnly: bridge.boolean('notifications_local_only'),
    ...(notificationTopic === null ? {} : { notificationTopic }),
    ...(localAddress === null ? {} : { localAddress }),
    ...(webSocketPath === null ? {} : { webSocketPath }),
    receiveMaximum: bridge.number('receive_maximum'),
    topicAliasMaximum: bridge.number('topic_alias_maximum'),
  };
}

type Queue = Pick<
  BridgeConfig,
  | 'maximumQueuedMessages'
  | 'maximumQueuedBytes'
  | 'maximumQueuedAgeSeconds'
  | 'queueFullPolicy'
  | 'urgentTopics'
  | 'flushMs'
>;

function bridgeQueueOf(bridge: Section): Queue {
  const messages = bridge.numberOrNull('maximum_queued_messages');
  const bytes = bridge.numberOrNull('maximum_queued_bytes');
  return {
    ...(messages === null ? {} : { maximumQueuedMessages: messages }),
    ...(bytes === null ? {} : { maximumQueuedBytes: bytes }),
    maximumQueuedAgeSeconds: bridge.number('maximum_queued_age'),
    queueFullPolicy: bridge.text('queue_full_policy') as NonNullable<BridgeConfig['queueFullPolicy']>,
    urgentTopics: bridge.texts('urgent_topics'),
    flushMs: bridge.number('flush'),
  };
}

type Habits = Pick<
  BridgeConfig,
  | 'maximumPacketSize'
  | 'outgoingRetain'
  | 'attemptUnsubscribe'
  | 'tryPrivate'
  | 'tcpKeepAliveSeconds'
  | 'reloadType'
>;

/** What is absent unless it is asked for. */
function bridgeHabitsOf(bridge: Section): Habits {
  return {
    ...optionalField('maximumPacketSize', bridge.numberOrNull('maximum_packet_size')),
    ...(bridge.boolean('outgoing_retain') ? {} : { outgoingRetain: false }),
    ...(bridge.boolean('attempt_unsubscribe') ? {} : { attemptUnsubscribe: false }),
    ...optionalField('tryPrivate', bridge.booleanOrNull('try_private')),
    ...optionalField('tcpKeepAliveSeconds', bridge.numberOrNull('tcp_keep_alive')),
    ...(bridge.text('reload_type') === 'lazy' ? { reloadType: 'lazy' } : {}),
  };
}
