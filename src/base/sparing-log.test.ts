import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FakeClock } from './fake-clock.ts';
import { LineLogger } from './logger.ts';
import { SparingLog } from './sparing-log.ts';

function start(linesAtOnce?: number): { clock: FakeClock; lines: string[]; log: SparingLog } {
  const clock = new FakeClock();
  const lines: string[] = [];
  const write = (line: string): void => void lines.push(line.slice(line.indexOf(' ') + 1));
  const logger = new LineLogger({ clock, level: 'info', write });
  return { clock, lines, log: new SparingLog(clock, logger, linesAtOnce) };
}

test('one line in ten seconds, then one that counts the others', () => {
  const { clock, lines, log } = start();
  assert.equal(log.warning('refused', { topic: 't0' }), true);
  for (let n = 1; n < 5; n++) assert.equal(log.warning('refused', { topic: `t${n}` }), false);
  assert.deepEqual(lines, ['warning: refused topic=t0\n']);
  clock.advance(9999);
  assert.equal(lines.length, 1);
  clock.advance(1);
  assert.deepEqual(lines.splice(1), ['warning: refused: 4 more like it in 10 s; the last: topic=t4\n']);
  clock.advance(60_000);
  assert.equal(lines.length, 1, 'nobody is told of nothing');
  log.warning('refused', { topic: 't5' });
  assert.match(lines[1] ?? '', /refused topic=t5\n$/);
});

test('a flood of one kind hides no other; a kind has many messages and its own level', () => {
  const { clock, lines, log } = start(2);
  for (let n = 0; n < 1000; n++) log.notice(`client ${n} is refused`, { n }, 'a client is refused');
  log.error('the disk is full', {});
  log.info('the disk is full', {});
  assert.deepEqual(lines, [
    'notice: client 0 is refused n=0\n',
    'notice: client 1 is refused n=1\n',
    'error: the disk is full\n',
    'info: the disk is full\n',
  ]);
  clock.advance(10_000);
  assert.deepEqual(lines.splice(4), [
    'notice: a client is refused: 998 more like it in 10 s; the last: n=999\n',
  ]);
});

test('what is untold at the end is told then, and nothing after it', () => {
  const { clock, lines, log } = start();
  for (let n = 0; n < 3; n++) log.warning('refused', { n });
  log.close();
  assert.match(lines[1] ?? '', /2 more like it/);
  clock.advance(60_000);
  assert.equal(lines.length, 2);
});

test('kinds without end are one kind', () => {
  const { lines, log } = start();
  for (let n = 0; n < 10_000; n++) log.warning(`reason ${n}`, {});
  assert.equal(lines.length, 201);
  log.close();
  assert.match(lines.at(-1) ?? '', /^warning: other lines: 9799 more like it/);
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
