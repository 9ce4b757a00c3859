import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  publishProperties,
  BrokerHarness,
  willOf,
  type TestClient,
} from '../../test/helpers/broker-harness.ts';

function watched(): { harness: BrokerHarness; watcher: TestClient } {
  const harness = new BrokerHarness();
  const watcher = harness.connect('w');
  watcher.subscribe('will/#', { qos: 1 });
  return { harness, watcher };
}

test('a will is published when the connection is lost, not after an orderly DISCONNECT [MQTT-3.1.2-8] [MQTT-3.14.4-3]', () => {
  const { harness, watcher } = watched();
  for (const version of [4, 5] as const) {
    const properties = version === 5 ? publishProperties({ contentType: 'text' }) : null;
    const will = willOf('will/t', `v${version}`, { qos: 1, retain: true, properties });
    harness.connect('c', { version, will }).disconnect();
    watcher.expectNothing();
    harness.connect('c', { version, will }).breakOff();
    const got = watcher.takePublish();
    assert.equal(got.payload.toString(), `v${version}`);
    assert.equal(got.qos, 1);
    assert.equal(got.properties?.contentType, version === 5 ? 'text' : undefined);
  }
  const late = harness.connect('late');
  late.subscribe('will/t', { qos: 0 });
  assert.deepEqual(late.takeAll(), ['will/t=v5'], 'retained [MQTT-3.1.2-15]; 3.1.1: [MQTT-3.1.2-17]');
});

test('a client may ask for its will at DISCONNECT, with 0x04', () => {
  const { harness, watcher } = watched();
  harness.connect('c', { will: willOf('will/t', 'x') }).disconnect(4);
  assert.deepEqual(watcher.takeAll(), ['will/t=x']);
});

test('a protocol error, a keep-alive timeout and a take-over publish the will as well', () => {
  const { harness, watcher } = watched();
  const will = (text: string) => ({ will: willOf('will/t', text) });
  harness.connect('a', will('error')).raw('c001 00');
  harness.connect('b', { keepAlive: 1, ...will('silence') });
  harness.advance(3000);
  harness.connect('c', will('taken'));
  harness.connect('c');
  assert.deepEqual(watcher.takeAll(), ['will/t=error', 'will/t=silence', 'will/t=taken']);
});

test('wills that are published all at once are not the fault of who gets them', () => {
  const harness = new BrokerHarness({ limits: { maximumPendingBytes: 100 } });
  const text = 'x'.repeat(500);
  for (const clientId of ['a', 'b'])
    harness.connect(clientId, { keepAlive: 1, will: willOf('will/t', text) });
  const watcher = harness.connect('w');
  watcher.subscribe('will/#', { qos: 1 });
  for (let second = 0; second < 4; second++) harness.advance(1000);
  assert.equal(harness.broker.statistics.keepAliveTimeouts, 2);
  assert.equal(watcher.isClosed, false);
  assert.equal(watcher.takePublish().payload.toString(), text);
});

const delayed = {
  cleanStart: false,
  properties: { sessionExpiry: 100 },
  will: willOf('will/t', 'late', { delay: 10 }),
};

test('a delayed will waits; a client that is back in time prevents it [MQTT-3.1.3-9]', () => {
  const { harness, watcher } = watched();
  harness.connect('c', delayed).breakOff();
  harness.advance(9000);
  watcher.expectNothing();
  const back = harness.connect('c', delayed);
  harness.advance(30_000);
  watcher.expectNothing();
  back.breakOff();
  harness.advance(11_000);
  assert.deepEqual(watcher.takeAll(), ['will/t=late']);
  harness.advance(30_000);
  watcher.expectNothing();
});

test('a delayed will is published when its session ends, if that is first', () => {
  const { harness, watcher } = watched();
  const will = willOf('will/t', 'end', { delay: 1000 });
  harness.connect('a', { ...delayed, will, properties: { sessionExpiry: 5 } }).breakOff();
  harness.advance(6000);
  assert.deepEqual(watcher.takeAll(), ['will/t=end']);
  harness.connect('b', { ...delayed, will }).breakOff();
  watcher.expectNothing();
  harness.connect('b', { cleanStart: true });
  assert.deepEqual(watcher.takeAll(), ['will/t=end']);
  harness.connect('c', { will }).breakOff();
  assert.deepEqual(watcher.takeAll(), ['will/t=end'], 'no session to wait in');
});
