import { kib, mib, minute, second, type KeySpec } from './key-type.ts';

const hundredYears = 3_155_760_000;

/** Bounds and rules for one client: of `[broker]`, and under the same names of a `[[listener]]` that has its own. */
export const clientLimitKeys: readonly KeySpec[] = [
  {
    key: 'maximum_packet_size',
    type: { kind: 'size', minimum: kib, maximum: 268_435_460 },
    default: mib,
    reload: 'reconnect',
    description: 'Largest packet that is taken from a client.',
  },
  {
    key: 'maximum_payload_size',
    type: { kind: 'size', minimum: 0, maximum: 268_435_460 },
    default: 0,
    reload: 'reconnect',
    description:
      'Largest payload of a message; a larger one is refused (0x83; before MQTT 5 acknowledged) and goes nowhere. 0 = no bound beside `maximum_packet_size`.',
  },
  {
    key: 'maximum_packet_size_before_connect',
    type: { kind: 'size', minimum: 128, maximum: mib },
    default: 16 * kib,
    reload: 'live',
    description:
      'Largest first packet: who has not signed in yet gets little memory. Room for a will and a long password.',
  },
  {
    key: 'connect_timeout',
    type: { kind: 'duration', unit: 'ms', minimum: 100, maximum: 10 * minute },
    default: 10 * second,
    reload: 'live',
    description: 'Time from the connection to a whole CONNECT.',
  },
  {
    key: 'maximum_handshakes',
    type: { kind: 'integer', minimum: 1, maximum: 1_000_000 },
    default: 500,
    reload: 'live',
    description:
      'TLS and WebSocket handshakes under way at once on one listener, from one address at most as many as it leaves for others; beyond, a new connection is closed before it costs any arithmetic.',
  },
  {
    key: 'receive_maximum',
    type: { kind: 'integer', minimum: 1, maximum: 65_535 },
    default: 1000,
    reload: 'reconnect',
    description:
      'QoS 1 and 2 messages that a client may send ahead of their answers. A bridge over 100 ms of round trip carries 10,000 messages a second with it; what is held for each is a number, not the message.',
  },
  {
    key: 'receive_maximum_strict',
    type: { kind: 'boolean' },
    default: false,
    reload: 'reconnect',
    description:
      'Disconnect (0x93) an MQTT 5 client that sends more ahead than `receive_maximum`. Some do, MQTT.js 5 among them; without this they are read on, up to all 65,535 packet ids, but not faster than the disk takes what must be kept.',
  },
  {
    key: 'maximum_inflight',
    type: { kind: 'integer', minimum: 1, maximum: 65_535 },
    default: 1000,
    reload: 'reconnect',
    description:
      'QoS 1 and 2 messages on their way to a client that would take more (20 to one before MQTT 5 that subscribes at QoS 2, because it cannot say what it takes). Ingest acknowledges in batches, so this also bounds the rows of one commit; their bytes are bounded by `maximum_inflight_bytes`.',
  },
  {
    key: 'maximum_inflight_bytes',
    type: { kind: 'size', minimum: 0, maximum: 1024 * mib },
    default: 8 * mib,
    reload: 'reconnect',
    description:
      'Bytes of unacknowledged messages to one client at which no more are sent to it, one message at least; 0 = no bound of their own.',
  },
  {
    key: 'maximum_queued_messages',
    type: { kind: 'integer', minimum: 0, maximum: 100_000_000 },
    default: 100_000,
    reload: 'reconnect',
    description:
      'Messages that wait for one client or bridge, for as long as it is away; beyond, new ones are dropped.',
  },
  {
    key: 'maximum_queued_bytes',
    type: { kind: 'size', minimum: 0, maximum: 1024 * 1024 * mib },
    default: 64 * mib,
    reload: 'reconnect',
    description: 'Bytes that wait for one client or bridge.',
  },
  {
    key: 'queue_qos0',
    type: { kind: 'boolean' },
    default: false,
    reload: 'reconnect',
    description:
      'Keep QoS 0 messages too for absent clients, and for those that lag, within the bounds of their queues.',
  },
  {
    key: 'upgrade_outgoing_qos',
    type: { kind: 'boolean' },
    default: false,
    reload: 'reconnect',
    description:
      'Deliver at the QoS of the subscription even where the message came with a lower one. The standard says: at the lower of the two.',
  },
  {
    key: 'maximum_subscriptions_per_client',
    type: { kind: 'integer', minimum: 1, maximum: 10_000_000 },
    default: 1000,
    reload: 'reconnect',
    description: 'Subscriptions of one client.',
  },
  {
    key: 'maximum_topic_levels',
    type: { kind: 'integer', minimum: 1, maximum: 1000 },
    default: 128,
    reload: 'reconnect',
    description: 'Levels of a topic or filter.',
  },
  {
    key: 'maximum_topic_length',
    type: { kind: 'integer', minimum: 16, maximum: 65_535 },
    default: 4096,
    reload: 'reconnect',
    description: 'Bytes of a topic or filter.',
  },
  {
    key: 'topic_alias_maximum',
    type: { kind: 'integer', minimum: 0, maximum: 65_535 },
    default: 100,
    reload: 'reconnect',
    description: 'Topic aliases that a client may set; 0 = none.',
  },
  {
    key: 'topic_alias_maximum_outgoing',
    type: { kind: 'integer', minimum: 0, maximum: 65_535 },
    default: null,
    defaultText: 'that of `topic_alias_maximum`, 32 at most',
    reload: 'reconnect',
    description: 'Topic aliases that the broker uses towards a client that takes them; 0 = none.',
  },
  {
    key: 'maximum_keep_alive',
    type: { kind: 'duration', unit: 's', minimum: 1, maximum: 65_535 },
    default: 3600,
    reload: 'reconnect',
    description: 'Longest keep-alive; a client that asks for more, or for none, gets this one.',
  },
  {
    key: 'refuse_long_keep_alive',
    type: { kind: 'boolean' },
    default: false,
    reload: 'reconnect',
    description:
      'Refuse (2) a client before MQTT 5 that asks for more than `maximum_keep_alive`, or for none: it cannot be told another. Else it gets what it asks for.',
  },
  {
    key: 'maximum_session_expiry',
    type: { kind: 'duration', unit: 's', minimum: 0, maximum: hundredYears },
    default: 1_209_600,
    reload: 'reconnect',
    description: 'Longest time that the session of an absent client is kept.',
  },
  {
    key: 'maximum_pending_bytes',
    type: { kind: 'size', minimum: 4 * kib, maximum: 1024 * mib },
    default: mib,
    reload: 'reconnect',
    description:
      "Bytes that wait in memory for a slow client's socket; beyond, QoS 0 is dropped and QoS 1 and 2 wait in the queue.",
  },
  {
    key: 'maximum_user_properties',
    type: { kind: 'integer', minimum: 0, maximum: 10_000 },
    default: 100,
    reload: 'reconnect',
    description: 'User properties in one packet.',
  },
  {
    key: 'maximum_message_rate',
    type: { kind: 'integer', minimum: 0, maximum: 100_000_000 },
    default: 50_000,
    reload: 'reconnect',
    description:
      'Packets a second, acknowledgements apart, that are taken from one client; 0 = no bound. Beyond, it is read more slowly: nothing is dropped. A quarter of a second of it may come at once.',
  },
  {
    key: 'maximum_byte_rate',
    type: { kind: 'size', minimum: 0, maximum: 1024 * 1024 * mib },
    default: 32 * mib,
    reload: 'reconnect',
    description: 'Bytes a second that are taken from one client; 0 = no bound. As `maximum_message_rate`.',
  },
  {
    key: 'minimum_drain_rate',
    type: { kind: 'integer', minimum: 0, maximum: 1_000_000 },
    default: 10,
    reload: 'reconnect',
    description:
      'Messages a second, over ten seconds, that a subscriber must acknowledge while publishers wait because its queue is half full (a message counts one more for each KiB); one that is slower is waited for no longer, and its queue drops new messages at its bounds. 0 = one acknowledgement in ten seconds is enough.',
  },
  {
    key: 'check_payload_format',
    type: { kind: 'boolean' },
    default: false,
    reload: 'reconnect',
    description: 'Refuse (0x99) a message whose payload is said to be UTF-8 and is not (MQTT 5).',
  },
  {
    key: 'response_prefix',
    type: { kind: 'prefix' },
    default: '',
    reload: 'reconnect',
    description:
      'MQTT 5 clients that ask for response information are told to be answered under `<prefix>/<client id>`; empty = they are told nothing. The access lists must allow it.',
  },
  {
    key: 'maximum_qos',
    type: { kind: 'choice', values: [0, 1, 2] },
    default: 2,
    reload: 'reconnect',
    description:
      'Highest QoS that is granted to a client and taken from it; a message above ends its connection (0x9B).',
  },
  {
    key: 'retain_available',
    type: { kind: 'boolean' },
    default: true,
    reload: 'reconnect',
    description:
      'False: nothing is retained here; a message with the retain flag ends its connection (0x9A).',
  },
  {
    key: 'accepted_versions',
    type: { kind: 'list', of: { kind: 'choice', values: [3, 4, 5] } },
    default: [3, 4, 5],
    reload: 'reconnect',
    description:
      'Protocol versions that are taken: 3 for MQTT 3.1, 4 for 3.1.1, 5 for MQTT 5. Any other: CONNACK 0x84 (before MQTT 5: 1).',
  },
  {
    key: 'allow_empty_client_id',
    type: { kind: 'boolean' },
    default: true,
    reload: 'reconnect',
    description: 'Let a client in that gives no id, and give it one. False: CONNACK 0x85 (before MQTT 5: 2).',
  },
  {
    key: 'assigned_client_id_prefix',
    type: { kind: 'text' },
    default: null,
    defaultText: '`davylamp-`, and 24 hexadecimal digits follow',
    reload: 'reconnect',
    description: 'What an id begins with that the broker gives; a UUID follows.',
  },
  {
    key: 'client_id_prefixes',
    type: { kind: 'list', of: { kind: 'text' } },
    default: [],
    reload: 'reconnect',
    description:
      'A client id must begin with one of these; any other: CONNACK 0x87 (before MQTT 5: 5). Empty = any.',
  },
  {
    key: 'username_as_client_id',
    type: { kind: 'boolean' },
    default: false,
    reload: 'reconnect',
    description:
      'The name that a client has signed in by is its client id, whatever id it gives; without a name it is refused.',
  },
  {
    key: 'forbidden_will',
    type: { kind: 'choice', values: ['refuse', 'drop'] },
    default: 'refuse',
    reload: 'reconnect',
    description:
      'A client whose will it may not publish: refused when it connects, or let in and the will dropped at its end.',
  },
];
