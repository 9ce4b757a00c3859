import assert from 'node:assert/strict';
import { createServer, type Socket } from 'node:net';
import path from 'node:path';
import { test } from 'node:test';
import { FakeClock } from '#base';
import {
  dial,
  exchange,
  hasCode,
  openDoor,
  Recorder,
  type Dialed,
} from '../../test/helpers/listener-door.ts';
import { tlsParties } from '../../test/helpers/tls-parties.ts';
import { createDialer } from './dial.ts';

const { stranger, detector, folder, mutual } = await tlsParties();

test('reasons in plain words', async () => {
  const free = createServer();
  await new Promise<void>((resolve) => free.listen(0, '127.0.0.1', resolve));
  const { port } = free.address() as { port: number };
  await new Promise<void>((resolve) => free.close(() => resolve()));
  await assert.rejects(
    dial({ port }),
    hasCode('CONNECT_FAILED', /^mqtt:\/\/127\.0\.0\.1:\d+: connection refused/),
  );
  await assert.rejects(
    dial({ port: 0, path: path.join(folder, 'none.sock') }),
    hasCode('CONNECT_FAILED', /there is no such socket/),
  );
  await assert.rejects(
    dial({ port, localAddress: '192.0.2.1' }),
    hasCode('CONNECT_FAILED', /not one of this machine/),
  );
});

test('gives up after 10 s and on abort', async () => {
  const clock = new FakeClock();
  const sockets: Socket[] = [];
  const mute = createServer((socket) => sockets.push(socket));
  await new Promise<void>((resolve) => mute.listen(0, '127.0.0.1', resolve));
  const { port } = mute.address() as { port: number };
  const timers = clock.after.bind(clock);
  let armed: () => void = () => {};
  const isArmed = new Promise<void>((resolve) => {
    armed = resolve;
  });
  clock.after = (delayMs, callback) => {
    armed();
    return timers(delayMs, callback);
  };
  // TLS towards a port that says nothing: the handshake never ends.
  const files = { ...detector };
  const slow = createDialer({ host: '127.0.0.1', port, tls: files, clock });
  const never = slow.dial(new Recorder(), new AbortController().signal);
  await isArmed;
  clock.advance(10_000);
  await assert.rejects(never, hasCode('CONNECT_FAILED', /timed out after 10 s/));
  const abort = new AbortController();
  const aborted = slow.dial(new Recorder(), abort.signal);
  abort.abort(new Error('enough'));
  await assert.rejects(aborted, /enough/);
  for (const socket of sockets) socket.destroy();
  mute.close();
});

test('a dialer leaves from the address it is told', async () => {
  await using door = await openDoor();
  const near = await dial({ port: door.port, localAddress: '127.0.0.9' });
  const far = await door.accepted();
  assert.equal(far.transport!.peer.address, '127.0.0.9');
  near.transport.destroy();
});

test('the server must be the one it says: wrong authority, wrong host, no TLS at all', async () => {
  await using door = await openDoor(mutual());
  await assert.rejects(
    dial({ port: door.port, tls: { ...detector, caFile: stranger.caFile } }),
    hasCode('TLS_INVALID', /^mqtts:.*certificate is not signed by our CA/),
  );
  await assert.rejects(
    dial({ port: door.port, tls: detector, servername: 'relay.example' }),
    hasCode('TLS_INVALID', /certificate does not name relay\.example/),
  );
  for (const [answer, code, pattern] of [
    ['HTTP/1.1 400 Bad Request\r\n\r\n', 'TLS_INVALID', /does not speak TLS; check the port/],
    ['', 'CONNECT_FAILED', /closed during the TLS handshake; does that port speak TLS/],
  ] as const) {
    await using plain = await openDoor();
    plain.accepted().then(
      (far) => {
        far.transport!.write(Buffer.from(answer));
        far.transport!.end();
      },
      () => {},
    );
    await assert.rejects(dial({ port: plain.port, tls: detector }), hasCode(code, pattern));
  }
});

test('a dialer resumes its session with the next connection, and keeps its identity', async () => {
  await using door = await openDoor(mutual());
  const dialer = createDialer({ host: 'localhost', port: door.port, tls: detector });
  for (const round of [1, 2]) {
    const near = new Recorder();
    near.transport = await dialer.dial(near, new AbortController().signal);
    const far = await door.accepted();
    await exchange(near as Dialed, far);
    assert.equal(far.transport!.peer.certificate?.commonName, 'detector-1', `connection ${round}`);
    near.transport.end();
    await near.until(() => near.closes === 1);
  }
});
