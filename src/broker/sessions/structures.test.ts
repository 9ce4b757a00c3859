import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { Deferred } from '../delivery/deferred.ts';
import { Delivery, Message } from '../message.ts';
import { Inflight, InflightState } from './inflight.ts';
import { MessageQueue } from './message-queue.ts';
import { PacketIdSet } from './packet-id-set.ts';

function delivery(serial: number, size = 1, qos: 1 | 2 = 1): Delivery {
  return new Delivery(
    serial,
    new Message('', 0, Buffer.alloc(size), qos, false, null, '', 0),
    qos,
    false,
    [],
    '',
    0,
  );
}

test('PacketIdSet behaves as a Set of numbers', () => {
  const step = fc.record({ id: fc.integer({ min: 1, max: 65_535 }), isAdd: fc.boolean() });
  const near = fc.record({ id: fc.integer({ min: 1, max: 40 }), isAdd: fc.boolean() });
  fc.assert(
    fc.property(fc.array(fc.oneof(step, near), { maxLength: 200 }), (steps) => {
      const ours = new PacketIdSet();
      const model = new Set<number>();
      for (const { id, isAdd } of steps) {
        const expected = isAdd ? !model.has(id) : model.delete(id);
        if (isAdd) model.add(id);
        assert.equal(isAdd ? ours.add(id) : ours.delete(id), expected);
        assert.equal(ours.has(id), model.has(id));
        assert.equal(ours.size, model.size);
      }
    }),
  );
});

test('a queue that is left on the disk keeps its order, count and bytes, and hardly anything in memory', () => {
  const queue = new MessageQueue(1000, 100_000);
  queue.canSpill = true;
  const all = Array.from({ length: 40 }, (_, i) => delivery(i + 1, 100));
  for (const one of all.slice(0, 20)) queue.push(one);
  assert.equal(queue.spilledCount, 0);
  queue.isAway = true;
  queue.leaveOnDisk();
  for (const one of all.slice(20)) queue.push(one);
  assert.deepEqual([queue.length, queue.bytes, queue.spilledCount, queue.pageAfter], [40, 4000, 40, 0]);
  assert.ok(queue.memoryBytes < 40 * 200);
  assert.equal(queue.shift(), null);
  queue.addPage(all.slice(0, 30));
  queue.addPage(all.slice(30));
  assert.deepEqual([queue.length, queue.bytes, queue.spilledCount], [40, 4000, 0]);
  assert.deepEqual(
    all.map(() => queue.shift()),
    all,
  );
});

test('a queue of an absent client that can be left on the disk holds a few messages only', () => {
  const queue = new MessageQueue(1000, 100_000);
  queue.canSpill = true;
  queue.isAway = true;
  for (let i = 1; i <= 100; i++) queue.push(delivery(i));
  assert.deepEqual([queue.length, queue.spilledCount], [100, 84]);
});

test('MessageQueue behaves as a bounded array', () => {
  const step = fc.oneof(fc.integer({ min: 0, max: 30 }), fc.constant(null));
  fc.assert(
    fc.property(fc.array(step, { maxLength: 300 }), (steps) => {
      const queue = new MessageQueue(20, 300);
      const model: Delivery[] = [];
      for (const [i, size] of steps.entries()) {
        const bytes = model.reduce((sum, one) => sum + one.size, 0);
        if (size === null) assert.equal(queue.shift(), model.shift() ?? null);
        else {
          const one = delivery(i, size);
          const fits = model.length < 20 && bytes + size <= 300;
          assert.equal(queue.push(one), fits);
          if (fits) model.push(one);
        }
        assert.equal(queue.length, model.length);
        assert.equal(
          queue.bytes,
          model.reduce((sum, one) => sum + one.size, 0),
        );
        const seen: Delivery[] = [];
        queue.forEach((one) => seen.push(one));
        assert.deepEqual(seen, model);
      }
    }),
  );
});

test('Inflight never gives an id twice, knows the order, and uses ids again as late as it can', () => {
  fc.assert(
    fc.property(fc.array(fc.nat(20), { maxLength: 400 }), (steps) => {
      const inflight = new Inflight(8);
      const model = new Map<number, Delivery>();
      const given: number[] = [];
      for (const [serial, choice] of steps.entries()) {
        const used = [...model.keys()];
        if (choice < 12 && !inflight.isFull) {
          const one = delivery(serial + 1);
          const id = inflight.open(one);
          assert.ok(id >= 1 && id <= 8 && !model.has(id));
          model.set(id, one);
          given.push(id);
        } else if (used.length > 0) {
          const id = used[choice % used.length]!;
          inflight.close(id);
          model.delete(id);
          assert.equal(inflight.stateOf(id), InflightState.Free);
        }
        assert.equal(inflight.size, model.size);
        assert.deepEqual(inflight.inOrder(), [...model.keys()]);
        for (const [id, one] of model) assert.equal(inflight.deliveryOf(id), one);
      }
      assert.deepEqual(given.slice(0, 8), [1, 2, 3, 4, 5, 6, 7, 8].slice(0, given.length));
    }),
  );
});

test('Inflight takes back what was restored, under its ids, and gives others', () => {
  const inflight = new Inflight(10);
  inflight.restore(7, delivery(3, 1, 2), true);
  inflight.restore(2, delivery(1), false);
  inflight.restore(12, delivery(2, 1, 2), false);
  assert.deepEqual(inflight.inOrder(), [2, 12, 7]);
  assert.equal(inflight.stateOf(7), InflightState.AwaitingPubcomp);
  assert.equal(inflight.stateOf(12), InflightState.AwaitingPubrec);
  const ids = new Set([2, 7, 12]);
  while (!inflight.isFull) {
    const id = inflight.open(delivery(10 + inflight.size));
    assert.ok(!ids.has(id));
    ids.add(id);
  }
  assert.equal(ids.size, 10);
});

test('Deferred releases in order, up to what is durable', () => {
  const batch = fc.record({ count: fc.nat(40), step: fc.nat(3), durable: fc.nat(200) });
  fc.assert(
    fc.property(fc.array(batch, { maxLength: 20 }), (batches) => {
      const deferred = new Deferred();
      const model: { sequence: number; id: number }[] = [];
      let sequence = 0;
      let id = 0;
      for (const { count, step, durable } of batches) {
        for (let i = 0; i < count; i++) {
          sequence += step;
          id = (id % 65_535) + 1;
          deferred.push(sequence, 4 + (id % 4), id % 256, id);
          model.push({ sequence, id });
        }
        deferred.release(durable, {
          sendDeferred: (type, reasonCode, packetId) => {
            const expected = model.shift()!;
            assert.ok(expected.sequence <= durable);
            assert.deepEqual(
              [type, reasonCode, packetId],
              [4 + (expected.id % 4), expected.id % 256, expected.id],
            );
          },
        });
        assert.ok(model.length === 0 || model[0]!.sequence > durable);
        assert.equal(deferred.length, model.length);
      }
    }),
  );
});

test('packet ids begin where they are told to, and 1 follows 65,535', () => {
  const inflight = new Inflight(4);
  inflight.startAfter(65_533);
  const opened = [1, 2, 3, 4].map((serial) => inflight.open(delivery(serial)));
  assert.deepEqual(opened, [65_534, 65_535, 1, 2]);
  assert.deepEqual(inflight.inOrder(), opened);
  inflight.close(65_535);
  assert.equal(inflight.stateOf(65_535), InflightState.Free);
  assert.equal(inflight.stateOf(3), InflightState.Free, 'never used');
  assert.equal(inflight.deliveryOf(1)?.serial, 3);
  assert.equal(inflight.open(delivery(5)), 65_535);
});
