import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FrameLease, FramePool } from './frame-memory.ts';

const kib = 1024;

test('memory is exact when it is new, and used again where at most a quarter would lie idle', () => {
  const pool = new FramePool();
  const first = pool.take(100 * kib);
  assert.equal(first.length, 100 * kib);
  pool.give(first);
  assert.notEqual(pool.take(101 * kib), first, 'too small');
  assert.notEqual(pool.take(79 * kib), first, 'too large');
  assert.equal(pool.take(80 * kib), first);
  assert.notEqual(pool.take(80 * kib), first, 'it is in use');
});

test('small memory is not kept for the next frame', () => {
  const pool = new FramePool();
  const small = pool.take(1000);
  pool.give(small);
  assert.notEqual(pool.take(1000), small);
});

test('what is free is bounded; the longest unused goes first', () => {
  const pool = new FramePool();
  const taken = Array.from({ length: 40 }, (_, i) => pool.take(kib * kib + i));
  for (const memory of taken) pool.give(memory);
  const again = new Set(taken.map((_, i) => pool.take(kib * kib + i)));
  const reused = taken.filter((memory) => again.has(memory));
  assert.deepEqual(reused, taken.slice(-reused.length));
  assert.ok(reused.length >= 8 && reused.length <= 16, `${reused.length} MiB were free`);
  const giant = pool.take(64 * kib * kib);
  pool.give(giant);
  assert.notEqual(pool.take(64 * kib * kib), giant);
});

test('leased memory goes back when its last user is done, and never once it is kept', () => {
  const pool = new FramePool();
  const bytes = pool.take(20 * kib);
  const lease = new FrameLease(pool, bytes);
  lease.use();
  lease.release();
  assert.notEqual(pool.take(20 * kib), bytes);
  lease.release();
  assert.equal(pool.take(20 * kib), bytes);

  const kept = new FrameLease(pool, bytes);
  kept.use();
  kept.keep();
  kept.release();
  kept.release();
  assert.notEqual(pool.take(20 * kib), bytes);
});
