import assert from 'node:assert/strict';
import { createConnection } from 'node:net';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { WebSocket } from 'ws';
import { FakeClock } from '#base';
import { dial, exchange, exchangeAndPart, hasCode, openDoor } from '../../test/helpers/listener-door.ts';
import { tlsParties } from '../../test/helpers/tls-parties.ts';
import { connected, plain, requestText, talk } from '../../test/helpers/websocket-peers.ts';

const { authority, server, detector } = await tlsParties();

test('bytes both ways, who the peer is, an orderly end that is told once to each side', async () => {
  await using door = await openDoor(plain);
  const near = await dial({ port: door.port, webSocketPath: '/mqtt' });
  await exchangeAndPart(door, near);
});

test('over TLS: the client certificate is the identity, and the dialer checks the server', async () => {
  await using door = await openDoor({
    ...plain,
    protocol: 'wss',
    tls: server,
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
