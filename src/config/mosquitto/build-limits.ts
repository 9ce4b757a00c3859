import type { LimitsConfig } from '../config.ts';
import type { ConfFindings } from './conf-findings.ts';
import type { ConfListener } from './conf-tree.ts';
import type { ConfSection } from './conf-section.ts';
import { quote } from './conf-value.ts';

type Limits = { -readonly [K in keyof LimitsConfig]: LimitsConfig[K] };

/** Where Mosquitto has no bound of a kind, one that nobody reaches; memory as a whole stays bounded. */
const boundless = 100_000_000;
const boundlessBytes = 1024 ** 4;
/** The largest packet that MQTT knows. */
const largestPacket = 268_435_460;
/** Levels of a topic that Mosquitto takes. */
const topicLevels = 200;
const longestPrefix = 50;
const daySeconds = 86_400;

/** Seconds behind the letters of `persistent_client_expiration`. */
const expirationUnits: ReadonlyMap<string, number> = new Map([
  ['s', 1],
  ['h', 3600],
  ['d', daySeconds],
  ['w', 7 * daySeconds],
  ['m', 30 * daySeconds],
  ['y', 365 * daySeconds],
]);
const never = 0xffff_ffff;

/**
 * The bounds of Mosquitto. What it does not bound is bounded by memory as a whole; those of `defaults` stand that keep
 * strangers from taking it: the time and size of a first packet, handshakes, flapping, memory.
 */
export function brokerLimits(
  broker: ConfSection,
  defaults: LimitsConfig,
  findings: ConfFindings,
): LimitsConfig {
  const inflight = broker.integer('max_inflight_messages') || 65_535;
  const prefix = broker.textOrNull('clientid_prefixes');
  const payload = broker.integer('message_size_limit');
  const keepAlive = broker.integer('max_keepalive');
  const inflightBytes = broker.integer('max_inflight_bytes');
  return {
    ...defaults,
    maximumPacketSize: Math.min(broker.integer('max_packet_size'), largestPacket),
    maximumPacketSizeBeforeConnect: 100_000,
    maximumConnections: unlessNone(broker.integer('global_max_connections'), boundless),
    maximumConnectionsPerAddress: 0,
    maximumConnectionsPerUser: 0,
    maximumSessions: unlessNone(broker.integer('global_max_clients'), 0),
    receiveMaximum: inflight,
    receiveMaximumStrict: false,
    maximumInflight: inflight,
    ...(inflightBytes > 0 ? { maximumInflightBytes: inflightBytes } : {}),
    maximumQueuedMessages: broker.integer('max_queued_messages') || boundless,
    maximumQueuedBytes: broker.has('max_queued_bytes')
      ? broker.integer('max_queued_bytes') || boundlessBytes
      : defaults.maximumQueuedBytes,
    maximumSubscriptionsPerClient: 100_000,
    maximumTopicLevels: topicLevels,
    maximumTopicLength: 65_535,
    maximumRetainedMessages: boundless,
    maximumRetainedBytes: boundlessBytes,
    topicAliasMaximum: 10,
    topicAliasMaximumOutgoing: 10,
    maximumKeepAliveSeconds: keepAlive,
    ...(keepAlive > 0 ? { refusesLongKeepAlive: true } : {}),
    // A bridge's notifications, of which no access list knows.
    forbiddenWill: 'drop',
    maximumSessionExpirySeconds: expirationOf(broker, findings),
    ...(broker.has('memory_limit') ? { maximumMemory: broker.integer('memory_limit') } : {}),
    maximumMessageRate: 0,
    maximumByteRate: 0,
    overlappingCopies: broker.flag('allow_duplicate_messages') ? 'each' : 'one',
    queueQos0: broker.flag('queue_qos0_messages'),
    upgradeOutgoingQos: broker.flag('upgrade_outgoing_qos'),
    retainAvailable: broker.flag('retain_available'),
    checkRetainSource: broker.flag('check_retain_source'),
    ...(payload > 0 ? { maximumPayloadSize: payload } : {}),
    ...(prefix === null ? {} : { clientIdPrefixes: [prefix] }),
    allowEmptyClientId: broker.flag('allow_zero_length_clientid'),
    assignedClientIdPrefix: prefixOf(broker, 'auto_id_prefix', findings),
  };
}

/** -1 is no bound. */
function unlessNone(count: number, none: number): number {
  return count < 0 ? none : count;
}

function prefixOf(section: ConfSection, name: string, findings: ConfFindings): string {
  const prefix = section.text(name);
  if (Buffer.byteLength(prefix) > longestPrefix)
    findings.fault(section.placeOf(name), `${name} must have at most ${longestPrefix} bytes; shorten it`);
  return prefix;
}

/** Seconds. */
function expirationOf(broker: ConfSection, findings: ConfFindings): number {
  const given = broker.all('persistent_client_expiration').at(-1);
  if (given === undefined) return never;
  const [, number = '', letter = ''] = /^(\d{1,9})([shdwmy])(?:\s|$)/.exec(String(given.value)) ?? [];
  const seconds = Number(number) * (expirationUnits.get(letter) ?? 0);
  if (seconds > 0) return Math.min(seconds, never - 1);
  findings.fault(
    given,
    `persistent_client_expiration must be a number above 0 and one of s h d w m y, such as 14d, not ${quote(String(given.value))}`,
  );
  return never;
}

/** Bounds that a listener lays over those of the broker. */
export function listenerLimits({ section }: ConfListener, findings: ConfFindings): Partial<LimitsConfig> {
  const limits: Partial<Limits> = {};
  if (section.has('max_qos')) limits.maximumQos = section.integer('max_qos') as 0 | 1 | 2;
  if (section.has('max_topic_alias')) limits.topicAliasMaximum = section.integer('max_topic_alias');
  if (section.has('max_topic_alias_broker'))
    limits.topicAliasMaximumOutgoing = section.integer('max_topic_alias_broker');
  if (section.has('use_username_as_clientid'))
    limits.usernameAsClientId = section.flag('use_username_as_clientid');
  if (section.has('accept_protocol_versions')) limits.acceptedVersions = versionsOf(section, findings);
  if (section.has('allow_zero_length_clientid'))
    limits.allowEmptyClientId = section.flag('allow_zero_length_clientid');
  for (const name of ['auto_id_prefix', 'listener_auto_id_prefix'])
    if (section.has(name)) limits.assignedClientIdPrefix = prefixOf(section, name, findings);
  return limits;
}

function versionsOf(section: ConfSection, findings: ConfFindings): readonly (3 | 4 | 5)[] {
  const place = section.placeOf('accept_protocol_versions');
  const versions = new Set<3 | 4 | 5>();
  for (const word of section.text('accept_protocol_versions').split(/[,\s]+/)) {
    if (word.startsWith('#')) break;
    const version = Number(word);
    if (version === 3 || version === 4 || version === 5) versions.add(version);
    else if (word !== '')
      findings.fault(
        place,
        `accept_protocol_versions: ${quote(word)} is not one of 3 (MQTT 3.1), 4 (3.1.1) and 5`,
      );
  }
  return [...versions].sort((a, b) => a - b);
}
