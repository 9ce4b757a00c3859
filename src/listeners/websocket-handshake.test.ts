import assert from 'node:assert/strict';
import { createConnection } from 'node:net';
import { test } from 'node:test';
import { connect as connectTls } from 'node:tls';
import { FakeClock } from '#base';
import { openDoor } from '../../test/helpers/listener-door.ts';
import { tlsParties } from '../../test/helpers/tls-parties.ts';
import { Browser, connected, plain, requestText, talk } from '../../test/helpers/websocket-peers.ts';

const { server } = await tlsParties();

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
  await using door = await openDoor({ ...plain, protocol: 'wss', tls: server });
  await talk(door.port, requestText());
  const inside = connectTls({ host: '127.0.0.1', port: door.port, ca: [], rejectUnauthorized: false });
  inside.on('error', () => {});
  inside.resume();
  inside.write('\x10\x0c\x00\x04MQTT\x04\x02\x00\x3c\x00\x00');
  await new Promise<void>((resolve) => inside.once('close', () => resolve()));
  assert.match(door.lines[0]!, /TLS handshake failed: the client does not speak TLS/);
  assert.match(door.lines[1]!, /WebSocket handshake refused: the client does not speak HTTP/);
});
