/** MQTT 5, 3.12 to 3.14 and 4.13: PINGREQ, DISCONNECT, and what ends a connection. */
import {
  check,
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
  pingreq,
  publish,
  publishOf,
  suback,
  subscribe,
  unsubscribe,
  willOf,
} from '../../helpers/wire-packets.ts';
import { refused } from './common-cases.ts';

const ping: readonly WireCase[] = [
  {
    name: '[MQTT-3.12.4-1] PINGREQ is answered with PINGRESP',
    steps: [connect('a'), sendHex('a', 'c0 00'), expectHex('a', 'd0 00')],
  },
];

const disconnect: readonly WireCase[] = [
  {
    name: '[MQTT-3.14.0-1] there is no DISCONNECT before CONNACK',
    steps: [open('a'), sendHex('a', 'c0 00'), closed('a'), open('b'), sendHex('b', '00 00'), closed('b')],
  },
  {
    name: '[MQTT-3.14.0-1] there is no DISCONNECT after a CONNACK that refuses',
    steps: [
      open('a'),
      sendHex('a', '10 * "MQTT" 05 03 0000 {} "a"'),
      expect('a', connack(0x81)),
      closed('a'),
    ],
  },
  refused('[MQTT-3.14.1-1] DISCONNECT with a flag', 'e1 00', 0x81),
  refused('[MQTT-3.14.1-1] DISCONNECT with another flag', 'e8 02 00 00', 0x81),
  refused('[MQTT-3.14.2-1] DISCONNECT with a reason that does not exist', 'e0 01 05', 0x82),
  {
    name: '[MQTT-3.14.2-1] DISCONNECT in its short forms and with each reason of a client is understood',
    steps: [
      'e0 00',
      'e0 01 00',
      'e0 02 00 00',
      ...['04', '80', '81', '82', '83', '90', '93', '94', '95', '96', '97', '98', '99'].map(
        (code) => `e0 01 ${code}`,
      ),
    ].flatMap((bytes) => [connect('a'), sendHex('a', bytes), closed('a')]),
  },
  {
    name: '[MQTT-3.14.2-2] this broker never sends a session expiry in DISCONNECT',
    steps: [
      connect('a', { properties: { sessionExpiry: 100 } }),
      sendHex('a', 'c1 00'),
      disconnected('a', 0x81, { sessionExpiry: undefined }),
    ],
  },
  {
    name: '[MQTT-3.14.2-2] a session expiry of 0 cannot be raised at DISCONNECT',
    steps: [
      connect('w'),
      send('w', subscribe(1, 'will')),
      expect('w', suback(1, 2)),
      connect('a', { will: willOf('will', 'gone') }),
      send('a', { type: 14, reasonCode: 0, properties: { sessionExpiry: 1 } }),
      disconnected('a', 0x82),
      expect('w', publishOf('will', 'gone')),
      connect('a', { cleanStart: false }, { sessionPresent: false }),
      leave('a', 0, { sessionExpiry: 0 }),
    ],
  },
  {
    name: 'a session expiry other than 0 can be changed at DISCONNECT, both ways',
    steps: [
      connect('a', { properties: { sessionExpiry: 10 } }),
      leave('a', 0, { sessionExpiry: 0 }),
      connect('a', { cleanStart: false, properties: { sessionExpiry: 10 } }, { sessionPresent: false }),
      leave('a', 0, { sessionExpiry: 1000 }),
      check((run) => run.server.clock.advance(500_000)),
      connect('a', { cleanStart: false }, { sessionPresent: true }),
    ],
  },
  {
    name: '[MQTT-3.14.2-3] [MQTT-3.14.2-4] DISCONNECT has words where they fit, and no user properties',
    steps: [
      connect('a', { properties: { maximumPacketSize: 23 } }),
      sendHex('a', 'c1 00'),
      expectHex('a', 'e0 * 81 { 1f "malformed packet" }'),
      closed('a'),
      connect('b', { properties: { maximumPacketSize: 22 } }),
      sendHex('b', 'c1 00'),
      expectHex('b', 'e0 01 81'),
      closed('b'),
    ],
  },
  {
    name: '[MQTT-3.14.4-1] [MQTT-3.14.4-2] DISCONNECT of the broker is its last packet, and it closes',
    steps: [
      connect('a'),
      send('a', subscribe(1, 't')),
      expect('a', suback(1, 2)),
      sendHex('a', 'c1 00 c0 00 30 * "t" {} 78'),
      disconnected('a', 0x81),
    ],
  },
  {
    name: '[MQTT-3.14.4-1] what a client sends after DISCONNECT is not looked at',
    steps: [
      connect('w'),
      send('w', subscribe(1, 't')),
      expect('w', suback(1, 2)),
      connect('a', { properties: { sessionExpiry: 100 } }),
      send('a', subscribe(1, 'a')),
      expect('a', suback(1, 2)),
      send(
        'a',
        { type: 14, reasonCode: 0, properties: {} },
        publish('t', 'x', { qos: 1 }),
        unsubscribe(2, 'a'),
        pingreq,
      ),
      closed('a'),
      silent('w'),
      connect('a', { cleanStart: false }, { sessionPresent: true }),
      send('w', publish('a', 'still')),
      expect('a', publishOf('a', 'still')),
    ],
  },
  {
    name: '[MQTT-3.14.4-3] DISCONNECT with reason 0 discards the will, in each of its forms',
    steps: [
      connect('w'),
      send('w', subscribe(1, 'will')),
      expect('w', suback(1, 2)),
      ...['e0 00', 'e0 01 00', 'e0 02 00 00'].flatMap((bytes) => [
        connect('a', { will: willOf('will', 'gone') }),
        sendHex('a', bytes),
        closed('a'),
      ]),
      silent('w'),
      connect('a', { will: willOf('will', 'gone') }),
      drop('a'),
      expect('w', publishOf('will', 'gone')),
    ],
  },
  {
    name: 'a broker that closes says so, and where to go instead',
    steps: [connect('a'), check((run) => void run.server.broker.close()), disconnected('a', 0x8b)],
  },
  {
    name: 'a broker that closes in favour of another names it',
    steps: [
      connect('a'),
      check((run) => void run.server.broker.close({ serverReference: 'other.example', isPermanent: false })),
      disconnected('a', 0x9c, { serverReference: 'other.example' }),
    ],
  },
];

/** Bytes of a connected client that break the rules, and the reason with which it is disconnected. */
const offences: readonly (readonly [string, string, number])[] = [
  ['packet type 0', '00 00', 0x81],
  ['CONNACK of a client', '20 03 00 00 00', 0x82],
  ['SUBACK of a client', '90 * 0001 {} 00', 0x82],
  ['UNSUBACK of a client', 'b0 * 0001 {} 00', 0x82],
  ['PINGRESP of a client', 'd0 00', 0x82],
  ['PUBACK cut short', '40 01 00', 0x81],
  ['PINGREQ with a body', 'c0 01 00', 0x81],
  ['PUBLISH without a body', '30 00', 0x81],
  ['an unknown property', '30 * "t" { 7f 01 } 78', 0x81],
  ['a property that is cut short', '30 * "t" { 02 00 } 78', 0x81],
  ['a property of another packet', '30 * "t" { 11 00000001 } 78', 0x81],
  ['an empty topic without alias', '30 * 0000 {} 78', 0x82],
];

const errors: readonly WireCase[] = [
  ...offences.map(([what, bytes, reasonCode]) =>
    refused(`[MQTT-4.13.1-1] [MQTT-4.13.2-1] ${what} ends the connection`, bytes, reasonCode),
  ),
  {
    name: '[MQTT-4.13.2-1] a CONNACK with reason 0x80 or above is followed by the end',
    profile: { authenticator: { authenticate: () => ({ reasonCode: 0x89, detail: 'busy' }) } },
    steps: [tryConnect('a'), expect('a', connack(0x89)), closed('a')],
  },
  {
    name: '[MQTT-4.13.1-1] one client’s offence is nobody else’s',
    steps: [
      connect('w'),
      send('w', subscribe(1, 't')),
      expect('w', suback(1, 2)),
      connect('a'),
      sendHex('a', '30 05 "t" {} 31 00 00 30 05 "t" {} 32'),
      disconnected('a', 0x81),
      expect('w', publishOf('t', '1')),
      silent('w'),
    ],
  },
];

wireCases(5, [...ping, ...disconnect, ...errors]);
