/** Password files of davylamp passwd and of Debian's mosquitto_passwd, each with the broker of the other. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { chmod, mkdtemp, readdir, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { after, before, describe, it } from 'node:test';
import { FakeClock } from '#base';
import { PasswordFile, ScramFile } from '#security';
import { MosquittoBroker, skipWithoutMosquitto } from '../../clients/mosquitto-broker.ts';
import { commandOf, ours, skipWithoutTheirs, theirs, type Ended } from './programs.ts';

let folder = '';
before(async () => {
  folder = await mkdtemp(path.join(os.tmpdir(), 'davylamp-passwd-'));
});
after(() => rm(folder, { recursive: true, force: true }));

async function passwd(...words: readonly string[]): Promise<Ended> {
  const ended = await ours('passwd', words);
  assert.equal(ended.code, 0, ended.errors);
  assert.doesNotMatch(`${ended.output}${ended.errors}`, /s3cret/, 'no password in the output');
  return ended;
}

async function verdict(file: string, name: string, password: string): Promise<string> {
  const users = new PasswordFile(await readFile(file, 'utf8'), file, new FakeClock());
  return users.verify(name, Buffer.from(password));
}

describe('davylamp passwd', () => {
  it('writes files for our broker, with each hash', async () => {
    const file = path.join(folder, 'ours');
    await passwd('-c', '-b', file, 'sha512-pbkdf2', 's3cret');
    for (const hash of ['argon2id', 'sha512']) await passwd('-H', hash, '-b', file, hash, 's3cret');
    for (const name of ['sha512-pbkdf2', 'argon2id', 'sha512']) {
      assert.equal(await verdict(file, name, 's3cret'), 'right', name);
      assert.equal(await verdict(file, name, 'other'), 'wrong', name);
    }
    assert.equal((await stat(file)).mode & 0o777, 0o600);
  });

  it('writes SCRAM files for our broker', async () => {
    const file = path.join(folder, 'scram');
    await passwd('--scram', '-c', '-b', file, 'alice', 's3cret');
    await passwd('--scram', '-I', '5000', '-b', file, 'bob', 's3cret');
    const users = new ScramFile(await readFile(file, 'utf8'), file);
    assert.equal(users.size, 2);
    assert.equal(users.keysOf('bob').iterations, 5000);
    const few = await ours('passwd', ['--scram', '-I', '10', '-b', file, 'eve', 's3cret']);
    assert.equal(few.code, 1);
    assert.match(few.errors, /10 iterations are too few/);
  });

  it('asks twice on standard input', async () => {
    const file = path.join(folder, 'asked');
    const asked = await ours('passwd', ['-c', file, 'alice'], 's3cret\ns3cret\n');
    assert.equal(asked.code, 0, asked.errors);
    assert.equal(asked.errors, 'Password: Reenter password: ');
    assert.equal(await verdict(file, 'alice', 's3cret'), 'right');
    const differs = await ours('passwd', [file, 'alice'], 'one\ntwo\n');
    assert.equal(differs.code, 1);
    assert.equal(await verdict(file, 'alice', 's3cret'), 'right');
  });

  it('keeps mode and link of a file, and leaves nothing beside it', async () => {
    const file = path.join(folder, 'shared');
    const link = path.join(folder, 'link');
    await writeFile(file, '# people\nalice:plain\n');
    await chmod(file, 0o640);
    await symlink(file, link);
    await passwd('-U', link);
    await passwd('-b', link, 'bob', 's3cret');
    assert.equal((await stat(file)).mode & 0o777, 0o640);
    assert.match(await readFile(file, 'utf8'), /^# people\nalice:\$7\$.*\nbob:\$7\$.*\n$/);
    assert.equal(await verdict(link, 'alice', 'plain'), 'right');
    assert.deepEqual(
      (await readdir(folder)).filter((name) => name.startsWith('.')),
      [],
    );
  });

  it('changes nothing where it cannot write', async () => {
    const missing = await ours('passwd', ['-c', '-b', path.join(folder, 'none', 'file'), 'alice', 's3cret']);
    assert.equal(missing.code, 1);
    assert.match(missing.errors, /cannot be written \(ENOENT\); check the folder/);
  });
});

const skip = skipWithoutTheirs !== false ? skipWithoutTheirs : skipWithoutMosquitto;

describe('beside mosquitto_passwd', { skip }, () => {
  it('each goes on with the file of the other', async () => {
    const file = path.join(folder, 'both');
    assert.equal((await theirs('passwd', ['-c', '-b', file, 'alice', 's3cret'])).code, 0);
    await passwd('-b', file, 'bob', 's3cret');
    assert.equal((await theirs('passwd', ['-b', file, 'carol', 's3cret'])).code, 0);
    await passwd('-D', file, 'alice');
    await passwd('-H', 'sha512', '-b', file, 'dave', 's3cret');
    const names = (await readFile(file, 'utf8')).split('\n').map((line) => line.split(':')[0]);
    assert.deepEqual(names, ['bob', 'carol', 'dave', '']);
    for (const name of ['bob', 'carol', 'dave'])
      assert.equal(await verdict(file, name, 's3cret'), 'right', name);
  });

  it('ends as mosquitto_passwd ends', async () => {
    const [a, b] = [path.join(folder, 'a'), path.join(folder, 'b')];
    for (const words of [
      ['-c', '-b', 'FILE', 'alice', 'x'],
      ['-b', 'FILE', 'bob', 'x'],
      ['-b', 'FILE', 'alice', 'y'],
      ['-D', 'FILE', 'alice'],
      ['-D', 'FILE', 'alice'],
      ['-b', 'FILE', 'a:b', 'x'],
      ['-c', '-D', 'FILE', 'x'],
    ]) {
      const our = await ours(
        'passwd',
        words.map((word) => (word === 'FILE' ? a : word)),
      );
      const their = await theirs(
        'passwd',
        words.map((word) => (word === 'FILE' ? b : word)),
      );
      assert.equal(our.code, their.code, words.join(' '));
    }
  });

  it("Debian's broker takes our hashes", async () => {
    const file = path.join(folder, 'for-mosquitto');
    await passwd('-c', '-b', file, 'new', 's3cret');
    await passwd('-H', 'sha512', '-b', file, 'old', 's3cret');
    await using broker = await MosquittoBroker.start(`allow_anonymous false\npassword_file ${file}\n`);
    const at = ['-h', '127.0.0.1', '-p', String(broker.port), '-t', 'x', '-m', 'y', '-q', '1'];
    for (const name of ['new', 'old']) {
      const right = await ours('pub', [...at, '-u', name, '-P', 's3cret']);
      assert.equal(right.code, 0, right.errors);
      assert.equal((await ours('pub', [...at, '-u', name, '-P', 'other'])).code, 5);
    }
  });

  it(
    'a terminal does not show what is typed',
    { skip: existsSync('/usr/bin/script') ? false : 'script is not installed' },
    async () => {
      const file = path.join(folder, 'typed');
      const shown = await typeAtTerminal(['-c', file, 'alice'], 's3cret\r');
      assert.match(shown, /Password: \r?\nReenter password: \r?\n/);
      assert.doesNotMatch(shown, /s3cret/);
      assert.equal(await verdict(file, 'alice', 's3cret'), 'right');
    },
  );
});

/** Runs davylamp passwd at a terminal, types at each of its questions, and gives all that the terminal shows. */
async function typeAtTerminal(words: readonly string[], answer: string): Promise<string> {
  const command = [...commandOf('passwd', true), ...words].map((word) => `'${word}'`).join(' ');
  // script(1) gives the program a terminal of its own.
  const child = spawn('script', ['-qec', command, '/dev/null'], { stdio: ['pipe', 'pipe', 'inherit'] });
  let shown = '';
  let answered = 0;
  child.stdout.on('data', (chunk: Buffer) => {
    shown += chunk.toString();
    for (; answered < shown.split('assword: ').length - 1; answered++) child.stdin.write(answer);
  });
  await once(child, 'close');
  return shown;
}
