/** MQTT 3.1.1, chapter 6: MQTT over WebSocket. All other tables run over it as well. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type AddressInfo } from 'node:net';
import { test } from 'node:test';
import { WebSocket } from 'ws';
import { createDialer } from '#listeners';
import { matchesWire, wireBytes } from '../../helpers/wire-notation.ts';
import { FrameSplitter } from '../../helpers/wire-peer.ts';
import { WireServer } from '../../helpers/wire-server.ts';
import { overWebSocket } from '../../helpers/wire-websocket.ts';

/** A plain WebSocket to a broker. */
async function openWeb(port: number): Promise<WebSocket> {
  const web = new WebSocket(`ws://127.0.0.1:${port}/mqtt`, ['mqtt'], { perMessageDeflate: false });
  await once(web, 'open');
  return web;
}

test('packets go in binary frames both ways; a text frame ends the connection [MQTT-6.0.0-1]', async () => {
  await using server = await new WireServer(overWebSocket).start();
  const web = await openWeb(server.port);
  web.send(wireBytes('10[ "MQTT" 04 02 0000 "a" ]', new Map()));
  const [, isBinary] = (await once(web, 'message')) as [Buffer, boolean];
  assert.equal(isBinary, true);
  web.send('text', { binary: false });
  const [code] = (await once(web, 'close')) as [number];
  assert.equal(code, 1003);
});

test('packets need not begin or end with a frame [MQTT-6.0.0-2]', async () => {
  await using server = await new WireServer(overWebSocket).start();
  const web = await openWeb(server.port);
  const frames: Buffer[] = [];
  const splitter = new FrameSplitter((frame) => void frames.push(Buffer.from(frame)));
  const done = new Promise<void>((resolve) => {
    web.on('message', (data: Buffer) => {
      splitter.push(data);
      if (frames.length === 4) resolve();
    });
  });
  const bytes = wireBytes('10[ "MQTT" 04 02 0000 "a" ] 82[ 0001 "t" 00 ] 30[ "t" \'x\' ] c0 00', new Map());
  for (const byte of bytes.subarray(0, -10)) web.send(Buffer.from([byte]));
  web.send(bytes.subarray(-10));
  await done;
  const expected = ['20[ 00 00 ]', '90[ 0001 00 ]', '30[ "t" \'x\' ]', 'd0 00'];
  for (const [index, notation] of expected.entries()) {
    assert.ok(matchesWire(notation, frames[index]!, new Map()), frames[index]!.toString('hex'));
  }
  web.terminate();
});

test('the subprotocol that the server names is mqtt [MQTT-6.0.0-4]', async () => {
  await using server = await new WireServer(overWebSocket).start();
  const web = await openWeb(server.port);
  assert.equal(web.protocol, 'mqtt');
  web.terminate();
});

test('our own dialer offers mqtt [MQTT-6.0.0-3]', async () => {
  // A server that only listens to the request.
  const request = await new Promise<string>((resolve) => {
    const server = createServer((socket) => {
      socket.on('error', () => {});
      socket.once('data', (chunk) => {
        socket.destroy();
        server.close();
        resolve(chunk.toString('latin1'));
      });
    });
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address() as AddressInfo;
      const handler = { onBytes: () => {}, onDrain: () => {}, onClose: () => {} };
      const dialer = createDialer({ host: '127.0.0.1', port, tls: null, webSocketPath: '/mqtt' });
      dialer.dial(handler, new AbortController().signal).catch(() => {}); // it gets no answer
    });
  });
  assert.match(request, /^sec-websocket-protocol: mqtt\r$/im);
});
