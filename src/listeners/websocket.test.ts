import assert from 'node:assert/strict';
import { createConnection, createServer, type AddressInfo, type Socket } from 'node:net';
import { after, before, test } from 'node:test';
import { connect as connectTls } from 'node:tls';
import * as fc from 'fast-check';
import { WebSocket, type ClientOptions } from 'ws';
import { FakeClock, SystemClock } from '#base';
import type { TlsFilesConfig } from '#config';
import { dial, exchange, hasCode, openDoor, Recorder, type Door } from '../../test/helpers/listener-door.ts';
import { TestAuthority } from '../../test/helpers/test-certificates.ts';
import { createDialer } from './dial.ts';

let authority: TestAuthority;
let server: TlsFilesConfig;
let detector: TlsFilesConfig;

before(async () => {
  authority = await TestAuthority.create();
  server = await authority.issue('broker', 'DNS:localhost,IP:127.0.0.1');
  detector = await authority.issue('detector-1');
});

after(() => authority[Symbol.asyncDispose]());

const plain = { protocol: 'ws', webSocket: { path: '/mqtt', allowedOrigins: [] } } as const;
const secure = () =>
  ({ protocol: 'wss', webSocket: { path: '/mqtt', allowedOrigins: [] }, tls: server }) as const;

/** A client of the library alone, so that a test says what is in each message. */
class Browser {
  readonly web: WebSocket;
  text = '';
  messages = 0;
  pongs: string[] = [];
  closeCode = 0;
  error: Error | undefined;
  #wake: () => void = () => {};

  constructor(port: number, options: ClientOptions = {}, protocols = ['mqtt'], path = '/mqtt') {
    this.web = new WebSocket(`ws://127.0.0.1:${port}${path}`, protocols, options);
    const note = (): void => this.#wake();
    this.web.on('open', note);
    this.web.on('message', (data: Buffer) => {
      this.text += data.toString('latin1');
      this.messages += 1;
      note();
    });
    this.web.on('pong', (data) => {
      this.pongs.push(data.toString());
      note();
    });
    this.web.on('error', (error) => {
      this.error = error;
      note();
    });
    this.web.on('close', (code) => {
      this.closeCode = code;
      note();
    });
  }

  async until(condition: () => boolean): Promise<void> {
    while (!condition()) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }

  async opened(): Promise<this> {
    await this.until(() => this.web.readyState === WebSocket.OPEN);
    return this;
  }
}

/** Sends bytes as they are and gives back all that comes until the other side closes. */
function talk(port: number, text: string | Buffer): Promise<string> {
  return new Promise((resolve) => {
    let answer = '';
    const socket = createConnection({ host: '127.0.0.1', port }, () => socket.write(text));
    socket.on('data', (chunk) => (answer += chunk.toString('latin1')));
    socket.on('error', () => {});
    socket.on('close', () => resolve(answer));
  });
}

/** A request for WebSocket, header by header. */
function requestText(
  change: Readonly<Record<string, string | null>> = {},
  line = 'GET /mqtt HTTP/1.1',
): string {
  const headers: Record<string, string | null> = {
    Host: 'broker.example:8083',
    Connection: 'Upgrade',
    Upgrade: 'websocket',
    'Sec-WebSocket-Version': '13',
    'Sec-WebSocket-Key': Buffer.alloc(16).toString('base64'),
    'Sec-WebSocket-Protocol': 'mqtt',
    ...change,
  };
  const lines = Object.entries(headers).flatMap(([name, value]) =>
    value === null ? [] : `${name}: ${value}`,
  );
  return `${[line, ...lines].join('\r\n')}\r\n\r\n`;
}

async function connected(door: Door): Promise<readonly [Browser, Recorder]> {
  const near = await new Browser(door.port).opened();
  return [near, await door.accepted()];
}

test('bytes both ways, who the peer is, an orderly end that is told once to each side', async () => {
  await using door = await openDoor(plain);
  const near = await dial({ port: door.port, webSocketPath: '/mqtt' });
  const far = await door.accepted();
  await exchange(near, far);
  assert.equal(far.transport!.peer.address, '127.0.0.1');
  assert.equal(far.transport!.peer.certificate, null);
  near.transport.end();
  await Promise.all([near.until(() => near.closes > 0), far.until(() => far.closes > 0)]);
  near.transport.destroy();
  far.transport!.write(Buffer.from('into the void'));
  assert.deepEqual([near.closes, far.closes, near.error, far.error], [1, 1, undefined, undefined]);
  assert.equal(door.listener.statistics.accepted, 1);
});

test('over TLS: the client certificate is the identity, and the dialer checks the server', async () => {
  await using door = await openDoor({
    ...secure(),
    tls: { ...server, caFile: authority.caFile },
    requireCertificate: true,
    identityFromCertificate: true,
  });
  const near = await dial({ port: door.port, tls: detector, webSocketPath: '/mqtt' });
  const far = await door.accepted();
  await exchange(near, far);
  assert.equal(far.transport!.peer.certificate?.commonName, 'detector-1');
  assert.equal(near.transport.peer.certificate?.commonName, 'broker');
  near.transport.destroy();
  await far.until(() => far.closes === 1);
  const nobody = { caFile: authority.caFile, certificateFile: null, keyFile: null };
  await assert.rejects(
    dial({ port: door.port, tls: nobody, webSocketPath: '/mqtt' }),
    hasCode('TLS_INVALID', /^wss:\/\/127\.0\.0\.1:\d+\/mqtt: our certificate was refused/),
  );
  await assert.rejects(
    dial({ port: door.port, host: 'localhost', servername: 'other', tls: detector, webSocketPath: '/mqtt' }),
    hasCode('TLS_INVALID', /does not name other/),
  );
});

test('the name of the subprotocol comes back; MQTT 3.1 has its own [MQTT-6.0.0-3] [MQTT-6.0.0-4]', async () => {
  await using door = await openDoor(plain);
  for (const [offered, chosen] of [
    [['mqtt'], 'mqtt'],
    [['mqttv3.1'], 'mqttv3.1'],
    [['other', 'mqttv3.1', 'mqtt'], 'mqtt'],
  ] as const) {
    const near = await new Browser(door.port, {}, [...offered]).opened();
    assert.equal(near.web.protocol, chosen);
    near.web.terminate();
  }
  for (const [offered, pattern] of [
    [null, /^HTTP\/1\.1 400 .*no subprotocol is offered/s],
    ['chat, soap', /^HTTP\/1\.1 400 .*only "chat, soap" is offered/s],
    ['mqtt mqtt', /^HTTP\/1\.1 400 /],
  ] as const) {
    assert.match(await talk(door.port, requestText({ 'Sec-WebSocket-Protocol': offered })), pattern);
  }
  assert.equal(door.listener.statistics.handshakeFailures, 3);
  assert.equal(door.lines.length, 3);
  assert.match(door.lines[0]!, /notice listener:detectors: WebSocket handshake refused: no subprotocol/);
});

test('packets may be cut anywhere over messages and frames, and several may share one [MQTT-6.0.0-2]', async () => {
  await using door = await openDoor(plain);
  const [near, far] = await connected(door);
  for (const letter of 'one') near.web.send(Buffer.from(letter));
  near.web.send(Buffer.from('two'), { fin: false });
  near.web.send(Buffer.alloc(0), { fin: false });
  near.web.ping('in between');
  near.web.send(Buffer.from('three'), { fin: true });
  near.web.send(Buffer.alloc(0));
  near.web.send(Buffer.alloc(100_000, 'x'));
  await far.until(() => far.text.length === 100_011);
  assert.equal(far.text.slice(0, 12), 'onetwothreex');
  await near.until(() => near.pongs.length === 1);
  far.transport!.write(Buffer.from('a'));
  far.transport!.write(Buffer.from('bc'));
  await near.until(() => near.text === 'abc');
  assert.equal(near.messages, 2, 'one message for each write');
  near.web.terminate();
});

test('a text message ends the connection with 1003, valid or not [MQTT-6.0.0-1]', async () => {
  await using door = await openDoor(plain);
  for (const text of ['text', Buffer.from('ff', 'hex')]) {
    const [near, far] = await connected(door);
    near.web.send(text, { binary: false });
    near.web.send(Buffer.from('never heard'));
    await Promise.all([near.until(() => near.closeCode !== 0), far.until(() => far.closes === 1)]);
    assert.equal(near.closeCode, 1003);
    assert.equal(far.text, '');
    assert.match(far.error!.message, /message of text; MQTT is binary/);
  }
});

test('a frame that breaks RFC 6455 ends that connection alone', async () => {
  await using door = await openDoor(plain);
  for (const [name, hex] of [
    ['no mask', '82 01 61'],
    ['a continuation of nothing', '80 81 00000000 61'],
    ['a reserved bit', 'f2 81 00000000 61'],
    ['an unknown opcode', '83 81 00000000 61'],
    ['a cut control frame', '09 81 00000000 61'],
    ['a close frame of one byte', '88 81 00000000 61'],
    ['a length beyond all bounds', '82 ff ffffffffffffffff 00000000'],
  ] as const) {
    const frame = Buffer.from(hex.replaceAll(' ', ''), 'hex');
    const answer = talk(door.port, Buffer.concat([Buffer.from(requestText()), frame]));
    const far = await door.accepted();
    await far.until(() => far.closes === 1);
    assert.notEqual(far.error, undefined, name);
    assert.equal(far.text, '', name);
    assert.match(await answer, /^HTTP\/1\.1 101 /, name);
  }
  const near = await dial({ port: door.port, webSocketPath: '/mqtt' });
  await exchange(near, await door.accepted());
  near.transport.destroy();
});

test('whatever bytes come, before or after the handshake, only that connection suffers', async () => {
  await using door = await openDoor(plain);
  const near = await dial({ port: door.port, webSocketPath: '/mqtt' });
  const watcher = await door.accepted();
  let rounds = 0;
  const bytes = fc.array(
    fc.oneof(
      fc.uint8Array({ maxLength: 200 }).map((one) => Buffer.from(one)),
      fc
        .constantFrom(
          '82 83 00000000 616263',
          '01 81 00000000 61',
          '80 80 00000000',
          '88 80 00000000',
          '89 80 00000000',
        )
        .map((hex) => Buffer.from(hex.replaceAll(' ', ''), 'hex')),
    ),
    { maxLength: 10 },
  );
  await fc.assert(
    fc.asyncProperty(bytes, fc.boolean(), fc.nat(250), async (pieces, isWhole, cut) => {
      const request = Buffer.from(requestText());
      const socket = createConnection({ host: '127.0.0.1', port: door.port });
      socket.on('error', () => {});
      const gone = new Promise<void>((resolve) => socket.once('close', () => resolve()));
      socket.end(Buffer.concat([isWhole ? request : request.subarray(0, cut), ...pieces]));
      socket.resume();
      await gone;
      rounds += 1;
      near.transport.write(Buffer.from('.'));
      await watcher.until(() => watcher.text.length === rounds);
    }),
    { numRuns: 300 },
  );
  assert.equal(watcher.closes, 0);
  near.transport.destroy();
});

test('of a message no more is held than is allowed, however it is cut; smaller ones go on for ever', async () => {
  const clock = new FakeClock();
  await using door = await openDoor(plain, 100, clock);
  for (const fin of [true, false]) {
    const [near, far] = await connected(door);
    far.transport!.gatherUpTo!(10_000);
    for (let i = 0; i < 50; i++) {
      near.web.ping();
      near.web.send(Buffer.alloc(1000, 'x'));
    }
    await far.until(() => far.text.length === 50_000);
    const piece = Buffer.alloc(fin ? 1_000_000 : 9000);
    for (let i = 0; i < 100 && near.web.readyState === WebSocket.OPEN; i++) {
      near.web.send(piece, { fin });
      near.web.ping();
      await new Promise((resolve) => setImmediate(resolve));
    }
    await near.until(() => near.web.readyState !== WebSocket.OPEN);
    clock.advance(2000);
    await Promise.all([far.until(() => far.closes === 1), near.until(() => near.closeCode !== 0)]);
    assert.equal(near.closeCode, 1009);
    assert.match(far.error!.message, /larger than the 10000 bytes allowed now/);
    assert.equal(far.text.length, 50_000);
    near.web.terminate();
  }
});

test('onDrain comes when everything was taken, and pause stops reading', async () => {
  await using door = await openDoor(plain);
  const near = await dial({ port: door.port, webSocketPath: '/mqtt' });
  const far = await door.accepted();
  const large = Buffer.alloc(20_000_000, 'a'); // more than Linux takes for a peer that reads nothing
  far.transport!.pause();
  near.transport.write(large);
  assert.ok(near.transport.pendingBytes >= large.length);
  near.transport.write(Buffer.from('end'));
  far.transport!.write(Buffer.from('sentinel'));
  await near.until(() => near.text === 'sentinel');
  assert.equal(far.text, '');
  assert.equal(near.drains, 0, 'the other side reads nothing');
  far.transport!.resume();
  await near.until(() => near.drains === 1);
  assert.equal(near.transport.pendingBytes, 0);
  await far.until(() => far.text.length === large.length + 3);
  near.transport.destroy();
});

test('what is pending before end() arrives, then the close frame 1000', async () => {
  await using door = await openDoor(plain);
  const [near, far] = await connected(door);
  near.web.pause();
  far.transport!.write(Buffer.alloc(3_000_000, 'x'));
  far.transport!.end();
  far.transport!.write(Buffer.from('after the end'));
  near.web.resume();
  await near.until(() => near.closeCode !== 0);
  assert.equal(near.text.length, 3_000_000);
  assert.equal(near.closeCode, 1000);
  await far.until(() => far.closes === 1);
  assert.equal(far.error, undefined);
});

test('pings: the latest is answered, and a flood of them takes no memory', async () => {
  await using door = await openDoor(plain);
  const [near, far] = await connected(door);
  near.web.pause();
  for (let i = 0; i < 20_000; i++) near.web.ping(String(i).padStart(125, '0'));
  near.web.send(Buffer.from('sentinel'));
  await far.until(() => far.text === 'sentinel');
  assert.ok(far.transport!.pendingBytes <= 2 * 131);
  near.web.resume();
  await near.until(() => near.pongs.at(-1) === '19999'.padStart(125, '0'));
  far.transport!.write(Buffer.from('x'));
  await far.until(() => far.drains > 0);
  near.web.terminate();
});

test('a peer that neither reads nor answers the close frame is left 2 s after end()', async () => {
  const clock = new FakeClock();
  await using door = await openDoor(plain, 100, clock);
  const socket = createConnection({ host: '127.0.0.1', port: door.port, allowHalfOpen: true });
  socket.on('error', () => {});
  socket.write(requestText());
  const far = await door.accepted();
  far.transport!.end();
  clock.advance(1999);
  await new Promise((resolve) => setImmediate(resolve));
  assert.equal(far.closes, 0);
  clock.advance(1);
  await far.until(() => far.closes === 1);
  socket.destroy();
});

test('a connection that asks for nothing is closed after 10 s, whether it is silent or slow', async () => {
  const clock = new FakeClock();
  await using door = await openDoor(plain, 100, clock);
  const answers = ['', 'GET /mqtt HTTP/1.1\r\nHost: '].map((text) => talk(door.port, text));
  // A third that is whole shows that the two before it have been taken.
  const near = await new Browser(door.port).opened();
  const far = await door.accepted();
  clock.advance(10_000);
  for (const answer of answers) assert.match(await answer, /^HTTP\/1\.1 408 /);
  assert.equal(door.listener.statistics.handshakeFailures, 2);
  far.transport!.write(Buffer.from('still here'));
  await near.until(() => near.text === 'still here');
  near.web.terminate();
});

test('what asks for no WebSocket is told in plain words, and in one log line', async () => {
  await using door = await openDoor(plain);
  const cases: readonly (readonly [string, RegExp])[] = [
    [
      'GET / HTTP/1.1\r\nHost: x\r\n\r\n',
      /^HTTP\/1\.1 426 .*Upgrade: websocket.*does not ask for WebSocket\.\n$/s,
    ],
    ['POST /mqtt HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nhello', /^HTTP\/1\.1 426 /],
    [
      requestText({}, 'GET /other?token=1 HTTP/1.1'),
      /^HTTP\/1\.1 404 .*nothing at "\/other"; the path is \/mqtt/s,
    ],
    [requestText({}, 'POST /mqtt HTTP/1.1'), /^HTTP\/1\.1 400 /],
    [requestText({ 'Sec-WebSocket-Version': '7' }), /^HTTP\/1\.1 400 /],
    [requestText({ 'Sec-WebSocket-Key': 'short' }), /^HTTP\/1\.1 400 /],
    ['CONNECT inside.example:22 HTTP/1.1\r\nHost: x\r\n\r\n', /^HTTP\/1\.1 426 /],
    [requestText({ Upgrade: 'h2c' }), /^HTTP\/1\.1 400 /],
    [requestText({ Cookie: 'x'.repeat(9000) }), /^HTTP\/1\.1 431 /],
    [
      '\x10\x0c\x00\x04MQTT\x04\x02\x00\x3c\x00\x00',
      /^HTTP\/1\.1 400 .*MQTT without WebSocket needs another/s,
    ],
  ];
  for (const [request, pattern] of cases) assert.match(await talk(door.port, request), pattern);
  assert.equal(door.listener.statistics.handshakeFailures, cases.length);
  assert.equal(door.lines.length, cases.length);
  assert.equal(door.listener.statistics.accepted, 0);
});

test('the path of the configuration is served and none, with or without a query', async () => {
  await using door = await openDoor({ ...plain, webSocket: { path: '/site/mqtt', allowedOrigins: [] } });
  for (const path of ['/site/mqtt', '/', '/site/mqtt?x=1']) {
    const near = await new Browser(door.port, {}, ['mqtt'], path).opened();
    near.web.terminate();
  }
  assert.match(await talk(door.port, requestText()), /^HTTP\/1\.1 404 /);
});

test('with * as the path of the configuration every path is served', async () => {
  await using door = await openDoor({ ...plain, webSocket: { path: '*', allowedOrigins: [] } });
  for (const path of ['/mqtt', '/', '/any/where?x=1']) {
    const near = await new Browser(door.port, {}, ['mqtt'], path).opened();
    near.web.terminate();
  }
});

test('a page of another host may not connect unless it is named; programs and pages of the same host may', async () => {
  const origins = ['https://screen.example'];
  await using door = await openDoor({ ...plain, webSocket: { path: '/mqtt', allowedOrigins: origins } });
  await using open = await openDoor({ ...plain, webSocket: { path: '/mqtt', allowedOrigins: ['*'] } });
  const answer = async (port: number, origin: string, host = 'broker.example:8083'): Promise<number> => {
    const socket = createConnection({ host: '127.0.0.1', port });
    socket.write(requestText({ Origin: origin, Host: host }));
    const [chunk] = await new Promise<[Buffer]>((resolve) => socket.once('data', (data) => resolve([data])));
    socket.destroy();
    return Number(/^HTTP\/1\.1 (\d+)/.exec(chunk.toString())?.[1]);
  };
  for (const [origin, host, status] of [
    ['https://screen.example', 'broker.example:8083', 101],
    ['http://broker.example:8083', 'broker.example:8083', 101],
    ['https://broker.example:8083', 'broker.example:8083', 101],
    ['https://broker.example', 'broker.example:443', 101],
    ['http://broker.example:80', 'broker.example', 101],
    ['http://screen.example', 'broker.example:8083', 403],
    ['https://screen.example:8443', 'broker.example:8083', 403],
    ['http://broker.example', 'broker.example:8083', 403],
    ['https://evil.example', 'broker.example:8083', 403],
    ['null', 'broker.example:8083', 403],
    ['', 'broker.example:8083', 403],
    ['http://', '', 403],
  ] as const) {
    assert.equal(await answer(door.port, origin, host), status, `${origin} at ${host}`);
  }
  assert.equal(await answer(open.port, 'https://evil.example'), 101);
});

test('no more connections than allowed, handshakes included; close() ends handshakes and leaves the rest', async () => {
  await using door = await openDoor(plain, 2);
  const [near, far] = await connected(door);
  const half = createConnection({ host: '127.0.0.1', port: door.port });
  half.on('error', () => {});
  await new Promise<void>((resolve) => half.once('connect', () => resolve()));
  const third = new Browser(door.port);
  await third.until(() => third.error !== undefined);
  assert.equal(door.listener.statistics.refused, 1);
  const gone = new Promise<void>((resolve) => half.once('close', () => resolve()));
  await door.listener.close();
  await gone;
  far.transport!.write(Buffer.from('still here'));
  await near.until(() => near.text === 'still here');
  near.web.terminate();
});

test('over TLS: who does not speak TLS, or no HTTP inside, is told apart in the log', async () => {
  await using door = await openDoor(secure());
  await talk(door.port, requestText());
  const inside = connectTls({ host: '127.0.0.1', port: door.port, ca: [], rejectUnauthorized: false });
  inside.on('error', () => {});
  inside.resume();
  inside.write('\x10\x0c\x00\x04MQTT\x04\x02\x00\x3c\x00\x00');
  await new Promise<void>((resolve) => inside.once('close', () => resolve()));
  assert.match(door.lines[0]!, /TLS handshake failed: the client does not speak TLS/);
  assert.match(door.lines[1]!, /WebSocket handshake refused: the client does not speak HTTP/);
});

test('the dialer says why there is no WebSocket, gives up in time and can be aborted', async () => {
  await using door = await openDoor(plain);
  await assert.rejects(
    dial({ port: door.port, webSocketPath: '/other' }),
    hasCode('CONNECT_FAILED', /^ws:\/\/127\.0\.0\.1:\d+\/other: answered HTTP 404, no WebSocket; is \/other/),
  );
  const accepted: Socket[] = [];
  const mute = createServer((socket) => accepted.push(socket));
  await new Promise<void>((resolve) => mute.listen(0, '127.0.0.1', resolve));
  const { port } = mute.address() as AddressInfo;
  const isAsked = (index: number): boolean => accepted[index]?.read() instanceof Buffer;
  const clock = new FakeClock();
  const dialer = createDialer({ host: '127.0.0.1', port, tls: null, webSocketPath: '/mqtt', clock });
  const late = dialer.dial(new Recorder(), new AbortController().signal);
  const isLate = assert.rejects(late, hasCode('CONNECT_FAILED', /no WebSocket within 10 s/));
  // The server has the request, so the dialer's time runs.
  while (!isAsked(0)) await new Promise((resolve) => setImmediate(resolve));
  clock.advance(10_000);
  await isLate;
  const abort = new AbortController();
  const aborted = createDialer({ host: '127.0.0.1', port, tls: null, webSocketPath: '/mqtt' });
  const waiting = aborted.dial(new Recorder(), abort.signal);
  while (!isAsked(1)) await new Promise((resolve) => setImmediate(resolve));
  abort.abort(new Error('no longer wanted'));
  await assert.rejects(waiting, /no longer wanted/);
  const cut = createDialer({
    host: '127.0.0.1',
    port,
    tls: null,
    webSocketPath: '/mqtt',
    clock: new SystemClock(),
  });
  const rest = cut.dial(new Recorder(), new AbortController().signal);
  while (!isAsked(2)) await new Promise((resolve) => setImmediate(resolve));
  accepted[2]?.destroy();
  await assert.rejects(rest, hasCode('CONNECT_FAILED', /^ws:/));
  mute.close();
  for (const socket of accepted) socket.destroy();
});
