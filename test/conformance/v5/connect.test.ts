/** MQTT 5, 3.1: CONNECT, its form, its payload and what follows from it; the will has a table of its own. */
import assert from 'node:assert/strict';
import type { Authenticator, ListenerProfile } from '#broker';
import { openAuthorizer } from '../../helpers/broker-harness.ts';
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
  connectPacket,
  pingreq,
  pingresp,
  publish,
  publishOf,
  suback,
  subscribe,
  willOf,
} from '../../helpers/wire-packets.ts';
import { refusedConnect as refused } from './common-cases.ts';

/** Lets in whoever says `user` and `secret`. */
const passwords: Authenticator = {
  authenticate: ({ username, password }) =>
    username === 'user' && password?.toString() === 'secret'
      ? { reasonCode: 0, name: username }
      : { reasonCode: 0x86, detail: 'wrong password' },
};

const begin: readonly WireCase[] = [
  {
    name: '[MQTT-3.1.0-1] a first packet other than CONNECT ends the connection',
    steps: [open('a'), sendHex('a', '30 * "t" {} 78'), closed('a')],
  },
  {
    name: '[MQTT-3.1.0-2] a second CONNECT is a protocol error',
    steps: [connect('a'), sendHex('a', '10 * "MQTT" 05 02 0000 {} "a"'), disconnected('a', 0x82)],
  },
  refused('[MQTT-3.1.2-1] another protocol name', '10 * "MQTX" 05 02 0000 {} "a"', 0x84),
  refused('[MQTT-3.1.2-2] a protocol version that is to come', '10 * "MQTT" 06 02 0000 {} "a"', 0x84),
  refused('[MQTT-3.1.2-3] the reserved flag is set', '10 * "MQTT" 05 03 0000 {} "a"', 0x81),
  refused('[MQTT-3.1.2-16] a user name without its flag', '10 * "MQTT" 05 02 0000 {} "a" "user"', 0x81),
  refused('[MQTT-3.1.2-17] a user name flag without its name', '10 * "MQTT" 05 82 0000 {} "a"', 0x81),
  refused('[MQTT-3.1.2-18] a password without its flag', '10 * "MQTT" 05 82 0000 {} "a" "u" "p"', 0x81),
  refused('[MQTT-3.1.2-19] a password flag without password', '10 * "MQTT" 05 42 0000 {} "a"', 0x81),
  {
    name: '[MQTT-3.1.2-17] [MQTT-3.1.2-19] user name and password are taken as they come, the latter alone too',
    profile: {
      authenticator: {
        authenticate: ({ username, password }) => {
          assert.equal(username, undefined);
          assert.equal(password?.toString('hex'), '00ff');
          return { reasonCode: 0, name: null };
        },
      },
    },
    steps: [open('a'), sendHex('a', '10 * "MQTT" 05 42 0000 {} "a" 0002 00ff'), expect('a', connack(0))],
  },
];

const payload: readonly WireCase[] = [
  {
    name: '[MQTT-3.1.3-1] client id, will, user name and password stand in this order',
    profile: { authenticator: passwords },
    steps: [
      open('a'),
      sendHex('a', '10 * "MQTT" 05 c6 0000 {} "a" {} "will" "gone" "user" "secret"'),
      expect('a', connack(0)),
      connect('b', { username: 'user', password: Buffer.from('secret') }),
      send('b', subscribe(1, 'will')),
      expect('b', suback(1, 2)),
      drop('a'),
      expect('b', publishOf('will', 'gone')),
    ],
  },
  refused('[MQTT-3.1.3-3] CONNECT without a client id', '10 * "MQTT" 05 02 0000 {}', 0x81),
  refused('[MQTT-3.1.3-4] a client id that is not UTF-8', '10 * "MQTT" 05 02 0000 {} 0002 c0 af', 0x81),
  {
    name: '[MQTT-3.1.3-5] client ids of 1 to 23 letters and digits are taken',
    steps: ['0', '0123456789abcdefghijklm', 'nopqrstuvwxyzABCDEFGHIJ', 'KLMNOPQRSTUVWXYZ'].map((id) =>
      connect(id),
    ),
  },
  {
    name: '[MQTT-3.1.3-6] [MQTT-3.1.3-7] [MQTT-3.2.2-16] an empty client id is replaced by a new one, which is then as good as any',
    steps: [
      open('a'),
      send('a', connectPacket('', 5, { properties: { sessionExpiry: 10 } })),
      check(async (run) => {
        const first = (await run.client('a').receive()).packet;
        assert.ok(first.type === 2 && first.reasonCode === 0);
        const assigned = first.properties.assignedClientIdentifier ?? '';
        assert.match(assigned, /^[0-9a-zA-Z-]{8,}$/);
        await open('b')(run);
        run.client('b').send(connectPacket('', 5));
        const second = (await run.client('b').receive()).packet;
        assert.ok(second.type === 2 && second.properties.assignedClientIdentifier !== assigned);
        await leave('a')(run);
        await connect(
          assigned,
          { cleanStart: false },
          { sessionPresent: true, properties: { assignedClientIdentifier: undefined } },
        )(run);
      }),
    ],
  },
  {
    name: '[MQTT-3.1.3-8] a client id that belongs to another user is refused, and the connection ends',
    steps: [
      connect('a', { username: 'x', properties: { sessionExpiry: 10 } }),
      leave('a'),
      tryConnect('a', { username: 'y' }),
      expect('a', connack(0x87)),
      closed('a'),
    ],
  },
  refused('[MQTT-3.1.3-12] a user name that is not UTF-8', '10 * "MQTT" 05 82 0000 {} "a" 0001 ff', 0x81),
];

const actions: readonly WireCase[] = [
  refused('[MQTT-3.1.4-1] bytes after the payload', '10 * "MQTT" 05 02 0000 {} "a" 00', 0x81),
  refused(
    '[MQTT-3.1.4-1] a property that stands twice',
    '10 * "MQTT" 05 02 0000 { 21 0001 21 0001 } "a"',
    0x82,
  ),
  refused('[MQTT-3.1.4-1] a property of another packet', '10 * "MQTT" 05 02 0000 { 23 0001 } "a"', 0x81),
  refused('[MQTT-3.1.4-1] receive maximum 0', '10 * "MQTT" 05 02 0000 { 21 0000 } "a"', 0x82),
  refused('[MQTT-3.1.4-1] maximum packet size 0', '10 * "MQTT" 05 02 0000 { 27 00000000 } "a"', 0x82),
  refused('[MQTT-3.1.4-1] request problem information 2', '10 * "MQTT" 05 02 0000 { 17 02 } "a"', 0x82),
  refused(
    '[MQTT-3.1.4-1] authentication data without a method',
    '10 * "MQTT" 05 02 0000 { 16 0001 00 } "a"',
    0x82,
  ),
  {
    name: '[MQTT-3.1.4-2] [MQTT-3.2.2-7] who is not let in is told so, and the connection ends',
    profile: { authenticator: passwords },
    steps: [
      tryConnect('a', { username: 'user', password: Buffer.from('wrong') }),
      expect('a', connack(0x86)),
      closed('a'),
      tryConnect('b'),
      expect('b', connack(0x86)),
      closed('b'),
    ],
  },
  {
    name: '[MQTT-3.1.4-2] a client whose will may not be published is refused',
    profile: {
      authorizer: { ...openAuthorizer, mayPublish: () => false },
    },
    steps: [tryConnect('a', { will: willOf('w', 'x') }), expect('a', connack(0x87)), closed('a')],
  },
  {
    name: '[MQTT-3.1.4-5] [MQTT-3.2.2-1] CONNECT is answered with CONNACK: no flags, reason 0, the limits of this broker',
    limits: { receiveMaximum: 7, maximumPacketSize: 4096, topicAliasMaximum: 3 },
    steps: [
      open('a'),
      sendHex('a', '10 * "MQTT" 05 02 0000 {} "a"'),
      expectHex('a', '20 * 00 00 { 22 0003 27 00001000 21 0007 }'),
    ],
  },
  {
    name: '[MQTT-3.1.4-6] what comes after a refused CONNECT is not looked at',
    profile: refuses('a'),
    steps: [
      connect('b'),
      send('b', subscribe(1, 't')),
      expect('b', suback(1, 2)),
      open('a'),
      send('a', connectPacket('a', 5), publish('t', 'x'), subscribe(1, 't'), pingreq),
      expect('a', connack(0x87)),
      closed('a'),
      silent('b'),
    ],
  },
  {
    name: '[MQTT-3.1.4-6] [MQTT-3.2.0-1] what is sent ahead of a CONNACK that takes its time is handled after it',
    profile: { authenticator: { authenticate: () => Promise.resolve({ reasonCode: 0, name: null }) } },
    steps: [
      open('a'),
      send('a', connectPacket('a', 5), subscribe(1, 't'), publish('t', 'x'), pingreq),
      expect('a', connack(0), suback(1, 2), publishOf('t', 'x'), pingresp),
    ],
  },
];

function refuses(clientId: string): Partial<ListenerProfile> {
  return {
    authenticator: {
      authenticate: (credentials) =>
        credentials.clientId === clientId
          ? Promise.resolve({ reasonCode: 0x87, detail: 'not this one' })
          : { reasonCode: 0, name: null },
    },
  };
}

wireCases(5, [...begin, ...payload, ...actions]);
