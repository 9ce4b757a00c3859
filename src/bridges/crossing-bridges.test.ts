import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FakeClock, LineLogger, silentLogger } from '#base';
import { createPublishProperties } from '#client';
import type { BridgeTopicConfig } from '#config';
import type { PublishProperties } from '#mqtt';
import { connect, isQuiet, setUp, type Setup } from '../../test/helpers/scripted-bridge.ts';
import { turnUntil } from '../../test/helpers/session-broker.ts';

/** The other broker calls itself `far`. */
function setUpNamed(lines: string[] = [], topics?: readonly BridgeTopicConfig[]): Setup {
  const log = new LineLogger({ clock: new FakeClock(), level: 'warning', write: (line) => lines.push(line) });
  const setup = setUp(topics === undefined ? {} : { topics }, log);
  setup.remote.connackProperties = { userProperties: [['davy-broker', 'far']] };
  return setup;
}

const via = (...names: readonly string[]): PublishProperties =>
  createPublishProperties({ userProperties: names.map((name) => ['davy-via', name]) });

function viaOf(properties: PublishProperties | null | undefined): string[] {
  return (properties?.userProperties ?? []).map(([, value]) => value);
}

test('a bridge says whose it is, and marks what it fetches with the name of where it comes from', async () => {
  const setup = setUpNamed();
  await connect(setup);
  assert.deepEqual(setup.remote.connects[0]!.properties.userProperties, [['davy-broker', 'north']]);
  setup.remote.publish({ topic: 'x', payload: '1', qos: 1 });
  setup.local.publish({ topic: 'y', payload: '2', qos: 1 });
  await turnUntil(() => isQuiet(setup), setup.clock);
  assert.deepEqual(viaOf(setup.local.publishes[0]?.properties), ['far', '>north']);
  assert.deepEqual(viaOf(setup.remote.publishes[0]?.properties), ['north']);
  // A broker that says no name the next time has none.
  setup.remote.connackProperties = {};
  setup.remote.cut();
  await turnUntil(() => setup.bridge.status.connects === 2, setup.clock);
  setup.remote.publish({ topic: 'x', payload: '3', qos: 1 });
  await turnUntil(() => setup.local.accepted.length === 2, setup.clock);
  assert.deepEqual(viaOf(setup.local.publishes[1]?.properties), ['>north']);
  await setup.bridge.close();
});

test('what the other broker’s own bridge has brought does not go back, and both directions tell of it by name, once', async () => {
  const lines: string[] = [];
  const setup = setUpNamed(lines);
  await connect(setup);
  setup.local.publish({ topic: 'x', payload: 'brought', qos: 1, properties: via('far') });
  setup.local.publish({ topic: 'x', payload: 'brought', qos: 2, properties: via('other', 'far') });
  setup.remote.publish({ topic: 'x', payload: 'fetched from us', qos: 1, properties: via('north', '>far') });
  setup.local.publish({ topic: 'x', payload: 'ours', qos: 1 });
  await turnUntil(() => isQuiet(setup), setup.clock);
  assert.deepEqual(setup.remote.accepted, ['x ours']);
  assert.deepEqual(setup.local.accepted, []);
  assert.equal(setup.bridge.status.crossed, 3);
  assert.equal(setup.bridge.status.loops, 3);
  const told = lines.filter((line) => line.includes('messages come twice'));
  assert.equal(told.length, 1);
  assert.match(told[0]!, /has a bridge to this one that carries the same topics.*topic=x other=far/);
  await setup.bridge.close();
});

test('what this bridge does not fetch itself goes on to where it came from: somebody may want it so', async () => {
  const topics: BridgeTopicConfig[] = [
    { filter: 'x', direction: 'out', qos: 1, localPrefix: '', remotePrefix: 'back/' },
  ];
  const setup = setUpNamed([], topics);
  await connect(setup);
  setup.local.publish({ topic: 'x', payload: '1', qos: 1, properties: via('far') });
  await turnUntil(() => isQuiet(setup), setup.clock);
  assert.deepEqual(setup.remote.accepted, ['back/x 1']);
  assert.equal(setup.bridge.status.crossed, 0);
  await setup.bridge.close();
});

test('a message that was fetched has crossed one bridge, however many names that left', async () => {
  const setup = setUpNamed();
  await connect(setup);
  const names = Array.from({ length: 16 }, (_, hop) => [`b${hop}`, `>b${hop + 1}`]).flat();
  setup.local.publish({ topic: 'x', payload: 'far enough', qos: 1, properties: via(...names) });
  setup.local.publish({ topic: 'x', payload: 'too far', qos: 1, properties: via(...names, 'c', '>d') });
  setup.local.publish({ topic: 'x', payload: 'last', qos: 1 });
  await turnUntil(() => isQuiet(setup), setup.clock);
  assert.deepEqual(setup.remote.accepted, ['x far enough', 'x last']);
  await setup.bridge.close();
});

test('what our own broker would end the connection for does not reach it: it would come again for ever', async () => {
  const bounds = { maximumTopicLevels: 4, maximumTopicLength: 20, maximumUserProperties: 3 };
  const setup = setUp({}, silentLogger, { bounds });
  await connect(setup);
  const properties = (count: number, name: string): PublishProperties =>
    createPublishProperties({ userProperties: Array.from({ length: count }, () => [name, '1'] as const) });
  for (const topic of ['a/b/c/d/e', 'x'.repeat(21), 'ü'.repeat(11)])
    setup.remote.publish({ topic, payload: 'too far', qos: 2 });
  setup.remote.publish({ topic: 'x', payload: 'too many', qos: 1, properties: properties(4, 'p') });
  setup.remote.publish({ topic: 'a/b/c/d', payload: '1', qos: 1, properties: properties(3, 'p') });
  // What brokers put there on the way is not the publisher's.
  setup.remote.publish({ topic: 'x'.repeat(20), payload: '2', qos: 1, properties: properties(9, 'davy-x') });
  await turnUntil(() => isQuiet(setup), setup.clock);
  assert.deepEqual(setup.local.accepted, ['a/b/c/d 1', `${'x'.repeat(20)} 2`]);
  assert.deepEqual([setup.bridge.status.unmapped, setup.bridge.status.tooLarge], [3, 1]);
  assert.equal(setup.bridge.status.connects, 1);
  await setup.bridge.close();
});
