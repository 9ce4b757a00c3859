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

/** Connects and says nothing. Resolves when the system has the connection. */
async function openSilent({ port }: Door): Promise<Socket> {
  const socket = createConnection({ port, host: '127.0.0.1' });
  socket.on('error', () => {});
  await once(socket, 'connect');
  return socket;
}

for (const [name, kind] of kinds) {
  test(`bound: handshakes; ${name} connections that say nothing take no more than so many places`, async () => {
    await using door = await openDoor(kind(), 100, new SystemClock(), { maximumHandshakes: 3 });
    const silent: Socket[] = [];
    for (let i = 0; i < 3; i++) silent.push(await openSilent(door));
    const refused = await openSilent(door);
    refused.resume();
    await once(refused, 'close');
    assert.equal(door.listener.statistics.handshakesRefused, 1);
    assert.equal(door.listener.statistics.refused, 1);
    assert.match(door.lines.join(''), /connection refused, 3 handshakes are under way/);
    const first = silent.pop()!;
    first.destroy();
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
    for (const socket of silent) socket.destroy();
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
