import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { FakeClock, silentLogger } from '#base';
import { createMemoryDialer } from '#listeners';
import { encodePacket, PacketType, ReasonCode, type Packet } from '#mqtt';
import { settled, setUp } from '../../test/helpers/client-setup.ts';
import { turnUntil } from '../../test/helpers/session-broker.ts';
import { Client } from './client.ts';

const connack = '2003000000';

for (const [what, hex] of [
  ['speaks before CONNACK', '300400016131'],
  ['sends CONNECT', `${connack}100f00044d5154540500000000000161 00`],
  ['sends SUBSCRIBE', `${connack}8207 0001 00 0001 61 00`],
  ['sends PINGREQ', `${connack}c000`],
  ['answers a SUBSCRIBE that was never sent', `${connack}9004 0005 00 00`],
  ['uses an alias it was not allowed', `${connack}3008 0001 61 03 230001 78`],
  ['publishes on a wildcard', `${connack}3005 0001 23 00 78`],
  ['sends a second CONNACK', `${connack}${connack}`],
  ['finds a session after a clean start', '2003010000'],
  ['claims a packet of 256 MB', `${connack}30ffffff7f`],
  ['sends five bytes of length', `${connack}30ffffffff01`],
] as const) {
  test(`a broker that ${what} loses the connection, nothing else`, async () => {
    const clock = new FakeClock();
    const client = new Client({
      dialer: createMemoryDialer((transport) => {
        transport.handler = {
          onBytes: () => transport.write(Buffer.from(hex.replaceAll(' ', ''), 'hex')),
          onDrain: () => {},
          onClose: () => {},
        };
      }),
      clock,
      log: silentLogger,
      clientId: 'c',
      version: 5,
      cleanStart: true,
      keepAliveSeconds: 0,
      reconnect: false,
    });
    let detail: string | undefined;
    client.onState = (_, text) => (detail = text);
    client.connect().catch(() => {});
    await turnUntil(() => client.state === 'closed', clock, 0);
    assert.match(detail!, /broke the protocol/);
  });
}

test('any bytes of a broker end the connection at most', async () => {
  const errors: string[] = [];
  const log = { ...silentLogger, error: (message: string) => errors.push(message), child: () => log };
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.uint8Array({ minLength: 1, maxLength: 40 }), { maxLength: 4 }),
      async (pieces) => {
        const { client, broker, clock } = setUp({}, log);
        await settled(client.connect(), clock);
        for (const piece of pieces) broker.sendBytes(Buffer.from(piece));
        broker.send({ type: PacketType.Pingresp });
        await turnUntil(() => true, clock);
        await settled(client.close(), clock);
        assert.equal(client.state, 'closed');
      },
    ),
    { numRuns: 300 },
  );
  assert.deepEqual(errors, []);
});

test('an exception of the message handler is a bug that ends the connection, not the process', async () => {
  const errors: string[] = [];
  const log = { ...silentLogger, error: (message: string) => errors.push(message), child: () => log };
  const { client, broker, clock } = setUp({}, log);
  client.onMessage = () => {
    throw new Error('oops');
  };
  await settled(client.connect(), clock);
  broker.sendBytes(
    encodePacket(
      {
        type: PacketType.Publish,
        topic: 'a',
        payload: Buffer.alloc(0),
        qos: 0,
        retain: false,
        dup: false,
        packetId: 0,
        properties: null,
      },
      5,
    ),
  );
  await turnUntil(() => client.statistics.connects === 2, clock);
  assert.equal(errors.length, 1);
  await settled(client.close(), clock);
});

test('a second CONNACK is not read: DISCONNECT could not name what is wrong in it', async () => {
  const { client, broker, clock } = setUp();
  await settled(client.connect(), clock);
  const said: Packet[] = [];
  broker.onPacket = (packet) => said.push(packet);
  broker.sendBytes(Buffer.of(0x20, 2, 0, 1)); // 3.1.1's refusal of the version
  await turnUntil(() => said.length > 0, clock);
  assert.deepEqual(said, [
    { type: PacketType.Disconnect, reasonCode: ReasonCode.ProtocolError, properties: {} },
  ]);
  await client.close();
});
