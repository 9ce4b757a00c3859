import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FakeClock, type Transport } from '#base';
import { Outbox } from './outbox.ts';
import { SlabPool, type Slab } from './slab-pool.ts';
import { Statistics } from './statistics.ts';
import { Turn } from './turn.ts';

/** Takes what it is told to take, and keeps the rest as it was handed over, as a socket does. */
class Deaf implements Transport {
  readonly peer = { address: '192.0.2.1', port: 1, certificate: null };
  handler = { onBytes: () => {}, onDrain: () => {}, onClose: () => {} };
  takes = false;
  readonly kept: Uint8Array[] = [];
  received = Buffer.alloc(0);

  get pendingBytes(): number {
    return this.kept.reduce((sum, bytes) => sum + bytes.length, 0);
  }

  write(bytes: Uint8Array): void {
    this.kept.push(bytes);
    if (this.takes) this.drain();
  }

  drain(): void {
    this.takes = true;
    this.received = Buffer.concat([this.received, ...this.kept.splice(0)]);
  }

  pause(): void {}
  resume(): void {}
  end(): void {}
  destroy(): void {}
}

/** Counts the memory that was handed out and has not come back. */
class CountedPool extends SlabPool {
  bytesOut = 0;

  override take(length: number): Slab {
    const slab = super.take(length);
    this.bytesOut += slab.bytes.length;
    return slab;
  }

  override give(slab: Slab): void {
    this.bytesOut -= slab.bytes.length;
    super.give(slab);
  }
}

class World {
  readonly slabs = new CountedPool();
  readonly transport = new Deaf();
  readonly outbox: Outbox;
  sent = Buffer.alloc(0);
  readonly #tasks: (() => void)[] = [];

  constructor() {
    const statistics = new Statistics();
    const turn = new Turn((task) => this.#tasks.push(task), statistics);
    const context = { clock: new FakeClock(), turn, slabs: this.slabs, statistics, tightBound: Infinity };
    this.outbox = new Outbox(context, this.transport, { onRelief: () => {} }, 1_048_576);
  }

  /** One turn with so many frames of 100 bytes. */
  turn(frames: number): void {
    const frame = Buffer.alloc(100);
    for (let i = 0; i < frames; i++) {
      frame.fill(this.sent.length % 251);
      this.sent = Buffer.concat([this.sent, frame]);
      const offset = this.outbox.room(frame.length);
      frame.copy(this.outbox.slab, offset);
    }
    for (let task = this.#tasks.shift(); task !== undefined; task = this.#tasks.shift()) task();
  }
}

test('a client that takes nothing holds little more memory than its bytes, in whatever pieces they come', () => {
  for (const frames of [1, 10, 45, 100, 300]) {
    const world = new World();
    while (world.sent.length < 100_000) world.turn(frames);
    const pending = world.transport.pendingBytes;
    assert.equal(pending, world.sent.length);
    assert.equal(world.outbox.waiting, pending);
    const most = 2 * pending + 84 * 1024; // what was handed over before it was known to be deaf
    assert.ok(world.slabs.bytesOut <= most, `${frames} a turn: ${world.slabs.bytesOut} for ${pending} bytes`);
  }
});

test('what was copied and what was not leaves in order, and every slab comes back', () => {
  const world = new World();
  for (const frames of [1, 3, 50, 1, 200, 700, 2, 1, 45]) world.turn(frames);
  world.transport.drain();
  world.outbox.onDrain();
  world.turn(5);
  assert.ok(world.transport.received.equals(world.sent));
  assert.equal(world.slabs.bytesOut, 0);
  assert.equal(world.outbox.waiting, 0);
});

test('of writes that are not taken at once only some are made in a turn; those that are taken do not count', () => {
  for (const [takes, inOneTurn] of [
    [true, 1000],
    [false, 256],
  ] as const) {
    const tasks: (() => void)[] = [];
    const statistics = new Statistics();
    const turn = new Turn((task) => tasks.push(task), statistics);
    const context = {
      clock: new FakeClock(),
      turn,
      slabs: new SlabPool(),
      statistics,
      tightBound: Infinity,
    };
    const transports = Array.from({ length: 1000 }, () => new Deaf());
    for (const transport of transports) {
      transport.takes = takes;
      const outbox = new Outbox(context, transport, { onRelief: () => {} }, 1_048_576);
      outbox.slab.fill(1, outbox.room(10));
    }
    const written = (): number =>
      transports.filter((one) => one.pendingBytes + one.received.length === 10).length;
    tasks.shift()?.();
    assert.equal(written(), inOneTurn);
    assert.equal(turn.isBehind, !takes);
    for (let task = tasks.shift(); task !== undefined; task = tasks.shift()) task();
    assert.equal(written(), 1000);
    assert.equal(turn.isBehind, false);
  }
});
