/** MQTT 5, 3.1.2.5 and 3.1.3.2: the will. */
import type { Will } from '#mqtt';
import {
  advance,
  closed,
  connect,
  disconnected,
  drop,
  expect,
  leave,
  open,
  send,
  sendHex,
  silent,
  tryConnect,
  wireCases,
  type Step,
  type WireCase,
} from '../../helpers/wire-case.ts';
import {
  connack,
  connectPacket,
  pingresp,
  publishOf,
  suback,
  subscribe,
  willOf,
} from '../../helpers/wire-packets.ts';
import { refusedConnect as refused } from './common-cases.ts';
import { publishProperties } from '../../helpers/broker-harness.ts';

/** A client `w` that sees every will, with its retain flag. */
const watcher: readonly Step[] = [
  connect('w'),
  send('w', subscribe(1, { filter: 'will/#', qos: 2, retainAsPublished: true })),
  expect('w', suback(1, 2)),
];

/** A client `a` with a will, and for how long (in seconds) its session outlives its connection. */
const client = (will: Partial<Will> = {}, sessionExpiry = 0): Step =>
  connect('a', { will: willOf('will/a', 'gone', will), properties: { sessionExpiry } });

const gone = publishOf('will/a', 'gone');

const published: readonly WireCase[] = [
  {
    name: '[MQTT-3.1.2-7] [MQTT-3.1.2-8] the will is published when the connection breaks, not before',
    steps: [...watcher, client(), silent('a', 'w'), drop('a'), expect('w', gone), silent('w')],
  },
  {
    name: '[MQTT-3.1.2-8] the will is published when the keep-alive runs out',
    steps: [
      ...watcher,
      connect('a', { keepAlive: 1, will: willOf('will/a', 'gone') }),
      silent('w'),
      advance(3000),
      expect('w', gone),
      disconnected('a', 0x8d),
    ],
  },
  {
    name: '[MQTT-3.1.2-8] the will is published when the client breaks the protocol',
    steps: [...watcher, client(), sendHex('a', 'c1 00'), disconnected('a', 0x81), expect('w', gone)],
  },
  ...[0x04, 0x80, 0x81, 0x98].map((reasonCode): WireCase => ({
    name: `[MQTT-3.1.2-8] DISCONNECT with reason ${reasonCode} keeps the will`,
    steps: [...watcher, client(), leave('a', reasonCode), expect('w', gone), silent('w')],
  })),
  {
    name: '[MQTT-3.1.2-10] [MQTT-3.14.4-3] DISCONNECT with reason 0 discards the will',
    steps: [...watcher, client({}, 100), leave('a'), silent('w'), advance(200_000), silent('w')],
  },
  {
    name: '[MQTT-3.1.2-10] a will that was published is gone: the session goes on without it',
    steps: [
      ...watcher,
      client({}, 100),
      drop('a'),
      expect('w', gone),
      connect('a', { cleanStart: false, properties: { sessionExpiry: 1 } }, { sessionPresent: true }),
      drop('a'),
      advance(5000),
      silent('w'),
    ],
  },
  {
    name: '[MQTT-3.1.2-8] without delay a will is published at a take-over as well',
    steps: [
      ...watcher,
      client({}, 100),
      open('2'),
      send('2', connectPacket('a', 5, { cleanStart: false })),
      expect('2', { ...connack(0), sessionPresent: true }),
      disconnected('a', 0x8e),
      expect('w', gone),
    ],
  },
];

const fields: readonly WireCase[] = [
  refused('[MQTT-3.1.2-9] a will flag without topic and message', '10 * "MQTT" 05 06 0000 {} "a"', 0x81),
  refused('[MQTT-3.1.2-9] a will flag without message', '10 * "MQTT" 05 06 0000 {} "a" {} "t"', 0x81),
  refused('[MQTT-3.1.2-11] a will QoS without a will', '10 * "MQTT" 05 0a 0000 {} "a"', 0x81),
  refused('[MQTT-3.1.2-12] will QoS 3', '10 * "MQTT" 05 1e 0000 {} "a" {} "t" "m"', 0x81),
  refused('[MQTT-3.1.2-13] will retain without a will', '10 * "MQTT" 05 22 0000 {} "a"', 0x81),
  refused(
    '[MQTT-3.1.3-11] a will topic that is not UTF-8',
    '10 * "MQTT" 05 06 0000 {} "a" {} 0001 ff "m"',
    0x81,
  ),
  refused('[MQTT-3.1.3-11] a will topic with a wildcard', '10 * "MQTT" 05 06 0000 {} "a" {} "t/#" "m"', 0x90),
  refused(
    '[MQTT-3.3.2-14] a will with a response topic that has a wildcard',
    '10 * "MQTT" 05 06 0000 {} "a" { 08 "r/+" } "t" "m"',
    0x82,
  ),
  ...([0, 1, 2] as const).map((qos): WireCase => ({
    name: `[MQTT-3.1.2-9] [MQTT-3.1.2-12] the will is published at its QoS ${qos}`,
    steps: [...watcher, client({ qos }), drop('a'), expect('w', publishOf('will/a', 'gone', { qos }))],
  })),
  {
    name: '[MQTT-3.1.2-14] a will without the retain flag is not retained',
    steps: [
      ...watcher,
      client({ retain: false }),
      drop('a'),
      expect('w', publishOf('will/a', 'gone', { retain: false })),
      connect('l'),
      send('l', subscribe(1, 'will/#')),
      expect('l', suback(1, 2)),
      silent('l'),
    ],
  },
  {
    name: '[MQTT-3.1.2-15] a will with the retain flag is retained',
    steps: [
      ...watcher,
      client({ retain: true, qos: 1 }),
      drop('a'),
      expect('w', publishOf('will/a', 'gone', { retain: true })),
      connect('l'),
      send('l', subscribe(1, 'will/#')),
      expect('l', suback(1, 2), publishOf('will/a', 'gone', { retain: true, qos: 1 })),
    ],
  },
  {
    name: '[MQTT-3.1.3-10] the user properties of a will keep their order, and its other properties are passed on',
    steps: [
      ...watcher,
      client({
        properties: publishProperties({
          payloadFormat: 1,
          messageExpiry: 60,
          responseTopic: 'r',
          correlationData: Buffer.from('c'),
          contentType: 'text',
          userProperties: [
            ['b', '1'],
            ['a', '2'],
            ['b', '3'],
          ],
        }),
      }),
      drop('a'),
      expect(
        'w',
        publishOf('will/a', 'gone', {
          properties: {
            payloadFormat: 1,
            messageExpiry: 60,
            responseTopic: 'r',
            correlationData: 'c',
            contentType: 'text',
            userProperties: [
              ['b', '1'],
              ['a', '2'],
              ['b', '3'],
            ],
          },
        }),
      ),
    ],
  },
  {
    name: '[MQTT-3.1.2-9] a will at $SYS is refused: that is the broker’s own voice',
    steps: [tryConnect('a', { will: willOf('$SYS/x', 'm') }), expect('a', connack(0x87)), closed('a')],
  },
];

const delay: readonly WireCase[] = [
  {
    name: '[MQTT-3.1.2-8] a will with a delay waits for it',
    steps: [
      ...watcher,
      client({ delay: 10 }, 100),
      drop('a'),
      advance(9000),
      silent('w'),
      advance(2000),
      expect('w', gone),
      silent('w'),
    ],
  },
  {
    name: '[MQTT-3.1.2-8] the end of the session comes before the end of the delay',
    steps: [
      ...watcher,
      client({ delay: 100 }, 10),
      drop('a'),
      advance(9000),
      silent('w'),
      advance(2000),
      expect('w', gone),
    ],
  },
  {
    name: '[MQTT-3.1.2-8] a session that ends with its connection knows no delay',
    steps: [...watcher, client({ delay: 100 }, 0), drop('a'), expect('w', gone)],
  },
  {
    name: '[MQTT-3.1.2-8] DISCONNECT may shorten the session, and with it the delay',
    steps: [...watcher, client({ delay: 100 }, 100), leave('a', 4, { sessionExpiry: 0 }), expect('w', gone)],
  },
  {
    name: '[MQTT-3.1.3-9] a client that is back before the delay is over leaves no will behind',
    steps: [
      ...watcher,
      client({ delay: 10 }, 100),
      drop('a'),
      advance(9000),
      connect('a', { cleanStart: false, properties: { sessionExpiry: 100 } }, { sessionPresent: true }),
      advance(20_000),
      silent('a', 'w'),
      drop('a'),
      advance(20_000),
      silent('w'),
    ],
  },
  {
    name: '[MQTT-3.1.3-9] at a take-over that goes on with the session a delayed will is not sent',
    steps: [
      ...watcher,
      client({ delay: 10 }, 100),
      open('2'),
      send('2', connectPacket('a', 5, { cleanStart: false, properties: { sessionExpiry: 100 } })),
      expect('2', { ...connack(0), sessionPresent: true }),
      disconnected('a', 0x8e),
      advance(20_000),
      silent('w'),
    ],
  },
  {
    name: '[MQTT-3.1.3-9] a clean start ends the session, so its delayed will is due',
    steps: [
      ...watcher,
      client({ delay: 10 }, 100),
      drop('a'),
      connect('a', { cleanStart: true }),
      expect('w', gone),
      silent('w'),
    ],
  },
  {
    name: '[MQTT-3.1.2-24] [MQTT-3.1.2-25] a will that is too large for a receiver is discarded for that one',
    steps: [
      connect('w', { properties: { maximumPacketSize: 30 } }),
      send('w', subscribe(1, 'will/#')),
      expect('w', suback(1, 2)),
      client({ payload: Buffer.alloc(40, 'x') }),
      drop('a'),
      send('w', { type: 12 }),
      expect('w', pingresp),
    ],
  },
];

wireCases(5, [...published, ...fields, ...delay]);
