import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import * as fc from 'fast-check';
import { parseCommandArgs } from './command.ts';
import { PasswdText } from './passwd-file.ts';
import { passwdCommand, type PasswdPort } from './passwd.ts';

/** Files in memory, and what a person types. Hashes are readable here: `<kind>(password)`. */
class Machine implements PasswdPort {
  readonly files = new Map<string, string>();
  readonly typed: string[] = [];
  readonly hashKinds = ['sha512-pbkdf2', 'argon2id', 'sha512'];
  readonly lines: string[] = [];
  readonly errors: string[] = [];

  readText(file: string): Promise<string | null> {
    return Promise.resolve(this.files.get(file) ?? null);
  }

  writeText(file: string, text: string): Promise<void> {
    this.files.set(file, text);
    return Promise.resolve();
  }

  askSecret(): Promise<string | null> {
    return Promise.resolve(this.typed.shift() ?? null);
  }

  hash(kind: string, password: string, iterations: number | undefined): Promise<string> {
    return Promise.resolve(`${kind}${iterations ?? ''}(${password})`);
  }

  hashScram(password: string, iterations: number | undefined): Promise<string> {
    return this.hash('scram', password, iterations);
  }

  isHashed(text: string): boolean {
    return text.endsWith(')');
  }

  async run(...words: readonly string[]): Promise<number> {
    const command = passwdCommand(() => Promise.resolve(this));
    return command.run(parseCommandArgs(command, words), {
      print: (line) => void this.lines.push(line),
      printError: (line) => void this.errors.push(line),
    });
  }
}

describe('passwd', () => {
  it('creates a file, adds, changes and deletes users', async () => {
    const machine = new Machine();
    machine.typed.push('one', 'one');
    assert.equal(await machine.run('-c', 'f', 'alice'), 0);
    assert.equal(await machine.run('-b', 'f', 'bob', '-two'), 0);
    assert.equal(machine.files.get('f'), 'alice:sha512-pbkdf2(one)\nbob:sha512-pbkdf2(-two)\n');
    assert.equal(await machine.run('-H', 'argon2id', '-b', 'f', 'alice', 'new'), 0);
    assert.equal(await machine.run('-D', 'f', 'bob'), 0);
    assert.equal(machine.files.get('f'), 'alice:argon2id(new)\n');
    assert.deepEqual(machine.lines, [
      'Adding password for user alice',
      'Adding password for user bob',
      'Updating password for user alice',
    ]);
    assert.equal(machine.errors.filter((line) => line.includes('others can see a password')).length, 2);
    assert.equal(await machine.run('-D', 'f', 'bob'), 1);
  });

  it('prints the line for - as file', async () => {
    const machine = new Machine();
    assert.equal(await machine.run('-c', '-I', '5000', '-b', '-', 'alice', 'x'), 0);
    assert.deepEqual(machine.lines, ['alice:sha512-pbkdf25000(x)']);
    assert.equal(machine.files.size, 0);
  });

  it('writes SCRAM files', async () => {
    const machine = new Machine();
    assert.equal(await machine.run('--scram', '-c', '-b', 'f', 'alice', 'x'), 0);
    assert.equal(machine.files.get('f'), 'alice:scram(x)\n');
  });

  it('hashes plain passwords, and leaves alone what is hashed', async () => {
    const machine = new Machine();
    machine.files.set('f', '# people\nalice:pl:ain\nbob:sha512(x)\n');
    assert.equal(await machine.run('-U', 'f'), 0);
    assert.equal(machine.files.get('f'), '# people\nalice:sha512-pbkdf2(pl:ain)\nbob:sha512(x)\n');
    assert.match(machine.errors.join('\n'), /the password of bob is hashed already/);
  });

  const refused: readonly (readonly [string, RegExp])[] = [
    ['', /FILE is missing/],
    ['none alice', /no password file none; add -c/],
    ['-c f alice', /f exists already; leave -c out/],
    ['-b f alice', /PASSWORD is missing/],
    ['-b f a:b secret', /must not hold a colon/],
    ['-b f #a secret', /must not begin with #/],
    ['-b f alice secret more', /a word too many/],
    ['f alice', /the password is empty/],
    ['-c -D f alice', /-c and -D cannot be used together/],
    ['-U f alice', /a word too many/],
    ['-H md5 f alice', /no hash 'md5'; there are sha512-pbkdf2/],
    ['-H sha512 -I 5 f alice', /-I has no meaning for sha512/],
    ['-H sha512 --scram f alice', /-H and --scram cannot/],
    ['-I 0 f alice', /-I takes a whole number/],
    ['-x f alice', /unknown option -x/],
    ['-b broken alice secret', /broken: line 2 is not of the form name:hash; nothing was changed/],
  ];
  for (const [words, expected] of refused) {
    it(`refuses '${words}'`, async () => {
      const machine = new Machine();
      machine.files.set('f', 'bob:x\n').set('broken', '# ok\nbroken\n');
      const before = new Map(machine.files);
      assert.equal(await machine.run(...words.split(' ').filter((word) => word !== '')), 1);
      assert.match(machine.errors.join('\n'), expected);
      assert.doesNotMatch(machine.errors.join('\n'), /secret/, 'no password in a message');
      assert.deepEqual(machine.files, before);
    });
  }

  it('refuses two passwords that differ', async () => {
    const machine = new Machine();
    machine.typed.push('one', 'two');
    assert.equal(await machine.run('-c', 'f', 'alice'), 1);
    assert.match(machine.errors.join('\n'), /the two passwords are not the same/);
    assert.equal(machine.files.size, 0);
  });
});

describe('the text of a password file', () => {
  it('keeps every other line as it is', () => {
    const name = fc.stringMatching(/^[a-f]{1,2}$/);
    const line = fc.oneof(
      fc.tuple(name, fc.stringMatching(/^[ -~]{0,5}$/)).map(([user, secret]) => `${user}:${secret}`),
      fc.constantFrom('', '# comment', '  '),
    );
    fc.assert(
      fc.property(fc.array(line), name, (lines, user) => {
        const text = lines.map((one) => `${one}\n`).join('');
        const others = (all: string): string[] =>
          all.split('\n').filter((one) => !one.startsWith(`${user}:`));
        const file = new PasswdText(text);
        assert.equal(file.toString(), text);
        file.set(user, 'new');
        assert.ok(file.toString().includes(`${user}:new\n`));
        assert.deepEqual(others(file.toString()), others(text));
      }),
    );
  });

  it('gets an end of line where it has none', () => {
    const file = new PasswdText('a:1');
    file.set('b', '2');
    assert.equal(file.toString(), 'a:1\nb:2\n');
  });
});
