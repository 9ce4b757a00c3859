/** MQTT 5, 4.1, 4.2, 4.5 and 4.6: session state, transport, order. */
import assert from 'node:assert/strict';
import {
  advance,
  check,
  connect,
  drop,
  expect,
  leave,
  send,
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
  unsuback,
  unsubscribe,
} from '../../helpers/wire-packets.ts';
import { member } from './common-cases.ts';

const state: readonly WireCase[] = [
  {
    name: '[MQTT-4.1.0-1] the session stays as long as the connection, however long that is',
    steps: [
      connect('a', { properties: { sessionExpiry: 1 } }),
      send('a', subscribe(1, 't')),
      expect('a', suback(1, 2)),
      advance(600_000),
      connect('b'),
      send('b', publish('t', 'x')),
      expect('a', publishOf('t', 'x')),
    ],
  },
  {
    name: '[MQTT-4.1.0-2] the session is discarded when its expiry has passed',
    steps: [
      ...member('a', 't'),
      leave('a'),
      advance(99_000),
      connect('a', { cleanStart: false, properties: { sessionExpiry: 100 } }, { sessionPresent: true }),
      drop('a'),
      advance(102_000),
      connect('a', { cleanStart: false }, { sessionPresent: false }),
      send('a', unsubscribe(1, 't')),
      expect('a', unsuback(1, 0x11)),
    ],
  },
  {
    name: '[MQTT-4.1.0-2] a session without expiry ends with its connection',
    steps: [
      connect('a'),
      drop('a'),
      connect('a', { cleanStart: false }, { sessionPresent: false }),
      leave('a'),
      connect('a', { cleanStart: false }, { sessionPresent: false }),
    ],
  },
  {
    name: '[MQTT-4.2-1] [MQTT-4.2.0-1] a stream of any length arrives whole and in order, in both directions',
    steps: [
      connect('a', { properties: { receiveMaximum: 65_535 } }),
      send('a', subscribe(1, { filter: 't', qos: 0 })),
      expect('a', suback(1, 0)),
      check(async (run) => {
        const count = 3000;
        const payload = (index: number): string => `${index} ${'x'.repeat(index % 400)}`;
        const client = run.client('a');
        for (let index = 0; index < count; index++) client.send(publish('t', payload(index)));
        for (let index = 0; index < count; index++) {
          const { packet } = await client.receive();
          assert.ok(packet.type === 3 && packet.payload.toString() === payload(index), `message ${index}`);
        }
      }),
    ],
  },
  {
    name: '[MQTT-4.5.0-1] a message that was acknowledged is kept for every session that wants it, connected or not',
    steps: [
      ...member('a', 't'),
      ...member('b', '#'),
      ...member('c', 'u'),
      leave('b'),
      leave('c'),
      connect('p'),
      send('p', publish('t', '1', { qos: 1, packetId: 1 }), publish('t', '2', { qos: 2, packetId: 2 })),
      expect('p', puback(1), pubrec(2)),
      expect('a', publishOf('t', '1'), publishOf('t', '2')),
      connect('b', { cleanStart: false }, { sessionPresent: true }),
      expect('b', publishOf('t', '1', { qos: 1 }), publishOf('t', '2', { qos: 2 })),
      connect('c', { cleanStart: false }, { sessionPresent: true }),
      silent('c'),
    ],
  },
];

const numbered = (qos: 0 | 1 | 2, from: number, to: number): Step[] =>
  Array.from({ length: to - from + 1 }, (_, index) =>
    send('p', publish('t', String(from + index), { qos, packetId: qos === 0 ? 0 : from + index })),
  );

const order: readonly WireCase[] = [
  ...([0, 1, 2] as const).map((qos): WireCase => ({
    name: `[MQTT-4.6.0-5] [MQTT-4.6.0-6] the messages of one client on one topic come in its order, at QoS ${qos}`,
    steps: [
      ...member('s', 't'),
      connect('p'),
      ...numbered(qos, 1, 50),
      check(async (run) => {
        for (let index = 1; index <= 50; index++) {
          const { packet } = await run.client('s').receive();
          assert.ok(packet.type === 3 && packet.payload.toString() === String(index), `message ${index}`);
        }
      }),
    ],
  })),
  {
    name: '[MQTT-4.6.0-5] the order holds over a narrow window, an absence and a repeat',
    steps: [
      ...member('s', 't', 2),
      connect('p'),
      ...numbered(1, 1, 4),
      expect('p', puback(1), puback(2), puback(3), puback(4)),
      expect('s', publishOf('t', '1'), publishOf('t', '2')),
      silent('s'),
      drop('s'),
      ...numbered(1, 5, 6),
      expect('p', puback(5), puback(6)),
      connect('s', { cleanStart: false, properties: { receiveMaximum: 3 } }, { sessionPresent: true }),
      expect(
        's',
        publishOf('t', '1', { dup: true }),
        publishOf('t', '2', { dup: true }),
        publishOf('t', '3'),
      ),
      silent('s'),
      send('s', puback(1), puback(2), puback(3)),
      expect('s', publishOf('t', '4'), publishOf('t', '5'), publishOf('t', '6')),
    ],
  },
  {
    name: '[MQTT-4.6.0-2] [MQTT-4.6.0-3] [MQTT-4.6.0-4] this broker answers in the order of what it answers',
    steps: [
      connect('s'),
      send('s', subscribe(1, 't')),
      expect('s', suback(1, 2)),
      connect('p'),
      send('p', publish('t', '1', { qos: 1, packetId: 9 }), publish('t', '2', { qos: 2, packetId: 5 })),
      send('p', publish('t', '3', { qos: 2, packetId: 4 }), publish('t', '4', { qos: 1, packetId: 1 })),
      expect('p', puback(9), pubrec(5), pubrec(4), puback(1)),
      expect('s', publishOf('t', '1'), publishOf('t', '2'), publishOf('t', '3'), publishOf('t', '4')),
      send('s', pubrec(3), pubrec(2)),
      expect('s', pubrel(3), pubrel(2)),
      send('p', pubrel(4), pubrel(5)),
      expect('p', pubcomp(4), pubcomp(5)),
    ],
  },
];

wireCases(5, [...state, ...order]);
