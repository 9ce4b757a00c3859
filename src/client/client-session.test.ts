import assert from 'node:assert/strict';
import { test } from 'node:test';
import { PacketType, ReasonCode } from '#mqtt';
import { settled, setUp } from '../../test/helpers/client-setup.ts';
import { turnUntil } from '../../test/helpers/session-broker.ts';
import type { ReceivedMessage } from './client-options.ts';

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
