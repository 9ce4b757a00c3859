import assert from 'node:assert/strict';
import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import net from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { test } from 'node:test';
import { FakeClock, silentLogger, type Logger } from '#base';
import { Broker } from '#broker';
import { readToml, type Config } from '#config';
import { MemoryJournal } from '#journal';
import { wideLimits } from '../../../test/helpers/broker-harness.ts';
import { freePort } from '../../../test/helpers/demo-process.ts';
import { httpRequest } from '../../../test/helpers/raw-http.ts';
import { MetricsEndpoint } from './metrics-endpoint.ts';
import type { MetricsView } from './metrics-view.ts';

const token = 'a-token-that-is-long-enough';

class Setup implements AsyncDisposable {
  readonly folder: string;
  readonly warnings: string[] = [];
  readonly endpoint: MetricsEndpoint;

  private constructor(folder: string) {
    this.folder = folder;
    const log: Logger = { ...silentLogger, warning: (line) => void this.warnings.push(line) };
    const options = { clock: new FakeClock(), log, limits: wideLimits, name: 'x', version: '0' };
    const { statistics } = new Broker({ ...options, journal: new MemoryJournal() });
    const about = { role: 'site', name: 'x', version: '0', phase: 'running' } as const;
    const look = (): MetricsView => ({ ...about, statistics, journal: null, listeners: [], bridges: [] });
    this.endpoint = new MetricsEndpoint({ clock: options.clock, log, look });
  }

  static async create(): Promise<Setup> {
    return new Setup(await mkdtemp(path.join(os.tmpdir(), 'davylamp-metrics-')));
  }

  /** A configuration with these lines in `[metrics]`; without any, without the table. */
  config(...lines: string[]): Config {
    const listener = '[[listener]]\nname = "x"\nallow_anonymous = true\n';
    const table = lines.length === 0 ? '' : `[metrics]\n${lines.join('\n')}\n`;
    const text = `role = "site"\nname = "x"\n${listener}${table}`;
    return readToml(text, 'x.toml', { baseFolder: this.folder }).config;
  }

  async write(name: string, text: string): Promise<void> {
    await writeFile(path.join(this.folder, name), text, { mode: 0o600 });
  }

  async reload(config: Config): Promise<void> {
    (await this.endpoint.prepare(config)).commit();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.endpoint.close();
    await rm(this.folder, { recursive: true, force: true });
  }
}

const statusOf = async (port: number, given?: string): Promise<number | undefined> =>
  (await httpRequest(port, '/metrics', given === undefined ? {} : { token: given }))?.status;

function isRefused(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = net.connect(port, '127.0.0.1', () => {
      socket.destroy();
      resolve(false);
    });
    socket.on('error', () => resolve(true));
  });
}

test('without [metrics] there is none; a reload opens, moves and closes it', async () => {
  await using setup = await Setup.create();
  const { endpoint } = setup;
  await endpoint.open(setup.config());
  assert.equal(endpoint.title, null);
  const [one, two] = [await freePort(), await freePort()];
  await setup.reload(setup.config(`port = ${one}`));
  assert.equal(endpoint.title, `metrics http://127.0.0.1:${one}/metrics`);
  assert.equal(await statusOf(one), 200);
  await setup.reload(setup.config(`port = ${two}`));
  assert.equal(await statusOf(two), 200);
  assert.ok(await isRefused(one));
  await setup.reload(setup.config());
  assert.equal(endpoint.title, null);
  assert.ok(await isRefused(two));
});

test('a reload takes a token over, whether its file or the table has changed', async () => {
  await using setup = await Setup.create();
  const port = await freePort();
  await setup.endpoint.open(setup.config(`port = ${port}`));
  assert.equal(await statusOf(port), 200);
  await setup.write('token', `${token}\n`);
  const guarded = setup.config(`port = ${port}`, 'token_file = "token"');
  await setup.reload(guarded);
  assert.equal(await statusOf(port), 401);
  assert.equal(await statusOf(port, token), 200);
  await setup.write('token', `${token}-2\nanother line\n`);
  assert.equal(await statusOf(port, token), 200);
  await setup.reload(guarded);
  assert.equal(await statusOf(port, token), 401);
  assert.equal(await statusOf(port, `${token}-2`), 200);
});

test('what cannot be is refused and changes nothing', async () => {
  await using setup = await Setup.create();
  const { endpoint } = setup;
  const port = await freePort();
  await setup.write('token', `${token}\n`);
  await endpoint.open(setup.config(`port = ${port}`, 'token_file = "token"'));
  await setup.write('short', 'short\n');
  await setup.write('empty', '');
  await setup.write('odd', `${token} and more\n`);
  for (const file of ['short', 'empty', 'odd']) {
    const config = setup.config(`port = ${port}`, `token_file = "${file}"`);
    await assert.rejects(endpoint.prepare(config), (error: Error & { code: string }) => {
      assert.equal(error.code, 'CREDENTIALS_INVALID');
      assert.match(error.message, /^metrics: the first line of .* is not a token: .*openssl rand -hex 32$/);
      assert.ok(!error.message.includes('and more'));
      return true;
    });
  }
  const missing = setup.config(`port = ${port}`, 'token_file = "missing"');
  await assert.rejects(endpoint.prepare(missing), { code: 'FILE_UNREADABLE' });
  const elsewhere = setup.config('address = "0.0.0.0"', `port = ${port}`);
  await assert.rejects(endpoint.prepare(elsewhere), { code: 'CONFIG_INVALID', message: /needs a restart/ });
  await using other = await Setup.create();
  await assert.rejects(other.endpoint.open(other.config(`port = ${port}`)), {
    code: 'PORT_TAKEN',
    message: `metrics: port ${port} of 127.0.0.1 is taken; choose another port or stop the program that uses it`,
  });
  const nowhere = other.config('address = "192.0.2.1"', 'port = 0');
  await assert.rejects(other.endpoint.open(nowhere), { code: 'LISTEN_FAILED' });
  assert.equal(await statusOf(port, token), 200);
  assert.equal(await statusOf(port), 401);
});

test('a reload that another part refuses leaves the endpoint as it was', async () => {
  await using setup = await Setup.create();
  const { endpoint } = setup;
  const [one, two] = [await freePort(), await freePort()];
  await endpoint.open(setup.config(`port = ${one}`));
  const moved = await endpoint.prepare(setup.config(`port = ${two}`));
  assert.equal(await statusOf(two), 503);
  await moved.abort();
  assert.ok(await isRefused(two));
  const gone = await endpoint.prepare(setup.config());
  await gone.abort();
  assert.equal(await statusOf(one), 200);
});

test(
  'a token that others on this machine can read is told of',
  { skip: process.platform === 'win32' },
  async () => {
    await using setup = await Setup.create();
    await setup.write('token', token);
    await chmod(path.join(setup.folder, 'token'), 0o644);
    await setup.endpoint.open(setup.config('port = 0', 'token_file = "token"'));
    assert.equal(setup.warnings.length, 1);
    assert.match(setup.warnings[0] ?? '', /token: other users of this machine can read it/);
  },
);
