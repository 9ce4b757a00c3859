/** MQTT 5, 3.2: CONNACK. */
import {
  closed,
  connect,
  disconnected,
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
  pingreq,
  pingresp,
  puback,
  publish,
  publishOf,
  suback,
  subscribe,
  willOf,
} from '../../helpers/wire-packets.ts';

/** Refuses whoever has a user name, with that reason. */
const refusing: WireCase['profile'] = {
  authenticator: {
    authenticate: ({ username }) =>
      username === undefined
        ? { reasonCode: 0, name: null }
        : { reasonCode: Number(username) as 0x86, detail: 'for the log only' },
  },
};

/** The reasons of an authenticator that CONNACK knows. */
const refusals = [0x80, 0x83, 0x85, 0x86, 0x87, 0x88, 0x89, 0x8a, 0x97, 0x9f];

const cases: readonly WireCase[] = [
  {
    name: '[MQTT-3.2.0-1] CONNACK comes first, then what waits for the client',
    steps: [
      connect('a', { properties: { sessionExpiry: 100 } }),
      send('a', subscribe(1, 't')),
      expect('a', suback(1, 2)),
      leave('a'),
      connect('b'),
      send('b', publish('t', 'x', { qos: 1 })),
      expect('b', puback(1)),
      open('a'),
      send('a', connectPacket('a', 5, { cleanStart: false }), pingreq),
      expect('a', { ...connack(0), sessionPresent: true }, publishOf('t', 'x'), pingresp),
    ],
  },
  {
    name: '[MQTT-3.2.0-2] there is one CONNACK: not even a second CONNECT gets another',
    steps: [connect('a'), send('a', connectPacket('a', 5)), disconnected('a', 0x82)],
  },
  {
    name: '[MQTT-3.2.2-1] of the acknowledge flags only session present is ever set',
    steps: [
      open('a'),
      sendHex('a', '10 * "MQTT" 05 02 0000 { 11 00000064 } "a"'),
      expectHex('a', '20 * 00 00 { 22 000a 27 00100000 21 0064 }'),
      leave('a'),
      open('a'),
      sendHex('a', '10 * "MQTT" 05 00 0000 {} "a"'),
      expectHex('a', '20 * 01 00 { 22 000a 27 00100000 21 0064 }'),
    ],
  },
  {
    name: '[MQTT-3.2.2-6] a refusal has no session present, even where there is a session',
    profile: refusing,
    steps: [
      connect('a', { properties: { sessionExpiry: 100 } }),
      leave('a'),
      open('a'),
      send('a', connectPacket('a', 5, { cleanStart: false, username: '135' })),
      expect('a', { type: 2, sessionPresent: false, reasonCode: 0x87 }),
      closed('a'),
    ],
  },
  ...refusals.map((reasonCode): WireCase => ({
    name: `[MQTT-3.2.2-7] [MQTT-3.2.2-8] refused with reason ${reasonCode}, and the end`,
    profile: refusing,
    steps: [tryConnect('a', { username: String(reasonCode) }), expect('a', connack(reasonCode)), closed('a')],
  })),
  {
    name: '[MQTT-3.2.2-9] [MQTT-3.2.2-10] [MQTT-3.2.2-12] [MQTT-3.2.2-13] every QoS and retain are supported: nothing else is announced, and a will may have both',
    steps: [
      connect(
        'a',
        { will: willOf('w', 'x', { qos: 2, retain: true }) },
        {
          properties: {
            maximumQos: undefined,
            retainAvailable: undefined,
            wildcardSubscriptionAvailable: undefined,
            subscriptionIdentifiersAvailable: undefined,
            sharedSubscriptionAvailable: undefined,
          },
        },
      ),
      send(
        'a',
        subscribe(1, [
          { filter: '0', qos: 0 },
          { filter: '1', qos: 1 },
          { filter: '2', qos: 2 },
        ]),
      ),
      expect('a', suback(1, 0, 1, 2)),
      send('a', publish('2', 'x', { qos: 2, packetId: 1 })),
      expect('a', publishOf('2', 'x', { qos: 2 }), { type: 5, packetId: 1, reasonCode: 0 }),
    ],
  },
  {
    name: '[MQTT-3.2.2-9] [MQTT-3.2.2-10] a broker that is told to take QoS 0 alone says so, grants that much, and ends who sends more',
    limits: { maximumQos: 0 },
    steps: [
      connect('a', {}, { properties: { maximumQos: 0 } }),
      send('a', subscribe(1, [{ filter: 't', qos: 2 }])),
      expect('a', suback(1, 0)),
      send('a', publish('t', 'x', { qos: 1, packetId: 1 })),
      disconnected('a', 0x9b),
    ],
  },
  {
    name: '[MQTT-3.2.2-12] a will above the maximum QoS is refused',
    limits: { maximumQos: 1 },
    steps: [tryConnect('a', { will: willOf('w', 'x', { qos: 2 }) }), expect('a', connack(0x9b)), closed('a')],
  },
  {
    name: '[MQTT-3.2.2-13] a retained will is refused where nothing is retained, and so is a retained message',
    limits: { retainAvailable: false },
    steps: [
      tryConnect('a', { will: willOf('w', 'x', { retain: true }) }),
      expect('a', connack(0x9a)),
      closed('a'),
      connect('b', {}, { properties: { retainAvailable: false } }),
      send('b', publish('t', 'x', { retain: true })),
      disconnected('b', 0x9a),
    ],
  },
  {
    name: '[MQTT-3.2.2-15] a packet above the maximum of this broker ends the connection',
    limits: { maximumPacketSize: 100 },
    steps: [
      connect('a', {}, { properties: { maximumPacketSize: 100 } }),
      send('a', subscribe(1, 't')),
      expect('a', suback(1, 2)),
      send('a', publish('t', 'x'.repeat(94))),
      expect('a', publishOf('t', 'x'.repeat(94))),
      send('a', publish('t', 'x'.repeat(95))),
      disconnected('a', 0x95),
    ],
  },
  {
    name: '[MQTT-3.2.2-17] an alias above the maximum of this broker ends the connection',
    limits: { topicAliasMaximum: 2 },
    steps: [
      connect('a', {}, { properties: { topicAliasMaximum: 2 } }),
      send('a', publish('t', 'x', { properties: { topicAlias: 3 } })),
      disconnected('a', 0x94),
    ],
  },
  {
    name: '[MQTT-3.2.2-18] where no aliases are announced, none is taken',
    limits: { topicAliasMaximum: 0 },
    steps: [
      connect('a'),
      send('a', publish('t', 'x', { properties: { topicAlias: 1 } })),
      disconnected('a', 0x94),
    ],
  },
  {
    name: '[MQTT-3.2.2-19] [MQTT-3.2.2-20] a refusal has words where they fit, and no user properties',
    profile: refusing,
    steps: [
      tryConnect('a', { username: '135' }),
      expectHex('a', '20 * 00 87 { 1f "not authorized" }'),
      closed('a'),
      tryConnect('b', { username: '135', properties: { maximumPacketSize: 22 } }),
      expectHex('b', '20 * 00 87 { 1f "not authorized" }'),
      closed('b'),
      tryConnect('c', { username: '135', properties: { maximumPacketSize: 21 } }),
      expectHex('c', '20 03 00 87 00'),
      closed('c'),
      tryConnect('d', { username: '135', properties: { maximumPacketSize: 4 } }),
      closed('d'),
    ],
  },
  {
    name: 'a session expiry that is cut is told',
    limits: { maximumSessionExpirySeconds: 60 },
    steps: [
      connect('a', { properties: { sessionExpiry: 61 } }, { properties: { sessionExpiry: 60 } }),
      connect('b', { properties: { sessionExpiry: 60 } }, { properties: { sessionExpiry: undefined } }),
    ],
  },
  {
    name: 'a client that is sent elsewhere is told where, for now or for good',
    broker: {
      redirect: ({ clientId }) =>
        clientId === 'stays'
          ? null
          : { serverReference: 'other.example:8883', isPermanent: clientId === 'for-good' },
    },
    steps: [
      connect('stays'),
      tryConnect('for-now'),
      expect('for-now', connack(0x9c, { serverReference: 'other.example:8883' })),
      closed('for-now'),
      tryConnect('for-good'),
      expect('for-good', connack(0x9d, { serverReference: 'other.example:8883' })),
      closed('for-good'),
      silent('stays'),
    ],
  },
];

wireCases(5, cases);
