import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { createConnection, type Socket } from 'node:net';
import path from 'node:path';
import { test } from 'node:test';
import { connect as connectTls } from 'node:tls';
import { FakeClock } from '#base';
import type { ListenerConfig } from '#config';
import { openDoor, type Door } from '../../test/helpers/listener-door.ts';
import { openPrefixingProxy } from '../../test/helpers/prefixing-proxy.ts';
import { binaryProxyHeader, proxyTlsValue } from '../../test/helpers/proxy-headers.ts';
import { tlsParties } from '../../test/helpers/tls-parties.ts';

const line = Buffer.from('PROXY TCP4 192.0.2.5 198.51.100.1 6275 1883\r\n');
const webSocket = { path: '/mqtt', allowedOrigins: [] };
const upgrade = [
  'GET /mqtt HTTP/1.1',
  'Host: broker.example',
  'Connection: Upgrade',
  'Upgrade: websocket',
  'Sec-WebSocket-Version: 13',
  `Sec-WebSocket-Key: ${Buffer.alloc(16).toString('base64')}`,
  'Sec-WebSocket-Protocol: mqtt',
  '',
  '',
].join('\r\n');
/** One masked binary frame with `hello` (mask of zeros). */
const frame = Buffer.concat([Buffer.from([0x82, 0x85, 0, 0, 0, 0]), Buffer.from('hello')]);

const { server, detector, folder } = await tlsParties();

function connectTo({ port, address }: Door): Socket {
  const socket = port === 0 ? createConnection(address) : createConnection({ host: '127.0.0.1', port });
  socket.on('error', () => {});
  socket.setNoDelay(true);
  return socket;
}

async function closed(socket: Socket): Promise<void> {
  socket.resume();
  if (!socket.closed) await once(socket, 'close');
}

/** Sends the pieces one after the other, each in a segment of its own. */
async function sendPieces(socket: Socket, pieces: readonly Buffer[]): Promise<void> {
  for (const piece of pieces) {
    await new Promise((resolve) => socket.write(piece, resolve));
    // A turn for the other side, so that it reads the piece alone.
    await new Promise((resolve) => setImmediate(resolve));
  }
}

function cut(bytes: Buffer, at: number): Buffer[] {
  return [bytes.subarray(0, at), bytes.subarray(at)].filter((piece) => piece.length > 0);
}

for (const [version, header] of [
  [1, line],
  [2, binaryProxyHeader({})],
] as const) {
  test(`version ${version}, TCP: the client is who the header says, wherever header and MQTT are cut`, async () => {
    await using door = await openDoor({ proxyProtocol: version });
    const bytes = Buffer.concat([header, Buffer.from('hello')]);
    for (let at = 0; at <= bytes.length; at++) {
      const socket = connectTo(door);
      await sendPieces(socket, cut(bytes, at));
      const far = await door.accepted();
      await far.until(() => far.text === 'hello');
      const { peer } = far.transport!;
      assert.deepEqual(peer, {
        address: '192.0.2.5',
        port: 6275,
        certificate: null,
        proxyAddress: '127.0.0.1',
      });
      far.transport!.write(Buffer.from('back'));
      const [answer] = (await once(socket, 'data')) as [Buffer];
      assert.equal(answer.toString(), 'back');
      socket.destroy();
    }
    assert.equal(door.listener.statistics.proxyFailures, 0);
  });

  test(`version ${version}, WebSocket: header, request and first frame in one piece or cut`, async () => {
    await using door = await openDoor({ protocol: 'ws', webSocket, proxyProtocol: version });
    const bytes = Buffer.concat([header, Buffer.from(upgrade), frame]);
    for (const at of [0, 5, header.length - 1, header.length, header.length + 9, bytes.length - 3]) {
      const socket = connectTo(door);
      socket.resume();
      await sendPieces(socket, cut(bytes, at));
      const far = await door.accepted();
      await far.until(() => far.text === 'hello');
      assert.equal(far.transport!.peer.address, '192.0.2.5');
      socket.destroy();
    }
  });

  test(`version ${version}, TLS and WebSocket over TLS: the header comes before the handshake, in one piece with it or not`, async () => {
    for (const kind of [{ protocol: 'tls' }, { protocol: 'wss', webSocket }] as const) {
      const change: Partial<ListenerConfig> = {
        ...kind,
        tls: server,
        requireCertificate: true,
        proxyProtocol: version,
      };
      await using door = await openDoor(change);
      for (const isOnePiece of [true, false]) {
        await using proxy = await openPrefixingProxy(door, () => header, { isOnePiece });
        const near = connectTls({
          port: proxy.port,
          host: '127.0.0.1',
          cert: await readFile(detector.certificateFile!),
          key: await readFile(detector.keyFile!),
          rejectUnauthorized: false,
        });
        await once(near, 'secureConnect');
        near.write(kind.protocol === 'tls' ? 'hello' : Buffer.concat([Buffer.from(upgrade), frame]));
        const far = await door.accepted();
        await far.until(() => far.text === 'hello');
        assert.equal(far.transport!.peer.address, '192.0.2.5');
        assert.equal(far.transport!.peer.certificate?.commonName, 'detector-1');
        near.destroy();
      }
    }
  });
}

test('behind a proxy on a Unix socket', async () => {
  await using door = await openDoor({
    protocol: 'unix',
    path: path.join(folder, 'p.sock'),
    proxyProtocol: 1,
  });
  const socket = connectTo(door);
  socket.write(Buffer.concat([line, Buffer.from('hello')]));
  const far = await door.accepted();
  await far.until(() => far.text === 'hello');
  assert.equal(far.transport!.peer.address, '192.0.2.5');
  assert.equal(far.transport!.peer.proxyAddress, 'local');
  socket.destroy();
});

test('the common name that the proxy has verified is the identity', async () => {
  await using door = await openDoor({ proxyProtocol: 2, proxyRequiresTls: true });
  const socket = connectTo(door);
  socket.write(binaryProxyHeader({ values: proxyTlsValue({ commonName: 'tank-7' }) }));
  const far = await door.accepted();
  assert.deepEqual(far.transport!.peer.certificate, { commonName: 'tank-7', fingerprint: '' });
  socket.destroy();
});

test('a proxy that speaks TLS to us too: its own certificate is not the client’s', async () => {
  const change = { protocol: 'tls', tls: server, requireCertificate: true, proxyProtocol: 2 } as const;
  await using door = await openDoor(change);
  const cert = await readFile(detector.certificateFile!);
  const key = await readFile(detector.keyFile!);
  for (const [values, name] of [
    [proxyTlsValue({ commonName: 'tank-7' }), 'tank-7'],
    [proxyTlsValue({}), undefined],
    [Buffer.alloc(0), 'detector-1'],
  ] as const) {
    const raw = connectTo(door);
    raw.write(binaryProxyHeader({ values }));
    const near = connectTls({ socket: raw, cert, key, rejectUnauthorized: false });
    const far = await door.accepted();
    assert.equal(far.transport!.peer.certificate?.commonName, name);
    near.destroy();
  }
});

test('clients that did not come to the proxy by TLS are refused where that is asked for; health checks are not', async () => {
  await using door = await openDoor({ proxyProtocol: 2, proxyRequiresTls: true });
  for (const values of [Buffer.alloc(0), proxyTlsValue({ flags: 0 })]) {
    const socket = connectTo(door);
    socket.write(binaryProxyHeader({ values }));
    await closed(socket);
  }
  assert.equal(door.listener.statistics.proxyFailures, 2);
  assert.match(door.lines.join(''), /PROXY header refused: the client did not come to the proxy by TLS/);
  const check = connectTo(door);
  check.write(binaryProxyHeader({ command: 0, family: 0, addresses: Buffer.alloc(0) }));
  const far = await door.accepted();
  assert.equal(far.transport!.peer.address, '127.0.0.1');
  check.destroy();
});

test('health checks that say nothing, or leave again, are nobody’s fault', async () => {
  await using door = await openDoor({ proxyProtocol: 1 });
  const silent = connectTo(door);
  await once(silent, 'connect');
  silent.end();
  await closed(silent);
  const reset = connectTo(door);
  await once(reset, 'connect');
  reset.resetAndDestroy();
  const unknown = connectTo(door);
  unknown.write('PROXY UNKNOWN\r\n');
  const far = await door.accepted();
  assert.equal(far.transport!.peer.address, '127.0.0.1');
  unknown.destroy();
  assert.equal(door.listener.statistics.proxyFailures, 0);
  assert.deepEqual(door.lines, []);
});

test('without its header, with the other version’s or with half of one, nobody comes in', async () => {
  const connectPacket = Buffer.from('100d00044d5154540402003c000161', 'hex');
  const cases: readonly (readonly [1 | 2, Buffer])[] = [
    [1, connectPacket],
    [2, connectPacket],
    [1, binaryProxyHeader({})],
    [2, line],
  ];
  for (const [version, bytes] of cases) {
    await using door = await openDoor({ proxyProtocol: version });
    const socket = connectTo(door);
    socket.write(bytes);
    await closed(socket);
    const half = connectTo(door);
    half.end((version === 1 ? line : binaryProxyHeader({})).subarray(0, 11));
    await closed(half);
    const good = connectTo(door);
    good.write(version === 1 ? line : binaryProxyHeader({}));
    await door.accepted();
    good.destroy();
    assert.equal(door.listener.statistics.proxyFailures, 2);
    assert.equal(door.listener.statistics.accepted, 1);
    assert.match(door.lines.join(''), /PROXY header refused: .*peer=127\.0\.0\.1/);
  }
});

test('a header where none is asked for is not read: it is what the client says', async () => {
  await using door = await openDoor();
  const socket = connectTo(door);
  socket.write(line);
  const far = await door.accepted();
  await far.until(() => far.text === line.toString());
  assert.equal(far.transport!.peer.address, '127.0.0.1');
  assert.equal(far.transport!.peer.proxyAddress, undefined);
  socket.destroy();
});

test('a header has a time, and takes a place among the handshakes until it is whole', async () => {
  const clock = new FakeClock();
  await using door = await openDoor({ proxyProtocol: 1 }, 100, clock, {
    maximumHandshakes: 1,
    handshakeTimeoutMs: 3000,
  });
  const slow = connectTo(door);
  slow.write('PROXY TCP4 ');
  await once(slow, 'connect');
  const second = connectTo(door);
  await closed(second);
  assert.equal(door.listener.statistics.handshakesRefused, 1);
  clock.advance(3000);
  await closed(slow);
  assert.equal(door.listener.statistics.proxyFailures, 1);
  assert.match(door.lines.join(''), /no whole header within 3 s/);
  const third = connectTo(door);
  third.write(line);
  await door.accepted();
  // Nothing is left that could end it.
  clock.advance(60_000);
  third.write('hello');
  third.destroy();
});

test('whoever asks is asked about the client, not about the proxy', async () => {
  const asked: string[] = [];
  const admit = (address: string): boolean => {
    asked.push(address);
    return false;
  };
  await using door = await openDoor({ protocol: 'ws', webSocket, proxyProtocol: 1 }, 100, undefined, {
    admit,
  });
  const socket = connectTo(door);
  socket.write(line);
  await closed(socket);
  assert.deepEqual(asked, ['192.0.2.5']);
  assert.equal(door.listener.statistics.refused, 1);
});

test('close() ends the headers that are under way', async () => {
  const door = await openDoor({ proxyProtocol: 2 });
  const socket = connectTo(door);
  socket.write(binaryProxyHeader({}).subarray(0, 9));
  await once(socket, 'connect');
  // Accepted, when a later one has been.
  const next = connectTo(door);
  next.write(binaryProxyHeader({}));
  await door.accepted();
  await door[Symbol.asyncDispose]();
  await closed(socket);
  await closed(next);
});
