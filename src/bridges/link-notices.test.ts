import assert from 'node:assert/strict';
import { test } from 'node:test';
import { silentLogger } from '#base';
import type { BridgeConfig, BridgeTopicConfig } from '#config';
import { ReasonCode } from '#mqtt';
import { connect, setUp, type Setup } from '../../test/helpers/scripted-bridge.ts';
import { turnUntil } from '../../test/helpers/session-broker.ts';

const gas: BridgeTopicConfig = {
  filter: 'gas/#',
  direction: 'out',
  qos: 1,
  localPrefix: '',
  remotePrefix: '',
};
const state = '$SYS/broker/connection/north-relay/state';

interface NoticeSetup extends Setup {
  /** What was published on our own broker, as `topic payload`. */
  readonly ours: string[];
}

function setUpNotices(change: Partial<BridgeConfig> = {}): NoticeSetup {
  const ours: string[] = [];
  const setup = setUp({ notifications: true, topics: [gas], ...change }, silentLogger, {
    publishLocally: (topic, payload) => ours.push(`${topic} ${payload.toString()}`),
  });
  return { ...setup, ours };
}

test('both sides are told: at first down, then up; when the link is cut down, on the other side by the will', async () => {
  const setup = setUpNotices();
  setup.bridge.start();
  assert.deepEqual(setup.ours, [`${state} 0`], 'an earlier run may have left another word');
  await turnUntil(() => setup.bridge.status.state === 'connected', setup.clock);
  await turnUntil(() => setup.remote.accepted.length === 1, setup.clock);
  assert.deepEqual(setup.ours, [`${state} 0`, `${state} 1`]);
  assert.deepEqual(setup.remote.accepted, [`${state} 1`]);
  assert.equal(setup.remote.publishes[0]!.retain, true);
  const { will } = setup.remote.connects[0]!;
  assert.deepEqual([will?.topic, will?.payload.toString(), will?.retain, will?.qos], [state, '0', true, 1]);
  setup.remote.cut();
  await turnUntil(() => setup.bridge.status.state === 'waiting', setup.clock, 0);
  assert.deepEqual(setup.ours.slice(2), [`${state} 0`]);
  await setup.bridge.close();
});

test('a polite end needs no will: the other side is told before it', async () => {
  const setup = setUpNotices();
  await connect(setup);
  await setup.bridge.close();
  await turnUntil(() => setup.remote.accepted.length === 2, setup.clock);
  assert.deepEqual(setup.remote.accepted, [`${state} 1`, `${state} 0`]);
  assert.deepEqual(setup.ours, [`${state} 0`, `${state} 1`, `${state} 0`]);
});

test('local only: nothing of it leaves', async () => {
  const setup = setUpNotices({ notificationsLocalOnly: true });
  await connect(setup);
  setup.local.publish({ topic: 'gas/1', payload: 'sentinel', qos: 1 });
  await turnUntil(() => setup.remote.accepted.length === 1, setup.clock);
  await setup.bridge.close();
  assert.deepEqual(setup.remote.accepted, ['gas/1 sentinel']);
  assert.equal(setup.remote.connects[0]!.will, null);
  assert.deepEqual(setup.ours, [`${state} 0`, `${state} 1`, `${state} 0`]);
});

test('a topic of its own', async () => {
  const setup = setUpNotices({ notificationTopic: 'links/relay' });
  await connect(setup);
  await turnUntil(() => setup.remote.accepted.length === 1, setup.clock);
  assert.deepEqual(setup.remote.accepted, ['links/relay 1']);
  assert.deepEqual(setup.ours, ['links/relay 0', 'links/relay 1']);
  assert.equal(setup.remote.connects[0]!.will?.topic, 'links/relay');
  await setup.bridge.close();
});

test('off: nobody is told', async () => {
  const setup = setUpNotices({ notifications: false });
  await connect(setup);
  setup.local.publish({ topic: 'gas/1', payload: 'sentinel', qos: 1 });
  await turnUntil(() => setup.remote.accepted.length === 1, setup.clock);
  await setup.bridge.close();
  assert.deepEqual(setup.remote.accepted, ['gas/1 sentinel']);
  assert.deepEqual(setup.ours, []);
});

test('a broker that takes no retained will is tried again without one', async () => {
  const setup = setUpNotices();
  setup.remote.connackCode = ReasonCode.RetainNotSupported;
  setup.bridge.start();
  await turnUntil(() => setup.remote.connects.length === 1, setup.clock);
  setup.remote.connackCode = 0;
  setup.remote.connackProperties = { retainAvailable: false };
  await turnUntil(() => setup.remote.accepted.length === 1, setup.clock);
  assert.deepEqual(
    setup.remote.connects.map((packet) => packet.will?.retain),
    [true, false],
  );
  assert.equal(setup.remote.publishes[0]!.retain, false);
  await setup.bridge.close();
});
