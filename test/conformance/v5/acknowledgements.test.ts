/** MQTT 5, 3.4 to 3.7, 4.3 and 4.4: the packets and the protocols of QoS 0, 1 and 2. */
import { openAuthorizer } from '../../helpers/broker-harness.ts';
import {
  advance,
  connect,
  drop,
  expect,
  expectHex,
  send,
  sendHex,
  silent,
  wireCases,
  type Step,
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
import { refused } from './common-cases.ts';

const nothingAllowed: WireCase['profile'] = {
  authorizer: { ...openAuthorizer, mayPublish: () => false },
};

/** A subscriber whose session stays, and a publisher. */
const pair = (receiveMaximum = 100): readonly Step[] => [
  connect('s', { properties: { sessionExpiry: 1000, receiveMaximum } }),
  send('s', subscribe(1, 't')),
  expect('s', suback(1, 2)),
  connect('p'),
];

/** The subscriber’s connection breaks and it comes back to its session. */
const comeBack: readonly Step[] = [
  drop('s'),
  connect('s', { cleanStart: false, properties: { sessionExpiry: 1000 } }, { sessionPresent: true }),
];

const packets: readonly WireCase[] = [
  refused('[MQTT-3.4.2-1] PUBACK with a reason that does not exist', '40 03 0001 92', 0x82),
  refused('[MQTT-3.5.2-1] PUBREC with a reason that does not exist', '50 03 0001 01', 0x82),
  refused('[MQTT-3.6.2-1] PUBREL with a reason that does not exist', '62 03 0001 10', 0x82),
  refused('[MQTT-3.7.2-1] PUBCOMP with a reason that does not exist', '70 03 0001 80', 0x82),
  ...['60', '61', '63', '66', '6a'].map((first) =>
    refused(`[MQTT-3.6.1-1] PUBREL whose first byte is ${first}`, `${first} 02 0001`, 0x81),
  ),
  {
    name: '[MQTT-3.4.2-1] [MQTT-3.5.2-1] nobody takes it, it is refused, or it is well: PUBACK and PUBREC say which',
    profile: {
      authorizer: { ...openAuthorizer, mayPublish: (_, topic) => topic !== 'no' },
    },
    steps: [
      connect('a'),
      connect('s'),
      send('s', subscribe(1, 't')),
      expect('s', suback(1, 2)),
      ...(['t', 'nobody', 'no'] as const).flatMap((topic, index) => [
        send(
          'a',
          publish(topic, 'x', { qos: 1, packetId: 1 }),
          publish(topic, 'x', { qos: 2, packetId: index + 2 }),
        ),
        expect('a', puback(1, [0, 0x10, 0x87][index]), pubrec(index + 2, [0, 0x10, 0x87][index])),
      ]),
    ],
  },
  {
    name: '[MQTT-3.4.2-2] [MQTT-3.4.2-3] PUBACK has words where they fit, and no user properties',
    profile: nothingAllowed,
    steps: [
      connect('a', { properties: { maximumPacketSize: 23 } }),
      sendHex('a', '32 * "t" 0007 {}'),
      expectHex('a', '40 * 0007 87 { 1f "not authorized" }'),
      connect('b', { properties: { maximumPacketSize: 22 } }),
      sendHex('b', '32 * "t" 0007 {}'),
      expectHex('b', '40 03 0007 87'),
    ],
  },
  {
    name: '[MQTT-3.5.2-2] [MQTT-3.5.2-3] PUBREC has words where they fit, and no user properties',
    profile: nothingAllowed,
    steps: [
      connect('a', { properties: { maximumPacketSize: 23 } }),
      sendHex('a', '34 * "t" 0007 {}'),
      expectHex('a', '50 * 0007 87 { 1f "not authorized" }'),
      connect('b', { properties: { maximumPacketSize: 22 } }),
      sendHex('b', '34 * "t" 0007 {}'),
      expectHex('b', '50 03 0007 87'),
    ],
  },
  {
    name: '[MQTT-3.6.2-1] [MQTT-3.6.2-2] [MQTT-3.6.2-3] PUBREL for an identifier that is not in use has words where they fit',
    steps: [
      connect('a'),
      sendHex('a', '50 02 0007'),
      expectHex('a', '62 * 0007 92 { 1f "packet identifier not found" }'),
      connect('b', { properties: { maximumPacketSize: 35 } }),
      sendHex('b', '50 02 0007'),
      expectHex('b', '62 03 0007 92'),
    ],
  },
  {
    name: '[MQTT-3.7.2-1] [MQTT-3.7.2-2] [MQTT-3.7.2-3] PUBCOMP for an identifier that is not in use has words where they fit',
    steps: [
      connect('a'),
      sendHex('a', '62 02 0007'),
      expectHex('a', '70 * 0007 92 { 1f "packet identifier not found" }'),
      connect('b', { properties: { maximumPacketSize: 35 } }),
      sendHex('b', '62 02 0007'),
      expectHex('b', '70 03 0007 92'),
    ],
  },
];

const qos0: readonly WireCase[] = [
  {
    name: '[MQTT-4.3.1-1] QoS 0 is sent once, without DUP, and never again',
    steps: [
      ...pair(),
      send('p', publish('t', 'x')),
      expect('s', publishOf('t', 'x', { qos: 0, dup: false })),
      ...comeBack,
      silent('s'),
    ],
  },
];

const qos1: readonly WireCase[] = [
  {
    name: '[MQTT-4.3.2-1] [MQTT-4.3.2-2] each new message at QoS 1 has an identifier of its own and no DUP',
    steps: [
      ...pair(),
      send(
        'p',
        publish('t', '1', { qos: 1, packetId: 5 }),
        publish('t', '2', { qos: 1, packetId: 6, dup: true }),
      ),
      expect('s', publishOf('t', '1', { qos: 1, dup: false, packetId: 1 })),
      expect('s', publishOf('t', '2', { qos: 1, dup: false, packetId: 2 })),
    ],
  },
  {
    name: '[MQTT-4.3.2-3] a message at QoS 1 is unacknowledged until PUBACK, and then no more',
    steps: [
      ...pair(),
      send('p', publish('t', '1', { qos: 1, packetId: 1 }), publish('t', '2', { qos: 1, packetId: 2 })),
      expect('s', publishOf('t', '1', { packetId: 1 }), publishOf('t', '2', { packetId: 2 })),
      send('s', puback(1)),
      silent('s'),
      ...comeBack,
      expect('s', publishOf('t', '2', { packetId: 2, dup: true })),
      silent('s'),
      send('s', puback(2)),
      silent('s'),
      ...comeBack,
      silent('s'),
    ],
  },
  {
    name: '[MQTT-4.3.2-4] PUBACK carries the identifier of the PUBLISH',
    steps: [...pair(), send('p', publish('t', 'x', { qos: 1, packetId: 4711 })), expect('p', puback(4711))],
  },
  {
    name: '[MQTT-4.3.2-5] after PUBACK the same identifier is a new message, with DUP too',
    steps: [
      ...pair(),
      ...[false, true].flatMap((dup) => [
        send('p', publish('t', String(dup), { qos: 1, packetId: 7, dup })),
        expect('p', puback(7)),
        expect('s', publishOf('t', String(dup), { dup: false })),
      ]),
    ],
  },
];

const qos2Sender: readonly WireCase[] = [
  {
    name: '[MQTT-4.3.3-1] [MQTT-4.3.3-2] each new message at QoS 2 has an identifier of its own and no DUP',
    steps: [
      ...pair(),
      send(
        'p',
        publish('t', '1', { qos: 2, packetId: 5 }),
        publish('t', '2', { qos: 2, packetId: 6, dup: true }),
      ),
      expect('s', publishOf('t', '1', { qos: 2, dup: false, packetId: 1 })),
      expect('s', publishOf('t', '2', { qos: 2, dup: false, packetId: 2 })),
    ],
  },
  {
    name: '[MQTT-4.3.3-3] a message at QoS 2 is unacknowledged until PUBREC',
    steps: [
      ...pair(),
      send('p', publish('t', 'x', { qos: 2 })),
      expect('s', publishOf('t', 'x', { packetId: 1 })),
      ...comeBack,
      expect('s', publishOf('t', 'x', { packetId: 1, dup: true })),
    ],
  },
  {
    name: '[MQTT-4.3.3-4] PUBREC is answered with PUBREL, a refusing one is not',
    steps: [
      ...pair(),
      send('p', publish('t', '1', { qos: 2, packetId: 1 }), publish('t', '2', { qos: 2, packetId: 2 })),
      expect('s', publishOf('t', '1', { packetId: 1 }), publishOf('t', '2', { packetId: 2 })),
      send('s', pubrec(2, 0x10)),
      expectHex('s', '62 02 0002'),
      send('s', pubrec(1, 0x97)),
      silent('s'),
    ],
  },
  {
    name: '[MQTT-4.3.3-5] [MQTT-4.3.3-6] after PUBREC only PUBREL is sent again, until PUBCOMP',
    steps: [
      ...pair(),
      send('p', publish('t', 'x', { qos: 2 })),
      expect('s', publishOf('t', 'x', { packetId: 1 })),
      send('s', pubrec(1)),
      expect('s', pubrel(1)),
      ...comeBack,
      expect('s', pubrel(1)),
      silent('s'),
      send('s', pubcomp(1)),
      silent('s'),
      ...comeBack,
      silent('s'),
    ],
  },
  {
    name: '[MQTT-4.3.3-7] a message that was sent at QoS 2 does not expire any more',
    steps: [
      ...pair(),
      send('p', publish('t', 'x', { qos: 2, properties: { messageExpiry: 2 } })),
      expect('s', publishOf('t', 'x', { packetId: 1 })),
      drop('s'),
      advance(10_000),
      connect('s', { cleanStart: false }, { sessionPresent: true }),
      expect('s', publishOf('t', 'x', { packetId: 1, dup: true })),
      send('s', pubrec(1)),
      expect('s', pubrel(1)),
      send('s', pubcomp(1)),
      silent('s'),
    ],
  },
];

const qos2Receiver: readonly WireCase[] = [
  {
    name: '[MQTT-4.3.3-8] PUBREC carries the identifier of the PUBLISH',
    steps: [...pair(), send('p', publish('t', 'x', { qos: 2, packetId: 4711 })), expect('p', pubrec(4711))],
  },
  {
    name: '[MQTT-4.3.3-9] after a refusing PUBREC the same identifier is a new message',
    limits: { checkPayloadFormat: true },
    steps: [
      ...pair(),
      sendHex('p', '34 * "t" 0003 { 01 01 } ff'),
      expect('p', pubrec(3, 0x99)),
      sendHex('p', '34 * "t" 0003 { 01 01 } 78'),
      expect('p', pubrec(3, 0)),
      expect('s', publishOf('t', 'x')),
    ],
  },
  {
    name: '[MQTT-4.3.3-10] until PUBREL a repeat is answered and not delivered again, on a later connection neither',
    steps: [
      ...pair(),
      connect('q', { properties: { sessionExpiry: 100 } }),
      send('q', publish('t', 'x', { qos: 2, packetId: 3 })),
      expect('q', pubrec(3)),
      send(
        'q',
        publish('t', 'x', { qos: 2, packetId: 3, dup: true }),
        publish('t', 'x', { qos: 2, packetId: 3 }),
      ),
      expect('q', pubrec(3), pubrec(3)),
      drop('q'),
      connect('q', { cleanStart: false }, { sessionPresent: true }),
      send('q', publish('t', 'x', { qos: 2, packetId: 3, dup: true })),
      expect('q', pubrec(3)),
      expect('s', publishOf('t', 'x')),
      silent('s'),
    ],
  },
  {
    name: '[MQTT-4.3.3-11] [MQTT-4.3.3-12] PUBREL is answered with PUBCOMP; then the identifier is free for a new message',
    steps: [
      ...pair(),
      ...['1', '2'].flatMap((payload) => [
        send('p', publish('t', payload, { qos: 2, packetId: 3 })),
        expect('p', pubrec(3)),
        send('p', pubrel(3)),
        expect('p', pubcomp(3)),
        expect('s', publishOf('t', payload)),
      ]),
    ],
  },
  {
    name: '[MQTT-4.3.3-13] the exchange at QoS 2 is completed even when the message has expired',
    steps: [
      connect('p'),
      send('p', publish('t', 'x', { qos: 2, packetId: 3, retain: true, properties: { messageExpiry: 1 } })),
      expect('p', pubrec(3, 0x10)),
      advance(60_000),
      send('p', pubrel(3)),
      expect('p', pubcomp(3)),
    ],
  },
];

const redelivery: readonly WireCase[] = [
  {
    name: '[MQTT-4.4.0-1] a client that is back gets what is unacknowledged, PUBLISH and PUBREL, under the same identifiers and in order',
    steps: [
      ...pair(),
      send('p', publish('t', '1', { qos: 1, packetId: 1 }), publish('t', '2', { qos: 2, packetId: 2 })),
      send('p', publish('t', '3', { qos: 2, packetId: 3 }), publish('t', '4', { qos: 1, packetId: 4 })),
      expect('s', publishOf('t', '1'), publishOf('t', '2'), publishOf('t', '3'), publishOf('t', '4')),
      send('s', pubrec(2)),
      expect('s', pubrel(2)),
      ...comeBack,
      expect('s', publishOf('t', '1', { packetId: 1, dup: true }), pubrel(2)),
      expect(
        's',
        publishOf('t', '3', { packetId: 3, dup: true }),
        publishOf('t', '4', { packetId: 4, dup: true }),
      ),
      silent('s'),
    ],
  },
  {
    name: '[MQTT-4.4.0-1] the order of a repeat is that of the messages, not of their identifiers',
    limits: { maximumInflight: 3 },
    steps: [
      ...pair(),
      ...[1, 2, 3, 4, 5].map((id) => send('p', publish('t', String(id), { qos: 1, packetId: id }))),
      expect('p', ...[1, 2, 3, 4, 5].map((id) => puback(id))),
      expect('s', publishOf('t', '1', { packetId: 1 }), publishOf('t', '2', { packetId: 2 })),
      expect('s', publishOf('t', '3', { packetId: 3 })),
      send('s', puback(2), puback(1)),
      expect('s', publishOf('t', '4', { packetId: 2 }), publishOf('t', '5', { packetId: 1 })),
      ...comeBack,
      expect(
        's',
        publishOf('t', '3', { packetId: 3, dup: true }),
        publishOf('t', '4', { packetId: 2, dup: true }),
      ),
      expect('s', publishOf('t', '5', { packetId: 1, dup: true })),
    ],
  },
  {
    name: '[MQTT-4.4.0-1] nothing is sent again while the connection stands, however long it takes',
    steps: [
      ...pair(),
      send('p', publish('t', '1', { qos: 1, packetId: 1 }), publish('t', '2', { qos: 2, packetId: 2 })),
      expect('s', publishOf('t', '1'), publishOf('t', '2')),
      advance(600_000),
      silent('s'),
    ],
  },
  {
    name: '[MQTT-4.4.0-2] what was refused counts as acknowledged and is not sent again',
    steps: [
      ...pair(),
      send('p', publish('t', '1', { qos: 1, packetId: 1 }), publish('t', '2', { qos: 2, packetId: 2 })),
      expect('s', publishOf('t', '1'), publishOf('t', '2')),
      send('s', puback(1, 0x80), pubrec(2, 0x83)),
      silent('s'),
      ...comeBack,
      silent('s'),
    ],
  },
];

wireCases(5, [...packets, ...qos0, ...qos1, ...qos2Sender, ...qos2Receiver, ...redelivery]);
