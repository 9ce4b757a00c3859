/** MQTT 5, chapter 6: WebSocket. All other tables run over it as well, each write cut in two. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { test } from 'node:test';
import type { AddressInfo } from 'node:net';
import { WebSocket, WebSocketServer } from 'ws';
import { FakeClock, silentLogger } from '#base';
import { Client } from '#client';
import { createDialer } from '#listeners';
import { encodePacket } from '#mqtt';
import { wire, WireClient } from '../../helpers/wire-client.ts';
import { connectPacket } from '../../helpers/wire-packets.ts';
import { pingreq, pingresp } from '../../helpers/wire-packets.ts';
import { WireServer } from '../../helpers/wire-server.ts';
import { overWebSocket } from '../../helpers/wire-websocket.ts';

const timeout = 20_000;

test('[MQTT-6.0.0-1] a text message ends the connection', { timeout }, async () => {
  await using server = await new WireServer(overWebSocket).start();
  const socket = new WebSocket(`ws://127.0.0.1:${server.port}/mqtt`, ['mqtt']);
  await once(socket, 'open');
  socket.send('hello');
  await once(socket, 'close');
});

test('[MQTT-6.0.0-1] what the broker sends is binary', { timeout }, async () => {
  await using server = await new WireServer(overWebSocket).start();
  const socket = new WebSocket(`ws://127.0.0.1:${server.port}/mqtt`, ['mqtt']);
  await once(socket, 'open');
  socket.send(encodePacket(connectPacket('a', 5), 5));
  const [bytes, isBinary] = (await once(socket, 'message')) as [Buffer, boolean];
  assert.ok(isBinary);
  assert.equal(bytes[0], 0x20);
  socket.terminate();
});

test(
  '[MQTT-6.0.0-2] messages may hold a part of a packet, several packets, or nothing',
  { timeout },
  async () => {
    await using server = await new WireServer(overWebSocket).start();
    const bytes = Buffer.concat([encodePacket(connectPacket('a', 5), 5), wire('c0 00 c0 00')]);
    for (const size of [1, 2, 3, 7, bytes.length]) {
      const client = await new WireClient(5).open(overWebSocket, server.port);
      for (let at = 0; at < bytes.length; at += size) client.write(bytes.subarray(at, at + size));
      client.write(Buffer.alloc(0));
      client.send(pingreq);
      assert.equal((await client.receive()).packet.type, 2);
      for (let answer = 0; answer < 3; answer++) assert.deepEqual((await client.receive()).packet, pingresp);
      client.destroy();
    }
  },
);

test('[MQTT-6.0.0-3] who does not offer the subprotocol mqtt is not let in', { timeout }, async () => {
  await using server = await new WireServer(overWebSocket).start();
  for (const offered of [[], ['mqtt5'], ['chat']]) {
    const socket = new WebSocket(`ws://127.0.0.1:${server.port}/mqtt`, offered);
    await assert.rejects(once(socket, 'open'), /400/);
  }
});

test(
  '[MQTT-6.0.0-4] the subprotocol that is chosen is mqtt, whatever else is offered',
  { timeout },
  async () => {
    await using server = await new WireServer(overWebSocket).start();
    const socket = new WebSocket(`ws://127.0.0.1:${server.port}/mqtt`, ['chat', 'mqtt']);
    await once(socket, 'open');
    assert.equal(socket.protocol, 'mqtt');
    socket.terminate();
  },
);

test(
  '[MQTT-6.0.0-1] [MQTT-6.0.0-3] our own client offers mqtt and sends binary messages',
  { timeout },
  async () => {
    const server = new WebSocketServer({
      port: 0,
      host: '127.0.0.1',
      handleProtocols: (offered) => [...offered][0] ?? false,
    });
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    const client = new Client({
      dialer: createDialer({ host: '127.0.0.1', port, tls: null, webSocketPath: '/mqtt' }),
      clock: new FakeClock(),
      log: silentLogger,
      clientId: 'a',
      version: 5,
      cleanStart: true,
      keepAliveSeconds: 0,
      reconnect: false,
    });
    const connected = client.connect();
    const [socket] = (await once(server, 'connection')) as [WebSocket];
    assert.equal(socket.protocol, 'mqtt');
    const [bytes, isBinary] = (await once(socket, 'message')) as [Buffer, boolean];
    assert.ok(isBinary);
    assert.equal(bytes[0], 0x10);
    socket.send(wire('20 * 00 00 {}'));
    await connected;
    socket.send('text');
    await once(socket, 'close');
    await client.close();
    server.close();
  },
);
