import { minute, mib, second, type TableSpec } from './key-type.ts';
import { clientLimitKeys } from './schema-client-limits.ts';

const hundredYears = 3_155_760_000;

/** Bounds on what a peer can make grow. The defaults are meant for a machine with 512 MB. */
export const brokerTable: TableSpec = {
  key: 'broker',
  form: 'one',
  description:
    'Bounds on what clients can make grow, first those for each of them, which a `[[listener]]` may have of its own, then those for all together. The defaults suit a machine with 512 MB.',
  tables: [],
  keys: [
    ...clientLimitKeys,
    {
      key: 'maximum_connections',
      type: { kind: 'integer', minimum: 1, maximum: 10_000_000 },
      default: 4000,
      reload: 'live',
      description:
        'Connections at once, over all listeners (and on each Unix socket); a TLS connection takes about 55 kB, and with large messages up to 130 kB: `maximum_memory` may refuse it before.',
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
      key: 'maximum_sessions',
      type: { kind: 'integer', minimum: 1, maximum: 100_000_000 },
      default: 20_000,
      reload: 'live',
      description:
        'Sessions at once, of connected and absent clients; beyond, a client that asks for a new one that outlives its connection is refused (0x97).',
    },
    {
      key: 'maximum_memory',
      type: { kind: 'size', minimum: 0, maximum: 1024 * 1024 * mib },
      default: 288 * mib,
      reload: 'live',
      description:
        'What clients can make the process hold: heap, buffers, and what connections take beside, most of all over TLS; the program itself takes about 80 MB more. 0 = no bound. What outlives its connection (absent sessions, their subscriptions and queues, retained messages) may take 60 % of it; beyond, no more of that is taken, but for what goes to the disk alone. From 90 % on new connections are refused and QoS 0 is dropped for whoever lags. At 100 % nothing new is subscribed to, and the clients that hold most are disconnected.',
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
      key: 'retain_expiry',
      type: { kind: 'duration', unit: 's', minimum: 0, maximum: hundredYears },
      default: 0,
      reload: 'live',
      description:
        'Age at which a retained message that has no expiry of its own is dropped; 0 = never. Counted from the start of the broker for those that it found.',
    },
    {
      key: 'check_retain_source',
      type: { kind: 'boolean' },
      default: true,
      reload: 'live',
      description:
        'Send a retained message only while its publisher may still publish there. Of those that the broker found at its start the publisher is not known; they are sent.',
    },
    {
      key: 'overlapping_copies',
      type: { kind: 'choice', values: ['one', 'each'] },
      default: 'one',
      reload: 'restart',
      description:
        'What a client gets whose subscriptions overlap: one copy at the highest QoS, or one for each of them.',
    },
    {
      key: 'sys_interval',
      type: { kind: 'duration', unit: 's', minimum: 0, maximum: 65_535 },
      default: 10,
      reload: 'restart',
      description: 'Time between two rounds of `$SYS`; 0 = nothing is said there.',
    },
    {
      key: 'gather_messages',
      type: { kind: 'boolean' },
      default: true,
      reload: 'restart',
      description:
        'Above 4,000 wakes a second with little to do at each, rest half a millisecond after each, so that several messages share one: half of the CPU, and at most half a millisecond later. Not done while senders wait for answers and would be slowed.',
    },
  ],
};
