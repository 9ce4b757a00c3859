import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Random } from './random.ts';

test('one seed gives one sequence, another seed another', () => {
  const draw = (seed: number): number[] => {
    const random = new Random(seed);
    return Array.from({ length: 20 }, () => random.gaussian());
  };
  assert.deepEqual(draw(7), draw(7));
  assert.notDeepEqual(draw(7), draw(8));
});

test('uniform numbers lie in [0, 1) and gaussian ones have mean 0 and deviation 1', () => {
  const random = new Random(42);
  let sum = 0;
  let squares = 0;
  const count = 50_000;
  for (let n = 0; n < count; n++) {
    const uniform = random.next();
    assert.ok(uniform >= 0 && uniform < 1);
    const normal = random.gaussian();
    sum += normal;
    squares += normal * normal;
  }
  assert.ok(Math.abs(sum / count) < 0.02);
  assert.ok(Math.abs(squares / count - 1) < 0.03);
});
