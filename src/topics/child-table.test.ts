import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { ChildTable } from './child-table.ts';

/** All ids that a search for the hash comes to. */
function idsOf(table: ChildTable, hash: number): number[] {
  const { slots, mask } = table.segmentOf(hash);
  const ids: number[] = [];
  for (let slot = hash & mask; slots[slot * 2 + 1] !== 0; slot = (slot + 1) & mask) {
    if (slots[slot * 2] === hash) ids.push(slots[slot * 2 + 1]!);
  }
  return ids.toSorted((a, b) => a - b);
}

/** Hashes and ids in a plain Map. */
class Model {
  readonly ids = new Map<number, Set<number>>();

  of(hash: number): number[] {
    return [...(this.ids.get(hash) ?? [])].toSorted((a, b) => a - b);
  }

  add(hash: number, id: number): void {
    this.ids.set(hash, (this.ids.get(hash) ?? new Set()).add(id));
  }

  remove(hash: number, id: number): void {
    this.ids.get(hash)?.delete(id);
  }
}

test('any sequence of add and remove leaves what a Map would hold, however the hashes lie', () => {
  // Equal ones, neighbours, the highest and lowest: runs that go round the end of a segment.
  const hash = fc.oneof(fc.integer({ min: -3, max: 12 }), fc.integer({ min: -0x80000000, max: 0x7fffffff }));
  const step = fc.record({ adds: fc.boolean(), hash });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 300, size: 'max' }), (steps) => {
      const table = new ChildTable();
      const model = new Model();
      for (const [place, { adds, hash }] of steps.entries()) {
        const [known] = model.of(hash);
        if (adds) {
          table.add(hash, place + 1);
          model.add(hash, place + 1);
        } else if (known !== undefined) {
          table.remove(hash, known);
          model.remove(hash, known);
        }
        assert.deepEqual(idsOf(table, hash), model.of(hash));
      }
      for (const hash of model.ids.keys()) assert.deepEqual(idsOf(table, hash), model.of(hash));
    }),
    { numRuns: 200 },
  );
});

test('a large table finds everything after it has been divided many times, and what is taken out is gone', () => {
  const table = new ChildTable();
  const count = 100_000;
  const hashOf = (id: number): number => Math.imul(id, 0x9e3779b1) ^ (id >>> 5);
  for (let id = 1; id <= count; id++) table.add(hashOf(id), id);
  for (let id = 1; id <= count; id += 2) table.remove(hashOf(id), id);
  for (let id = 1; id <= count; id++)
    assert.equal(idsOf(table, hashOf(id)).includes(id), id % 2 === 0, String(id));
});
