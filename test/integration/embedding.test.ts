/** Runs every example of docs/guides/embedding.md as a process of its own, and proves from outside what it says. */
import assert from 'node:assert/strict';
import { spawn, type ChildProcessByStdio } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import process from 'node:process';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { test } from 'node:test';
import { silentLogger, SystemClock, type Dialer } from '#base';
import { Client, type ClientOptions } from '#client';
import { createDialer } from '#listeners';
import { ReasonCode } from '#mqtt';
import { TestAuthority } from '../helpers/test-certificates.ts';

const root = path.resolve(import.meta.dirname, '../..');
const clock = new SystemClock();

/** An example that runs, and its lines. */
class Example implements AsyncDisposable {
  readonly #child: ChildProcessByStdio<null, Readable, Readable>;
  readonly #lines: string[] = [];
  #errors = '';
  #wake: () => void = () => {};

  constructor(name: string, environment: Readonly<Record<string, string>>) {
    const file = path.join(root, 'examples', `${name}.ts`);
    this.#child = spawn(process.execPath, ['--conditions=source', file], {
      env: { ...process.env, PORT: '0', ...environment },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    createInterface(this.#child.stdout).on('line', (line) => {
      this.#lines.push(line);
      this.#wake();
    });
    this.#child.stderr.setEncoding('utf8').on('data', (text: string) => (this.#errors += text));
    this.#child.once('exit', () => this.#wake());
  }

  static async start(name: string, environment: Readonly<Record<string, string>> = {}): Promise<Example> {
    const example = new Example(name, environment);
    await once(example.#child, 'spawn');
    return example;
  }

  /** The next line that matches; those before it are given up. Fails when the process ends instead. */
  async line(pattern: RegExp): Promise<string> {
    for (;;) {
      const line = this.#lines.shift();
      if (line !== undefined && pattern.test(line)) return line;
      if (line !== undefined) continue;
      if (this.#child.exitCode !== null)
        throw new Error(`it ended before a line like ${pattern.source}: ${this.#errors}`);
      await new Promise<void>((resolve) => (this.#wake = resolve));
    }
  }

  async port(): Promise<number> {
    const line = await this.line(/mqtts?:\/\//);
    return Number(/:(\d+)$/.exec(line)?.[1]);
  }

  signal(name: NodeJS.Signals): void {
    this.#child.kill(name);
  }

  /** The exit code; `null` = ended by a signal. */
  async ended(): Promise<number | null> {
    if (this.#child.exitCode === null && this.#child.signalCode === null) await once(this.#child, 'exit');
    return this.#child.exitCode;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    this.#child.kill('SIGKILL');
    await once(this.#child, 'exit');
  }
}

interface Received {
  readonly topic: string;
  readonly text: string;
  readonly contentType: string | undefined;
  readonly from: string;
}

/** A client from outside, and what it got: `topic=payload`. */
class Outsider implements AsyncDisposable {
  readonly client: Client;
  readonly messages: Received[] = [];
  lastTaken: Received | undefined;
  #wake: () => void = () => {};

  constructor(dialer: Dialer, options: Partial<ClientOptions>) {
    this.client = new Client({
      dialer,
      clock,
      log: silentLogger,
      clientId: 'outsider',
      version: 5,
      cleanStart: true,
      keepAliveSeconds: 0,
      reconnect: false,
      ...options,
    });
    this.client.onMessage = ({ topic, payload, properties }) => {
      this.messages.push({
        topic,
        text: payload.toString(),
        contentType: properties?.contentType,
        from: properties?.userProperties[0]?.join(' ') ?? '',
      });
      this.#wake();
    };
    this.client.onState = () => this.#wake();
  }

  static async connect(port: number, options: Partial<ClientOptions> = {}): Promise<Outsider> {
    const outsider = new Outsider(plainDialer(port), options);
    await outsider.client.connect();
    return outsider;
  }

  async subscribe(filter: string, qos: 0 | 1 | 2 = 1): Promise<number | undefined> {
    const [code] = await this.client.subscribe([{ filter, qos }]);
    return code;
  }

  /** Waits for this many messages and gives them away. */
  async take(count: number): Promise<string[]> {
    while (this.messages.length < count && this.client.state === 'connected')
      await new Promise<void>((resolve) => (this.#wake = resolve));
    const taken = this.messages.splice(0, count);
    this.lastTaken = taken.at(-1);
    return taken.map(({ topic, text }) => `${topic}=${text}`);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.client.close();
  }
}

function plainDialer(port: number): Dialer {
  return createDialer({ host: '127.0.0.1', port, tls: null, clock });
}

test('minimal: a broker in five lines, which ends when asked to', async () => {
  await using example = await Example.start('minimal');
  const port = await example.port();
  await using client = await Outsider.connect(port);
  await client.subscribe('t');
  await client.client.publish('t', 'hello', { qos: 1 });
  assert.deepEqual(await client.take(1), ['t=hello']);
  example.signal('SIGINT');
  assert.equal(await example.ended(), 0);
  assert.equal(client.client.state, 'closed');
});

test('passwords: who knows the token comes in, nobody else', async () => {
  await using example = await Example.start('passwords');
  const port = await example.port();
  await using known = await Outsider.connect(port, {
    username: 'detector-7',
    password: '3nKc-long-random-token',
  });
  assert.equal(known.client.state, 'connected');
  for (const wrong of [{ username: 'detector-7', password: 'guess' }, { username: 'other' }, {}]) {
    const refused = new Outsider(plainDialer(port), { clientId: 'c', ...wrong });
    await assert.rejects(refused.client.connect(), {
      code: 'CONNECTION_REFUSED',
      message: /bad user name or password/,
    });
  }
});

test('access rules: below one’s own name only, until the rules change', async () => {
  await using example = await Example.start('access-rules');
  const port = await example.port();
  await using anna = await Outsider.connect(port, { username: 'anna', clientId: 'a' });
  await using otto = await Outsider.connect(port, { username: 'otto', clientId: 'o' });
  assert.equal(await anna.subscribe('users/anna/#'), 1);
  assert.equal(await anna.subscribe('users/otto/#'), ReasonCode.NotAuthorized);
  assert.equal(await anna.subscribe('#'), ReasonCode.NotAuthorized);
  const publish = async (topic: string): Promise<number> =>
    (await anna.client.publish(topic, 'x', { qos: 1 })).reasonCode;
  assert.equal(await publish('users/anna/note'), 0);
  assert.equal(await publish('users/otto/note'), ReasonCode.NotAuthorized);
  assert.equal((await otto.client.publish('users/anna/y', 'x', { qos: 1 })).reasonCode, 0x87);
  assert.deepEqual(await anna.take(1), ['users/anna/note=x']);
  await assert.rejects(new Outsider(plainDialer(port), { clientId: 'n' }).client.connect(), {
    code: 'CONNECTION_REFUSED',
  });
  example.signal('SIGUSR2');
  await example.line(/curfew/);
  assert.equal(await publish('users/anna/note'), ReasonCode.NotAuthorized);
});

test('transform: changed before it is routed, retained, or dropped with a reason', async () => {
  await using example = await Example.start('transform');
  await using client = await Outsider.connect(await example.port(), { clientId: 'detector' });
  await client.subscribe('#');
  const publish = async (topic: string, text: string): Promise<number> =>
    (await client.client.publish(topic, text, { qos: 1 })).reasonCode;
  assert.equal(await publish('gas/kitchen', 'much'), ReasonCode.PayloadFormatInvalid);
  assert.equal(await publish('other', 'as it is'), 0);
  assert.equal(await publish('gas/kitchen', '12.5'), 0);
  assert.deepEqual(await client.take(1), ['other=as it is']);
  assert.deepEqual(await client.take(1), ['gas/kitchen={"percent":12.5}']);
  assert.deepEqual(client.lastTaken, {
    topic: 'gas/kitchen',
    text: '{"percent":12.5}',
    contentType: 'application/json',
    from: 'from detector',
  });
  await client.subscribe('gas/#');
  assert.deepEqual(await client.take(1), ['gas/kitchen={"percent":12.5}'], 'it was retained');
});

test('inside: the program answers questions and speaks for itself', async () => {
  await using example = await Example.start('inside');
  await using client = await Outsider.connect(await example.port());
  await client.subscribe('state/#');
  assert.deepEqual(await client.take(1), ['state/server=ready']);
  await client.subscribe('answer/+');
  await client.subscribe('for/me');
  const asked = await client.client.publish('question/1', 'why', { qos: 1 });
  assert.equal(asked.reasonCode, 0);
  assert.deepEqual(await client.take(1), ['answer/1=WHY']);
  await client.client.publish('question/2', 'who', { qos: 1, properties: { responseTopic: 'for/me' } });
  assert.deepEqual(await client.take(1), ['for/me=WHO']);
});

test('TLS: the certificate says who it is; the Unix socket is for this machine', async () => {
  await using authority = await TestAuthority.create();
  await authority.issue('server', 'DNS:localhost,IP:127.0.0.1');
  const tls = await authority.issue('detector-7');
  await using example = await Example.start('tls', { TLS_FOLDER: authority.folder });
  const port = await example.port();
  const socket = (await example.line(/^local: unix:/)).slice('local: unix:'.length);
  assert.equal(socket, path.join(authority.folder, 'broker.sock'));
  const dial = (files: typeof tls): Dialer => createDialer({ host: '127.0.0.1', port, tls: files, clock });
  await using client = new Outsider(dial(tls), {});
  await client.client.connect();
  await example.line(/^detector-7 came in by outside$/);
  const stranger = new Outsider(dial({ ...tls, certificateFile: null, keyFile: null }), { clientId: 's' });
  await assert.rejects(stranger.client.connect());
  await using local = new Outsider(createDialer({ host: '', port: 0, tls: null, path: socket, clock }), {
    clientId: 'l',
  });
  await local.client.connect();
  await example.line(/^somebody came in by local$/);
});

test('statistics: every event is seen once, and counted', async () => {
  await using example = await Example.start('statistics');
  const port = await example.port();
  await using client = await Outsider.connect(port, { clientId: 'c' });
  await example.line(/^connected c version 5$/);
  await client.subscribe('t', 1);
  await example.line(/^subscribed c t 1$/);
  await client.client.publish('t', 'x', { qos: 1 });
  await example.line(/^delivered t to c at 1$/);
  await example.line(/^published t x by c$/);
  await client.client.unsubscribe(['t']);
  await example.line(/^unsubscribed c t$/);
  await using sleeper = await Outsider.connect(port, { clientId: 's', sessionExpirySeconds: 60 });
  await sleeper.subscribe('q', 1);
  await sleeper.client.close();
  await example.line(/^disconnected s: client disconnected$/);
  for (let n = 0; n < 101; n++) await client.client.publish('q', String(n), { qos: 1 });
  await example.line(/^dropped q for s: queue-full$/);
  example.signal('SIGUSR2');
  const counted = JSON.parse(await example.line(/^\{/)) as Record<string, number>;
  assert.deepEqual(counted, {
    clientsConnected: 1,
    publishReceived: 102,
    publishSent: 1,
    messagesDropped: 1,
  });
});

test('clean stop: last words, DISCONNECT for every client, and the process ends by itself', async () => {
  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    await using example = await Example.start('clean-stop');
    await using client = await Outsider.connect(await example.port());
    let ending = '';
    const over = new Promise<void>((resolve) => {
      client.client.onState = (_state, detail = '') => {
        ending = detail;
        resolve();
      };
    });
    await client.subscribe('state/#');
    example.signal(signal);
    await over;
    assert.deepEqual(await client.take(1), ['state/server=stopping']);
    assert.match(ending, /server shutting down/);
    await example.line(/^stopped$/);
    assert.equal(await example.ended(), 0);
  }
});

test('durable: kill -9 loses nothing that was acknowledged, and repeats nothing at QoS 2', async (context) => {
  const folder = await mkdtemp(path.join(os.tmpdir(), 'davylamp-durable-'));
  context.after(() => rm(folder, { recursive: true, force: true }));
  const environment = { JOURNAL: path.join(folder, 'journal') };
  const session = { clientId: 'reader', cleanStart: false, sessionExpirySeconds: 3600 };
  const acknowledged: string[] = [];
  for (let round = 0; round < 3; round++) {
    await using example = await Example.start('durable', environment);
    const waiting = await example.line(/^waiting for the reader: /);
    if (round === 0) assert.match(waiting, /: it was never here$/);
    else assert.ok(Number(/\d+$/.exec(waiting)?.[0]) >= acknowledged.length, waiting);
    const port = await example.port();
    if (round === 0) {
      await using reader = await Outsider.connect(port, session);
      await reader.subscribe('t', 2);
    }
    await using publisher = await Outsider.connect(port, { clientId: 'publisher' });
    await publisher.client.publish('kept', `round ${round}`, { qos: 1, retain: true });
    await killAmid(example, publisher.client, `${round}`, acknowledged);
  }
  await using example = await Example.start('durable', environment);
  const port = await example.port();
  await using reader = await Outsider.connect(port, session);
  // At QoS 2, as order is kept for each QoS alone [MQTT-4.6.0-6].
  await reader.client.publish('t', 'end', { qos: 2 });
  const got: string[] = [];
  while (got.at(-1) !== 't=end') got.push(...(await reader.take(1)));
  const missing = new Set(acknowledged);
  for (const text of got) missing.delete(text.slice(2));
  assert.deepEqual([...missing], []);
  const exactlyOnce = got.filter((text) => text.includes(' qos 2 '));
  assert.equal(new Set(exactlyOnce).size, exactlyOnce.length);
  await using late = await Outsider.connect(port, { clientId: 'late' });
  await late.subscribe('kept');
  assert.deepEqual(await late.take(1), ['kept=round 2']);
});

/** Publishes as fast as it goes, kills the broker in the middle, and notes what was acknowledged until then. */
async function killAmid(
  example: Example,
  client: Client,
  name: string,
  acknowledged: string[],
): Promise<void> {
  const enough = acknowledged.length + 300;
  const answers = Array.from({ length: 5000 }, async (_, n) => {
    const qos = n % 2 === 0 ? 1 : 2;
    const text = `${name} qos ${qos} number ${n}`;
    await client.publish('t', text, { qos }).then(
      () => {
        acknowledged.push(text);
        if (acknowledged.length === enough) example.signal('SIGKILL');
      },
      () => {}, // cut: neither acknowledged nor refused
    );
  });
  await Promise.all(answers);
  await example.ended();
  assert.ok(acknowledged.length >= enough);
}

test('the guide shows every example as it is, and there is a test for each', () => {
  const guide = readFileSync(path.join(root, 'docs/guides/embedding.md'), 'utf8');
  const tests = readFileSync(import.meta.filename, 'utf8');
  const shown = new Set([...guide.matchAll(/^```ts\n(.*?)^```$/gms)].map(([, code]) => code));
  const names = readdirSync(path.join(root, 'examples'));
  assert.ok(names.length >= 8);
  for (const name of names) {
    assert.ok(shown.has(readFileSync(path.join(root, 'examples', name), 'utf8')), `${name} differs`);
    assert.ok(guide.includes(`(../../examples/${name})`), `${name} is not linked`);
    assert.ok(tests.includes(`Example.start('${path.basename(name, '.ts')}'`), `${name} has no test`);
  }
});
