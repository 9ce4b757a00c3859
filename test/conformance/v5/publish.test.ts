/** MQTT 5, 3.3.1 and 3.3.2: the flags, the topic and the properties of PUBLISH. */
import {
  advance,
  connect,
  disconnected,
  drop,
  expect,
  expectHex,
  leave,
  send,
  sendHex,
  silent,
  wireCases,
  type Step,
  type WireCase,
} from '../../helpers/wire-case.ts';
import { puback, publish, publishOf, suback, subscribe } from '../../helpers/wire-packets.ts';

/** A client that takes everything below `t`, with the retain flag as published. */
const subscriber = (name = 's'): readonly Step[] => [
  connect(name),
  send(name, subscribe(1, { filter: 't/#', qos: 2, retainAsPublished: true })),
  expect(name, suback(1, 2)),
];

function refused(name: string, bytes: string, reasonCode: number): WireCase {
  return {
    name,
    steps: [...subscriber(), connect('a'), sendHex('a', bytes), disconnected('a', reasonCode), silent('s')],
  };
}

/** What a new subscriber of `filter` finds retained. */
const finds = (
  name: string,
  filter: string,
  ...expected: readonly ReturnType<typeof publishOf>[]
): readonly Step[] => [
  connect(name),
  send(name, subscribe(1, filter)),
  expect(name, suback(1, 2), ...expected),
  silent(name),
];

const flags: readonly WireCase[] = [
  {
    name: '[MQTT-3.3.1-1] a message that is delivered again says so; one that waited does not',
    steps: [
      connect('s', { properties: { sessionExpiry: 100, receiveMaximum: 2 } }),
      send('s', subscribe(1, 't/#')),
      expect('s', suback(1, 2)),
      connect('a'),
      send('a', publish('t/1', '1', { qos: 1, packetId: 1 }), publish('t/2', '2', { qos: 1, packetId: 2 })),
      send('a', publish('t/3', '3', { qos: 1, packetId: 3 })),
      expect(
        's',
        publishOf('t/1', '1', { dup: false, packetId: 1 }),
        publishOf('t/2', '2', { dup: false, packetId: 2 }),
      ),
      silent('s'),
      drop('s'),
      connect('s', { cleanStart: false, properties: { sessionExpiry: 100 } }, { sessionPresent: true }),
      expect(
        's',
        publishOf('t/1', '1', { dup: true, packetId: 1 }),
        publishOf('t/2', '2', { dup: true, packetId: 2 }),
      ),
      expect('s', publishOf('t/3', '3', { dup: false, packetId: 3 })),
    ],
  },
  refused('[MQTT-3.3.1-2] DUP at QoS 0', '38 * "t/x" {} 78', 0x81),
  {
    name: '[MQTT-3.3.1-2] [MQTT-3.3.1-3] DUP is not passed on, at any QoS of the receiver',
    steps: [
      ...subscriber(),
      connect('o'),
      send('o', subscribe(1, { filter: 't/#', qos: 0 })),
      expect('o', suback(1, 0)),
      connect('a'),
      send('a', publish('t/x', 'x', { qos: 1, dup: true, packetId: 9 })),
      expect('s', publishOf('t/x', 'x', { qos: 1, dup: false })),
      expectHex('o', '30 * "t/x" {} 78'),
    ],
  },
  refused('[MQTT-3.3.1-4] QoS 3', '36 * "t/x" 0001 {} 78', 0x81),
  {
    name: '[MQTT-3.3.1-5] a retained message replaces the one before, with its QoS',
    steps: [
      connect('a'),
      send('a', publish('t/x', 'old', { retain: true })),
      send('a', publish('t/x', 'new', { retain: true, qos: 1, packetId: 1 })),
      expect('a', puback(1, 0x10)),
      ...finds('s', 't/#', publishOf('t/x', 'new', { retain: true, qos: 1 })),
    ],
  },
  {
    name: '[MQTT-3.3.1-6] [MQTT-3.3.1-7] an empty retained message is delivered, removes the one before, and is not kept',
    steps: [
      ...subscriber(),
      connect('a'),
      send('a', publish('t/x', 'old', { retain: true }), publish('t/x', '', { retain: true })),
      expect('s', publishOf('t/x', 'old', { retain: true }), publishOf('t/x', '', { retain: true })),
      ...finds('l', 't/#'),
    ],
  },
  {
    name: '[MQTT-3.3.1-8] a message without the retain flag leaves what is retained alone, an empty one too',
    steps: [
      connect('a'),
      send('a', publish('t/x', 'kept', { retain: true }), publish('t/x', 'other'), publish('t/x', '')),
      silent('a'),
      ...finds('l', 't/#', publishOf('t/x', 'kept', { retain: true })),
    ],
  },
  {
    name: '[MQTT-3.3.1-9] retain handling 0 sends what is retained, at each SUBSCRIBE',
    steps: [
      connect('a'),
      send('a', publish('t/1', '1', { retain: true }), publish('u', 'no', { retain: true })),
      silent('a'),
      ...finds('l', 't/#', publishOf('t/1', '1', { retain: true })),
      send('l', subscribe(2, 't/#')),
      expect('l', suback(2, 2), publishOf('t/1', '1', { retain: true })),
      silent('l'),
    ],
  },
  {
    name: '[MQTT-3.3.1-10] retain handling 1 sends what is retained only for a new subscription',
    steps: [
      connect('a', { properties: { sessionExpiry: 100 } }),
      send('a', publish('t/1', '1', { retain: true }), subscribe(1, { filter: 't/#', retainHandling: 1 })),
      expect('a', suback(1, 2), publishOf('t/1', '1', { retain: true, qos: 0 })),
      send('a', subscribe(2, { filter: 't/#', retainHandling: 1, qos: 1 })),
      expect('a', suback(2, 1)),
      silent('a'),
      leave('a'),
      connect('a', { cleanStart: false }, { sessionPresent: true }),
      send('a', subscribe(3, { filter: 't/#', retainHandling: 1 })),
      expect('a', suback(3, 2)),
      silent('a'),
    ],
  },
  {
    name: '[MQTT-3.3.1-11] retain handling 2 sends nothing that is retained',
    steps: [
      connect('a'),
      send('a', publish('t/1', '1', { retain: true }), subscribe(1, { filter: 't/#', retainHandling: 2 })),
      expect('a', suback(1, 2)),
      silent('a'),
    ],
  },
  {
    name: '[MQTT-3.3.1-12] [MQTT-3.3.1-13] retain as published decides about the flag of a message as it comes by',
    steps: [
      connect('0'),
      send('0', subscribe(1, { filter: 't', retainAsPublished: false })),
      expect('0', suback(1, 2)),
      connect('1'),
      send('1', subscribe(1, { filter: 't', retainAsPublished: true })),
      expect('1', suback(1, 2)),
      connect('a'),
      send('a', publish('t', 'r', { retain: true }), publish('t', 'n', { retain: false })),
      expect('0', publishOf('t', 'r', { retain: false }), publishOf('t', 'n', { retain: false })),
      expect('1', publishOf('t', 'r', { retain: true }), publishOf('t', 'n', { retain: false })),
    ],
  },
  {
    name: '[MQTT-3.3.1-13] retain as published holds for a shared subscription as well',
    steps: [
      connect('s'),
      send('s', subscribe(1, { filter: '$share/g/t', retainAsPublished: true })),
      expect('s', suback(1, 2)),
      send('s', publish('t', 'x', { retain: true })),
      expect('s', publishOf('t', 'x', { retain: true })),
    ],
  },
];

const topics: readonly WireCase[] = [
  refused('[MQTT-3.3.2-1] a topic longer than the packet', '30 04 0009 61 62', 0x81),
  refused('[MQTT-3.3.2-1] a topic that is not UTF-8', '30 * 0001 fe {} 78', 0x81),
  refused('[MQTT-3.3.2-2] a topic with +', '30 * "t/+" {} 78', 0x90),
  refused('[MQTT-3.3.2-2] a topic with #', '30 * "t/#" {} 78', 0x90),
  {
    name: '[MQTT-3.3.2-3] the topic that is sent is the one that was published, and matches the filter',
    steps: [
      connect('s'),
      send('s', subscribe(1, [{ filter: 't/+/x' }, { filter: 'u' }])),
      expect('s', suback(1, 2, 2)),
      send('s', ...['t/a/x', 't/a', 't/a/x/y', 'U', 'u/', 'u'].map((topic) => publish(topic, topic))),
      expect('s', publishOf('t/a/x', 't/a/x'), publishOf('u', 'u')),
      silent('s'),
    ],
  },
];

const everything = {
  payloadFormat: 1,
  contentType: 'text/plain; é',
  responseTopic: 'answers/é',
  correlationData: Buffer.from([0, 0xff, 1]),
  userProperties: [
    ['k', '1'],
    ['a', '2'],
    ['k', '1'],
    ['', ''],
  ],
} as const;

const expected = { ...everything, correlationData: '\u0000\u00ff\u0001' };

const properties: readonly WireCase[] = [
  {
    name: '[MQTT-3.3.2-4] [MQTT-3.3.2-15] [MQTT-3.3.2-16] [MQTT-3.3.2-17] [MQTT-3.3.2-18] [MQTT-3.3.2-20] the properties of a message reach every subscriber unaltered and in order',
    steps: [
      ...subscriber(),
      connect('o', { properties: { topicAliasMaximum: 5 } }),
      send('o', subscribe(1, { filter: 't/#', qos: 0 }, 7)),
      expect('o', suback(1, 0)),
      connect('a'),
      send('a', publish('t/x', 'x', { qos: 1, retain: true, properties: everything })),
      expect('s', publishOf('t/x', 'x', { properties: expected })),
      expect('o', publishOf('t/x', 'x', { properties: { ...expected, subscriptionIdentifiers: [7] } })),
      ...finds('l', 't/#', publishOf('t/x', 'x', { properties: expected })),
    ],
  },
  ...([0, 1] as const).map((payloadFormat): WireCase => ({
    name: `[MQTT-3.3.2-4] payload format ${payloadFormat} is passed on`,
    steps: [
      ...subscriber(),
      send('s', publish('t/x', 'x', { properties: { payloadFormat } })),
      expect('s', publishOf('t/x', 'x', { properties: { payloadFormat } })),
    ],
  })),
  refused('[MQTT-3.3.2-4] a payload format that does not exist', '30 * "t" { 01 02 } 78', 0x82),
  {
    name: 'a payload that is not the UTF-8 it is said to be is passed on, unless it is checked',
    steps: [
      ...subscriber(),
      sendHex('s', '30 * "t/x" { 01 01 } ff'),
      expect('s', publishOf('t/x', '\u00ff', { properties: { payloadFormat: 1 } })),
    ],
  },
  {
    name: 'where it is checked, a payload that is not the UTF-8 it is said to be is refused',
    limits: { checkPayloadFormat: true },
    steps: [
      ...subscriber(),
      sendHex('s', '32 * "t/x" 0001 { 01 01 } ff'),
      expect('s', puback(1, 0x99)),
      sendHex('s', '34 * "t/x" 0002 { 01 01 } c3'),
      expect('s', { type: 5, packetId: 2, reasonCode: 0x99 }),
      sendHex('s', '30 * "t/x" { 01 01 } ff'),
      silent('s'),
      sendHex('s', '30 * "t/x" { 01 01 } c3 a9'),
      expect('s', publishOf('t/x', '\u00c3\u00a9')),
      sendHex('s', '30 * "t/x" { 01 00 } ff'),
      expect('s', publishOf('t/x', '\u00ff')),
    ],
  },
  {
    name: '[MQTT-3.3.2-5] a message that expires before it could be sent is not sent',
    steps: [
      connect('s', { properties: { sessionExpiry: 100 } }),
      send('s', subscribe(1, 't/#')),
      expect('s', suback(1, 2)),
      leave('s'),
      connect('a'),
      send('a', publish('t/1', '1', { qos: 1, packetId: 1, retain: true, properties: { messageExpiry: 5 } })),
      send('a', publish('t/2', '2', { qos: 1, packetId: 2, properties: { messageExpiry: 50 } })),
      expect('a', puback(1), puback(2)),
      advance(5000),
      connect('s', { cleanStart: false }, { sessionPresent: true }),
      expect('s', publishOf('t/2', '2')),
      silent('s'),
      ...finds('l', 't/#'),
    ],
  },
  {
    name: '[MQTT-3.3.2-6] the expiry that is sent is what is left of it',
    steps: [
      connect('s', { properties: { sessionExpiry: 100 } }),
      send('s', subscribe(1, 't/#')),
      expect('s', suback(1, 2)),
      connect('a'),
      send('a', publish('t/1', 'at once', { properties: { messageExpiry: 30 } })),
      expect('s', publishOf('t/1', 'at once', { properties: { messageExpiry: 30 } })),
      leave('s'),
      send('a', publish('t/1', 'later', { qos: 1, retain: true, properties: { messageExpiry: 30 } })),
      expect('a', puback(1)),
      advance(10_000),
      connect('s', { cleanStart: false }, { sessionPresent: true }),
      expect('s', publishOf('t/1', 'later', { properties: { messageExpiry: 20 } })),
      advance(5000),
      ...finds('l', 't/#', publishOf('t/1', 'later', { retain: true, properties: { messageExpiry: 15 } })),
    ],
  },
  {
    name: '[MQTT-3.3.2-7] an alias ends with its connection, in both directions',
    steps: [
      connect('s', { properties: { sessionExpiry: 100, topicAliasMaximum: 1 } }),
      send('s', subscribe(1, { filter: 't', qos: 1 })),
      expect('s', suback(1, 1)),
      send('s', publish('t', 'x', { properties: { topicAlias: 1 } })),
      expect('s', publishOf('t', 'x', { properties: { topicAlias: 1 } })),
      leave('s'),
      connect('s', { cleanStart: false, properties: { sessionExpiry: 100, topicAliasMaximum: 1 } }),
      send('s', publish('t', 'y')),
      expect('s', publishOf('t', 'y', { properties: { topicAlias: 1 } })),
      send('s', publish('', 'z', { properties: { topicAlias: 1 } })),
      disconnected('s', 0x82),
    ],
  },
  refused('[MQTT-3.3.2-8] alias 0', '30 * "t" { 23 0000 } 78', 0x94),
  refused('[MQTT-3.3.2-9] an alias above the maximum', '30 * "t" { 23 000b } 78', 0x94),
  {
    name: '[MQTT-3.3.2-12] every alias up to the maximum is taken, set anew and used',
    limits: { topicAliasMaximum: 3 },
    steps: [
      ...subscriber(),
      connect('a'),
      ...[1, 2, 3].map((topicAlias) =>
        send('a', publish(`t/${topicAlias}`, 'set', { properties: { topicAlias } })),
      ),
      ...[3, 1, 2].map((topicAlias) => send('a', publish('', 'used', { properties: { topicAlias } }))),
      send(
        'a',
        publish('t/new', 'set', { properties: { topicAlias: 1 } }),
        publish('', 'used', { properties: { topicAlias: 1 } }),
      ),
      expect('s', publishOf('t/1', 'set'), publishOf('t/2', 'set'), publishOf('t/3', 'set')),
      expect('s', publishOf('t/3', 'used'), publishOf('t/1', 'used'), publishOf('t/2', 'used')),
      expect(
        's',
        publishOf('t/new', 'set', { properties: { topicAlias: undefined } }),
        publishOf('t/new', 'used'),
      ),
    ],
  },
  refused('[MQTT-3.3.2-12] an alias that was never set', '30 * 0000 { 23 0001 } 78', 0x82),
  refused('[MQTT-3.3.2-13] a response topic that is not UTF-8', '30 * "t/x" { 08 0001 ff } 78', 0x81),
  refused('[MQTT-3.3.2-14] a response topic with +', '30 * "t/x" { 08 "r/+" } 78', 0x82),
  refused('[MQTT-3.3.2-14] a response topic with #', '30 * "t/x" { 08 "#" } 78', 0x82),
  refused('[MQTT-3.3.2-19] a content type that is not UTF-8', '30 * "t/x" { 03 0001 ff } 78', 0x81),
  ...['01 00', '02 00000001', '03 "x"', '08 "x"', '09 "x"', '23 0001'].map((property) =>
    refused(
      `property ${property.slice(0, 2)} stands twice`,
      `30 * "t/x" { ${property} ${property} } 78`,
      0x82,
    ),
  ),
];

wireCases(5, [...flags, ...topics, ...properties]);
