/** MQTT 5, chapters 1 and 2: strings, integers, flags, packet identifiers, property lengths. */
import {
  closed,
  connect,
  expect,
  expectHex,
  open,
  send,
  sendHex,
  silent,
  wireCases,
  type WireCase,
} from '../../helpers/wire-case.ts';
import {
  publish,
  puback,
  publishOf,
  suback,
  subscribe,
  unsuback,
  unsubscribe,
} from '../../helpers/wire-packets.ts';
import { refused } from './common-cases.ts';

const strings: readonly WireCase[] = [
  refused('[MQTT-1.5.4-1] an overlong UTF-8 sequence is malformed', '30 * 0002 c0 80 {}', 0x81),
  refused('[MQTT-1.5.4-1] an encoded surrogate is malformed', '30 * 0003 ed a0 80 {}', 0x81),
  refused('[MQTT-1.5.4-1] a sequence that is cut short is malformed', '30 * 0002 61 c3 {}', 0x81),
  refused('[MQTT-1.5.4-2] U+0000 in a topic is malformed', '30 * 0003 61 00 62 {}', 0x81),
  refused('[MQTT-1.5.4-2] U+0000 beside other than ASCII is malformed', '30 * 0003 c3 a9 00 {}', 0x81),
  refused('[MQTT-1.5.4-2] U+0000 in a topic filter is malformed', '82 * 0001 {} 0001 00 00', 0x81),
  {
    name: '[MQTT-1.5.4-3] a byte order mark is a character like any other',
    steps: [
      connect('a'),
      send('a', subscribe(1, [{ filter: 't' }, { filter: '\ufefft' }], 1)),
      expect('a', suback(1, 2, 2)),
      sendHex('a', '30 * 0004 ef bb bf 74 {} 78'),
      expect('a', publishOf('\ufefft', 'x', { properties: { subscriptionIdentifiers: [1] } })),
      silent('a'),
    ],
  },
  refused('[MQTT-1.5.7-1] a user property whose name is not UTF-8', '30 * "t" { 26 0001 ff "v" }', 0x81),
  refused('[MQTT-1.5.7-1] a user property whose value has U+0000', '30 * "t" { 26 "k" 0001 00 }', 0x81),
];

const integers: readonly WireCase[] = [
  refused('[MQTT-1.5.5-1] a remaining length with a byte too many', 'c0 80 00', 0x81),
  refused('[MQTT-1.5.5-1] a remaining length of five bytes', '30 80 80 80 80 01', 0x81),
  refused('[MQTT-1.5.5-1] a property length with a byte too many', '30 * "t" 80 00', 0x81),
  {
    name: '[MQTT-1.5.5-1] lengths are sent in as few bytes as they need, at each border',
    steps: [
      connect('a'),
      send('a', subscribe(1, { filter: 't', qos: 0 })),
      expect('a', suback(1, 0)),
      ...[123, 124, 16_379, 16_380].flatMap((length) => {
        const payload = '78'.repeat(length);
        return [sendHex('a', `30 * "t" {} ${payload}`), expectHex('a', `30 * "t" {} ${payload}`)];
      }),
    ],
  },
];

const flags: readonly WireCase[] = [
  {
    name: '[MQTT-2.1.3-1] CONNECT with a flag: nobody has signed in, so there is only the end',
    steps: [open('a'), sendHex('a', '11 * "MQTT" 05 02 0000 {} "a"'), closed('a')],
  },
  refused('[MQTT-2.1.3-1] PUBACK with a flag', '41 02 0001', 0x81),
  refused('[MQTT-2.1.3-1] PUBREC with a flag', '58 02 0001', 0x81),
  refused('[MQTT-2.1.3-1] PUBCOMP with a flag', '72 02 0001', 0x81),
  refused('[MQTT-2.1.3-1] PINGREQ with a flag', 'c4 00', 0x81),
];

const identifiers: readonly WireCase[] = [
  {
    name: '[MQTT-2.2.1-2] at QoS 0 there is no packet identifier, in neither direction',
    steps: [
      connect('a'),
      send('a', subscribe(1, { filter: 't', qos: 2 })),
      expect('a', suback(1, 2)),
      sendHex('a', '30 * "t" 00 00 00'),
      expectHex('a', '30 * "t" 00 00 00'),
    ],
  },
  refused('[MQTT-2.2.1-3] PUBLISH with packet identifier 0', '32 * "t" 0000 {}', 0x82),
  refused('[MQTT-2.2.1-3] SUBSCRIBE with packet identifier 0', '82 * 0000 {} "t" 00', 0x82),
  refused('[MQTT-2.2.1-3] UNSUBSCRIBE with packet identifier 0', 'a2 * 0000 {} "t"', 0x82),
  {
    name: '[MQTT-2.2.1-4] each new message gets an identifier that is neither 0 nor in use',
    limits: { maximumInflight: 3 },
    steps: [
      connect('a'),
      send('a', subscribe(1, { filter: 't', qos: 1 })),
      expect('a', suback(1, 1)),
      connect('b'),
      send('b', publish('t', '1'), publish('t', '2')),
      send(
        'b',
        publish('t', '1', { qos: 1 }),
        publish('t', '2', { qos: 1, packetId: 2 }),
        publish('t', '3', { qos: 1, packetId: 3 }),
      ),
      expect('a', publishOf('t', '1', { qos: 0, packetId: 0 }), publishOf('t', '2', { qos: 0, packetId: 0 })),
      expect('a', publishOf('t', '1', { packetId: 1 }), publishOf('t', '2', { packetId: 2 })),
      expect('a', publishOf('t', '3', { packetId: 3 })),
      send('a', puback(2)),
      silent('a'),
      send('b', publish('t', '4', { qos: 1, packetId: 4 })),
      expect('a', publishOf('t', '4', { packetId: 2 })),
    ],
  },
  {
    name: '[MQTT-2.2.1-5] PUBACK, PUBREC and PUBCOMP carry the identifier of the PUBLISH',
    steps: [
      connect('a'),
      send('a', subscribe(1, { filter: 't', qos: 0 })),
      expect('a', suback(1, 0)),
      connect('b'),
      sendHex('b', '32 * "t" 1234 {}'),
      expectHex('b', '40 02 1234'),
      sendHex('b', '34 * "t" ffff {}'),
      expectHex('b', '50 02 ffff'),
      sendHex('b', '62 02 ffff'),
      expectHex('b', '70 02 ffff'),
    ],
  },
  {
    name: '[MQTT-2.2.1-6] SUBACK and UNSUBACK carry the identifier of the request',
    steps: [
      connect('a'),
      sendHex('a', '82 * abcd {} "t" 01'),
      expectHex('a', '90 * abcd {} 01'),
      send('a', unsubscribe(0xfffe, 't')),
      expect('a', unsuback(0xfffe, 0)),
    ],
  },
  {
    name: '[MQTT-2.2.2-1] where there are no properties, their length 0 is sent',
    steps: [
      connect('a'),
      sendHex('a', '82 * 0001 00 "t" 00'),
      expectHex('a', '90 * 0001 00 00'),
      sendHex('a', '30 * "t" 00 68 69'),
      expectHex('a', '30 * "t" 00 68 69'),
      sendHex('a', 'a2 * 0002 00 "t"'),
      expectHex('a', 'b0 * 0002 00 00'),
    ],
  },
  refused('[MQTT-2.2.2-1] PUBLISH without a property length', '30 * "t"', 0x81),
];

wireCases(5, [...strings, ...integers, ...flags, ...identifiers]);
