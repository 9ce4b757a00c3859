import assert from 'node:assert/strict';
import { test } from 'node:test';
import { PacketType } from '#mqtt';
import { BrokerHarness, publishPacket } from '../../../test/helpers/broker-harness.ts';
import { sysCounter } from '../../../test/helpers/sys-counter.ts';

const address = '192.0.2.5';

/** Time goes on in steps, with the turns of the event loop in between. */
function pass(harness: BrokerHarness, milliseconds: number): void {
  for (let gone = 0; gone < milliseconds; gone += 10) harness.advance(10);
}

test('bound: message rate; beyond it a client is read more slowly, nothing is lost, others are not slowed', () => {
  const harness = new BrokerHarness({ limits: { maximumMessageRate: 100 } });
  const watcher = harness.connect('w');
  watcher.subscribe('#', { qos: 0 });
  const flooder = harness.connect('flooder', { address });
  harness.advance(1000);
  flooder.send(...Array.from({ length: 500 }, (_, i) => publishPacket('flood', String(i))));
  const first = watcher.takeAll();
  assert.equal(first.length, 100, 'a second of it at once');
  assert.ok(flooder.transport.isPaused);
  const other = harness.connect('other', { address });
  other.publish('calm', 'x');
  assert.deepEqual(watcher.takeAll(), ['calm=x']);
  const taken = [...first];
  for (let second = 0; second < 4; second++) {
    pass(harness, 1000);
    const more = watcher.takeAll();
    assert.ok(more.length >= 95 && more.length <= 105, `in a second: ${more.length}`);
    taken.push(...more);
  }
  pass(harness, 1000);
  taken.push(...watcher.takeAll());
  assert.deepEqual(
    taken,
    Array.from({ length: 500 }, (_, i) => `flood=${i}`),
  );
  assert.equal(flooder.transport.isPaused, false);
  assert.ok(sysCounter(harness, 'davylamp/bounds/rate') >= 4);
});

test('bound: byte rate; a large packet is paid for afterwards, for five seconds at most', () => {
  const harness = new BrokerHarness({ limits: { maximumByteRate: 1000 } });
  const watcher = harness.connect('w');
  watcher.subscribe('#', { qos: 0 });
  const client = harness.connect('c', { address });
  client.send(publishPacket('t', Buffer.alloc(3000)), publishPacket('t', 'next'));
  assert.equal(watcher.received.splice(0).length, 1);
  harness.advance(1900);
  assert.equal(watcher.received.length, 0);
  harness.advance(300);
  assert.deepEqual(watcher.takeAll(), ['t=next']);
  client.send(publishPacket('t', Buffer.alloc(100_000)), publishPacket('t', 'last'));
  watcher.received.length = 0;
  harness.advance(4900);
  assert.equal(watcher.received.length, 0);
  harness.advance(200);
  assert.deepEqual(watcher.takeAll(), ['t=last']);
});

test('acknowledgements cost no message, parts of this machine are not slowed, and silence on our account is no fault', () => {
  const harness = new BrokerHarness({ limits: { maximumMessageRate: 10 } });
  const subscriber = harness.connect('s', { address });
  subscriber.subscribe('t', { qos: 1 });
  const bridge = harness.connect('bridge', { address: 'local' });
  for (let i = 1; i <= 100; i++) {
    bridge.publish('t', String(i), { qos: 1, packetId: 1 });
    const { packetId } = subscriber.takePublish();
    subscriber.ack(PacketType.Puback, packetId);
  }
  assert.equal(subscriber.transport.isPaused, false);
  const flooder = harness.connect('f', { address, keepAlive: 1 });
  flooder.send(...Array.from({ length: 61 }, () => publishPacket('t', 'x')));
  for (let i = 0; i < 4; i++) harness.advance(1000);
  assert.equal(flooder.isClosed, false);
  flooder.breakOff();
  harness.advance(10_000);
  assert.equal(harness.broker.statistics.bugs, 0);
});

test('a broker that closes while clients are slowed leaves no timer behind', async () => {
  const harness = new BrokerHarness({ limits: { maximumMessageRate: 10 } });
  const flooder = harness.connect('f', { address });
  flooder.send(...Array.from({ length: 100 }, () => publishPacket('t', 'x')));
  assert.ok(flooder.transport.isPaused);
  await harness.broker.close();
  harness.advance(10_000);
  assert.equal(harness.broker.statistics.publishReceived < 100, true);
});
