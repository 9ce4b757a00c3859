/** MQTT 5, 4.7 and 4.8: topics and shared subscriptions. */
import { openAuthorizer } from '../../helpers/broker-harness.ts';
import {
  advance,
  connect,
  disconnected,
  drop,
  expect,
  send,
  sendHex,
  silent,
  wireCases,
  type WireCase,
} from '../../helpers/wire-case.ts';
import {
  puback,
  pubcomp,
  publish,
  publishOf,
  pubrec,
  pubrel,
  suback,
  subscribe,
} from '../../helpers/wire-packets.ts';
import { member } from './common-cases.ts';

/** What subscribers of `filter` get of these topics. */
function matching(
  name: string,
  filter: string,
  published: readonly string[],
  taken: readonly string[],
): WireCase {
  return {
    name,
    steps: [
      connect('s'),
      send('s', subscribe(1, filter)),
      expect('s', suback(1, 2)),
      send('s', ...published.map((topic) => publish(topic, 'x'))),
      expect('s', ...taken.map((topic) => publishOf(topic, 'x'))),
      silent('s'),
    ],
  };
}

/** SUBACK refuses the filter. */
function refusedFilter(name: string, filter: string): WireCase {
  return {
    name: `${name}: ${JSON.stringify(filter)}`,
    steps: [connect('a'), send('a', subscribe(1, filter)), expect('a', suback(1, 0x8f)), silent('a')],
  };
}

const topics: readonly WireCase[] = [
  ...['+', '#', 'a/+', 'a/#', 'a+b', 'a#'].map((topic): WireCase => ({
    name: `[MQTT-4.7.0-1] a wildcard has no place in a topic: ${topic}`,
    steps: [connect('a'), send('a', publish(topic, 'x')), disconnected('a', 0x90)],
  })),
  ...['a/#/b', 'a#', 'a/b#', '#/a', '##'].map((filter) =>
    refusedFilter('[MQTT-4.7.1-1] # stands alone in its level, and last', filter),
  ),
  matching(
    '[MQTT-4.7.1-1] # takes its parent and all below',
    'a/#',
    ['a', 'a/', 'a/b', 'a/b/c', 'ab', 'b/a'],
    ['a', 'a/', 'a/b', 'a/b/c'],
  ),
  matching('[MQTT-4.7.1-1] # alone takes everything', '#', ['a', '/', '/a/b'], ['a', '/', '/a/b']),
  ...['a+', '+a', 'a/+b/c', '++'].map((filter) =>
    refusedFilter('[MQTT-4.7.1-2] + stands alone in its level', filter),
  ),
  matching(
    '[MQTT-4.7.1-2] + takes one level, first, middle or last, an empty one too',
    '+/b/+',
    ['a/b/c', '/b/', 'a/b', 'a/b/c/d', 'a/c/b'],
    ['a/b/c', '/b/'],
  ),
  ...['#', '+/x', '+/#'].map((filter) =>
    matching(
      `[MQTT-4.7.2-1] a filter that begins with a wildcard takes nothing that begins with $: ${filter}`,
      filter,
      ['$own/x', 'b/x'],
      ['b/x'],
    ),
  ),
  matching(
    '[MQTT-4.7.2-1] a filter that begins with $ takes it',
    '$own/#',
    ['$own/x', '$other/x'],
    ['$own/x'],
  ),
  refusedFilter('[MQTT-4.7.3-1] an empty filter', ''),
  {
    name: '[MQTT-4.7.3-1] an empty topic',
    steps: [connect('a'), sendHex('a', '32 * 0000 0001 {} 78'), disconnected('a', 0x82)],
  },
  {
    name: '[MQTT-4.7.3-2] U+0000 in a topic',
    steps: [connect('a'), sendHex('a', '30 * 0001 00 {} 78'), disconnected('a', 0x81)],
  },
  {
    name: '[MQTT-4.7.3-2] U+0000 in a filter',
    steps: [connect('a'), sendHex('a', '82 * 0001 {} 0002 61 00 00'), disconnected('a', 0x81)],
  },
  {
    name: '[MQTT-4.7.3-3] topics and filters of up to 65,535 bytes are handled',
    limits: { maximumTopicLength: 65_535 },
    steps: [
      connect('s'),
      send('s', subscribe(1, 'x'.repeat(65_535))),
      expect('s', suback(1, 2)),
      send('s', publish('x'.repeat(65_535), 'x')),
      expect('s', publishOf('x'.repeat(65_535), 'x')),
    ],
  },
  {
    name: '[MQTT-4.7.3-3] a shorter bound is ours to set',
    limits: { maximumTopicLength: 100 },
    steps: [
      connect('s'),
      send('s', subscribe(1, 'x'.repeat(101))),
      expect('s', suback(1, 0x8f)),
      send('s', publish('x'.repeat(101), 'x')),
      disconnected('s', 0x90),
    ],
  },
  matching(
    '[MQTT-4.7.3-4] nothing is normalised: case, composition, slashes and spaces count',
    'caf\u00e9/A b',
    ['cafe\u0301/A b', 'caf\u00e9/a b', 'caf\u00e9//A b', 'caf\u00e9/A b ', 'caf\u00e9/A b'],
    ['caf\u00e9/A b'],
  ),
];

const shared: readonly WireCase[] = [
  ...['$share', '$share/', '$share/g', '$share//t', '$share/g/'].map((filter) =>
    filter === '$share'
      ? matching(
          '[MQTT-4.8.2-1] without a slash $share is a topic like any other',
          filter,
          ['$share'],
          ['$share'],
        )
      : refusedFilter('[MQTT-4.8.2-1] a share has a name and a filter', filter),
  ),
  ...['$share/a+b/t', '$share/+/t', '$share/#/t', '$share/a#/t'].map((filter) =>
    refusedFilter('[MQTT-4.8.2-2] the name of a share has no wildcard', filter),
  ),
  {
    name: 'each message goes to one member of a group, and once to each group and each other subscription',
    steps: [
      ...member('a', '$share/g/t/#'),
      ...member('b', '$share/g/t/#'),
      ...member('c', '$share/h/t/+'),
      ...member('d', 't/#'),
      ...['1', '2', '3', '4'].map((name) => send('d', publish(`t/${name}`, name))),
      expect('a', publishOf('t/1', '1'), publishOf('t/3', '3')),
      expect('b', publishOf('t/2', '2'), publishOf('t/4', '4')),
      ...['c', 'd'].map((name) =>
        expect(name, ...['1', '2', '3', '4'].map((one) => publishOf(`t/${one}`, one))),
      ),
      silent('a', 'b', 'c', 'd'),
    ],
  },
  {
    name: 'a message goes to a member that may read it',
    profile: {
      authorizer: {
        ...openAuthorizer,
        mayRead: ({ clientId }, topic) => topic === `t/${clientId}`,
        maySubscribe: () => 'some',
      },
    },
    steps: [
      ...member('a', '$share/g/t/+'),
      ...member('b', '$share/g/t/+'),
      ...['a', 'a', 'b', 'b', 'nobody', 'a'].map((name) => send('a', publish(`t/${name}`, name))),
      expect('a', publishOf('t/a', 'a'), publishOf('t/a', 'a'), publishOf('t/a', 'a')),
      expect('b', publishOf('t/b', 'b'), publishOf('t/b', 'b')),
      silent('a', 'b'),
    ],
  },
  {
    name: '[MQTT-4.8.2-3] each member gets its messages at the QoS it was granted',
    steps: [
      connect('a'),
      send('a', subscribe(1, { filter: '$share/g/t', qos: 0 })),
      expect('a', suback(1, 0)),
      connect('b'),
      send('b', subscribe(1, { filter: '$share/g/t', qos: 1 })),
      expect('b', suback(1, 1)),
      connect('p'),
      send('p', publish('t', '1', { qos: 2, packetId: 1 }), publish('t', '2', { qos: 2, packetId: 2 })),
      expect('a', publishOf('t', '1', { qos: 0 })),
      expect('b', publishOf('t', '2', { qos: 1 })),
    ],
  },
  {
    name: '[MQTT-4.8.2-4] what was begun at QoS 2 with a member is completed when it is back, with nobody else',
    steps: [
      ...member('a', '$share/g/t'),
      connect('p'),
      send('p', publish('t', 'x', { qos: 2 })),
      expect('p', pubrec(1)),
      expect('a', publishOf('t', 'x', { packetId: 1 })),
      ...member('b', '$share/g/t'),
      drop('a'),
      silent('b'),
      connect('a', { cleanStart: false, properties: { sessionExpiry: 100 } }, { sessionPresent: true }),
      expect('a', publishOf('t', 'x', { packetId: 1, dup: true })),
      send('a', pubrec(1)),
      expect('a', pubrel(1)),
      drop('a'),
      connect('a', { cleanStart: false }, { sessionPresent: true }),
      expect('a', pubrel(1)),
      send('a', pubcomp(1)),
      silent('a', 'b'),
    ],
  },
  {
    name: '[MQTT-4.8.2-5] what was sent at QoS 2 to a member whose session ends goes to nobody else',
    steps: [
      ...member('a', '$share/g/t'),
      connect('p'),
      send('p', publish('t', 'x', { qos: 2 })),
      expect('p', pubrec(1)),
      expect('a', publishOf('t', 'x')),
      ...member('b', '$share/g/t'),
      drop('a'),
      advance(102_000),
      silent('b'),
    ],
  },
  {
    name: 'what a member whose session ends had not acknowledged at QoS 1, or not begun, goes to the others',
    steps: [
      ...member('a', '$share/g/t', 1),
      connect('p'),
      send('p', publish('t', '1', { qos: 1, packetId: 1 }), publish('t', '2', { qos: 2, packetId: 2 })),
      send('p', publish('t', '3', { qos: 1, packetId: 3, properties: { messageExpiry: 5 } })),
      expect('p', puback(1), pubrec(2), puback(3)),
      expect('a', publishOf('t', '1')),
      ...member('b', '$share/g/t'),
      drop('a'),
      silent('b'),
      advance(102_000),
      expect('b', publishOf('t', '1', { qos: 1, dup: false }), publishOf('t', '2', { qos: 2, dup: false })),
      silent('b'),
    ],
  },
  {
    name: 'a clean start hands on at once what the member had not finished',
    steps: [
      ...member('a', '$share/g/t'),
      connect('p'),
      send('p', publish('t', '1', { qos: 1, packetId: 1 })),
      expect('p', puback(1)),
      expect('a', publishOf('t', '1')),
      ...member('b', '$share/g/t'),
      drop('a'),
      connect('a', { cleanStart: true }),
      expect('b', publishOf('t', '1', { qos: 1 })),
      silent('a'),
    ],
  },
  {
    name: '[MQTT-4.8.2-6] what a member refuses is discarded, and nobody else gets it',
    steps: [
      ...member('a', '$share/g/t'),
      connect('p'),
      send('p', publish('t', '1', { qos: 1, packetId: 1 }), publish('t', '2', { qos: 2, packetId: 2 })),
      expect('a', publishOf('t', '1'), publishOf('t', '2')),
      ...member('b', '$share/g/t'),
      send('a', puback(1, 0x83), pubrec(2, 0x97)),
      silent('a', 'b'),
      drop('a'),
      advance(102_000),
      silent('b'),
    ],
  },
  {
    name: 'a shared subscription gets nothing that is retained',
    steps: [
      connect('p'),
      send('p', publish('t', 'x', { retain: true })),
      silent('p'),
      ...member('a', '$share/g/t'),
      silent('a'),
    ],
  },
];

wireCases(5, [...topics, ...shared]);
