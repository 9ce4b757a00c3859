/** MQTT 5, 3.1.2.4, 3.1.2.10 and 3.1.2.11: session, keep-alive and the properties of CONNECT. */
import { openAuthorizer } from '../../helpers/broker-harness.ts';
import {
  advance,
  closed,
  connect,
  disconnected,
  drop,
  expect,
  expectHex,
  leave,
  open,
  send,
  sendHex,
  silent,
  tryConnect,
  wireCases,
  type WireCase,
} from '../../helpers/wire-case.ts';
import {
  connack,
  connectPacket,
  puback,
  publish,
  publishOf,
  suback,
  subscribe,
  unsuback,
  unsubscribe,
} from '../../helpers/wire-packets.ts';

const sessions: readonly WireCase[] = [
  {
    name: '[MQTT-3.1.2-4] [MQTT-3.2.2-2] a clean start discards the session that there is',
    steps: [
      connect('a', { properties: { sessionExpiry: 100 } }),
      send('a', subscribe(1, 't')),
      expect('a', suback(1, 2)),
      leave('a'),
      connect('a', { cleanStart: true }, { sessionPresent: false }),
      connect('b'),
      send('b', publish('t', 'x')),
      silent('b', 'a'),
      send('a', unsubscribe(2, 't')),
      expect('a', unsuback(2, 0x11)),
    ],
  },
  {
    name: '[MQTT-3.1.2-5] [MQTT-3.2.2-3] without clean start the session goes on',
    steps: [
      connect('a', { properties: { sessionExpiry: 100 } }),
      send('a', subscribe(1, 't')),
      expect('a', suback(1, 2)),
      leave('a'),
      connect('b'),
      send('b', publish('t', 'x', { qos: 1 })),
      expect('b', puback(1)),
      connect('a', { cleanStart: false }, { sessionPresent: true }),
      expect('a', publishOf('t', 'x', { qos: 1, dup: false })),
    ],
  },
  {
    name: '[MQTT-3.1.2-6] [MQTT-3.2.2-3] without clean start and without a session there is a new one',
    steps: [
      connect('a', { cleanStart: false }, { sessionPresent: false }),
      send('a', subscribe(1, 't'), publish('t', 'x')),
      expect('a', suback(1, 2), publishOf('t', 'x')),
    ],
  },
  {
    name: '[MQTT-3.1.2-23] a session expiry above 0 keeps the session after the connection, also after a break',
    steps: [
      connect('a', { properties: { sessionExpiry: 10 } }),
      drop('a'),
      advance(9000),
      connect(
        'a',
        { cleanStart: false, properties: { sessionExpiry: 0xffff_ffff } },
        { sessionPresent: true },
      ),
      leave('a'),
      advance(50_000_000),
      connect('a', { cleanStart: false }, { sessionPresent: true }),
      leave('a'),
      connect('a', { cleanStart: false }, { sessionPresent: false }),
    ],
  },
  {
    name: '[MQTT-3.1.3-2] the client id names the session: another id has another',
    steps: [
      connect('a', { properties: { sessionExpiry: 10 } }),
      leave('a'),
      connect('A', { cleanStart: false }, { sessionPresent: false }),
      connect('a', { cleanStart: false }, { sessionPresent: true }),
    ],
  },
  {
    name: '[MQTT-3.1.4-3] a client id that is connected is taken over: the former client is told 0x8E',
    steps: [
      connect('a'),
      open('2'),
      send('2', connectPacket('a', 5)),
      expect('2', connack(0)),
      disconnected('a', 0x8e),
    ],
  },
  {
    name: '[MQTT-3.1.4-4] clean start is honoured at a take-over, either way',
    steps: [
      connect('a', { properties: { sessionExpiry: 100 } }),
      open('2'),
      send('2', connectPacket('a', 5, { cleanStart: false, properties: { sessionExpiry: 100 } })),
      expect('2', { ...connack(0), sessionPresent: true }),
      disconnected('a', 0x8e),
      open('3'),
      send('3', connectPacket('a', 5, { cleanStart: true })),
      expect('3', connack(0)),
      disconnected('2', 0x8e),
    ],
  },
];

const keepAlive: readonly WireCase[] = [
  {
    name: '[MQTT-3.1.2-22] [MQTT-3.2.2-22] one and a half times the keep-alive without a packet ends the connection',
    steps: [
      connect('a', { keepAlive: 10 }, { properties: { serverKeepAlive: undefined } }),
      advance(15_000),
      silent('a'),
      advance(15_000),
      send('a', publish('t', 'x')),
      silent('a'),
      advance(16_000),
      disconnected('a', 0x8d),
    ],
  },
  {
    name: '[MQTT-3.1.2-22] keep-alive 0 is never timed out',
    steps: [connect('a', { keepAlive: 0 }), advance(10_000_000), silent('a')],
  },
  {
    name: '[MQTT-3.1.2-21] [MQTT-3.2.2-21] a keep-alive that is too long is replaced: CONNACK says so, and it counts',
    limits: { maximumKeepAliveSeconds: 20 },
    steps: [
      connect('a', { keepAlive: 60 }, { properties: { serverKeepAlive: 20 } }),
      advance(30_000),
      silent('a'),
      advance(31_000),
      disconnected('a', 0x8d),
      connect('b', { keepAlive: 0 }, { properties: { serverKeepAlive: 20 } }),
    ],
  },
];

const properties: readonly WireCase[] = [
  {
    name: '[MQTT-3.1.2-24] [MQTT-3.1.2-25] a message that is too large for the client counts as delivered',
    steps: [
      connect('a', { properties: { maximumPacketSize: 40, receiveMaximum: 1, sessionExpiry: 10 } }),
      send('a', subscribe(1, 't')),
      expect('a', suback(1, 2)),
      connect('b'),
      ...([0, 1, 2] as const).map((qos) => send('b', publish('t', 'x'.repeat(50), { qos, packetId: qos }))),
      expect('b', puback(1), { type: 5, packetId: 2, reasonCode: 0 }),
      send('b', publish('t', 'y'.repeat(32), { qos: 1, packetId: 3 })),
      expect('a', publishOf('t', 'y'.repeat(32), { qos: 1 })),
      silent('a'),
      leave('a'),
      connect('a', { cleanStart: false }, { sessionPresent: true }),
      expect('a', publishOf('t', 'y'.repeat(32), { qos: 1, dup: true })),
      silent('a'),
    ],
  },
  {
    name: '[MQTT-3.1.2-24] the limit is met to the byte',
    steps: [
      connect('a', { properties: { maximumPacketSize: 40 } }),
      send('a', subscribe(1, { filter: 't', qos: 0 })),
      expect('a', suback(1, 0)),
      send('a', publish('t', 'x'.repeat(34)), publish('t', 'x'.repeat(35)), publish('t', 'end')),
      expect('a', publishOf('t', 'x'.repeat(34)), publishOf('t', 'end')),
    ],
  },
  {
    name: '[MQTT-3.1.2-24] an answer that does not fit ends the connection instead',
    steps: [
      connect('a', { properties: { maximumPacketSize: 20 } }),
      send(
        'a',
        subscribe(
          1,
          Array.from({ length: 30 }, (_, index) => ({ filter: `t${index}` })),
        ),
      ),
      disconnected('a', 0x95, { reasonString: undefined }),
    ],
  },
  {
    name: '[MQTT-3.1.2-24] a client that could not even take its CONNACK is refused',
    steps: [
      tryConnect('a', { properties: { maximumPacketSize: 15 } }),
      expect('a', connack(0x95)),
      closed('a'),
    ],
  },
  {
    name: '[MQTT-3.1.2-26] [MQTT-3.3.2-11] topic aliases stay within what the client allows',
    steps: [
      connect('a', { properties: { topicAliasMaximum: 2 } }),
      send('a', subscribe(1, { filter: 't/#', qos: 0 })),
      expect('a', suback(1, 0)),
      connect('b'),
      send('b', ...['1', '2', '1', '3', '1', '2'].map((name) => publish(`t/${name}`, name))),
      expect('a', publishOf('t/1', '1', { properties: { topicAlias: 1 } })),
      expect('a', publishOf('t/2', '2', { properties: { topicAlias: 2 } })),
      expect('a', publishOf('', '1', { properties: { topicAlias: 1 } })),
      expect('a', publishOf('t/3', '3', { properties: { topicAlias: 1 } })),
      expect('a', publishOf('t/1', '1', { properties: { topicAlias: 2 } })),
      expect('a', publishOf('t/2', '2', { properties: { topicAlias: 1 } })),
    ],
  },
  ...[{}, { topicAliasMaximum: 0 }].map((given): WireCase => ({
    name: `[MQTT-3.1.2-27] a client that allows no aliases gets none (${JSON.stringify(given)})`,
    steps: [
      connect('a', { properties: given }),
      send('a', subscribe(1, { filter: 't', qos: 0 })),
      expect('a', suback(1, 0)),
      send('a', publish('t', 'x'), publish('t', 'x')),
      expectHex('a', '30 * "t" {} 78'),
      expectHex('a', '30 * "t" {} 78'),
    ],
  })),
  {
    name: '[MQTT-3.1.2-28] response information is given only to those who ask',
    limits: { responsePrefix: 'answers', maximumTopicLength: 100 },
    steps: [
      connect('a', {}, { properties: { responseInformation: undefined } }),
      connect(
        'b',
        { properties: { requestResponseInformation: false } },
        { properties: { responseInformation: undefined } },
      ),
      connect(
        'c',
        { properties: { requestResponseInformation: true } },
        { properties: { responseInformation: 'answers/c' } },
      ),
      connect(
        'd/#',
        { properties: { requestResponseInformation: true } },
        { properties: { responseInformation: undefined } },
      ),
      connect(
        'e'.repeat(93),
        { properties: { requestResponseInformation: true } },
        { properties: { responseInformation: undefined } },
      ),
    ],
  },
  {
    name: '[MQTT-3.1.2-28] without a prefix there is no response information',
    steps: [
      connect(
        'a',
        { properties: { requestResponseInformation: true } },
        { properties: { responseInformation: undefined } },
      ),
    ],
  },
  {
    name: '[MQTT-3.1.2-29] without request for problem information, words stand in CONNACK and DISCONNECT at most',
    profile: {
      authorizer: { ...openAuthorizer, mayPublish: () => false, maySubscribe: () => 'none' },
    },
    steps: [
      connect('a', { properties: { requestProblemInformation: false } }),
      send('a', publish('t', 'x', { qos: 1, packetId: 7 })),
      expectHex('a', '40 03 0007 87'),
      send('a', publish('t', 'x', { qos: 2, packetId: 8 })),
      expectHex('a', '50 03 0008 87'),
      sendHex('a', '50 02 0009'),
      expectHex('a', '62 03 0009 92'),
      sendHex('a', '62 02 000a'),
      expectHex('a', '70 03 000a 92'),
      send('a', subscribe(3, 't')),
      expectHex('a', '90 * 0003 {} 87'),
      send('a', unsubscribe(4, 't/#/u')),
      expectHex('a', 'b0 * 0004 {} 8f'),
      connect('b'),
      send('b', publish('t', 'x', { qos: 1, packetId: 7 })),
      expect('b', puback(7, 0x87)),
      send('b', subscribe(3, 't')),
      expect('b', { ...suback(3, 0x87), properties: { reasonString: 'not authorized' } }),
    ],
  },
];

wireCases(5, [...sessions, ...keepAlive, ...properties]);
