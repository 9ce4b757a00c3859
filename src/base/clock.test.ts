import assert from 'node:assert/strict';
import { test } from 'node:test';
import { sleep } from './clock.ts';
import { FakeClock } from './fake-clock.ts';

test('timers fire in the order of their due time, periodic ones again and again', () => {
  const clock = new FakeClock(0);
  const fired: string[] = [];
  clock.after(30, () => fired.push(`c${clock.now()}`));
  clock.after(10, () => {
    fired.push(`a${clock.now()}`);
    clock.after(5, () => fired.push(`b${clock.now()}`));
  });
  const periodic = clock.every(20, () => fired.push(`p${clock.now()}`));
  clock.advance(45);
  periodic.cancel();
  clock.advance(100);
  assert.deepEqual(fired, ['a10', 'b15', 'p20', 'c30', 'p40']);
});

test('a sleep ends with its time or with its signal', async () => {
  const clock = new FakeClock();
  const slept = sleep(clock, 100);
  clock.advance(100);
  await slept;
  const abort = new AbortController();
  const cut = sleep(clock, 100, abort.signal);
  abort.abort(new Error('enough'));
  await assert.rejects(cut, /enough/);
  await assert.rejects(sleep(clock, 100, abort.signal), /enough/);
});
