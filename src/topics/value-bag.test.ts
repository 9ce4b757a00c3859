import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { countOf, pushValues, withoutValue, withValue, type Values } from './value-bag.ts';

test('values come and go like those of a set, alone, in a bag and in a large one', () => {
  const step = fc.record({ adds: fc.boolean(), value: fc.nat(40) });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 200 }), (steps) => {
      const model = new Set<number>();
      let values: Values<number> | null = null;
      for (const { adds, value } of steps) {
        if (adds) {
          values = withValue<number>(values, value);
          model.add(value);
        } else if (values !== null) {
          values = withoutValue<number>(values, value);
          model.delete(value);
        }
        const found: number[] = [];
        if (values !== null) pushValues<number>(values, found);
        assert.equal(countOf(values), model.size);
        assert.deepEqual(
          found.sort((a, b) => a - b),
          [...model].sort((a, b) => a - b),
        );
        assert.equal(values === null, model.size === 0);
      }
    }),
  );
});
