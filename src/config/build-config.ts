import type { LogLevel } from '#base';
import type { AlarmRule } from '#model';
import type {
  CommandGateConfig,
  Config,
  LimitsConfig,
  ListenerConfig,
  PersistenceConfig,
  PlatformConfig,
} from './config.ts';
import { bridgeOf } from './build-bridge.ts';
import { tlsFilesOf } from './build-tls-files.ts';
import type { Section } from './section.ts';

/** A detector that reads 1: gas. Where nobody wrote a rule, this one stands. */
const gasRule: AlarmRule = {
  name: 'gas',
  metric: 'gas',
  setPoint: 1,
  deadband: 0.2,
  onDelayMs: 0,
  offDelayMs: 5000,
  priority: 1,
};

/** Makes the typed configuration of sections that the schema has checked. */
export function buildConfig(root: Section): Config {
  const name = root.text('name');
  const platform = root.all('platform').at(0);
  return {
    role: root.text('role') as Config['role'],
    name,
    tenant: root.text('tenant'),
    logLevel: root.text('log_level') as LogLevel,
    limits: limitsOf(only(root, 'broker')),
    listeners: root.all('listener').map(listenerOf),
    persistence: persistenceOf(only(root, 'persistence')),
    bridges: root.all('bridge').map((bridge) => bridgeOf(bridge, name)),
    platform: platform === undefined ? null : platformOf(platform, root.all('alarm')),
    commands: commandsOf(only(root, 'commands')),
  };
}

/** A table that is always there: it has defaults for all its keys. */
function only(root: Section, key: string): Section {
  return root.all(key)[0] as Section;
}

function limitsOf(broker: Section): LimitsConfig {
  return {
    maximumPacketSize: broker.number('maximum_packet_size'),
    maximumPacketSizeBeforeConnect: broker.number('maximum_packet_size_before_connect'),
    connectTimeoutMs: broker.number('connect_timeout'),
    maximumConnections: broker.number('maximum_connections'),
    receiveMaximum: broker.number('receive_maximum'),
    receiveMaximumStrict: broker.boolean('receive_maximum_strict'),
    maximumInflight: broker.number('maximum_inflight'),
    maximumQueuedMessages: broker.number('maximum_queued_messages'),
    maximumQueuedBytes: broker.number('maximum_queued_bytes'),
    maximumSubscriptionsPerClient: broker.number('maximum_subscriptions_per_client'),
    maximumTopicLevels: broker.number('maximum_topic_levels'),
    maximumTopicLength: broker.number('maximum_topic_length'),
    maximumRetainedMessages: broker.number('maximum_retained_messages'),
    maximumRetainedBytes: broker.number('maximum_retained_bytes'),
    topicAliasMaximum: broker.number('topic_alias_maximum'),
    maximumKeepAliveSeconds: broker.number('maximum_keep_alive'),
    maximumSessionExpirySeconds: broker.number('maximum_session_expiry'),
    maximumPendingBytes: broker.number('maximum_pending_bytes'),
    maximumUserProperties: broker.number('maximum_user_properties'),
    maximumConnectionsPerAddress: broker.number('maximum_connections_per_address'),
    maximumConnectionsPerUser: broker.number('maximum_connections_per_user'),
    maximumHandshakes: broker.number('maximum_handshakes'),
    maximumSessions: broker.number('maximum_sessions'),
    maximumMemory: broker.number('maximum_memory'),
    maximumMessageRate: broker.number('maximum_message_rate'),
    maximumByteRate: broker.number('maximum_byte_rate'),
    flappingConnects: broker.number('flapping_connects'),
    flappingWindowMs: broker.number('flapping_window'),
    flappingBanMs: broker.number('flapping_ban'),
    minimumDrainRate: broker.number('minimum_drain_rate'),
    maximumInflightBytes: broker.number('maximum_inflight_bytes'),
    queueQos0: broker.boolean('queue_qos0'),
    retainExpirySeconds: broker.number('retain_expiry'),
    checkRetainSource: broker.boolean('check_retain_source'),
    overlappingCopies: broker.text('overlapping_copies') === 'each' ? 'each' : 'one',
    checkPayloadFormat: broker.boolean('check_payload_format'),
    responsePrefix: broker.text('response_prefix') || null,
  };
}

function persistenceOf(persistence: Section): PersistenceConfig | null {
  if (!persistence.boolean('enabled')) return null;
  return { folder: persistence.text('folder'), maximumBytes: persistence.number('maximum_size') };
}

const defaultPorts = { tcp: 1883, tls: 8883, unix: 0, ws: 8083, wss: 8084 } as const;

function listenerOf(listener: Section): ListenerConfig {
  const protocol = listener.text('protocol') as ListenerConfig['protocol'];
  const passwordFile = listener.textOrNull('password_file');
  const scramFile = listener.textOrNull('scram_file');
  const hasUsers = passwordFile !== null || scramFile !== null;
  const allowAnonymous = listener.boolean('allow_anonymous');
  return {
    name: listener.text('name'),
    protocol,
    address: listener.text('address'),
    port: listener.numberOrNull('port') ?? defaultPorts[protocol],
    path: listener.textOrNull('path') ?? '',
    webSocket:
      protocol === 'ws' || protocol === 'wss'
        ? { path: listener.text('websocket_path'), allowedOrigins: listener.texts('allowed_origins') }
        : null,
    tls: protocol === 'tls' || protocol === 'wss' ? tlsFilesOf(listener) : null,
    requireCertificate: listener.boolean('require_certificate'),
    passwordFile,
    scramFile,
    requirePassword: listener.booleanOrNull('require_password') ?? (hasUsers && !allowAnonymous),
    allowAnonymous,
    identityFromCertificate: listener.boolean('identity_from_certificate'),
    accessFile: listener.textOrNull('access_file'),
    stamp: listener.boolean('stamp'),
    minimumQos: listener.number('minimum_qos') as 0 | 1,
    sharedClientIds: listener.texts('shared_client_ids'),
    ...(listener.text('mount_point') === '' ? {} : { mountPoint: listener.text('mount_point') }),
  };
}

function platformOf(platform: Section, alarms: readonly Section[]): PlatformConfig {
  const addresses = platform.all('site_addresses').at(0)?.values ?? [];
  const names = platform.all('device_names').at(0)?.values ?? [];
  return {
    storeFile: platform.text('store_file'),
    brokerSocket: platform.text('broker_socket'),
    api: { address: platform.text('api_address'), port: platform.number('api_port') },
    siteAddresses: new Map([...addresses].map(([address, site]) => [address, String(site)])),
    deviceNames: new Map([...names].map(([device, name]) => [device, String(name)])),
    approvedDevices: platform.texts('approved_devices'),
    warmUpMs: platform.number('warm_up'),
    warmProofMs: platform.number('warm_proof'),
    silentAfterIntervals: platform.number('silent_after_intervals'),
    silentMinimumMs: platform.number('silent_minimum'),
    alarmRules: alarms.length === 0 ? [gasRule] : alarms.map(alarmOf),
    batchRows: platform.number('batch_rows'),
    batchDelayMs: platform.number('batch_delay'),
    quarantineRows: platform.number('quarantine_rows'),
    demoControl: platform.textOrNull('demo_control'),
  };
}

function alarmOf(alarm: Section): AlarmRule {
  const setPoint = alarm.number('set_point');
  return {
    name: alarm.text('name'),
    metric: alarm.text('metric'),
    setPoint,
    deadband: alarm.numberOrNull('deadband') ?? Math.abs(setPoint) / 5,
    onDelayMs: alarm.number('on_delay'),
    offDelayMs: alarm.number('off_delay'),
    priority: alarm.number('priority') as AlarmRule['priority'],
  };
}

function commandsOf(commands: Section): CommandGateConfig | null {
  if (!commands.boolean('accept')) return null;
  return {
    allowed: commands.texts('allow') as CommandGateConfig['allowed'],
    sleepMinimumSeconds: commands.number('sleep_minimum'),
    sleepMaximumSeconds: commands.number('sleep_maximum'),
    answerTimeoutMs: commands.number('answer_timeout'),
  };
}
