import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FakeClock, LineLogger, silentLogger } from '#base';
import { PacketType, ReasonCode } from '#mqtt';
import { connect, isQuiet, setUp, type Setup } from '../../test/helpers/scripted-bridge.ts';
import { turnUntil } from '../../test/helpers/session-broker.ts';

const full = ReasonCode.QuotaExceeded;

for (const direction of ['out', 'in'] as const) {
  for (const qos of [1, 2] as const) {
    test(`QoS ${qos} ${direction}: what the receiver has no room for now is kept, and comes when there is room`, async () => {
      const setup = setUp();
      const { local, remote, bridge, clock } = setup;
      const [sender, receiver] = direction === 'out' ? [local, remote] : [remote, local];
      await connect(setup);
      sender.publish({ topic: 'a', payload: 'before', qos });
      await turnUntil(() => isQuiet(setup), clock);
      receiver.publishAnswer = full;
      receiver.accepted.length = 0;
      for (const payload of ['1', '2', '3']) sender.publish({ topic: 'a', payload, qos });
      await turnUntil(() => bridge.status.noRoom === 3, clock);
      assert.ok(sender.unfinished >= 3, 'nothing has left its sender');
      assert.equal(bridge.status.refused, 0);
      receiver.publishAnswer = 0;
      receiver.accepted.length = 0;
      await turnUntil(() => isQuiet(setup), clock);
      assert.deepEqual(receiver.accepted, ['a 1', 'a 2', 'a 3']);
      await bridge.close();
    });
  }
}

test('the link is ended politely, and the reason is told', async () => {
  const lines: string[] = [];
  const clock = new FakeClock();
  const log = new LineLogger({ clock, level: 'warning', write: (line) => lines.push(line) });
  const setup = setUp({}, log);
  const goodbyes: number[] = [];
  setup.remote.onPacket = (packet) => goodbyes.push(packet.type);
  await connect(setup);
  setup.remote.publishAnswer = full;
  setup.local.publish({ topic: 'gas/1', payload: 'x', qos: 1 });
  await turnUntil(() => setup.bridge.status.state === 'waiting', setup.clock, 0);
  assert.deepEqual(goodbyes, [PacketType.Disconnect]);
  assert.match(
    setup.bridge.status.lastError ?? '',
    /no room for messages now \(quota exceeded, topic gas\/1\)/,
  );
  assert.match(lines[0]!, /no room for messages now.*retry_in_ms=\d+/);
  await setup.bridge.close();
});

test('a retained message waits for room too, but not for ever: it may be the topic that there is no room for', async () => {
  const setup = setUp();
  await connect(setup);
  setup.remote.publishAnswer = full;
  setup.local.publish({ topic: 'a', payload: '1', qos: 1, retain: true });
  await turnUntil(() => setup.bridge.status.noRoom === 3, setup.clock);
  setup.remote.publishAnswer = 0;
  setup.remote.accepted.length = 0;
  await turnUntil(() => isQuiet(setup), setup.clock);
  assert.deepEqual(setup.remote.accepted, ['a 1'], 'there is room again');
  setup.remote.publishAnswer = full;
  setup.local.publish({ topic: 'b', payload: '2', qos: 2, retain: true });
  await turnUntil(() => setup.bridge.status.refused === 1, setup.clock);
  assert.equal(setup.bridge.status.noRoom, 8);
  setup.remote.publishAnswer = 0;
  await turnUntil(() => isQuiet(setup), setup.clock);
  await setup.bridge.close();
});

test('any other refusal is counted, and the message let go', async () => {
  const setup = setUp();
  await connect(setup);
  setup.remote.publishAnswer = ReasonCode.NotAuthorized;
  setup.local.publish({ topic: 'a', payload: '2', qos: 1 });
  await turnUntil(() => setup.local.unfinished === 0, setup.clock);
  assert.equal(setup.bridge.status.refused, 1);
  assert.equal(setup.bridge.status.noRoom, 0);
  assert.equal(setup.bridge.status.connects, 1);
  await setup.bridge.close();
});

test('what goes out without the retain flag is not let go for having had it', async () => {
  const setup = setUp({ outgoingRetain: false });
  await connect(setup);
  setup.remote.publishAnswer = full;
  setup.local.publish({ topic: 'a', payload: '1', qos: 1, retain: true });
  await turnUntil(() => setup.bridge.status.noRoom === 1, setup.clock);
  setup.remote.publishAnswer = 0;
  setup.remote.accepted.length = 0;
  await turnUntil(() => isQuiet(setup), setup.clock);
  assert.deepEqual(setup.remote.accepted, ['a 1']);
  await setup.bridge.close();
});

test('several addresses: the next one may have room', async () => {
  const setup: Setup = setUp({ moreAddresses: [{ host: 'b', port: 1 }], roundRobin: true });
  const other = setUp();
  const both = setUp({ moreAddresses: [{ host: 'b', port: 1 }], roundRobin: true }, silentLogger, {
    localDialer: setup.local.dialer,
    remoteDialer: setup.remote.dialer,
    moreDialers: [other.remote.dialer],
  });
  both.bridge.start();
  await turnUntil(() => both.bridge.status.state === 'connected', both.clock);
  setup.remote.publishAnswer = full;
  setup.local.publish({ topic: 'a', payload: '1', qos: 1 });
  await turnUntil(() => other.remote.accepted.length === 1, both.clock);
  assert.deepEqual(other.remote.accepted, ['a 1']);
  await both.bridge.close();
});
