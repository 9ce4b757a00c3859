import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createNanosecondClock } from './wall-clock.ts';

test('is finer than a millisecond, and follows a clock that is set', () => {
  let [wall, counter] = [1_800_000_000_000, 5000.25];
  const nothing = { cancel: (): void => {} };
  const nanoseconds = createNanosecondClock({
    now: () => wall,
    monotonic: () => counter,
    after: () => nothing,
    every: () => nothing,
  });
  assert.equal(nanoseconds(), 1_800_000_000_000_000_000n);
  counter += 0.5;
  assert.equal(nanoseconds(), 1_800_000_000_000_500_000n);
  [wall, counter] = [wall + 10, counter + 10];
  assert.equal(nanoseconds(), 1_800_000_000_010_500_000n);
  wall -= 3_600_000;
  assert.equal(nanoseconds(), 1_799_996_400_010_000_000n);
});
