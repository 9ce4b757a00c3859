import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { DavylampError, FakeClock, LineLogger, silentLogger, type Logger } from '#base';
import { createMemoryDialer } from '#listeners';
import { encodePacket, PacketType, ReasonCode, type Packet } from '#mqtt';
import { SessionBroker, turnUntil } from '../../test/helpers/session-broker.ts';
import type { ClientOptions, ReceivedMessage } from './client-options.ts';
import { Client } from './client.ts';

interface Setup {
  readonly clock: FakeClock;
  readonly broker: SessionBroker;
  readonly client: Client;
  readonly states: string[];
}

function setUp(change: Partial<ClientOptions> = {}, log: Logger = silentLogger): Setup {
  const clock = new FakeClock();
  const broker = new SessionBroker();
  const client = new Client({
    dialer: broker.dialer,
    clock,
    log,
    clientId: 'c1',
    version: 5,
    cleanStart: false,
    keepAliveSeconds: 0,
    sessionExpirySeconds: 3600,
    reconnect: { minimumMs: 100, maximumMs: 1000 },
    ...change,
  });
  const states: string[] = [];
  client.onState = (state) => states.push(state);
  return { clock, broker, client, states };
}

/** Runs the event loop until the promise settles. */
async function settled<T>(promise: Promise<T>, clock: FakeClock): Promise<T> {
  let isSettled = false;
  promise.then(
    () => (isSettled = true),
    () => (isSettled = true),
  );
  await turnUntil(() => isSettled, clock);
  return promise;
}

function isError(code: string): (error: unknown) => boolean {
  return (error) => error instanceof DavylampError && error.code === code;
}

test('CONNECT carries what was asked for, in each version', async () => {
  for (const version of [4, 5] as const) {
    const { client, broker, clock } = setUp({
      version,
      username: 'u',
      password: 'p',
      keepAliveSeconds: 15,
      receiveMaximum: 20,
      will: { topic: 'w', payload: Buffer.from('gone'), qos: 1, retain: true, delay: 0, properties: null },
    });
    await settled(client.connect(), clock);
    const connect = broker.connects[0]!;
    assert.equal(connect.version, version);
    assert.equal(connect.username, 'u');
    assert.equal(connect.password?.toString(), 'p');
    assert.equal(connect.keepAlive, 15);
    assert.equal(connect.will?.topic, 'w');
    assert.equal(connect.properties.receiveMaximum, version === 5 ? 20 : undefined);
    assert.equal(connect.properties.sessionExpiry, version === 5 ? 3600 : undefined);
    await settled(client.close(), clock);
  }
});

test('a refusal is told in words, in each version', async () => {
  for (const [version, code, words] of [
    [4, 5, /not authorized/],
    [5, ReasonCode.BadUserNameOrPassword, /bad user name or password/],
  ] as const) {
    const { client, broker, clock, states } = setUp({ version, reconnect: false });
    broker.connackCode = code;
    await assert.rejects(settled(client.connect(), clock), (error: unknown) => {
      assert.ok(isError('CONNECTION_REFUSED')(error));
      assert.match((error as Error).message, words);
      return true;
    });
    assert.deepEqual(states, ['connecting', 'closed']);
  }
});

test('with reconnect, connect resolves at the first success and tells each distinct reason once', async () => {
  const lines: string[] = [];
  const log = new LineLogger({ clock: new FakeClock(), level: 'debug', write: (line) => lines.push(line) });
  const { client, broker, clock, states } = setUp({}, log);
  broker.connackCode = ReasonCode.ServerBusy;
  const connected = client.connect();
  await turnUntil(() => broker.connects.length === 3, clock);
  broker.connackCode = 0;
  await settled(connected, clock);
  assert.equal(states.at(-1), 'connected');
  assert.equal(lines.length, 1);
  assert.match(lines[0]!, /server busy/);
  await settled(client.close(), clock);
});

test('publish resolves with the answer at each QoS; what waits for the window follows in order', async () => {
  const { client, broker, clock } = setUp();
  broker.connackProperties = { receiveMaximum: 3 };
  await settled(client.connect(), clock);
  const results = Array.from({ length: 20 }, (_, index) =>
    client.publish('a', String(index), { qos: index % 2 === 0 ? 1 : 2 }),
  );
  const once = await client.publish('b', 'zero');
  assert.deepEqual(once, { reasonCode: 0 });
  for (const result of await settled(Promise.all(results), clock)) assert.equal(result.reasonCode, 0);
  assert.deepEqual(
    broker.accepted.filter((line) => line.startsWith('a ')),
    results.map((_, index) => `a ${index}`),
  );
  assert.equal(client.inflight, 0);
  await settled(client.close(), clock);
});

test('a refused publish resolves with its code', async () => {
  const { client, broker, clock } = setUp();
  broker.publishAnswer = ReasonCode.NotAuthorized;
  await settled(client.connect(), clock);
  const results = await settled(
    Promise.all([client.publish('a', '1', { qos: 1 }), client.publish('a', '2', { qos: 2 })]),
    clock,
  );
  assert.deepEqual(results, [{ reasonCode: 0x87 }, { reasonCode: 0x87 }]);
  assert.equal(client.statistics.refused, 2);
  await settled(client.close(), clock);
});

test('what the broker has said it does not take is not sent to it', async () => {
  const { client, broker, clock } = setUp();
  broker.connackProperties = { maximumPacketSize: 50, maximumQos: 1, retainAvailable: false };
  await settled(client.connect(), clock);
  const results = await Promise.all([
    client.publish('a', 'x'.repeat(50), { qos: 1 }),
    client.publish('a', 'x'.repeat(50)),
    client.publish('a', 'x', { qos: 2 }),
    client.publish('a', 'x', { qos: 1, retain: true }),
    client.publish('a', 'x', { retain: true }),
  ]);
  assert.deepEqual(
    results.map((result) => result.reasonCode),
    [
      ReasonCode.PacketTooLarge,
      ReasonCode.PacketTooLarge,
      ReasonCode.QosNotSupported,
      ReasonCode.RetainNotSupported,
      ReasonCode.RetainNotSupported,
    ],
  );
  await settled(client.publish('a', 'good', { qos: 1 }), clock);
  assert.deepEqual(broker.accepted, ['a good']);
  await settled(client.close(), clock);
});

/** Runs three publishes with the line cut before packet `at`. */
async function publishWithCut(
  qos: 1 | 2,
  at: number,
): Promise<{ accepted: readonly string[]; wasCut: boolean }> {
  const { client, broker, clock } = setUp();
  let count = 0;
  broker.line = { shouldCut: () => count++ === at };
  const connected = client.connect();
  connected.catch(() => {});
  const results = ['1', '2', '3'].map((payload) => client.publish('a', payload, { qos }));
  for (const result of await settled(Promise.all(results), clock)) assert.equal(result.reasonCode, 0);
  await settled(client.close(), clock);
  return { accepted: broker.accepted, wasCut: count > at };
}

for (const qos of [1, 2] as const) {
  test(`publish at QoS ${qos} survives a cut before any packet`, async () => {
    let cuts = 0;
    for (;;) {
      const { accepted, wasCut } = await publishWithCut(qos, cuts);
      if (!wasCut) break;
      const arrived = qos === 2 ? accepted : [...new Set(accepted)];
      assert.deepEqual(arrived, ['a 1', 'a 2', 'a 3'], `cut before packet ${cuts}`);
      cuts += 1;
    }
    assert.ok(cuts >= (qos === 2 ? 14 : 8), `${cuts} places to cut`);
  });

  test(`messages at QoS ${qos} survive a cut before any packet`, async () => {
    for (let at = 0; ; at += 1) {
      const { client, broker, clock } = setUp();
      let count = 0;
      broker.line = { shouldCut: () => count++ === at };
      const got: string[] = [];
      client.onMessage = (message) => got.push(message.payload.toString());
      for (const payload of ['1', '2', '3']) broker.publish({ topic: 'a', payload, qos });
      client.connect().catch(() => {});
      await turnUntil(() => broker.unfinished === 0, clock);
      await settled(client.close(), clock);
      assert.deepEqual(qos === 2 ? got : [...new Set(got)], ['1', '2', '3'], `cut before packet ${at}`);
      if (count <= at) break;
    }
  });
}

test('a session that is gone: what is still subscribed is subscribed again, and in-flight messages are sent as new', async () => {
  const { client, broker, clock } = setUp();
  await settled(client.connect(), clock);
  const wanted = [
    { filter: 'a/#', qos: 1 as const },
    { filter: 'b', qos: 0 as const },
  ];
  assert.deepEqual(await settled(client.subscribe(wanted), clock), [1, 0]);
  broker.onPacket = (packet) => {
    if (packet.type !== PacketType.Unsubscribe) return;
    broker.send({ type: PacketType.Unsuback, packetId: packet.packetId, reasonCodes: [0], properties: {} });
  };
  await settled(client.unsubscribe(['b']), clock);
  broker.line = {
    shouldCut: (packet) => {
      if (packet.type !== PacketType.Publish) return false;
      broker.forget();
      broker.line = null;
      return true;
    },
  };
  await settled(client.publish('a', '1', { qos: 1 }), clock);
  assert.deepEqual(
    broker.subscribes.map((packet) => packet.subscriptions.map((subscription) => subscription.filter)),
    [['a/#', 'b'], ['a/#']],
  );
  assert.equal(broker.publishes[0]!.dup, false);
  broker.cut();
  await settled(client.publish('a', '2', { qos: 1 }), clock);
  assert.equal(broker.subscribes.length, 2);
  await settled(client.close(), clock);
});

test('a clean start is for the first connection: a session that lasts is gone on with', async () => {
  for (const [change, expected] of [
    [{ cleanStart: true }, [true, false]],
    [{ cleanStart: true, sessionExpirySeconds: 0 }, [true, true]],
    [{ cleanStart: true, version: 4 as const }, [true, true]],
  ] as const) {
    const { client, broker, clock } = setUp(change);
    await settled(client.connect(), clock);
    broker.cut();
    await turnUntil(() => client.statistics.connects === 2, clock);
    assert.deepEqual(
      broker.connects.map((packet) => packet.cleanStart),
      expected,
    );
    await settled(client.close(), clock);
  }
});

test('manual acknowledgement: answers leave in the order of reception', async () => {
  const { client, broker, clock } = setUp({ manualAcknowledge: true });
  const messages: ReceivedMessage[] = [];
  client.onMessage = (message) => messages.push(message.keep());
  await settled(client.connect(), clock);
  for (const qos of [1, 2, 1] as const) broker.publish({ topic: 'a', payload: String(qos), qos });
  await turnUntil(() => messages.length === 3, clock);
  messages[2]!.acknowledge();
  messages[1]!.acknowledge();
  messages[1]!.acknowledge(ReasonCode.UnspecifiedError);
  await settled(client.publish('sentinel', '', { qos: 1 }), clock);
  assert.deepEqual(broker.answers, []);
  messages[0]!.acknowledge(ReasonCode.QuotaExceeded);
  await turnUntil(() => broker.unfinished === 0, clock);
  assert.deepEqual(broker.answers, ['4 1 151', '5 2 0', '4 3 0', '7 2 0']);
  await settled(client.close(), clock);
});

test('manual acknowledgement: a QoS 2 message that was dealt with during a cut is not handed up again', async () => {
  const { client, broker, clock } = setUp({ manualAcknowledge: true });
  const messages: ReceivedMessage[] = [];
  client.onMessage = (message) => messages.push(message.keep());
  await settled(client.connect(), clock);
  broker.publish({ topic: 'a', payload: '1', qos: 2 });
  broker.publish({ topic: 'a', payload: '2', qos: 2 });
  await turnUntil(() => messages.length === 2, clock);
  broker.cut();
  await turnUntil(() => client.state === 'waiting', clock, 0);
  messages[0]!.acknowledge();
  await turnUntil(() => client.state === 'connected' && broker.unfinished === 1, clock);
  messages[1]!.acknowledge();
  await turnUntil(() => broker.unfinished === 0, clock);
  assert.equal(messages.length, 2);
  await settled(client.close(), clock);
});

test('publishQuietly stops at the window and says when there is room again', async () => {
  const { client, broker, clock } = setUp();
  broker.connackProperties = { receiveMaximum: 10 };
  assert.equal(client.publishQuietly('a', Buffer.from('early'), 1), false);
  const payload = Buffer.from('x');
  let sent = 0;
  client.onReady = () => {
    while (sent < 100 && client.publishQuietly('a', payload, 1)) sent += 1;
  };
  await settled(client.connect(), clock);
  assert.equal(sent, 10);
  await turnUntil(() => broker.accepted.length === 100, clock);
  await settled(client.close(), clock);
});

test('keep-alive: pings a quiet broker, and gives one up that does not answer', async () => {
  const { client, broker, clock, states } = setUp({ keepAliveSeconds: 40, reconnect: false });
  await settled(client.connect(), clock);
  let pings = 0;
  let isMute = false;
  broker.line = {
    shouldCut: (packet) => {
      if (packet.type === PacketType.Pingreq) pings += 1;
      return false;
    },
  };
  const send = broker.send.bind(broker);
  broker.send = (packet) => {
    if (!isMute) send(packet);
  };
  for (let second = 0; second < 120; second += 10) {
    clock.advance(10_000);
    await turnUntil(() => true, clock);
    await new Promise((resolve) => setImmediate(() => setImmediate(() => setImmediate(resolve))));
  }
  assert.equal(client.state, 'connected');
  assert.ok(pings >= 3, `${pings} pings in 120 s`);
  isMute = true;
  await turnUntil(() => client.state === 'closed', clock, 10_000);
  assert.deepEqual(states.at(-1), 'closed');
});

test('[MQTT-3.14.4-1] close says DISCONNECT; what is unanswered is rejected; a closed client may connect again', async () => {
  const { client, broker, clock } = setUp();
  const packets: Packet[] = [];
  broker.onPacket = (packet) => packets.push(packet);
  await settled(client.connect(), clock);
  broker.line = { shouldCut: (packet) => packet.type === PacketType.Publish };
  const lost = client.publish('a', '1', { qos: 1 });
  const closed = client.close(ReasonCode.DisconnectWithWill);
  await assert.rejects(settled(lost, clock), isError('CONNECTION_LOST'));
  await settled(closed, clock);
  await assert.rejects(client.publish('a', '1'), isError('CONNECTION_LOST'));
  broker.line = null;
  await settled(client.connect(), clock);
  await settled(client.close(ReasonCode.DisconnectWithWill), clock);
  await turnUntil(() => packets.length > 0, clock);
  assert.deepEqual(packets, [{ type: PacketType.Disconnect, reasonCode: 4, properties: {} }]);
});

test('an aborted connect closes the client', async () => {
  const { client, broker, clock, states } = setUp();
  broker.connackCode = ReasonCode.ServerBusy;
  const abort = new AbortController();
  const connected = client.connect(abort.signal);
  await turnUntil(() => client.state === 'waiting', clock);
  abort.abort(new Error('enough'));
  await assert.rejects(connected, /enough/);
  assert.equal(states.at(-1), 'closed');
  clock.advance(100_000);
  assert.equal(client.state, 'closed');
});

test('a topic that cannot be published on is refused here', async () => {
  const { client, clock } = setUp();
  await settled(client.connect(), clock);
  for (const topic of ['', 'a/#', '+/b', 'a\0b'])
    await assert.rejects(client.publish(topic, ''), isError('USAGE'));
  await settled(client.close(), clock);
});

test('publishes that wait are bounded', async () => {
  const { client, broker, clock } = setUp({ maximumQueuedMessages: 5 });
  broker.connackCode = ReasonCode.ServerBusy;
  client.connect().catch(() => {});
  const waiting = Array.from({ length: 5 }, () => client.publish('a', '', { qos: 1 }));
  await assert.rejects(client.publish('a', '', { qos: 1 }), isError('QUEUE_FULL'));
  broker.connackCode = 0;
  await settled(Promise.all(waiting), clock);
  assert.equal(broker.accepted.length, 5);
  await settled(client.close(), clock);
});

test('one write per turn, however many packets', async () => {
  const { clock } = setUp();
  const sizes: number[] = [];
  const client = new Client({
    dialer: createMemoryDialer((transport) => {
      transport.handler = {
        onBytes: (chunk) => {
          sizes.push(chunk.length);
          if (sizes.length === 1) transport.write(Buffer.from('20020000', 'hex'));
        },
        onDrain: () => {},
        onClose: () => {},
      };
    }),
    clock,
    log: silentLogger,
    clientId: 'c',
    version: 4,
    cleanStart: true,
    keepAliveSeconds: 0,
    reconnect: false,
  });
  await settled(client.connect(), clock);
  for (let index = 0; index < 50; index += 1) client.publishQuietly('a', Buffer.from('x'), 0);
  await turnUntil(() => sizes.length === 2, clock);
  assert.equal(sizes[1], 50 * 6);
  await settled(client.close(), clock);
});

const connack = '2003000000';
for (const [what, hex] of [
  ['speaks before CONNACK', '300400016131'],
  ['sends CONNECT', `${connack}100f00044d5154540500000000000161 00`],
  ['sends SUBSCRIBE', `${connack}8207 0001 00 0001 61 00`],
  ['sends PINGREQ', `${connack}c000`],
  ['answers a SUBSCRIBE that was never sent', `${connack}9004 0005 00 00`],
  ['uses an alias it was not allowed', `${connack}3008 0001 61 03 230001 78`],
  ['publishes on a wildcard', `${connack}3005 0001 23 00 78`],
  ['sends a second CONNACK', `${connack}${connack}`],
  ['finds a session after a clean start', '2003010000'],
  ['claims a packet of 256 MB', `${connack}30ffffff7f`],
  ['sends five bytes of length', `${connack}30ffffffff01`],
] as const) {
  test(`a broker that ${what} loses the connection, nothing else`, async () => {
    const clock = new FakeClock();
    const client = new Client({
      dialer: createMemoryDialer((transport) => {
        transport.handler = {
          onBytes: () => transport.write(Buffer.from(hex.replaceAll(' ', ''), 'hex')),
          onDrain: () => {},
          onClose: () => {},
        };
      }),
      clock,
      log: silentLogger,
      clientId: 'c',
      version: 5,
      cleanStart: true,
      keepAliveSeconds: 0,
      reconnect: false,
    });
    let detail: string | undefined;
    client.onState = (_, text) => (detail = text);
    client.connect().catch(() => {});
    await turnUntil(() => client.state === 'closed', clock, 0);
    assert.match(detail!, /broke the protocol/);
  });
}

test('any bytes of a broker end the connection at most', async () => {
  const errors: string[] = [];
  const log = { ...silentLogger, error: (message: string) => errors.push(message), child: () => log };
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.uint8Array({ minLength: 1, maxLength: 40 }), { maxLength: 4 }),
      async (pieces) => {
        const { client, broker, clock } = setUp({}, log);
        await settled(client.connect(), clock);
        for (const piece of pieces) broker.sendBytes(Buffer.from(piece));
        broker.send({ type: PacketType.Pingresp });
        await turnUntil(() => true, clock);
        await settled(client.close(), clock);
        assert.equal(client.state, 'closed');
      },
    ),
    { numRuns: 300 },
  );
  assert.deepEqual(errors, []);
});

test('an exception of the message handler is a bug that ends the connection, not the process', async () => {
  const errors: string[] = [];
  const log = { ...silentLogger, error: (message: string) => errors.push(message), child: () => log };
  const { client, broker, clock } = setUp({}, log);
  client.onMessage = () => {
    throw new Error('oops');
  };
  await settled(client.connect(), clock);
  broker.sendBytes(
    encodePacket(
      {
        type: PacketType.Publish,
        topic: 'a',
        payload: Buffer.alloc(0),
        qos: 0,
        retain: false,
        dup: false,
        packetId: 0,
        properties: null,
      },
      5,
    ),
  );
  await turnUntil(() => client.statistics.connects === 2, clock);
  assert.equal(errors.length, 1);
  await settled(client.close(), clock);
});

test('a second CONNACK is not read: DISCONNECT could not name what is wrong in it', async () => {
  const { client, broker, clock } = setUp();
  await settled(client.connect(), clock);
  const said: Packet[] = [];
  broker.onPacket = (packet) => said.push(packet);
  broker.sendBytes(Buffer.of(0x20, 2, 0, 1)); // 3.1.1's refusal of the version
  await turnUntil(() => said.length > 0, clock);
  assert.deepEqual(said, [
    { type: PacketType.Disconnect, reasonCode: ReasonCode.ProtocolError, properties: {} },
  ]);
  await client.close();
});
