import assert from 'node:assert/strict';
import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { request as httpRequest, type IncomingHttpHeaders } from 'node:http';
import { createConnection } from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { after, before, test } from 'node:test';
import * as fc from 'fast-check';
import { FakeClock } from '#base';
import type { ListenerConfig } from '#config';
import { dial, exchange, openDoor, type Door } from '../../test/helpers/listener-door.ts';

let folder: string;
let root: string;

before(async () => {
  folder = await mkdtemp(path.join(os.tmpdir(), 'davylamp-http-'));
  root = path.join(folder, 'www');
  await mkdir(path.join(root, 'sub'), { recursive: true });
  await mkdir(path.join(root, '.git'));
  await writeFile(path.join(root, 'index.html'), '<p>screen</p>');
  await writeFile(path.join(root, 'sub', 'a file.js'), 'let a;');
  await writeFile(path.join(root, 'empty.txt'), '');
  await writeFile(path.join(root, 'large.bin'), Buffer.alloc(3_000_000, 'x'));
  await writeFile(path.join(root, '.git', 'config'), 'hidden');
  await writeFile(path.join(folder, 'secret.txt'), 'secret');
  await symlink('../secret.txt', path.join(root, 'out.txt'));
  await symlink('sub', path.join(root, 'in'));
});

after(() => rm(folder, { recursive: true, force: true }));

const served = (): Partial<ListenerConfig> => ({
  protocol: 'ws',
  webSocket: { path: '/mqtt', allowedOrigins: [] },
  httpFolder: root,
});

interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

/** One request, its path as it is given. */
function ask(door: Door, wanted: string, method = 'GET', headers = {}): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const options = { host: '127.0.0.1', port: door.port, path: wanted, method, headers, agent: false };
    const request = httpRequest(options, (response) => {
      let body = '';
      response.on('data', (chunk: Buffer) => (body += chunk.toString('latin1')));
      response.on('end', () =>
        resolve({ status: response.statusCode ?? 0, headers: response.headers, body }),
      );
      response.on('error', reject);
    });
    request.on('error', reject);
    request.end();
  });
}

test('files are served beside MQTT, with type and length, and again only when they have changed', async () => {
  await using door = await openDoor(served());
  const page = await ask(door, '/');
  assert.deepEqual([page.status, page.body], [200, '<p>screen</p>']);
  assert.equal(page.headers['content-type'], 'text/html; charset=utf-8');
  assert.equal(page.headers['x-content-type-options'], 'nosniff');
  const script = await ask(door, '/sub/a%20file.js?v=1');
  assert.deepEqual([script.status, script.body], [200, 'let a;']);
  assert.equal((await ask(door, '/in/a%20file.js')).body, 'let a;');
  assert.deepEqual([(await ask(door, '/empty.txt')).status, (await ask(door, '/empty.txt')).body], [200, '']);
  const head = await ask(door, '/large.bin', 'HEAD');
  assert.deepEqual([head.status, head.headers['content-length'], head.body], [200, '3000000', '']);
  assert.equal((await ask(door, '/large.bin')).body.length, 3_000_000);
  const again = await ask(door, '/', 'GET', { 'If-None-Match': page.headers.etag });
  assert.deepEqual([again.status, again.body], [304, '']);
  const near = await dial({ port: door.port, webSocketPath: '/mqtt' });
  await exchange(near, await door.accepted());
  near.transport.destroy();
  assert.equal(door.listener.statistics.handshakeFailures, 0);
  assert.deepEqual(door.lines, []);
});

test('nothing else is served: not what is hidden, what lies outside, folders, and other methods', async () => {
  await using door = await openDoor(served());
  for (const wanted of [
    '/none.html',
    '/sub',
    '/sub/',
    '/.git/config',
    '/out.txt',
    '/../secret.txt',
    '/%2e%2e/secret.txt',
    '/sub/..%2f..%2f..%2fsecret.txt',
    '/sub\\..\\..\\secret.txt',
    '//secret.txt',
    '/%00',
    '/%zz',
    '/index.html/',
    `/${'x'.repeat(5000)}`,
    'http://elsewhere.example/',
  ]) {
    const answer = await ask(door, wanted);
    assert.equal(answer.status, 404, wanted);
    assert.doesNotMatch(answer.body, /secret|hidden/);
  }
  for (const method of ['POST', 'PUT', 'DELETE', 'OPTIONS']) {
    const answer = await ask(door, '/', method);
    assert.deepEqual([answer.status, answer.headers.allow], [405, 'GET, HEAD']);
  }
});

test('without a folder nothing is served', async () => {
  const { httpFolder: _, ...without } = served();
  await using door = await openDoor(without);
  assert.equal((await ask(door, '/')).status, 426);
});

test('one answer to a connection; a second request, or one for WebSocket, gets none', async () => {
  await using door = await openDoor(served());
  for (const second of [
    'GET / HTTP/1.1\r\nHost: x\r\n\r\n',
    'GET /mqtt HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n',
  ]) {
    const socket = createConnection({ host: '127.0.0.1', port: door.port });
    socket.on('error', () => {});
    let text = '';
    socket.on('data', (chunk: Buffer) => (text += chunk.toString('latin1')));
    socket.write(`GET /sub/a%20file.js HTTP/1.1\r\nHost: x\r\n\r\n${second}`);
    await new Promise((resolve) => socket.once('close', resolve));
    assert.ok((text.match(/HTTP\/1\.1/g) ?? []).length <= 1);
  }
  assert.equal(door.listener.statistics.accepted, 0);
  assert.equal((await ask(door, '/')).status, 200);
});

test('a client that does not take its file is left when it has taken nothing for 10 s', async () => {
  const clock = new FakeClock();
  const file = path.join(root, 'huge.bin');
  await writeFile(file, Buffer.alloc(40_000_000, 'x'));
  await using door = await openDoor(served(), 100, clock);
  const socket = createConnection({ host: '127.0.0.1', port: door.port });
  socket.on('error', () => {});
  socket.write('GET /huge.bin HTTP/1.1\r\nHost: x\r\n\r\n');
  await new Promise((resolve) => socket.once('readable', resolve));
  clock.advance(10_000);
  socket.resume();
  await new Promise((resolve) => socket.once('close', resolve));
  assert.ok(socket.bytesRead < 40_000_000);
});

test('whatever is asked for, nothing of outside the folder comes', async () => {
  await using door = await openDoor(served());
  const piece = fc.constantFrom(
    '..',
    '.',
    '%2e',
    '%2f',
    '/',
    '\\',
    'sub',
    'secret.txt',
    '%00',
    'in',
    'a',
    '%',
  );
  await fc.assert(
    fc.asyncProperty(fc.array(piece, { maxLength: 8 }), async (pieces) => {
      const { body } = await ask(door, `/${pieces.join('')}`);
      assert.doesNotMatch(body, /secret/);
    }),
    { numRuns: 60 },
  );
});
