import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FakeClock, LineLogger, silentLogger, type Logger } from '#base';
import type { BridgeTopicConfig } from '#config';
import { PacketType } from '#mqtt';
import { connect, isQuiet, series, setUp, type Setup } from '../../test/helpers/scripted-bridge.ts';
import { grantAll, turnUntil } from '../../test/helpers/session-broker.ts';

const everything = { filter: '#', qos: 2, localPrefix: '', remotePrefix: '' } as const;

function lineLog(lines: string[]): Logger {
  return new LineLogger({ clock: new FakeClock(), level: 'warning', write: (line) => lines.push(line) });
}

/** How our broker was asked for retained messages: one number for each SUBSCRIBE. */
function retainHandlings({ local }: Setup): (number | undefined)[] {
  return local.subscribes.map((packet) => packet.subscriptions[0]?.retainHandling);
}

for (const protocolVersion of [4, 5] as const) {
  test(`our broker refuses at first, remote of version ${protocolVersion}: told once, tried again with waits, the remote left alone`, async () => {
    const lines: string[] = [];
    const setup = setUp({ protocolVersion, retryMinimumMs: 1000 }, lineLog(lines));
    setup.local.connackCode = 0x88;
    setup.bridge.start();
    await turnUntil(() => setup.bridge.status.state === 'waiting', setup.clock, 0);
    assert.equal(setup.local.connects.length, 1);
    assert.equal(lines.length, 1);
    await turnUntil(() => setup.local.connects.length === 4, setup.clock);
    assert.equal(setup.remote.connects.length, 0);
    assert.equal(lines.length, 1);
    assert.match(lines[0]!, /our own broker refused the connection: server unavailable.*retry_in_ms=\d+/);
    setup.local.connackCode = 0;
    await turnUntil(() => setup.bridge.status.state === 'connected', setup.clock);
    assert.equal(setup.remote.connects.length, 1);
    assert.equal(setup.remote.connects[0]!.bridge, protocolVersion === 4, 'the refusal was not the remote’s');
    await setup.bridge.close();
  });
}

test('close at each packet of the preparation is final, and the bridge can be started again', async () => {
  for (let at = 0; ; at += 1) {
    const setup = setUp();
    for (const message of series(2, 3)) setup.local.publish(message);
    let count = 0;
    let closing: Promise<void> | null = null;
    setup.local.line = {
      shouldCut: () => {
        if (count === at) closing = setup.bridge.close();
        count += 1;
        return false;
      },
    };
    setup.bridge.start();
    await turnUntil(() => closing !== null || setup.remote.connects.length > 0, setup.clock);
    if (closing === null || setup.remote.connects.length > 0) {
      // CONNECT, CONNACK, SUBSCRIBE, SUBACK, DISCONNECT and a message.
      assert.ok(at >= 6, `${at} packets`);
      await setup.bridge.close();
      break;
    }
    await (closing as Promise<void>);
    setup.clock.advance(100_000);
    assert.equal(setup.bridge.status.state, 'closed');
    assert.equal(setup.remote.connects.length, 0);
    setup.local.line = null;
    setup.bridge.start();
    await turnUntil(() => isQuiet(setup), setup.clock);
    assert.deepEqual(setup.remote.accepted, ['a/b 1', 'a/b 2', 'a/b 3'], `closed at packet ${at}`);
    await setup.bridge.close();
  }
});

test('started again while it closes: the close is answered, and it connects', async () => {
  const setup = setUp();
  await connect(setup);
  const closing = setup.bridge.close();
  setup.bridge.start();
  await closing;
  await turnUntil(() => setup.bridge.status.connects === 2, setup.clock);
  await setup.bridge.close();
  assert.equal(setup.bridge.status.state, 'closed');
});

test('a subscription that our broker refuses is told of, asked for with each connection, and keeps nothing else back', async () => {
  const lines: string[] = [];
  const setup = setUp({}, lineLog(lines));
  setup.local.subscribeAnswers = (packet) => packet.subscriptions.map(() => 0x87);
  await connect(setup);
  setup.remote.publish({ topic: 'x', payload: 'in', qos: 2 });
  await turnUntil(() => isQuiet(setup) && setup.local.subscribes.length === 2, setup.clock);
  assert.deepEqual(setup.local.accepted, ['x in']);
  assert.match(lines[0]!, /subscription is refused.*reason="not authorized"/);
  setup.local.subscribeAnswers = grantAll;
  setup.remote.cut();
  await turnUntil(() => setup.bridge.status.connects === 2, setup.clock);
  await turnUntil(() => setup.local.subscribes.length === 3, setup.clock);
  // What was granted has had its retained messages: from then on those of subscriptions that are new.
  assert.deepEqual(retainHandlings(setup), [2, 0, 1]);
  await setup.bridge.close();
});

test('an answer of our broker that fits no question is told, and asked for again', async () => {
  const lines: string[] = [];
  const setup = setUp({}, lineLog(lines));
  let answers = 0;
  setup.local.subscribeAnswers = (packet) => {
    answers += 1;
    return answers === 1 ? [0, 0, 0] : grantAll(packet);
  };
  await connect(setup);
  await turnUntil(() => setup.local.subscribes.length === 3, setup.clock);
  assert.deepEqual(retainHandlings(setup), [2, 2, 0]);
  assert.match(lines[0]!, /our own broker broke the protocol/);
  await setup.bridge.close();
});

test('a bridge that only fetches: no subscription of ours, and the window of our broker is known', async () => {
  const setup = setUp({ topics: [{ ...everything, direction: 'in' }] });
  setup.local.connackProperties = { receiveMaximum: 3 };
  for (const message of series(2, 10)) setup.remote.publish(message);
  setup.bridge.start();
  await turnUntil(() => isQuiet(setup), setup.clock);
  assert.equal(setup.local.accepted.length, 10);
  assert.deepEqual(setup.local.subscribes, []);
  assert.deepEqual(
    setup.remote.connects.map((packet) => packet.properties.receiveMaximum),
    [3],
  );
  await setup.bridge.close();
});

test('the remote is never promised more than our broker takes', async () => {
  const setup = setUp();
  setup.local.connackProperties = { receiveMaximum: 10 };
  setup.remote.publish({ topic: 'x', payload: '1', qos: 2 });
  setup.bridge.start();
  await turnUntil(() => isQuiet(setup), setup.clock);
  const promised = (): (number | undefined)[] =>
    setup.remote.connects.map((packet) => packet.properties.receiveMaximum);
  assert.deepEqual(promised(), [10], 'known before the first connection');
  // Our broker was given other limits meanwhile: seen with the next connection, which is made anew.
  setup.local.connackProperties = { receiveMaximum: 5 };
  setup.local.cut();
  await turnUntil(() => setup.bridge.status.connects === 2 && isQuiet(setup), setup.clock);
  assert.deepEqual(promised(), [10, 10, 5]);
  await setup.bridge.close();
});

test('subscriptions are not made again while the session is there', async () => {
  const setup = setUp({ protocolVersion: 4 });
  await connect(setup);
  await turnUntil(() => setup.remote.subscribes.length === 1, setup.clock);
  setup.remote.cut();
  await turnUntil(() => setup.bridge.status.connects === 2, setup.clock);
  setup.remote.forget();
  setup.remote.cut();
  await turnUntil(() => setup.bridge.status.connects === 3, setup.clock);
  await turnUntil(() => setup.remote.subscribes.length === 2, setup.clock);
  assert.equal(setup.local.subscribes.length, 2, 'to make the queue, and with the first connection');
  await setup.bridge.close();
});

test('QoS 2 out: a session that is made anew by the preparation does not lose messages to ids that the remote still keeps', async () => {
  const setup = setUp();
  const { local, remote, clock, bridge } = setup;
  // The remote has taken message 1 and waits for its PUBREL.
  let isTaken = false;
  local.line = {
    shouldCut: (packet) => {
      isTaken ||= packet.type === PacketType.Pubrec;
      return isTaken;
    },
  };
  local.publish({ topic: 'a', payload: 'before', qos: 2 });
  bridge.start();
  await turnUntil(() => isTaken, clock);
  await bridge.close();
  assert.equal(remote.unreleased, 1);
  // Our broker begins again without its sessions.
  local.line = null;
  local.forget();
  local.publish({ topic: 'a', payload: 'after', qos: 2 });
  bridge.start();
  await turnUntil(() => isQuiet(setup), clock);
  assert.deepEqual(remote.accepted, ['a before', 'a after']);
  await bridge.close();
});

test('a remote that forgot the session is subscribed to, also when the connection that said so came to nothing', async () => {
  const lines: string[] = [];
  const setup = setUp({}, lineLog(lines));
  const { local, remote, clock, bridge } = setup;
  await connect(setup);
  await turnUntil(() => remote.subscribes.length === 1, clock);
  remote.forget();
  local.connackCode = 0x88;
  remote.cut();
  await turnUntil(() => remote.connects.length >= 3, clock);
  local.connackCode = 0;
  await turnUntil(() => remote.subscribes.length === 2, clock);
  assert.ok(lines.some((line) => line.includes('forgotten our session')));
  await bridge.close();
});

/** Runs two messages, queued at QoS 2 and 1 before the remote was known, over a bridge to a remote that takes less. */
async function runLowered(
  maximumQos: 0 | 1,
  side: 'local' | 'remote',
  at: number,
): Promise<{ setup: Setup; wasCut: boolean }> {
  const setup = setUp();
  setup.remote.connackProperties = { maximumQos };
  setup.local.publish({ topic: 'a', payload: '1', qos: 2 });
  setup.local.publish({ topic: 'a', payload: '2', qos: 1 });
  let count = 0;
  let wasCut = false;
  setup[side].line = {
    shouldCut: () => {
      const isHere = count === at;
      count += 1;
      wasCut ||= isHere;
      return isHere;
    },
  };
  setup.bridge.start();
  await turnUntil(() => isQuiet(setup), setup.clock);
  await setup.bridge.close();
  return { setup, wasCut };
}

for (const maximumQos of [0, 1] as const) {
  for (const side of ['local', 'remote'] as const) {
    test(`queued at QoS 2, sent to a remote that takes QoS ${maximumQos}: lowered, and finished wherever the ${side} line is cut`, async () => {
      for (let at = 0; ; at += 1) {
        const { setup, wasCut } = await runLowered(maximumQos, side, at);
        const { accepted, publishes } = setup.remote;
        // At QoS 0 what is cut off is gone, as the remote chose.
        if (maximumQos === 1 || !wasCut)
          assert.deepEqual([...new Set(accepted)], ['a 1', 'a 2'], `cut before packet ${at}`);
        assert.ok(publishes.every((packet) => packet.qos === maximumQos && (packet.qos > 0 || !packet.dup)));
        if (wasCut) continue;
        assert.equal(accepted.length, 2);
        assert.deepEqual(setup.local.answers.toSorted(), ['4 2 0', '5 1 0', '7 1 0']);
        // The remote line at QoS 0: CONNECT, CONNACK, SUBSCRIBE, SUBACK, two messages, DISCONNECT.
        assert.ok(at >= 7, `${at} places to cut`);
        break;
      }
    });
  }
}

test('a refusal at a lowered QoS ends the exchange of QoS 2', async () => {
  const setup = setUp();
  setup.remote.connackProperties = { maximumQos: 1 };
  setup.remote.publishAnswer = 0x87;
  setup.local.publish({ topic: 'a', payload: '1', qos: 2 });
  setup.bridge.start();
  await turnUntil(() => isQuiet(setup), setup.clock);
  assert.deepEqual(setup.local.answers, ['5 1 135']);
  assert.equal(setup.bridge.status.refused, 1);
  await setup.bridge.close();
});

test('what an earlier configuration had subscribed ends on our side before anything waits for it, and on the other', async () => {
  const topic = (filter: string, direction: 'in' | 'out'): BridgeTopicConfig => ({
    ...everything,
    filter,
    direction,
  });
  for (const topics of [[topic('gas/#', 'out'), topic('set/#', 'in')], [topic('set/#', 'in')]]) {
    const setup = setUp({ topics }, silentLogger, {
      subscribed: () => ['gas/#', 'old/#'],
      formerTopics: [topic('was/#', 'in'), topic('set/#', 'in')],
    });
    const asked: (readonly [string, readonly string[]])[] = [];
    for (const [side, broker] of [
      ['ours', setup.local],
      ['theirs', setup.remote],
    ] as const) {
      broker.onPacket = (packet) => {
        if (packet.type !== PacketType.Unsubscribe) return;
        asked.push([side, packet.filters]);
        const reasonCodes = packet.filters.map(() => 0);
        broker.send({ type: PacketType.Unsuback, packetId: packet.packetId, reasonCodes, properties: {} });
      };
    }
    await connect(setup);
    assert.deepEqual(asked, [['ours', topics.length === 2 ? ['old/#'] : ['gas/#', 'old/#']]]);
    setup.remote.cut();
    await turnUntil(() => asked.length > 1, setup.clock);
    assert.deepEqual(asked[1], ['theirs', topics.length === 2 ? ['gas/#', 'was/#'] : ['was/#']]);
    await setup.bridge.close();
  }
});

test('the queue stands when our broker has the subscriptions, and that is told; a refusal is told too', async () => {
  const setup = setUp();
  let stands = false;
  void setup.bridge.queueStands.then(() => (stands = true));
  setup.bridge.start();
  assert.equal(stands, false);
  await turnUntil(() => stands, setup.clock, 0);
  assert.equal(setup.local.subscribes.length, 1);
  await setup.bridge.close();
  const refused = setUp();
  refused.local.connackCode = 0x88;
  refused.bridge.start();
  await refused.bridge.queueStands;
  await refused.bridge.close();
});
