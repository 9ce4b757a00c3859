import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FakeClock, LineLogger, silentLogger } from '#base';
import { createMemoryDialer } from '#listeners';
import { PacketType, ReasonCode, type Packet } from '#mqtt';
import { isError, settled, setUp } from '../../test/helpers/client-setup.ts';
import { turnUntil } from '../../test/helpers/session-broker.ts';
import { Client } from './client.ts';

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
