import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { DeliveryRing } from './delivery-ring.ts';

interface Kept {
  lsn: number;
  packetId: number;
  received: boolean;
  readonly urgent: boolean;
}

const far = 2 ** 40;

test('the ring of deliveries is an ordered map from serials', () => {
  const step = fc.record({ kind: fc.nat(5), gap: fc.nat(3), choice: fc.nat(1000) });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 300 }), (steps) => {
      const ring = new DeliveryRing();
      const model = new Map<number, Kept>();
      let serial = far;
      for (const { kind, gap, choice } of steps) {
        const serials = [...model.keys()];
        const chosen = serials[choice % serials.length] ?? 0;
        const kept = model.get(chosen);
        if (kind < 3) {
          serial += 1 + gap;
          ring.append(serial, far + choice, choice, gap, gap === 0);
          model.set(serial, { lsn: far + choice, packetId: 0, received: false, urgent: gap === 0 });
        } else if (kept === undefined) assert.equal(ring.find(chosen), -1);
        else if (kind === 3) {
          ring.remove(ring.find(chosen));
          model.delete(chosen);
        } else if (kind === 4) {
          ring.move(ring.find(chosen), far * 2 + choice, 9);
          kept.lsn = far * 2 + choice;
        } else {
          ring.setPacketId(ring.find(chosen), choice);
          ring.setReceived(ring.find(chosen));
          kept.packetId = choice;
          kept.received = true;
        }
        compare(ring, model);
      }
    }),
  );
});

function compare(ring: DeliveryRing, model: ReadonlyMap<number, Kept>): void {
  assert.equal(ring.size, model.size);
  assert.equal(ring.lastSerial, [...model.keys()].at(-1) ?? 0);
  const seen: [number, Kept][] = [];
  for (let place = ring.after(0); place !== -1; place = ring.next(place)) {
    const serial = ring.serialAt(place);
    assert.equal(ring.find(serial), place);
    assert.equal(ring.after(serial - 1), place);
    const kept = {
      lsn: ring.lsnAt(place),
      packetId: ring.packetIdAt(place),
      received: ring.isReceivedAt(place),
      urgent: ring.isUrgentAt(place),
    };
    assert.equal(ring.isOrdinaryAt(place), kept.packetId === 0 && !kept.urgent);
    seen.push([serial, kept]);
  }
  assert.deepEqual(seen, [...model]);
}

test('one that is never acknowledged does not make the ring grow for ever', () => {
  const ring = new DeliveryRing();
  ring.append(1, 0, 0, 0, false);
  const before = process.memoryUsage().arrayBuffers;
  for (let serial = 2; serial < 300_000; serial++) {
    ring.append(serial, 0, 0, 0, false);
    if (serial > 10) ring.remove(ring.find(serial - 8));
  }
  assert.ok(process.memoryUsage().arrayBuffers - before < 4_000_000);
  assert.equal(ring.serialAt(ring.after(0)), 1);
  assert.equal(ring.size, 10);
});
