import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import type { Transport } from '#base';
import { encodePacket, PacketType, type Packet } from '#mqtt';
import { PacketOutbox } from './packet-outbox.ts';

/** A transport that takes what it was given late: until then it holds views, as a socket does. */
class LateTransport implements Transport {
  readonly peer = { address: 'local', port: 0, certificate: null };
  readonly handler = { onBytes: () => {}, onDrain: () => {}, onClose: () => {} };
  readonly taken: Buffer[] = [];
  readonly held: Uint8Array[] = [];
  writes = 0;

  get pendingBytes(): number {
    return this.held.reduce((sum, bytes) => sum + bytes.length, 0);
  }

  write(bytes: Uint8Array): void {
    this.writes += 1;
    this.held.push(bytes);
  }

  take(): void {
    for (const bytes of this.held.splice(0)) this.taken.push(Buffer.from(bytes));
  }

  pause(): void {}
  resume(): void {}
  end(): void {}
  destroy(): void {}
}

function publishOf(size: number, fill: number): Packet {
  return {
    type: PacketType.Publish,
    topic: 'a/b',
    payload: Buffer.alloc(size, fill),
    qos: 1,
    retain: false,
    dup: false,
    packetId: 1 + (fill % 1000),
    properties: null,
  };
}

test('what the transport takes late is what was sent, whatever the sizes and the turns', () => {
  const step = fc.oneof(
    { weight: 6, arbitrary: fc.record({ size: fc.integer({ min: 0, max: 3000 }) }) },
    { weight: 1, arbitrary: fc.record({ size: fc.integer({ min: 60_000, max: 200_000 }) }) },
    { weight: 2, arbitrary: fc.constantFrom('turn' as const, 'drain' as const, 'ack' as const) },
  );
  fc.assert(
    fc.property(fc.array(step, { maxLength: 80 }), (steps) => {
      let turn: (() => void) | null = null;
      const outbox = new PacketOutbox(5, (callback) => {
        assert.equal(turn, null, 'one flush a turn');
        turn = callback;
      });
      const transport = new LateTransport();
      outbox.attach(transport);
      const expected: Buffer[] = [];
      const endTurn = (): void => {
        const callback = turn;
        turn = null;
        callback?.();
      };
      for (const [index, what] of steps.entries()) {
        if (what === 'turn') {
          endTurn();
        } else if (what === 'drain') {
          transport.take();
          outbox.onDrain();
        } else if (what === 'ack') {
          outbox.ack(PacketType.Pubrec, index + 1, 0x97);
          expected.push(
            encodePacket(
              { type: PacketType.Pubrec, packetId: index + 1, reasonCode: 0x97, properties: {} },
              5,
            ),
          );
        } else {
          const packet = publishOf(what.size, index);
          if (packet.type !== PacketType.Publish) return;
          const { topic, payload, qos, packetId } = packet;
          assert.ok(outbox.publish(topic, payload, qos, false, false, packetId, null, 1_000_000));
          expected.push(encodePacket(packet, 5));
        }
      }
      endTurn();
      transport.take();
      assert.ok(Buffer.concat(transport.taken).equals(Buffer.concat(expected)));
      assert.equal(outbox.pendingBytes, 0);
    }),
    { numRuns: 200 },
  );
});

test('a hundred small packets of one turn leave in one write; too large a packet does not leave at all', () => {
  let turn: () => void = () => {};
  const outbox = new PacketOutbox(4, (callback) => {
    turn = callback;
  });
  const transport = new LateTransport();
  outbox.attach(transport);
  for (let index = 0; index < 100; index += 1) {
    outbox.publish('a', Buffer.from('x'), 0, false, false, 0, null, 1000);
  }
  assert.equal(transport.writes, 0);
  assert.equal(outbox.pendingBytes, 600);
  turn();
  assert.equal(transport.writes, 1);
  assert.equal(outbox.publish('a', Buffer.alloc(1000), 0, false, false, 0, null, 1000), false);
  outbox.detach();
  outbox.packet({ type: PacketType.Pingreq });
  outbox.flush();
  assert.equal(transport.writes, 1);
});
