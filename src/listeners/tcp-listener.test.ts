import assert from 'node:assert/strict';
import { createConnection, createServer, type Socket } from 'node:net';
import { test } from 'node:test';
import { FakeClock } from '#base';
import { dial, exchange, exchangeAndPart, hasCode, openDoor } from '../../test/helpers/listener-door.ts';

test('bytes both ways, who the peer is, an orderly end that is told once to each side', async () => {
  await using door = await openDoor();
  const near = await dial({ port: door.port });
  await exchangeAndPart(door, near);
});

test('what is pending before end() arrives, also when the peer is busy', async () => {
  await using door = await openDoor();
  const near = await dial({ port: door.port });
  const far = await door.accepted();
  far.transport!.pause();
  const large = Buffer.alloc(20_000_000, 'x'); // more than Linux takes for a peer that reads nothing
  near.transport.write(large);
  assert.ok(near.transport.pendingBytes > 0);
  near.transport.end();
  far.transport!.resume();
  await far.until(() => far.text.length === large.length);
  await near.until(() => near.closes === 1);
});

test('onDrain comes when everything was taken, and pause stops reading', async () => {
  await using door = await openDoor();
  const near = await dial({ port: door.port });
  const far = await door.accepted();
  near.transport.write(Buffer.alloc(100_000, 'a'));
  near.transport.write(Buffer.alloc(100_000, 'b'));
  await near.until(() => near.drains > 0);
  assert.equal(near.transport.pendingBytes, 0);
  await far.until(() => far.text.length === 200_000);
  far.transport!.pause();
  near.transport.write(Buffer.from('held'));
  // The answer of the other direction shows that time has passed.
  far.transport!.write(Buffer.from('sentinel'));
  await near.until(() => near.text === 'sentinel');
  assert.equal(far.text.length, 200_000);
  far.transport!.resume();
  await far.until(() => far.text.endsWith('held'));
});

test('a peer that neither reads nor closes is destroyed 2 s after end()', async () => {
  const clock = new FakeClock();
  const accepted: Socket[] = [];
  const mute = createServer({ allowHalfOpen: true }, (socket) => accepted.push(socket.pause()));
  await new Promise<void>((resolve) => mute.listen(0, '127.0.0.1', resolve));
  const { port } = mute.address() as { port: number };
  const near = await dial({ port, clock });
  near.transport.end();
  assert.equal(near.closes, 0);
  clock.advance(2000);
  await near.until(() => near.closes === 1);
  for (const socket of accepted) socket.destroy();
  mute.close();
});

test('a reset connection is one onClose with the error, nothing thrown', async () => {
  await using door = await openDoor();
  const socket = createConnection({ host: '127.0.0.1', port: door.port });
  const far = await door.accepted();
  socket.resetAndDestroy();
  await far.until(() => far.closes === 1);
  assert.match(far.error?.message ?? '', /ECONNRESET/);
});

test('a taken port is told with what to do', async () => {
  await using door = await openDoor();
  await assert.rejects(
    openDoor({ port: door.port }),
    hasCode(
      'PORT_TAKEN',
      new RegExp(`^listener detectors: 127\\.0\\.0\\.1:${door.port} is taken; choose another`),
    ),
  );
  await assert.rejects(
    openDoor({ address: '192.0.2.1' }),
    hasCode('LISTEN_FAILED', /not one of this machine/),
  );
});

test('a closed listener frees its port and leaves the connections alone', async () => {
  await using door = await openDoor();
  const near = await dial({ port: door.port });
  const far = await door.accepted();
  await door.listener.close();
  await using again = await openDoor({ port: door.port });
  assert.equal(again.port, door.port);
  await exchange(near, far);
  near.transport.destroy();
});

test('connections beyond the maximum are refused and counted', async () => {
  const told: string[] = [];
  const onRefused = (bound: string): void => void told.push(bound);
  await using door = await openDoor({}, 2, undefined, { onRefused });
  const first = [await dial({ port: door.port }), await dial({ port: door.port })];
  await Promise.all([door.accepted(), door.accepted()]);
  const third = await dial({ port: door.port }).catch(() => null);
  if (third !== null) await third.until(() => third.closes === 1);
  assert.equal(door.listener.statistics.refused, 1);
  assert.equal(door.listener.statistics.accepted, 2);
  assert.deepEqual(told, ['connections']);
  assert.match(door.lines.join(''), /connection refused, 2 are open already/);
  for (const near of first) near.transport.destroy();
});
