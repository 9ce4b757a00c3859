import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { DavylampError, FakeClock } from '#base';
import { HashTurns, PasswordFile, hashPassword } from './index.ts';

const secret = Buffer.from('secret');
const line = `alice:${await hashPassword('secret', 1)}`;
const slow = `alice:${await hashPassword('secret', 20_000)}`;

function fileOf(text: string, clock = new FakeClock(), turns?: HashTurns): PasswordFile {
  return new PasswordFile(text, '/etc/davylamp/passwords', clock, turns);
}

test('right, wrong and unknown', async () => {
  const file = fileOf(`# people\n\n${line}\r\n`);
  assert.equal(file.size, 1);
  assert.equal(await file.verify('alice', secret), 'right');
  assert.equal(await file.verify('alice', Buffer.from('Secret')), 'wrong');
  assert.equal(await file.verify('alice', Buffer.alloc(0)), 'wrong');
  for (const name of ['', 'bob', '__proto__', 'constructor', '# people', 'alice '])
    assert.equal(await file.verify(name, secret), 'wrong', name);
});

test('a file without users lets nobody in', async () => {
  assert.equal(await fileOf('# empty\n').verify('alice', secret), 'wrong');
});

test('a broken line is an error that names file and line', () => {
  const cases: [string, RegExp][] = [
    ['alice', /^\/etc\/davylamp\/passwords:1: not a line of the form name:hash/],
    [`${line}\n\n:${line.slice(6)}`, /:3: the user name is empty/],
    [`${line}\n${line}`, /:2: user "alice" stands here a second time/],
    ['# x\nalice:secret', /:2: user "alice": the password is not hashed/],
    ['alice:$7$101$x', /:1: user "alice": the hash is of no known kind/],
  ];
  for (const [text, message] of cases) {
    assert.throws(
      () => fileOf(text),
      (error: unknown) => {
        assert.ok(error instanceof DavylampError);
        assert.equal(error.code, 'CREDENTIALS_INVALID');
        assert.match(error.message, message);
        assert.doesNotMatch(error.message, /secret/, 'no secret in a message');
        return true;
      },
    );
  }
});

test('a changed file holds from then on; a broken one changes nothing', async () => {
  const file = fileOf(line);
  assert.equal(await file.verify('alice', secret), 'right');
  assert.throws(() => file.replace('alice', 'x'));
  assert.equal(await file.verify('alice', secret), 'right');
  file.replace(`alice:${await hashPassword('other', 1)}`, 'x');
  assert.equal(
    await file.verify('alice', secret),
    'wrong',
    'what was remembered of the old hash does not count',
  );
  file.replace('', 'x');
  assert.equal(await file.verify('alice', Buffer.from('other')), 'wrong');
});

test('beyond what may wait the answer is busy, and afterwards it works again', async () => {
  const file = fileOf(line, new FakeClock(), new HashTurns(4));
  const storm = await Promise.all(
    Array.from({ length: 1100 }, (_, i) => file.verify('alice', Buffer.from(`wrong ${i}`))),
  );
  assert.equal(storm.filter((verdict) => verdict === 'wrong').length, 1028, 'four at once and 1,024 waiting');
  assert.equal(storm.filter((verdict) => verdict === 'busy').length, 72);
  assert.equal(await file.verify('alice', secret), 'right');
});

test('what was right is known for ten minutes: a storm does not have to wait its turn', async () => {
  const clock = new FakeClock();
  const file = fileOf(slow, clock);
  assert.equal(await file.verify('alice', secret), 'right');
  const wrong = Array.from({ length: 20 }, () => file.verify('alice', Buffer.from('wrong')));
  const first = await Promise.race([...wrong, file.verify('alice', secret)]);
  assert.equal(first, 'right', 'it overtook those that are computed');
  clock.advance(600_001);
  const again = await Promise.race([...wrong, file.verify('alice', secret)]);
  assert.equal(again, 'wrong', 'it is computed anew, behind the others');
  await Promise.all(wrong);
});

const hasMosquitto = spawnSync('mosquitto_passwd', ['-h']).error === undefined;

test(
  'files that mosquitto_passwd writes work',
  { skip: hasMosquitto ? false : 'mosquitto_passwd is not installed' },
  async () => {
    const folder = await mkdtemp(join(tmpdir(), 'davylamp-passwd-'));
    try {
      const path = join(folder, 'passwords');
      for (const arguments_ of [
        ['-b', '-c', path, 'alice', 'secret'],
        ['-b', path, 'bob', 'pässword with spaces'],
      ]) {
        assert.equal(spawnSync('mosquitto_passwd', arguments_).status, 0);
      }
      const file = fileOf(await readFile(path, 'utf8'));
      assert.equal(await file.verify('alice', secret), 'right');
      assert.equal(await file.verify('bob', Buffer.from('pässword with spaces')), 'right');
      assert.equal(await file.verify('bob', secret), 'wrong');
    } finally {
      await rm(folder, { recursive: true });
    }
  },
);
