import assert from 'node:assert/strict';
import { test } from 'node:test';
import { encodePacket, PacketType, ReasonCode } from '#mqtt';
import { BrokerHarness, publishPacket, type TestClient } from '../../../test/helpers/broker-harness.ts';
import { brokerToFill, memoryBound } from '../../../test/helpers/filled-memory.ts';
import { sysCounter } from '../../../test/helpers/sys-counter.ts';

const address = '192.0.2.5';
const kib = 1024;
const bound = memoryBound;

/** All but the last byte of a packet. */
function sendPart(client: TestClient, bytes: number): void {
  client.raw(encodePacket(publishPacket('t', Buffer.alloc(bytes)), 5).subarray(0, -1));
}

test('bound: clients that hold the memory; when it is full those end that hold most, until enough is free', () => {
  const { harness, fill } = brokerToFill();
  const [light, heavy, heavier] = ['light', 'heavy', 'heavier'].map((id) => harness.connect(id, { address }));
  const own = harness.connect('own', { address: 'local' });
  sendPart(light!, 100 * kib);
  sendPart(heavy!, 200 * kib);
  sendPart(heavier!, 300 * kib);
  sendPart(own, 900 * kib);
  fill(bound * 0.95);
  assert.deepEqual(
    [light, heavy, heavier].map((client) => client!.isClosed),
    [false, false, false],
    'not before it is full',
  );
  fill(bound);
  assert.equal(heavier!.takeDisconnect().reasonCode, ReasonCode.QuotaExceeded);
  assert.deepEqual(
    [light, heavy, heavier, own].map((client) => client!.isClosed),
    [false, false, true, false],
  );
  fill(bound);
  assert.equal(heavy!.isClosed, false, 'the others hold less than half');
  assert.equal(sysCounter(harness, 'davylamp/bounds/memory-clients'), 1);
});

test('what waits for a socket, what is not acknowledged and topic aliases count as well', () => {
  const { harness, fill } = brokerToFill();
  const deaf = harness.connect('deaf', { address });
  const silent = harness.connect('silent', { address });
  const naming = harness.connect('naming', { address });
  const publisher = harness.connect('p');
  deaf.subscribe('deaf', { qos: 0 });
  silent.subscribe('silent', { qos: 1 });
  deaf.transport.block();
  publisher.publish('deaf', Buffer.alloc(300 * kib));
  publisher.publish('silent', Buffer.alloc(300 * kib), { qos: 1 });
  for (let topicAlias = 1; topicAlias <= 10; topicAlias++)
    naming.publish('n'.repeat(4096), '', { properties: { topicAlias } });
  fill(bound);
  assert.deepEqual(
    [deaf.isClosed, silent.isClosed, naming.isClosed],
    [true, false, false],
    'less than two fifths are left',
  );
  assert.equal(harness.connect('p2').isClosed, false);
});

test('bytes that a transport gathers are looked at as they come, and count as held', () => {
  const { harness, fill } = brokerToFill();
  const client = harness.connect('c', { address });
  fill(bound * 0.95);
  fill(bound);
  Object.assign(client.transport, { gatheredBytes: 700 * kib });
  client.transport.handler.onGathering?.(700 * kib);
  assert.equal(client.isClosed, true);
});

test('what waits for a TLS connection counts, in memory that the process does not know of', () => {
  const { harness, fill } = brokerToFill();
  const client = harness.connect('c', { address });
  fill(bound * 0.5);
  harness.connect('before', { address });
  Object.assign(client.transport, { uncountedBytes: bound * 0.45 });
  fill(bound * 0.5);
  assert.ok(harness.open({ address }).isClosed);
});

test('while memory is in use, a fan-out of many megabytes ends the turn of its publisher; nothing is lost', () => {
  const { harness, fill } = brokerToFill();
  const readers = Array.from({ length: 20 }, (_, i) => harness.connect(`r${i}`, { address }));
  for (const reader of readers) reader.subscribe('t', { qos: 0 });
  const publisher = harness.connect('p', { address });
  const one = encodePacket(publishPacket('t', Buffer.alloc(900 * kib)), 5);
  const received = (): number => readers[0]!.received.length;
  publisher.transport.feed(Buffer.concat([one, one, one]));
  harness.turn();
  assert.equal(received(), 3, 'not while there is much left');
  fill(bound * 0.4);
  publisher.transport.feed(Buffer.concat([one, one, one]));
  harness.turn();
  assert.ok(received() < 6, `${received()} in one turn`);
  harness.settle();
  assert.equal(received(), 6);
});

test('nobody ends while clients hold less than half of what there is', () => {
  const { harness, fill } = brokerToFill();
  const client = harness.connect('c', { address });
  sendPart(client, 450 * kib);
  fill(2 * bound);
  client.raw('00');
  client.expectNothing();
});

test('full memory: nothing new is subscribed to; what is there may change', () => {
  const { harness, fill } = brokerToFill();
  const client = harness.connect('c', { address });
  client.subscribe('old', { qos: 0 });
  fill(bound);
  assert.deepEqual(client.subscribe('new', { qos: 0 }), [ReasonCode.QuotaExceeded]);
  assert.deepEqual(client.subscribe('old', { qos: 1 }), [1]);
  assert.deepEqual(harness.connect('own').subscribe('new', { qos: 0 }), [0]);
  assert.equal(sysCounter(harness, 'davylamp/bounds/memory'), 1);
  fill(0);
  assert.deepEqual(client.subscribe('new', { qos: 0 }), [0]);
});

test('memory that is nearly full narrows the windows of those who do not acknowledge', () => {
  const { harness, fill } = brokerToFill();
  const silent = harness.connect('silent', { address });
  silent.subscribe('t', { qos: 1 });
  const publisher = harness.connect('p');
  fill(bound * 0.95);
  const payload = Buffer.alloc(40 * kib);
  for (let packetId = 1; packetId <= 5; packetId++) publisher.publish('t', payload, { qos: 1, packetId });
  assert.equal(silent.received.length, 2);
  silent.ack(PacketType.Puback, silent.takePublish().packetId);
  assert.equal(silent.received.length, 2);
  fill(0);
  silent.ack(PacketType.Puback, silent.takePublish().packetId);
  assert.equal(silent.received.length, 3);
});

test('what is carried is noticed before the second is over', () => {
  let looks = 0;
  const memory = {
    read: () => {
      looks++;
      return { heapBytes: 0, externalBytes: 0, heapLimitBytes: 10 * bound };
    },
    collect: () => {},
  };
  const watched = new BrokerHarness({ memory, limits: { maximumMemory: bound, maximumByteRate: 0 } });
  const readers = Array.from({ length: 20 }, (_, i) => watched.connect(`r${i}`, { address }));
  for (const reader of readers) reader.subscribe('t', { qos: 0 });
  const publisher = watched.connect('p', { address });
  const before = looks;
  publisher.publish('t', Buffer.alloc(1000 * kib));
  assert.ok(looks > before, 'sent to many');
});
