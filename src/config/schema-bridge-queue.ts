import { hour, minute, second, type KeySpec } from './key-type.ts';

/** When a bridge connects, and whom it tells. */
export const bridgeLinkKeys: readonly KeySpec[] = [
  {
    key: 'more_addresses',
    type: { kind: 'list', of: { kind: 'text' } },
    default: [],
    reload: 'reconnect',
    description: 'Other places where the other broker is: `host` or `host:port`, tried in this order.',
  },
  {
    key: 'round_robin',
    type: { kind: 'boolean' },
    default: false,
    reload: 'reconnect',
    description:
      'Stay with whichever address answers. Else the first one is gone back to as soon as it answers.',
  },
  {
    key: 'start',
    type: { kind: 'choice', values: ['automatic', 'lazy', 'once'] },
    default: 'automatic',
    reload: 'reconnect',
    description:
      '`automatic`: connect now and again for ever. `lazy`: connect when messages wait, part when none came for a while. `once`: no second try.',
  },
  {
    key: 'lazy_threshold',
    type: { kind: 'integer', minimum: 1, maximum: 1_000_000 },
    default: 10,
    reload: 'reconnect',
    description: '`lazy`: messages that wait before it connects.',
  },
  {
    key: 'lazy_idle',
    type: { kind: 'duration', unit: 'ms', minimum: second, maximum: 24 * hour },
    default: minute,
    reload: 'reconnect',
    description: '`lazy`: time without a message after which it parts.',
  },
  {
    key: 'notifications',
    type: { kind: 'boolean' },
    default: false,
    reload: 'reconnect',
    description: 'Tell the state of the link on both sides, as a retained message `1` or `0`.',
  },
  {
    key: 'notifications_local_only',
    type: { kind: 'boolean' },
    default: false,
    reload: 'reconnect',
    description: 'Tell it on this side only.',
  },
  {
    key: 'notification_topic',
    type: { kind: 'prefix' },
    default: null,
    defaultText: '`$SYS/broker/connection/<client id>/state`',
    reload: 'reconnect',
    description: 'Where it is told.',
  },
  {
    key: 'local_address',
    type: { kind: 'text' },
    default: null,
    defaultText: "the system's choice",
    reload: 'reconnect',
    description: 'Address of this machine to connect from.',
  },
  {
    key: 'websocket_path',
    type: { kind: 'text' },
    default: null,
    reload: 'reconnect',
    description: 'Speak WebSocket, with this path: `/mqtt`. With TLS too.',
  },
  {
    key: 'receive_maximum',
    type: { kind: 'integer', minimum: 1, maximum: 65_535 },
    default: 1000,
    reload: 'reconnect',
    description: 'Messages under way at once, in each direction.',
  },
  {
    key: 'topic_alias_maximum',
    type: { kind: 'integer', minimum: 0, maximum: 65_535 },
    default: 100,
    reload: 'reconnect',
    description: 'Topics that are sent as a number after the first time, in each direction (MQTT 5).',
  },
  {
    key: 'maximum_packet_size',
    type: { kind: 'size', minimum: 256, maximum: 268_435_460 },
    default: null,
    defaultText: 'what the other broker takes',
    reload: 'reconnect',
    description: 'A larger packet is not sent there: it is dropped and counted.',
  },
  {
    key: 'outgoing_retain',
    type: { kind: 'boolean' },
    default: true,
    reload: 'reconnect',
    description: 'False: nothing goes out with the retain flag, for brokers that do not take it.',
  },
  {
    key: 'attempt_unsubscribe',
    type: { kind: 'boolean' },
    default: true,
    reload: 'reconnect',
    description:
      'On connecting, end subscriptions there that an earlier configuration has left. Some brokers disconnect a client that does.',
  },
  {
    key: 'try_private',
    type: { kind: 'boolean' },
    default: null,
    defaultText: 'true with `protocol_version = 4`',
    reload: 'reconnect',
    description:
      'Say to the other broker that this is a bridge, as Mosquitto does (MQTT 3.1.1), so that nothing comes back; where that is refused it connects without.',
  },
  {
    key: 'tcp_keep_alive',
    type: { kind: 'duration', unit: 's', minimum: 1, maximum: 65_535 },
    default: null,
    reload: 'reconnect',
    description: 'Silence after which the system itself asks whether the other side lives.',
  },
  {
    key: 'reload_type',
    type: { kind: 'choice', values: ['immediate', 'lazy'] },
    default: 'immediate',
    reload: 'live',
    description: 'A change is used at once, over a new connection, or `lazy` when the link is lost next.',
  },
];

/** What waits while the link is down, and what goes first. */
export const bridgeQueueKeys: readonly KeySpec[] = [
  {
    key: 'maximum_queued_messages',
    type: { kind: 'integer', minimum: 1, maximum: 1_000_000_000 },
    default: null,
    defaultText:
      'with `[persistence]` one for each 384 bytes of `[broker] maximum_memory` (786,432), at most 10,000,000; else that of `[broker]`',
    reload: 'reconnect',
    description: 'Messages that wait for the other broker.',
  },
  {
    key: 'maximum_queued_bytes',
    type: { kind: 'size', minimum: 1024, maximum: 2 ** 50 },
    default: null,
    defaultText:
      '`[persistence] maximum_size`, at which publishers are refused first; else that of `[broker]`',
    reload: 'reconnect',
    description: 'Their bytes.',
  },
  {
    key: 'maximum_queued_age',
    type: { kind: 'duration', unit: 's', minimum: 0, maximum: 315_360_000 },
    default: 0,
    reload: 'reconnect',
    description: 'A message that has waited longer is dropped and counted. 0 = never.',
  },
  {
    key: 'queue_full_policy',
    type: { kind: 'choice', values: ['drop-new', 'drop-oldest'] },
    default: 'drop-new',
    reload: 'reconnect',
    description:
      'What is dropped, and counted, at a bound: the message that comes, or the one that has waited longest.',
  },
  {
    key: 'urgent_topics',
    type: { kind: 'list', of: { kind: 'filter' } },
    default: ['davy/v1/+/+/+/event', 'davy/v1/+/+/+/command/#'],
    reload: 'reconnect',
    description:
      'Local topics whose messages overtake all others that wait, and are never held back for company.',
  },
  {
    key: 'flush',
    type: { kind: 'duration', unit: 'ms', minimum: 0, maximum: 10 * second },
    default: 100,
    reload: 'reconnect',
    description:
      'On a busy link, messages wait this long at most to leave in one write. The first one after a pause leaves at once.',
  },
];
