import { kib, mib, minute, second, type TableSpec } from './key-type.ts';

const hundredYears = 3_155_760_000;

/** Bounds on what a peer can make grow. The defaults are meant for a machine with 512 MB. */
export const brokerTable: TableSpec = {
  key: 'broker',
  form: 'one',
  description: 'Bounds on what a client can make grow. The defaults suit a machine with 512 MB.',
  tables: [],
  keys: [
    {
      key: 'maximum_packet_size',
      type: { kind: 'size', minimum: kib, maximum: 268_435_460 },
      default: mib,
      reload: 'reconnect',
      description: 'Largest packet that is taken from a client.',
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
      key: 'maximum_connections',
      type: { kind: 'integer', minimum: 1, maximum: 10_000_000 },
      default: 4000,
      reload: 'live',
      description:
        'Connections at once, over all listeners (and on each Unix socket); a TLS connection takes about 50 kB.',
    },
    {
      key: 'maximum_connections_per_address',
      type: { kind: 'integer', minimum: 0, maximum: 10_000_000 },
      default: 2000,
      reload: 'live',
      description:
        'Connections at once from one IPv4 address or one IPv6 network (/64); 0 = no bound of its own. Behind a proxy all clients have one address.',
    },
    {
      key: 'maximum_connections_per_user',
      type: { kind: 'integer', minimum: 0, maximum: 10_000_000 },
      default: 2000,
      reload: 'live',
      description: 'Connections at once under one user name; 0 = no bound of its own.',
    },
    {
      key: 'maximum_handshakes',
      type: { kind: 'integer', minimum: 1, maximum: 1_000_000 },
      default: 500,
      reload: 'restart',
      description:
        'TLS and WebSocket handshakes under way at once on one listener; beyond, a new connection is closed before it costs any arithmetic.',
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
        'QoS 1 and 2 messages on their way to a client that would take more (20 to one before MQTT 5 that subscribes at QoS 2, because it cannot say what it takes). Ingest acknowledges in batches, so this also bounds the rows of one commit; the bytes are bounded by `maximum_queued_bytes`.',
    },
    {
      key: 'maximum_queued_messages',
      type: { kind: 'integer', minimum: 0, maximum: 100_000_000 },
      default: 100_000,
      reload: 'live',
      description:
        'Messages that wait for one client or bridge, for as long as it is away; beyond, new ones are dropped.',
    },
    {
      key: 'maximum_queued_bytes',
      type: { kind: 'size', minimum: 0, maximum: 1024 * 1024 * mib },
      default: 64 * mib,
      reload: 'live',
      description: 'Bytes that wait for one client or bridge.',
    },
    {
      key: 'maximum_subscriptions_per_client',
      type: { kind: 'integer', minimum: 1, maximum: 10_000_000 },
      default: 1000,
      reload: 'live',
      description: 'Subscriptions of one client.',
    },
    {
      key: 'maximum_topic_levels',
      type: { kind: 'integer', minimum: 1, maximum: 1000 },
      default: 128,
      reload: 'live',
      description: 'Levels of a topic or filter.',
    },
    {
      key: 'maximum_topic_length',
      type: { kind: 'integer', minimum: 16, maximum: 65_535 },
      default: 4096,
      reload: 'live',
      description: 'Bytes of a topic or filter.',
    },
    {
      key: 'maximum_retained_messages',
      type: { kind: 'integer', minimum: 0, maximum: 100_000_000 },
      default: 100_000,
      reload: 'live',
      description: 'Retained messages in all.',
    },
    {
      key: 'maximum_retained_bytes',
      type: { kind: 'size', minimum: 0, maximum: 1024 * 1024 * mib },
      default: 64 * mib,
      reload: 'live',
      description: 'Bytes of all retained messages.',
    },
    {
      key: 'topic_alias_maximum',
      type: { kind: 'integer', minimum: 0, maximum: 65_535 },
      default: 100,
      reload: 'reconnect',
      description: 'Topic aliases that a client may set; 0 = none.',
    },
    {
      key: 'maximum_keep_alive',
      type: { kind: 'duration', unit: 's', minimum: 1, maximum: 65_535 },
      default: 3600,
      reload: 'reconnect',
      description: 'Longest keep-alive; a client that asks for more, or for none, gets this one.',
    },
    {
      key: 'maximum_session_expiry',
      type: { kind: 'duration', unit: 's', minimum: 0, maximum: hundredYears },
      default: 1_209_600,
      reload: 'reconnect',
      description: 'Longest time that the session of an absent client is kept.',
    },
    {
      key: 'maximum_sessions',
      type: { kind: 'integer', minimum: 1, maximum: 100_000_000 },
      default: 20_000,
      reload: 'live',
      description:
        'Sessions at once, of connected and absent clients; beyond, a client that asks for a new one that outlives its connection is refused (0x97).',
    },
    {
      key: 'maximum_pending_bytes',
      type: { kind: 'size', minimum: 4 * kib, maximum: 1024 * mib },
      default: mib,
      reload: 'live',
      description:
        "Bytes that wait in memory for a slow client's socket; beyond, QoS 0 is dropped and QoS 1 and 2 wait in the queue.",
    },
    {
      key: 'maximum_user_properties',
      type: { kind: 'integer', minimum: 0, maximum: 10_000 },
      default: 100,
      reload: 'live',
      description: 'User properties in one packet.',
    },
    {
      key: 'maximum_memory',
      type: { kind: 'size', minimum: 0, maximum: 1024 * 1024 * mib },
      default: 192 * mib,
      reload: 'live',
      description:
        "Memory that the broker's data may take (heap and buffers, without the program itself); 0 = no bound. From 90 % on new connections are refused and QoS 0 is dropped for whoever lags; at 100 % nothing more is queued for absent clients or newly retained.",
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
      key: 'flapping_connects',
      type: { kind: 'integer', minimum: 0, maximum: 1_000_000 },
      default: 300,
      reload: 'live',
      description:
        'A client id that connects from one address more often than this in a `flapping_window` is refused (0x8A) for `flapping_ban`; 0 = never.',
    },
    {
      key: 'flapping_window',
      type: { kind: 'duration', unit: 'ms', minimum: second, maximum: 1440 * minute },
      default: minute,
      reload: 'live',
      description: 'Time in which the connects of one client id from one address are counted.',
    },
    {
      key: 'flapping_ban',
      type: { kind: 'duration', unit: 'ms', minimum: second, maximum: 1440 * minute },
      default: minute,
      reload: 'live',
      description: 'How long a client that connects too often is refused.',
    },
    {
      key: 'overlapping_copies',
      type: { kind: 'choice', values: ['one', 'each'] },
      default: 'one',
      reload: 'reconnect',
      description:
        'What a client gets whose subscriptions overlap: one copy at the highest QoS, or one for each of them.',
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
  ],
};
