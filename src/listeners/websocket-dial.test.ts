import assert from 'node:assert/strict';
import { createServer, type AddressInfo, type Socket } from 'node:net';
import { test } from 'node:test';
import { FakeClock, SystemClock } from '#base';
import { dial, hasCode, openDoor, Recorder } from '../../test/helpers/listener-door.ts';
import { plain } from '../../test/helpers/websocket-peers.ts';
import { createDialer } from './dial.ts';

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
