import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createConnection, type Socket } from 'node:net';
import { test } from 'node:test';
import { SystemClock } from '#base';
import type { ListenerConfig } from '#config';
import { dial, exchange, openDoor, type Door } from '../../test/helpers/listener-door.ts';
import { tlsParties } from '../../test/helpers/tls-parties.ts';

const { server } = await tlsParties();
const webSocket = { path: '/mqtt', allowedOrigins: [] };

const kinds: readonly (readonly [string, () => Partial<ListenerConfig>])[] = [
  ['TLS', () => ({ protocol: 'tls', tls: server })],
  ['WebSocket', () => ({ protocol: 'ws', webSocket })],
  ['WebSocket over TLS', () => ({ protocol: 'wss', webSocket, tls: server })],
];

/** Connects from an address of this machine and says nothing. Resolves when the system has the connection. */
async function openSilent({ port }: Door, localAddress = '127.0.0.1'): Promise<Socket> {
  const socket = createConnection({ port, host: '127.0.0.1', localAddress });
  socket.on('error', () => {});
  await once(socket, 'connect');
  return socket;
}

/** The same, where the listener closes it at once. */
async function openRefused(door: Door, localAddress: string): Promise<void> {
  const socket = await openSilent(door, localAddress);
  socket.resume();
  await once(socket, 'close');
}

for (const [name, kind] of kinds) {
  test(`bound: handshakes; ${name} connections that say nothing take no more than so many places`, async () => {
    const told: string[] = [];
    await using door = await openDoor(kind(), 100, new SystemClock(), {
      maximumHandshakes: 3,
      onRefused: (bound) => told.push(bound),
    });
    const silent = [await openSilent(door), await openSilent(door)];
    await openRefused(door, '127.0.0.1');
    assert.match(
      door.lines.join(''),
      /connection refused, its address has its share .* address=127\.0\.0\.1/,
    );
    const other = await openSilent(door, '127.0.0.2');
    await openRefused(door, '127.0.0.3');
    assert.equal(door.listener.statistics.handshakesRefused, 2);
    assert.equal(door.listener.statistics.refused, 2);
    assert.deepEqual(told, ['handshakes', 'handshakes']);
    assert.match(door.lines.join(''), /connection refused, 3 handshakes are under way/);
    for (const socket of silent) socket.destroy();
    // The listener hears of the end in its own time: until then it goes on refusing.
    const options = {
      port: door.port,
      tls: name === 'WebSocket' ? null : { ...server, certificateFile: null, keyFile: null },
      ...(name === 'TLS' ? {} : { webSocketPath: '/mqtt' }),
    };
    let near = await dial(options).catch(() => null);
    while (near === null) near = await dial(options).catch(() => null);
    await exchange(near, await door.accepted());
    near.transport.destroy();
    other.destroy();
  });

  test(`one address takes at most half of the places for ${name} handshakes, and what it gave back is free`, async () => {
    await using door = await openDoor(kind(), 100, new SystemClock(), { maximumHandshakes: 8 });
    for (let round = 0; round < 3; round++) {
      const silent: Socket[] = [];
      for (let i = 0; i < 4; i++) silent.push(await openSilent(door));
      await openRefused(door, '127.0.0.1');
      for (let i = 0; i < 2; i++) silent.push(await openSilent(door, '127.0.0.2'));
      await openRefused(door, '127.0.0.2');
      assert.equal(door.listener.statistics.handshakesRefused, 2 * (round + 1));
      for (const socket of silent) socket.destroy();
      await Promise.all(silent.map((socket) => once(socket, 'close')));
      // Its own end is the last that the listener hears of, so all places are free then.
      const last = await openSilent(door, '127.0.0.3');
      const ended = once(last, 'close');
      last.resume();
      last.write('this is neither TLS nor HTTP\r\n\r\n');
      await ended;
    }
  });

  test(`who is not admitted is closed before the ${name} handshake, and counted`, async () => {
    const asked: string[] = [];
    const admit = (address: string): boolean => {
      asked.push(address);
      return false;
    };
    await using door = await openDoor(kind(), 100, new SystemClock(), { admit });
    const socket = await openSilent(door);
    socket.resume();
    await once(socket, 'close');
    assert.deepEqual(asked, ['127.0.0.1']);
    assert.equal(socket.bytesRead, 0);
    assert.equal(door.listener.statistics.refused, 1);
    assert.equal(door.listener.statistics.handshakesRefused, 0);
  });
}
