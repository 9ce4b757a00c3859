import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FakeClock } from './fake-clock.ts';
import { LineLogger } from './logger.ts';
import { SparingLog } from './sparing-log.ts';

test('one line in ten seconds, and the next one counts the others', () => {
  const clock = new FakeClock();
  const lines: string[] = [];
  const log = new SparingLog(
    clock,
    new LineLogger({ clock, level: 'info', write: (line) => lines.push(line) }),
  );
  for (let n = 0; n < 5; n++) log.warning('refused', { topic: `t${n}` });
  assert.equal(lines.length, 1);
  assert.match(lines[0] ?? '', /refused topic=t0\n$/);
  clock.advance(10_000);
  log.warning('refused', { topic: 't5' });
  assert.equal(lines.length, 2);
  assert.match(lines[1] ?? '', /refused topic=t5 others=4\n$/);
});

test('what a peer writes cannot forge a line or move a terminal', () => {
  const clock = new FakeClock();
  const lines: string[] = [];
  const log = new LineLogger({ clock, level: 'info', write: (line) => lines.push(line) });
  log.info('hello\nerror: forged\u001b[2J', { client: 'a b"\n' });
  assert.equal(lines.join('').split('\n').length, 2);
  assert.ok(!lines.join('').includes('\u001b'));
  log.debug('quiet');
  log.child('bridge:x').warning('lost');
  assert.equal(lines.length, 2);
  assert.match(lines[1] ?? '', / warning bridge:x: lost\n$/);
});
