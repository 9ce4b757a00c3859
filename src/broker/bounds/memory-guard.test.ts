import assert from 'node:assert/strict';
import { test } from 'node:test';
import { PacketType, ReasonCode } from '#mqtt';
import { BrokerHarness } from '../../../test/helpers/broker-harness.ts';
import { sysCounter } from '../../../test/helpers/sys-counter.ts';
import { threadMemory, type MemoryGauge, type MemoryUse } from './memory-guard.ts';

const address = '192.0.2.5';
const stays = { cleanStart: false, properties: { sessionExpiry: 1000 } };

/** A memory that the test fills. */
class TestMemory implements MemoryGauge {
  heapBytes = 0;
  externalBytes = 0;
  heapLimitBytes = 1_000_000;
  /** Part of the heap that a collection takes away. */
  garbageBytes = 0;
  collections = 0;

  read(): MemoryUse {
    const { heapBytes, externalBytes, heapLimitBytes } = this;
    return { heapBytes, externalBytes, heapLimitBytes };
  }

  collect(): void {
    this.collections++;
    this.heapBytes -= this.garbageBytes;
    this.garbageBytes = 0;
  }
}

function setUp(): { memory: TestMemory; harness: BrokerHarness } {
  const memory = new TestMemory();
  return { memory, harness: new BrokerHarness({ memory, limits: { maximumMemory: 100_000 } }) };
}

test('bound: memory; nearly full = no new connections from outside, until enough is free again', () => {
  const { memory, harness } = setUp();
  const client = harness.connect('c', { address });
  memory.heapBytes = 50_000;
  memory.externalBytes = 40_000;
  harness.advance(1000);
  assert.ok(harness.open({ address }).isClosed);
  assert.equal(harness.broker.mayConnect(address, 'x'), false);
  client.expectNothing();
  harness.connect('bridge', { address: 'local' });
  memory.externalBytes = 36_000;
  harness.advance(1000);
  assert.ok(harness.open({ address }).isClosed, 'a little less is not enough');
  memory.externalBytes = 34_000;
  harness.advance(1000);
  harness.connect('d', { address });
  assert.equal(sysCounter(harness, 'davylamp/bounds/memory'), 3);
});

test('memory that is nearly full drops QoS 0 for whoever lags, early; those that keep up get everything', () => {
  const { memory, harness } = setUp();
  const slow = harness.connect('slow');
  const quick = harness.connect('quick');
  for (const client of [slow, quick]) client.subscribe('t', { qos: 1 });
  const publisher = harness.connect('p');
  slow.transport.block();
  memory.heapBytes = 95_000;
  harness.advance(1000);
  for (let i = 0; i < 100; i++) publisher.publish('t', Buffer.alloc(1000));
  publisher.publish('t', 'kept', { qos: 1 });
  assert.equal(quick.received.length, 101);
  const dropped = harness.broker.statistics.dropped['slow-client'];
  assert.ok(dropped >= 30 && dropped < 40, `dropped: ${dropped}`);
  memory.heapBytes = 10_000;
  harness.advance(1000);
  harness.settle();
  slow.transport.unblock();
  harness.settle();
  assert.equal(slow.received.length, 101 - dropped);
  assert.equal(slow.takeAll().at(-1), 't=kept');
});

test('full memory: nothing is queued for the absent or newly retained; who is connected goes on', () => {
  const { memory, harness } = setUp();
  const absent = harness.connect('absent', stays);
  absent.subscribe('t', { qos: 1 });
  absent.breakOff();
  const present = harness.connect('present');
  present.subscribe('#', { qos: 1 });
  const publisher = harness.connect('p');
  publisher.publish('old', 'x', { retain: true, qos: 1 });
  publisher.publish('t', '1', { qos: 1 });
  memory.heapBytes = 100_000;
  harness.advance(1000);
  publisher.received.length = 0;
  publisher.publish('t', '2', { qos: 1 });
  publisher.publish('new', 'x', { retain: true, qos: 1 });
  publisher.publish('old', 'y', { retain: true, qos: 1 });
  const codes = [1, 2, 3].map(() => publisher.takeAck(PacketType.Puback).reasonCode);
  assert.deepEqual(codes, [ReasonCode.Success, ReasonCode.QuotaExceeded, ReasonCode.Success]);
  assert.deepEqual(present.takeAll(), ['old=x', 't=1', 't=2', 'old=y']);
  memory.heapBytes = 0;
  harness.advance(1000);
  publisher.publish('t', '3', { qos: 1 });
  assert.deepEqual(harness.connect('absent', stays).takeAll(), ['t=1', 't=3']);
  assert.ok(sysCounter(harness, 'davylamp/dropped/memory') >= 2);
});

test('queues that grow are noticed before the second is over', () => {
  const { memory, harness } = setUp();
  const absent = harness.connect('absent', stays);
  absent.subscribe('t', { qos: 1 });
  absent.breakOff();
  const publisher = harness.connect('p');
  memory.heapBytes = 100_000;
  for (let i = 0; i < 20; i++) publisher.publish('t', Buffer.alloc(1_000_000), { qos: 1, packetId: i + 1 });
  assert.ok(harness.broker.statistics.queuedMessages <= 10);
  assert.ok(harness.broker.statistics.dropped.memory >= 10);
});

test('nobody is refused for garbage, and nobody waits for collections one after the other', () => {
  const { memory, harness } = setUp();
  memory.heapBytes = 95_000;
  memory.garbageBytes = 60_000;
  harness.advance(1000);
  harness.connect('c', { address });
  assert.equal(memory.collections, 1);
  memory.heapBytes = 95_000;
  for (let i = 0; i < 29; i++) harness.advance(1000);
  assert.equal(memory.collections, 1);
  assert.ok(harness.open({ address }).isClosed);
  memory.garbageBytes = 60_000;
  harness.advance(1000);
  assert.equal(memory.collections, 2);
  harness.connect('d', { address });
});

test('where the memory is full and much was carried since, what that left behind is taken away at once', () => {
  const { memory, harness } = setUp();
  const publisher = harness.connect('p');
  memory.heapBytes = 100_000;
  harness.advance(1000);
  assert.equal(memory.collections, 1);
  const payload = Buffer.alloc(1000 * 1024);
  for (let i = 0; i < 60; i++) publisher.publish('t', payload);
  assert.equal(memory.collections, 1);
  memory.garbageBytes = 90_000;
  for (let i = 0; i < 6; i++) publisher.publish('t', payload);
  assert.equal(memory.collections, 2);
  harness.connect('c', { address });
});

test("V8's own limit counts where it is the nearer one", () => {
  const { memory, harness } = setUp();
  memory.heapLimitBytes = 60_000;
  memory.heapBytes = 50_000;
  harness.advance(1000);
  assert.ok(harness.open({ address }).isClosed);
});

test('the memory of this thread: what is kept is seen, what is garbage can be taken away', () => {
  threadMemory.collect(); // garbage of the tests before must not go away meanwhile
  const before = threadMemory.read().externalBytes;
  let kept: Buffer | null = Buffer.alloc(50_000_000, 1);
  assert.ok(threadMemory.read().externalBytes - before >= kept.length);
  kept = null;
  threadMemory.collect();
  const { externalBytes, heapBytes, heapLimitBytes } = threadMemory.read();
  assert.ok(externalBytes - before < 25_000_000, `${externalBytes - before} bytes are still kept`);
  assert.ok(heapBytes < heapLimitBytes);
});
