import assert from 'node:assert/strict';
import process from 'node:process';
import { test } from 'node:test';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import * as fc from 'fast-check';
import { MessageTable } from './message-table.ts';

test('the table of messages is a map from ids, whatever is added and removed', () => {
  const id = fc.oneof(
    fc.integer({ min: 1, max: 300 }),
    fc.integer({ min: 2 ** 40, max: 2 ** 40 + 300 }),
    fc.nat(20).map((n) => 1 + n * 65_536),
  );
  const step = fc.record({ id, removes: fc.boolean() });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 600 }), (steps) => {
      const table = new MessageTable();
      const model = new Map<number, number>();
      for (const [at, { id: key, removes }] of steps.entries()) {
        const slot = table.find(key);
        assert.equal(slot === -1, !model.has(key));
        if (slot === -1) {
          const added = table.add(key, at, at + 1, at + 2);
          table.refer(added);
          model.set(key, at);
        } else if (removes) {
          assert.ok(table.release(slot));
          table.remove(slot);
          model.delete(key);
        } else table.place(slot, model.get(key)!, 1, 2);
        assert.equal(table.size, model.size);
      }
      for (const [key, lsn] of model) {
        const slot = table.find(key);
        assert.equal(table.idOf(slot), key);
        assert.equal(table.lsnOf(slot), lsn);
      }
      assert.equal(table.slots().length, model.size);
    }),
  );
});

/** Collects garbage until not more than this many bytes of typed arrays are in use; how many are. */
async function arrayBytes(atMost: number): Promise<number> {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  for (let turn = 0; turn < 100; turn++) {
    collect();
    if (process.memoryUsage().arrayBuffers <= atMost) break;
    await new Promise((resolve) => setImmediate(resolve)); // memory is given back behind the collector's back
  }
  return process.memoryUsage().arrayBuffers;
}

test('a million messages come and go, and their memory with them', async () => {
  const table = new MessageTable();
  const before = await arrayBytes(0);
  for (let id = 1; id <= 1_000_000; id++) table.refer(table.add(id, id, 100, 64));
  const used = (await arrayBytes(before + 40_000_000)) - before;
  assert.ok(used < 40_000_000, `${used} bytes`);
  for (let id = 1; id <= 1_000_000; id++) {
    const slot = table.find(id);
    assert.ok(table.release(slot));
    table.remove(slot);
  }
  assert.equal(table.size, 0);
  const left = (await arrayBytes(before + 1_000_000)) - before;
  assert.ok(left < 1_000_000, `${left} bytes are left`);
});
