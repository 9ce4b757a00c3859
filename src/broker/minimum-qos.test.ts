import assert from 'node:assert/strict';
import { test } from 'node:test';
import { BrokerHarness } from '../../test/helpers/broker-harness.ts';

test('what comes in below the listener’s minimum QoS is carried on at it, and waits for who is away', () => {
  const harness = new BrokerHarness();
  const watcher = harness.connect('w', { cleanStart: false, properties: { sessionExpiry: 3600 } });
  watcher.subscribe('outTopic/#', { qos: 1 });
  const profile = { minimumQos: 1 as const };
  for (const version of [4, 5] as const) {
    const detector = harness.connect(`d${version}`, { version, profile });
    detector.publish('outTopic/a/b', 'now', { qos: 0 });
    assert.equal(watcher.takePublish().qos, 1);
  }
  watcher.breakOff();
  const detector = harness.connect('d', { version: 4, profile });
  detector.publish('outTopic/a/b', 'while away', { qos: 0 });
  detector.expectNothing();
  const back = harness.connect('w', { cleanStart: false, properties: { sessionExpiry: 3600 } });
  const waited = [];
  for (let n = 0; n < 3; n++) waited.push(back.takePublish().payload.toString());
  assert.deepEqual(waited, ['now', 'now', 'while away']);
});

test('elsewhere a message keeps its own QoS', () => {
  const harness = new BrokerHarness();
  const watcher = harness.connect('w');
  watcher.subscribe('#', { qos: 2 });
  const client = harness.connect('c');
  client.publish('t', 'x', { qos: 0 });
  assert.equal(watcher.takePublish().qos, 0);
});
