import { isDeepStrictEqual } from 'node:util';
import type { LimitsConfig } from './config.ts';
import type { Value } from './key-value.ts';
import { clientLimitKeys } from './schema-client-limits.ts';
import type { Section } from './section.ts';

type FieldOfKey = readonly (readonly [key: string, field: keyof LimitsConfig])[];

/** What the broker as a whole always has. */
const fields: FieldOfKey = [
  ['maximum_packet_size', 'maximumPacketSize'],
  ['maximum_packet_size_before_connect', 'maximumPacketSizeBeforeConnect'],
  ['connect_timeout', 'connectTimeoutMs'],
  ['maximum_connections', 'maximumConnections'],
  ['receive_maximum', 'receiveMaximum'],
  ['receive_maximum_strict', 'receiveMaximumStrict'],
  ['maximum_inflight', 'maximumInflight'],
  ['maximum_queued_messages', 'maximumQueuedMessages'],
  ['maximum_queued_bytes', 'maximumQueuedBytes'],
  ['maximum_subscriptions_per_client', 'maximumSubscriptionsPerClient'],
  ['maximum_topic_levels', 'maximumTopicLevels'],
  ['maximum_topic_length', 'maximumTopicLength'],
  ['maximum_retained_messages', 'maximumRetainedMessages'],
  ['maximum_retained_bytes', 'maximumRetainedBytes'],
  ['topic_alias_maximum', 'topicAliasMaximum'],
  ['maximum_keep_alive', 'maximumKeepAliveSeconds'],
  ['maximum_session_expiry', 'maximumSessionExpirySeconds'],
  ['maximum_pending_bytes', 'maximumPendingBytes'],
  ['maximum_user_properties', 'maximumUserProperties'],
  ['maximum_connections_per_address', 'maximumConnectionsPerAddress'],
  ['maximum_connections_per_user', 'maximumConnectionsPerUser'],
  ['maximum_handshakes', 'maximumHandshakes'],
  ['maximum_sessions', 'maximumSessions'],
  ['maximum_memory', 'maximumMemory'],
  ['maximum_message_rate', 'maximumMessageRate'],
  ['maximum_byte_rate', 'maximumByteRate'],
  ['flapping_connects', 'flappingConnects'],
  ['flapping_window', 'flappingWindowMs'],
  ['flapping_ban', 'flappingBanMs'],
  ['minimum_drain_rate', 'minimumDrainRate'],
  ['maximum_inflight_bytes', 'maximumInflightBytes'],
  ['queue_qos0', 'queueQos0'],
  ['retain_expiry', 'retainExpirySeconds'],
  ['check_retain_source', 'checkRetainSource'],
  ['overlapping_copies', 'overlappingCopies'],
  ['check_payload_format', 'checkPayloadFormat'],
  ['response_prefix', 'responsePrefix'],
];

/** What is absent where it is as the standard has it. */
const standardFields: FieldOfKey = [
  ['maximum_payload_size', 'maximumPayloadSize'],
  ['topic_alias_maximum_outgoing', 'topicAliasMaximumOutgoing'],
  ['refuse_long_keep_alive', 'refusesLongKeepAlive'],
  ['upgrade_outgoing_qos', 'upgradeOutgoingQos'],
  ['maximum_qos', 'maximumQos'],
  ['retain_available', 'retainAvailable'],
  ['accepted_versions', 'acceptedVersions'],
  ['allow_empty_client_id', 'allowEmptyClientId'],
  ['assigned_client_id_prefix', 'assignedClientIdPrefix'],
  ['client_id_prefixes', 'clientIdPrefixes'],
  ['username_as_client_id', 'usernameAsClientId'],
  ['forbidden_will', 'forbiddenWill'],
];

const fieldOfKey: ReadonlyMap<string, keyof LimitsConfig> = new Map([...fields, ...standardFields]);
const defaults = new Map(clientLimitKeys.map(({ key, default: value }) => [key, value]));

/** The bounds of `[broker]`, whose values the schema has checked. */
export function limitsOf(broker: Section): LimitsConfig {
  const differing = standardFields.filter(
    ([key]) => !isDeepStrictEqual(broker.values.get(key), defaults.get(key)),
  );
  const entries = [...fields, ...differing].map(([key, field]) => [field, limitOf(broker, key)]);
  return Object.fromEntries(entries) as LimitsConfig;
}

/** The bounds that a `[[listener]]` has of its own. */
export function listenerLimitsOf(listener: Section): Partial<LimitsConfig> {
  const own = clientLimitKeys.filter(({ key }) => listener.has(key));
  const entries = own.map(({ key }) => [fieldOfKey.get(key), limitOf(listener, key)]);
  return Object.fromEntries(entries) as Partial<LimitsConfig>;
}

/** An empty prefix is none. */
function limitOf(section: Section, key: string): Value {
  const value = section.values.get(key) ?? null;
  return key === 'response_prefix' && value === '' ? null : value;
}
