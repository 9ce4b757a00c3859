/** MQTT 5, 3.8 to 3.11: SUBSCRIBE, SUBACK, UNSUBSCRIBE, UNSUBACK. */
import { openAuthorizer } from '../../helpers/broker-harness.ts';
import {
  connect,
  drop,
  expect,
  expectHex,
  expectInAnyOrder,
  send,
  sendHex,
  silent,
  wireCases,
  type WireCase,
} from '../../helpers/wire-case.ts';
import {
  puback,
  publish,
  publishOf,
  pubrec,
  pubrel,
  pubcomp,
  suback,
  subscribe,
  unsuback,
  unsubscribe,
} from '../../helpers/wire-packets.ts';
import { refused } from './common-cases.ts';

const subscribing: readonly WireCase[] = [
  ...['80', '81', '83', '8a'].map((first) =>
    refused(`[MQTT-3.8.1-1] SUBSCRIBE whose first byte is ${first}`, `${first} * 0001 {} "t" 00`, 0x81),
  ),
  refused('[MQTT-3.8.3-1] a filter that is not UTF-8', '82 * 0001 {} 0002 c3 28 00', 0x81),
  refused('[MQTT-3.8.3-2] no filter', '82 * 0001 {}', 0x82),
  refused('[MQTT-3.8.3-2] a filter without options', '82 * 0001 {} "t"', 0x81),
  {
    name: '[MQTT-3.8.3-3] no-local keeps a client’s own messages from it, live and retained',
    steps: [
      connect('a'),
      send('a', subscribe(1, { filter: 't/+', noLocal: true })),
      expect('a', suback(1, 2)),
      connect('b'),
      send('a', publish('t/1', 'own', { retain: true })),
      send('b', publish('t/2', 'other', { retain: true })),
      expect('a', publishOf('t/2', 'other')),
      silent('a'),
      send('a', subscribe(2, { filter: 't/#', noLocal: true, qos: 0 })),
      expect('a', suback(2, 0), publishOf('t/2', 'other', { retain: true })),
      silent('a'),
      send('a', subscribe(3, { filter: 't/1', qos: 1 }, 5)),
      expect('a', suback(3, 1), publishOf('t/1', 'own', { retain: true })),
      send('a', publish('t/1', 'again', { qos: 2, packetId: 1 })),
      expectInAnyOrder(
        'a',
        pubrec(1),
        publishOf('t/1', 'again', { qos: 1, properties: { subscriptionIdentifiers: [5] } }),
      ),
    ],
  },
  refused('[MQTT-3.8.3-4] no-local in a shared subscription', '82 * 0001 {} "$share/g/t" 04', 0x82),
  refused('[MQTT-3.8.3-5] reserved option bit 6', '82 * 0001 {} "t" 40', 0x81),
  refused('[MQTT-3.8.3-5] reserved option bit 7', '82 * 0001 {} "t" 80', 0x81),
  refused('QoS 3 in the options', '82 * 0001 {} "t" 03', 0x82),
  refused('retain handling 3 in the options', '82 * 0001 {} "t" 30', 0x82),
  refused('subscription identifier 0', '82 * 0001 { 0b 00 } "t" 00', 0x82),
  refused('two subscription identifiers', '82 * 0001 { 0b 01 0b 02 } "t" 00', 0x82),
  {
    name: '[MQTT-3.8.4-1] [MQTT-3.8.4-2] [MQTT-3.8.4-6] SUBACK has the identifier of SUBSCRIBE and a reason for each filter',
    steps: [
      connect('a'),
      sendHex('a', '82 * 0a0b {} "a" 00 "b" 01 "c" 02'),
      expectHex('a', '90 * 0a0b {} 00 01 02'),
    ],
  },
  {
    name: '[MQTT-3.8.4-3] the same filter again replaces the subscription, with all its options',
    steps: [
      connect('a'),
      send('a', subscribe(1, { filter: 't', qos: 2, retainAsPublished: true }, 9)),
      send('a', subscribe(2, { filter: 't', qos: 0 })),
      expect('a', suback(1, 2), suback(2, 0)),
      connect('b'),
      send('b', publish('t', 'x', { qos: 2, retain: true })),
      expect('b', pubrec(1)),
      expect(
        'a',
        publishOf('t', 'x', { qos: 0, retain: false, properties: { subscriptionIdentifiers: undefined } }),
      ),
      silent('a'),
      send('a', unsubscribe(3, 't')),
      expect('a', unsuback(3, 0)),
      send('b', publish('t', 'y')),
      silent('b', 'a'),
    ],
  },
  {
    name: '[MQTT-3.8.4-4] a replaced subscription gets what is retained again, and loses nothing that comes by',
    steps: [
      connect('b'),
      send('b', publish('t', 'retained', { retain: true })),
      silent('b'),
      connect('a'),
      send('a', subscribe(1, { filter: 't', qos: 1 })),
      expect('a', suback(1, 1), publishOf('t', 'retained', { retain: true })),
      send('b', publish('t', '1', { qos: 1, packetId: 1 })),
      expect('b', puback(1)),
      expect('a', publishOf('t', '1')),
      send('a', subscribe(2, { filter: 't', qos: 1 }), publish('t', '2')),
      expect('a', suback(2, 1), publishOf('t', 'retained', { retain: true }), publishOf('t', '2')),
      silent('a'),
    ],
  },
  {
    name: '[MQTT-3.8.4-5] several filters are handled as if each had come alone, in order',
    limits: { maximumSubscriptionsPerClient: 3 },
    steps: [
      connect('b'),
      send('b', publish('t/1', '1', { retain: true })),
      silent('b'),
      connect('a'),
      send(
        'a',
        subscribe(1, [
          { filter: 't/1', qos: 1 },
          { filter: 't/#/x' },
          { filter: 't/1', qos: 0 },
          { filter: 'u' },
          { filter: 'v' },
          { filter: 'w' },
        ]),
      ),
      expect('a', suback(1, 1, 0x8f, 0, 2, 2, 0x97)),
      // The first was replaced before anything was sent for it.
      expect('a', publishOf('t/1', '1', { qos: 0, retain: true })),
      silent('a'),
    ],
  },
  {
    name: '[MQTT-3.8.4-7] SUBACK grants the QoS that was asked for, or says why not',
    profile: {
      authorizer: { ...openAuthorizer, maySubscribe: (_, filter) => (filter === 'no' ? 'none' : 'all') },
    },
    steps: [
      connect('a'),
      send(
        'a',
        subscribe(1, [
          { filter: 'a', qos: 0 },
          { filter: 'b', qos: 1 },
          { filter: 'c', qos: 2 },
          { filter: 'no' },
          { filter: '$share/g/no' },
        ]),
      ),
      expect('a', suback(1, 0, 1, 2, 0x87, 0x87)),
    ],
  },
  {
    name: '[MQTT-3.8.4-8] a message comes at the lower of its own QoS and the granted one',
    steps: [
      connect('a'),
      send(
        'a',
        subscribe(1, [
          { filter: 't/0', qos: 0 },
          { filter: 't/1', qos: 1 },
          { filter: 't/2', qos: 2 },
        ]),
      ),
      expect('a', suback(1, 0, 1, 2)),
      connect('b'),
      ...([0, 1, 2] as const).flatMap((qos) =>
        ([0, 1, 2] as const).flatMap((granted) => [
          send('b', publish(`t/${granted}`, `${qos}`, { qos, packetId: qos === 0 ? 0 : 10 * qos + granted })),
          expect('a', publishOf(`t/${granted}`, `${qos}`, { qos: qos < granted ? qos : granted })),
        ]),
      ),
    ],
  },
];

const answers: readonly WireCase[] = [
  {
    name: '[MQTT-3.9.2-1] [MQTT-3.9.2-2] SUBACK has words where they fit, and no user properties',
    steps: [
      connect('a', { properties: { maximumPacketSize: 30 } }),
      sendHex('a', '82 * 0001 {} "#x" 00 "b" 00'),
      expectHex('a', '90 * 0001 { 1f "topic filter invalid" } 8f 00'),
      connect('b', { properties: { maximumPacketSize: 29 } }),
      sendHex('b', '82 * 0001 {} "#x" 00 "b" 00'),
      expectHex('b', '90 * 0001 {} 8f 00'),
    ],
  },
  {
    name: '[MQTT-3.9.3-1] the reasons stand in the order of the filters',
    steps: [
      connect('a'),
      send(
        'a',
        subscribe(1, [{ filter: '+x' }, { filter: 'a', qos: 1 }, { filter: '' }, { filter: 'b', qos: 0 }]),
      ),
      expect('a', suback(1, 0x8f, 1, 0x8f, 0)),
    ],
  },
  {
    name: '[MQTT-3.9.3-2] each reason is one that SUBACK knows',
    limits: { maximumSubscriptionsPerClient: 3, maximumTopicLevels: 3 },
    steps: [
      connect('a'),
      send(
        'a',
        subscribe(
          1,
          ['a/b/c/d', '$share/g', '0', '1', '2', '3'].map((filter) => ({ filter })),
        ),
      ),
      expect('a', suback(1, 0x8f, 0x8f, 2, 2, 2, 0x97)),
    ],
  },
];

const unsubscribing: readonly WireCase[] = [
  ...['a0', 'a1', 'a3'].map((first) =>
    refused(`[MQTT-3.10.1-1] UNSUBSCRIBE whose first byte is ${first}`, `${first} * 0001 {} "t"`, 0x81),
  ),
  refused('[MQTT-3.10.3-1] a filter that is not UTF-8', 'a2 * 0001 {} 0001 ff', 0x81),
  refused('[MQTT-3.10.3-2] no filter', 'a2 * 0001 {}', 0x82),
  {
    name: '[MQTT-3.10.4-1] filters are compared character by character',
    steps: [
      connect('a'),
      send('a', subscribe(1, [{ filter: 't/#' }, { filter: 't/x' }])),
      expect('a', suback(1, 2, 2)),
      send('a', unsubscribe(2, 't/+', 'T/#', 't/x/', '#', 't/#')),
      expect('a', unsuback(2, 0x11, 0x11, 0x11, 0x11, 0)),
      send('a', publish('t/x', '1'), publish('t/y', '2')),
      expect('a', publishOf('t/x', '1')),
      silent('a'),
    ],
  },
  {
    name: '[MQTT-3.10.4-2] after UNSUBSCRIBE no new messages come',
    steps: [
      connect('a'),
      send('a', subscribe(1, 't')),
      expect('a', suback(1, 2)),
      send('a', unsubscribe(2, 't'), publish('t', 'x', { qos: 1 })),
      expect('a', unsuback(2, 0), puback(1, 0x10)),
      silent('a'),
    ],
  },
  {
    name: '[MQTT-3.10.4-3] what was begun at QoS 1 and 2 is completed after UNSUBSCRIBE',
    steps: [
      connect('a', { properties: { sessionExpiry: 100 } }),
      send('a', subscribe(1, 't')),
      expect('a', suback(1, 2)),
      connect('b'),
      send('b', publish('t', '1', { qos: 1, packetId: 1 }), publish('t', '2', { qos: 2, packetId: 2 })),
      expect('a', publishOf('t', '1', { packetId: 1 }), publishOf('t', '2', { packetId: 2 })),
      send('a', unsubscribe(2, 't'), pubrec(2)),
      expect('a', unsuback(2, 0), pubrel(2)),
      drop('a'),
      connect('a', { cleanStart: false }, { sessionPresent: true }),
      expect('a', publishOf('t', '1', { packetId: 1, dup: true }), pubrel(2)),
      send('a', puback(1), pubcomp(2)),
      silent('a'),
    ],
  },
  {
    name: '[MQTT-3.10.4-4] [MQTT-3.10.4-5] UNSUBSCRIBE is answered under its identifier, even where nothing is deleted',
    steps: [connect('a'), sendHex('a', 'a2 * 0c0d {} "t"'), expectHex('a', 'b0 * 0c0d {} 11')],
  },
  {
    name: '[MQTT-3.10.4-6] [MQTT-3.11.3-1] several filters are handled in order and answered together',
    steps: [
      connect('a'),
      send('a', subscribe(1, [{ filter: 'a' }, { filter: 'b' }])),
      expect('a', suback(1, 2, 2)),
      send('a', unsubscribe(2, 'x', 'a', 'a', '#b', 'b')),
      expect('a', unsuback(2, 0x11, 0, 0x11, 0x8f, 0)),
      silent('a'),
    ],
  },
  {
    name: '[MQTT-3.11.2-1] [MQTT-3.11.2-2] UNSUBACK has words where they fit, and no user properties',
    steps: [
      connect('a', { properties: { maximumPacketSize: 29 } }),
      sendHex('a', 'a2 * 0001 {} "#b"'),
      expectHex('a', 'b0 * 0001 { 1f "topic filter invalid" } 8f'),
      connect('b', { properties: { maximumPacketSize: 28 } }),
      sendHex('b', 'a2 * 0001 {} "#b"'),
      expectHex('b', 'b0 * 0001 {} 8f'),
    ],
  },
  {
    name: '[MQTT-3.11.3-2] UNSUBACK knows three reasons here: deleted, not there, no filter',
    steps: [
      connect('a'),
      send('a', subscribe(1, '$share/g/t')),
      expect('a', suback(1, 2)),
      send('a', unsubscribe(2, '$share/g/t', 't', '$share/g')),
      expect('a', unsuback(2, 0, 0x11, 0x8f)),
    ],
  },
];

wireCases(5, [...subscribing, ...answers, ...unsubscribing]);
