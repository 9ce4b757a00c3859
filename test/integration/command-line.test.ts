/** Bad input at the command line: one clear line that names the thing, the right exit code, and nothing else lost. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { chmod, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import net from 'node:net';
import path from 'node:path';
import { after, before, describe, it } from 'node:test';
import { davylamp, temporaryFolder } from '../helpers/demo-process.ts';

describe('command line', () => {
  let folder = '';
  before(async () => {
    folder = await temporaryFolder();
  });
  after(() => rm(folder, { recursive: true, force: true }));

  const writeConfig = async (name: string, text: string): Promise<string> => {
    const file = path.join(folder, name);
    await writeFile(file, text);
    return file;
  };

  it('shows its commands', async () => {
    const help = await davylamp('--help');
    assert.equal(help.code, 0);
    for (const command of ['demo', 'demo status', 'demo leak', 'site', 'relay', 'cloud'])
      assert.ok(help.stdout.includes(`  ${command} `), command);
    assert.equal((await davylamp()).code, 2);
    const version = await davylamp('--version');
    assert.match(version.stdout, /^davylamp \d+\.\d+\.\d+/);
  });

  const usageErrors: readonly (readonly [readonly string[], RegExp])[] = [
    [['demmo'], /unknown command 'demmo'; did you mean 'demo'\?/],
    [['demo', '--prot', '1'], /unknown option --prot; did you mean --port\?/],
    [['demo', '--port'], /--port needs a value/],
    [['demo', '--port', 'x'], /--port takes a number from 1 to 65000, not 'x'/],
    [['demo', '--port', '1.5'], /whole number/],
    [['demo', 'extra'], /unexpected argument 'extra'/],
    [['demo', 'leak', 'north'], /SITE\/DETECTOR/],
    [['demo', 'leak', 'north/d1', '--rate', '-1'], /--rate takes a number/],
    [['site'], /--config FILE is missing/],
    [['broker', '-p', '1', '-p', '2'], /--port is given twice/],
    [['journal', 'inspect'], /FOLDER is missing/],
  ];
  for (const [args, expected] of usageErrors) {
    it(`refuses 'davylamp ${args.join(' ')}'`, async () => {
      const outcome = await davylamp(...args);
      assert.match(outcome.stderr, expected);
      assert.equal(outcome.stderr.trimEnd().split('\n').length, 1, outcome.stderr);
      assert.equal(outcome.code, 2);
    });
  }

  it('says that a configuration file is missing', async () => {
    const outcome = await davylamp('site', '-c', path.join(folder, 'none.toml'));
    assert.equal(outcome.code, 1);
    assert.match(outcome.stderr, /none\.toml cannot be read/);
  });

  it('names file, line and key of a wrong configuration', async () => {
    const file = await writeConfig(
      'wrong.toml',
      'role = "site"\nname = "x"\n[[listener]]\nname = "a"\nprotocol = "tcp"\nprot = 1\nallow_anonymous = true\n',
    );
    const outcome = await davylamp('site', '-c', file);
    assert.equal(outcome.code, 3, outcome.stderr);
    assert.match(outcome.stderr, /wrong\.toml:6: .*prot/);
  });

  it('says that there is no demo in a folder', async () => {
    const outcome = await davylamp('demo', 'status', '--data', path.join(folder, 'nothing'));
    assert.equal(outcome.code, 1);
    assert.match(outcome.stderr, /there is no demo in .*nothing/);
    const leak = await davylamp('demo', 'leak', 'north/d1', '--data', path.join(folder, 'nothing'));
    assert.equal(leak.code, 1);
  });

  it('says that a port is taken', async () => {
    const server = net.createServer();
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as net.AddressInfo;
    const file = await writeConfig(
      'taken.toml',
      `role = "site"\nname = "x"\n[[listener]]\nname = "detectors"\nprotocol = "tcp"\nport = ${port}\nallow_anonymous = true\n`,
    );
    const outcome = await davylamp('site', '-c', file);
    server.close();
    assert.equal(outcome.code, 1);
    assert.match(
      outcome.stderr,
      new RegExp(`listener detectors: 127\\.0\\.0\\.1:${port} is taken; choose another port`),
    );
    assert.equal(outcome.stderr.trimEnd().split('\n').length, 1, outcome.stderr);
  });

  it('names a certificate that is none', async () => {
    await writeConfig('broken.pem', 'not a certificate');
    const file = await writeConfig(
      'tls.toml',
      'role = "relay"\nname = "x"\n[[listener]]\nname = "outside"\nprotocol = "tls"\nport = 1\ncertificate_file = "broken.pem"\nkey_file = "broken.pem"\nallow_anonymous = true\n',
    );
    const outcome = await davylamp('relay', '-c', file);
    assert.notEqual(outcome.code, 0);
    assert.match(outcome.stderr, /outside.*broken\.pem/);
  });

  it('names an unreadable password file', async () => {
    const file = await writeConfig(
      'password.toml',
      'role = "site"\nname = "x"\n[[listener]]\nname = "detectors"\nprotocol = "tcp"\nport = 1\npassword_file = "nobody-has-it"\nrequire_password = true\n',
    );
    const outcome = await davylamp('site', '-c', file);
    assert.notEqual(outcome.code, 0);
    assert.match(outcome.stderr, /detectors.*nobody-has-it/);
  });

  it('checks a file without running it', async () => {
    const file = await writeConfig(
      'good.toml',
      'role = "site"\nname = "x"\n[[listener]]\nname = "a"\nprotocol = "tcp"\nport = 1883\nallow_anonymous = true\n',
    );
    const outcome = await davylamp('site', '-c', file, '--check');
    assert.equal(outcome.code, 0, outcome.stderr);
    assert.match(outcome.stdout, /good\.toml: no error/);
  });

  it('does not touch a demo folder that is a file', async () => {
    const file = await writeConfig('a-file', 'x');
    const outcome = await davylamp('demo', '--data', file);
    assert.equal(outcome.code, 1);
    assert.match(outcome.stderr, /a-file is not a folder/);
    assert.equal(await readFile(file, 'utf8'), 'x');
  });

  it('names a demo record that cannot be read', async () => {
    const home = path.join(folder, 'broken-demo');
    await mkdir(home);
    await writeFile(path.join(home, 'demo.json'), '{');
    await chmod(home, 0o700);
    const outcome = await davylamp('demo', 'status', '--data', home);
    assert.equal(outcome.code, 1);
    assert.match(outcome.stderr, /demo\.json cannot be used/);
  });
});
