/** MQTT 5, 3.3.4 and 4.9: what a PUBLISH brings about, overlapping subscriptions, and flow control. */
import { openAuthorizer } from '../../helpers/broker-harness.ts';
import {
  connect,
  disconnected,
  expect,
  expectInAnyOrder,
  send,
  sendHex,
  silent,
  wireCases,
  type WireCase,
} from '../../helpers/wire-case.ts';
import {
  pingreq,
  pingresp,
  puback,
  pubcomp,
  publish,
  publishOf,
  pubrec,
  pubrel,
  suback,
  subscribe,
  unsuback,
  unsubscribe,
} from '../../helpers/wire-packets.ts';

const ids = (...subscriptionIdentifiers: readonly number[]): object => ({
  properties: { subscriptionIdentifiers },
});

const answers: readonly WireCase[] = [
  {
    name: '[MQTT-3.3.4-1] QoS 0 has no answer, QoS 1 PUBACK, QoS 2 PUBREC',
    steps: [
      connect('a'),
      send(
        'a',
        publish('t', '0'),
        publish('t', '1', { qos: 1, packetId: 1 }),
        publish('t', '2', { qos: 2, packetId: 2 }),
      ),
      expect('a', puback(1, 0x10), pubrec(2, 0x10)),
      silent('a'),
    ],
  },
];

const overlapping: readonly WireCase[] = [
  {
    name: '[MQTT-3.3.4-2] [MQTT-3.3.4-3] [MQTT-3.3.4-4] one copy: the highest QoS and all identifiers of what matches',
    steps: [
      connect('a'),
      send('a', subscribe(1, { filter: 't/+', qos: 0 }, 11)),
      send('a', subscribe(2, { filter: 't/#', qos: 2 }, 12)),
      send('a', subscribe(3, { filter: 't/x', qos: 1 })),
      send('a', subscribe(4, { filter: 'u', qos: 2 }, 13)),
      expect('a', suback(1, 0), suback(2, 2), suback(3, 1), suback(4, 2)),
      connect('b'),
      send('b', publish('t/x', 'x', { qos: 2 })),
      expect('a', publishOf('t/x', 'x', { qos: 2, ...ids(11, 12) })),
      silent('a'),
    ],
  },
  {
    name: '[MQTT-3.3.4-3] the same identifier on several subscriptions',
    steps: [
      connect('a'),
      send(
        'a',
        subscribe(
          1,
          [
            { filter: 't/+', qos: 0 },
            { filter: 't/#', qos: 0 },
          ],
          268_435_455,
        ),
      ),
      expect('a', suback(1, 0, 0)),
      send('a', publish('t/x', 'x')),
      expect('a', publishOf('t/x', 'x', ids(268_435_455, 268_435_455))),
      silent('a'),
    ],
  },
  {
    name: '[MQTT-3.3.4-3] an identifier goes with its subscription: replaced with it, kept with the session',
    steps: [
      connect('a', { properties: { sessionExpiry: 100 } }),
      send('a', subscribe(1, 't', 1), subscribe(2, 't', 2)),
      expect('a', suback(1, 2), suback(2, 2)),
      connect('b'),
      send('b', publish('t', '1')),
      expect('a', publishOf('t', '1', ids(2))),
      send('a', { type: 14, reasonCode: 0, properties: {} }),
      connect('a', { cleanStart: false }, { sessionPresent: true }),
      send('b', publish('t', '2')),
      expect('a', publishOf('t', '2', ids(2))),
      send('a', subscribe(3, 't')),
      expect('a', suback(3, 2)),
      send('b', publish('t', '3')),
      expect('a', publishOf('t', '3', ids())),
    ],
  },
  {
    name: '[MQTT-3.3.4-2] [MQTT-3.3.4-5] several copies, by option: each with the QoS and the identifier of its subscription',
    limits: { overlappingCopies: 'each' },
    steps: [
      connect('a'),
      send('a', subscribe(1, { filter: 't/+', qos: 0 }, 11)),
      send('a', subscribe(2, { filter: 't/#', qos: 2 }, 12)),
      send('a', subscribe(3, { filter: 't/x', qos: 1 })),
      expect('a', suback(1, 0), suback(2, 2), suback(3, 1)),
      connect('b'),
      send('b', publish('t/x', 'x', { qos: 2 })),
      expectInAnyOrder(
        'a',
        publishOf('t/x', 'x', { qos: 0, ...ids(11) }),
        publishOf('t/x', 'x', { qos: 2, ...ids(12) }),
        publishOf('t/x', 'x', { qos: 1, ...ids() }),
      ),
      silent('a'),
    ],
  },
  {
    name: '[MQTT-3.3.4-6] a client sends no subscription identifier',
    steps: [connect('a'), sendHex('a', '30 * "t" { 0b 01 } 78'), disconnected('a', 0x82)],
  },
];

const flowControl: readonly WireCase[] = [
  {
    name: '[MQTT-3.3.4-9] [MQTT-4.9.0-1] [MQTT-4.9.0-2] no more is unacknowledged than the client’s receive maximum',
    steps: [
      connect('a', { properties: { receiveMaximum: 2 } }),
      send('a', subscribe(1, 't')),
      expect('a', suback(1, 2)),
      connect('b'),
      ...[1, 2, 3, 4, 5].map((id) =>
        send('b', publish('t', String(id), { qos: id % 2 === 0 ? 2 : 1, packetId: id })),
      ),
      expect('a', publishOf('t', '1', { qos: 1, packetId: 1 }), publishOf('t', '2', { qos: 2, packetId: 2 })),
      expect('b', puback(1), pubrec(2), puback(3), pubrec(4), puback(5)),
      silent('a'),
      send('a', puback(1)),
      expect('a', publishOf('t', '3', { packetId: 3 })),
      send('a', pubrec(2)),
      expect('a', pubrel(2)),
      silent('a'),
      send('a', pubcomp(2)),
      expect('a', publishOf('t', '4', { qos: 2, packetId: 4 })),
      send('a', pubrec(4, 0x80)),
      expect('a', publishOf('t', '5', { packetId: 5 })),
      silent('a'),
    ],
  },
  {
    name: '[MQTT-4.9.0-2] QoS 0 is not counted',
    steps: [
      connect('a', { properties: { receiveMaximum: 1 } }),
      send('a', subscribe(1, 't')),
      expect('a', suback(1, 2)),
      connect('b'),
      send(
        'b',
        publish('t', '1', { qos: 1, packetId: 1 }),
        publish('t', '2', { qos: 1, packetId: 2 }),
        publish('t', '3'),
      ),
      expect('a', publishOf('t', '1'), publishOf('t', '3', { qos: 0 })),
      silent('a'),
    ],
  },
  {
    name: '[MQTT-3.3.4-10] [MQTT-4.9.0-3] a closed window delays nothing but PUBLISH, and everything is answered',
    steps: [
      connect('a', { properties: { receiveMaximum: 1 } }),
      send('a', subscribe(1, 't')),
      expect('a', suback(1, 2)),
      connect('b'),
      send('b', publish('t', '1', { qos: 1, packetId: 1 }), publish('t', '2', { qos: 1, packetId: 2 })),
      expect('a', publishOf('t', '1')),
      send('a', pingreq, subscribe(2, 'u'), unsubscribe(3, 'u')),
      expect('a', pingresp, suback(2, 2), unsuback(3, 0)),
      send(
        'a',
        publish('v', 'x', { qos: 1, packetId: 4 }),
        publish('v', 'x', { qos: 2, packetId: 5 }),
        pubrel(5),
      ),
      expect('a', puback(4, 0x10), pubrec(5, 0x10), pubcomp(5)),
      silent('a'),
    ],
  },
  {
    name: '[MQTT-3.3.4-7] [MQTT-4.9.0-3] a client that keeps to the receive maximum is served, whatever else it sends',
    limits: { receiveMaximum: 2 },
    steps: [
      connect('a', {}, { properties: { receiveMaximum: 2 } }),
      send('a', publish('t', '1', { qos: 2, packetId: 1 }), publish('t', '2', { qos: 2, packetId: 2 })),
      expect('a', pubrec(1, 0x10), pubrec(2, 0x10)),
      send('a', publish('t', '3'), pingreq, subscribe(3, 't')),
      expect('a', pingresp, suback(3, 2)),
      send('a', pubrel(1)),
      expect('a', pubcomp(1)),
      send('a', publish('t', '4', { qos: 1, packetId: 4 })),
      expectInAnyOrder('a', puback(4), publishOf('t', '4')),
    ],
  },
];

const offence: readonly WireCase[] = [
  {
    name: '[MQTT-3.3.4-7] a client that exceeds the receive maximum is disconnected where that is strict; refused messages open no window',
    limits: { receiveMaximum: 2, receiveMaximumStrict: true },
    profile: {
      authorizer: { ...openAuthorizer, mayPublish: (_, topic) => topic !== 'no' },
    },
    steps: [
      connect('a'),
      send('a', publish('t', '1', { qos: 2, packetId: 1 }), publish('t', '2', { qos: 2, packetId: 2 })),
      expect('a', pubrec(1, 0x10), pubrec(2, 0x10)),
      send('a', publish('no', 'x', { qos: 1, packetId: 3 }), publish('no', 'x', { qos: 2, packetId: 4 })),
      expect('a', puback(3, 0x87), pubrec(4, 0x87)),
      send('a', publish('t', '3', { qos: 1, packetId: 5 })),
      disconnected('a', 0x93),
    ],
  },
  {
    name: '[MQTT-3.3.4-7] a client that exceeds the receive maximum is read on where that is not strict',
    limits: { receiveMaximum: 1, receiveMaximumStrict: false },
    steps: [
      connect('a'),
      send('a', ...[1, 2, 3].map((packetId) => publish('t', 'x', { qos: 2, packetId }))),
      expect('a', pubrec(1, 0x10), pubrec(2, 0x10), pubrec(3, 0x10)),
      silent('a'),
    ],
  },
];

wireCases(5, [...offence, ...answers, ...overlapping, ...flowControl]);
