import assert from 'node:assert/strict';
import { once } from 'node:events';
import net from 'node:net';
import { test } from 'node:test';
import { FakeClock, silentLogger } from '#base';
import { httpRequest, rawHttp } from '../../../test/helpers/raw-http.ts';
import { MetricsServer, type MetricsSource } from './metrics-server.ts';
import type { Readiness } from './readiness.ts';
import { Requests } from './requests.ts';

const token = 'a-token-that-is-long-enough';
const ready: Readiness = { status: 'ready', phase: 'running', journal: 'ok', listeners: [], bridges: [] };

interface Options {
  readonly token?: string;
  readonly source?: Partial<MetricsSource>;
  readonly isOpen?: boolean;
}

class RunningServer implements AsyncDisposable {
  readonly requests = new Requests();
  readonly clock = new FakeClock();
  readonly server: MetricsServer;

  constructor({ token, source = {}, isOpen = true }: Options) {
    this.server = new MetricsServer({
      config: { address: '127.0.0.1', port: 0, tokenFile: null },
      token: token ?? null,
      source: {
        contentType: 'text/plain; version=0.0.4',
        text: async () => 'x 1\n',
        readiness: () => ready,
        ...source,
      },
      requests: this.requests,
      clock: this.clock,
      log: silentLogger,
    });
    this.server.isOpen = isOpen;
  }

  get port(): number {
    return Number(this.server.place.split(':').at(-1));
  }

  /** How many requests were counted by this answer. */
  counted(status: string): number | undefined {
    const view = undefined as never; // these numbers are of the endpoint alone
    return [...this.requests.family.samples(view)].find(({ labels }) => labels['status'] === status)?.value;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.server.close();
  }
}

async function start(options: Options = {}): Promise<RunningServer> {
  const running = new RunningServer(options);
  await running.server.start();
  return running;
}

test('GET and HEAD of the three paths, one request for each connection', async () => {
  await using running = await start();
  const { port } = running;
  const answer = await httpRequest(port, '/metrics');
  assert.equal(answer?.status, 200);
  assert.equal(answer.body, 'x 1\n');
  assert.equal(answer.headers.get('content-type'), 'text/plain; version=0.0.4');
  assert.equal(answer.headers.get('connection'), 'close');
  assert.equal((await httpRequest(port, '/metrics?x=1'))?.status, 200);
  assert.equal((await httpRequest(port, '/metrics', { method: 'HEAD' }))?.body, '');
  assert.equal((await httpRequest(port, '/healthz'))?.body, '{"status":"ok"}\n');
  assert.deepEqual(JSON.parse((await httpRequest(port, '/readyz'))?.body ?? ''), ready);
  const two = 'GET /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n'.repeat(2);
  assert.equal((await rawHttp(port, two))?.body, 'x 1\n');
  assert.equal(running.counted('200'), 6);
});

test('other paths 404, other methods 405, too much in the header 431', async () => {
  await using running = await start();
  const { port } = running;
  for (const path of ['/', '/metrics/', '/METRICS', '//metrics', '/metrics%00', '/../metrics', '*'])
    assert.equal((await httpRequest(port, path))?.status, 404, path);
  for (const method of ['POST', 'PUT', 'DELETE', 'OPTIONS', 'PATCH']) {
    const answer = await httpRequest(port, '/metrics', { method });
    assert.equal(answer?.status, 405, method);
    assert.equal(answer.headers.get('allow'), 'GET, HEAD');
  }
  assert.equal((await httpRequest(port, `/metrics?${'x'.repeat(9000)}`))?.status, 431);
  assert.equal((await rawHttp(port, 'what\r\n\r\n'))?.status, 400);
  assert.equal(running.counted('404'), 7);
  assert.equal(running.counted('405'), 5);
});

test('a token: without it, or with another one, nothing is told', async () => {
  await using running = await start({ token });
  const { port, server } = running;
  for (const wrong of [undefined, 'x', `${token}x`, token.slice(1), token.toUpperCase()]) {
    const answer = await httpRequest(port, '/metrics', wrong === undefined ? {} : { token: wrong });
    assert.equal(answer?.status, 401);
    assert.match(answer.headers.get('www-authenticate') ?? '', /^Bearer/);
    assert.ok(!answer.body.includes('x 1'));
  }
  const basic = `GET /metrics HTTP/1.1\r\nHost: x\r\nAuthorization: Basic ${token}\r\n\r\n`;
  assert.equal((await rawHttp(port, basic))?.status, 401);
  assert.equal((await httpRequest(port, '/metrics', { token }))?.status, 200);
  assert.equal((await httpRequest(port, '/healthz'))?.status, 200);
  assert.equal((await httpRequest(port, '/readyz'))?.body, '{"status":"ready"}\n');
  assert.deepEqual(JSON.parse((await httpRequest(port, '/readyz', { token }))?.body ?? ''), ready);
  server.changeToken('another-token-that-is-long');
  assert.equal((await httpRequest(port, '/metrics', { token }))?.status, 401);
  assert.equal((await httpRequest(port, '/metrics', { token: 'another-token-that-is-long' }))?.status, 200);
});

test('on loopback and without a token, a page under another name gets nothing', async () => {
  await using running = await start();
  for (const host of ['evil.example', 'localhost.evil.example', '127.0.0.1.evil.example:80', '', '192.0.2.1'])
    assert.equal((await httpRequest(running.port, '/metrics', { host }))?.status, 403, host);
  for (const host of ['localhost', 'LOCALHOST:9464', '127.0.0.1', '127.0.0.1:9464', '[::1]:9464'])
    assert.equal((await httpRequest(running.port, '/metrics', { host }))?.status, 200, host);
  await using guarded = await start({ token });
  const answer = await httpRequest(guarded.port, '/metrics', { host: 'proxy.example', token });
  assert.equal(answer?.status, 200);
});

/** A text that comes when its gate is opened, one for each time that it is asked for. */
function gatedText(): {
  readonly text: () => Promise<string>;
  readonly asked: EventTarget;
  readonly gates: (() => void)[];
} {
  const gates: (() => void)[] = [];
  const asked = new EventTarget();
  const text = (): Promise<string> =>
    new Promise((resolve) => {
      gates.push(() => resolve('x 1\n'));
      asked.dispatchEvent(new Event('asked'));
    });
  return { text, asked, gates };
}

test('one scrape at a time; the next one after its answer is taken', async () => {
  const { text, asked, gates } = gatedText();
  await using running = await start({ source: { text } });
  const begun = once(asked, 'asked');
  const first = httpRequest(running.port, '/metrics');
  await begun;
  const second = await httpRequest(running.port, '/metrics');
  assert.equal(second?.status, 503);
  assert.equal(second.headers.get('retry-after'), '1');
  assert.equal((await httpRequest(running.port, '/healthz'))?.status, 200);
  gates[0]?.();
  assert.equal((await first)?.status, 200);
  const begunAgain = once(asked, 'asked');
  const third = httpRequest(running.port, '/metrics');
  await begunAgain;
  gates[1]?.();
  assert.equal((await third)?.status, 200);
  assert.equal(running.counted('503'), 1);
});

test('a scraper that leaves before its answer stands in the way of none', async () => {
  const { text, asked, gates } = gatedText();
  await using running = await start({ source: { text } });
  const begun = once(asked, 'asked');
  const socket = net.connect(running.port, '127.0.0.1');
  socket.on('error', () => {});
  socket.write('GET /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n');
  await begun;
  socket.destroy();
  for (;;) {
    const begunAgain = once(asked, 'asked');
    const next = httpRequest(running.port, '/metrics');
    const answer = await Promise.race([next, begunAgain.then(() => 'asked' as const)]);
    if (answer !== 'asked') continue; // it has not noticed yet
    for (const open of gates) open();
    assert.equal((await next)?.status, 200);
    return;
  }
});

test('a scraper that does not take its answer is left after five seconds', async () => {
  const large = `${'x'.repeat(99)}\n`.repeat(300_000); // more than the system takes for a socket
  await using running = await start({ source: { text: async () => large } });
  const socket = net.connect(running.port, '127.0.0.1');
  socket.on('error', () => {});
  socket.write('GET /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n');
  await once(socket, 'readable'); // and nothing of it is read
  assert.equal((await httpRequest(running.port, '/metrics'))?.status, 503);
  running.clock.advance(5000);
  assert.equal((await httpRequest(running.port, '/metrics'))?.body.length, large.length);
  socket.destroy();
});

test('what cannot be told is 500, and told of in the log alone', async () => {
  await using running = await start({ source: { text: () => Promise.reject(new Error('secret')) } });
  const answer = await httpRequest(running.port, '/metrics');
  assert.equal(answer?.status, 500);
  assert.ok(!answer.body.includes('secret'));
  assert.equal((await httpRequest(running.port, '/metrics'))?.status, 500);
});

test('not ready is 503; not open yet is 503 for everything', async () => {
  const readiness = (): Readiness => ({ ...ready, status: 'not ready', journal: 'full' });
  await using running = await start({ source: { readiness } });
  const answer = await httpRequest(running.port, '/readyz');
  assert.equal(answer?.status, 503);
  assert.equal((JSON.parse(answer.body) as Readiness).journal, 'full');
  await using closed = await start({ isOpen: false });
  for (const path of ['/metrics', '/healthz', '/readyz'])
    assert.equal((await httpRequest(closed.port, path))?.status, 503);
});

test('more connections than it takes are closed at once, and counted', async () => {
  await using running = await start();
  const sockets = Array.from({ length: 16 }, () => net.connect(running.port, '127.0.0.1'));
  for (const socket of sockets) socket.on('error', () => {}); // the server ends them
  await Promise.all(sockets.map((socket) => once(socket, 'connect')));
  assert.equal(await httpRequest(running.port, '/healthz'), null);
  assert.equal(running.counted('dropped'), 1);
  for (const socket of sockets) socket.destroy();
});
