import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FakeClock, type Transport } from '#base';
import { PacketType } from '#mqtt';
import { PacketOutbox } from './packet-outbox.ts';

interface HoldSetup {
  readonly clock: FakeClock;
  readonly outbox: PacketOutbox;
  /** Bytes of each write. */
  readonly writes: number[];
  readonly endTurn: () => void;
}

function setUp(holdMs = 100): HoldSetup {
  const clock = new FakeClock();
  let turn: (() => void) | null = null;
  const outbox = new PacketOutbox(5, (callback) => {
    assert.equal(turn, null, 'one flush a turn');
    turn = callback;
  });
  const writes: number[] = [];
  const transport: Transport = {
    peer: { address: 'local', port: 0, certificate: null },
    handler: { onBytes: () => {}, onDrain: () => {}, onClose: () => {} },
    pendingBytes: 0,
    write: (bytes) => writes.push(bytes.length),
    pause: () => {},
    resume: () => {},
    end: () => {},
    destroy: () => {},
  };
  outbox.attach(transport);
  outbox.hold(clock, holdMs);
  const endTurn = (): void => {
    const callback = turn;
    turn = null;
    callback?.();
  };
  return { clock, outbox, writes, endTurn };
}

/** A message of 10 bytes. */
function publish({ outbox, endTurn }: HoldSetup, bytes = 10): void {
  outbox.publish('x', Buffer.alloc(bytes - 6), 0, false, false, 0, null, 1_000_000);
  endTurn();
}

test('the first message after a pause leaves at the end of its turn, the next ones together after the time', () => {
  const hold = setUp();
  publish(hold);
  assert.equal(hold.writes.length, 1);
  publish(hold);
  hold.clock.advance(60);
  publish(hold);
  hold.clock.advance(39);
  assert.equal(hold.writes.length, 1);
  hold.clock.advance(1);
  assert.equal(hold.writes.length, 2);
  hold.clock.advance(100);
  publish(hold);
  assert.equal(hold.writes.length, 3);
  assert.equal(hold.outbox.pendingBytes, 0);
});

test('an acknowledgement, a packet of any other kind and a hurry take along what waits', () => {
  const hold = setUp();
  const hurries = [
    (): void => hold.outbox.ack(PacketType.Puback, 1, 0),
    (): void => hold.outbox.packet({ type: PacketType.Pingreq }),
    (): void => hold.outbox.hurry(),
  ];
  publish(hold);
  for (const [index, hurry] of hurries.entries()) {
    publish(hold);
    assert.equal(hold.writes.length, 1 + index);
    hurry();
    hold.endTurn();
    assert.equal(hold.writes.length, 2 + index);
  }
  // The timers of what was taken along are off: nothing is written later.
  hold.clock.advance(1000);
  assert.equal(hold.writes.length, 4);
});

test('8 KiB wait for nobody', () => {
  const hold = setUp();
  publish(hold);
  let most = 0;
  for (let count = 0; count < 1000; count++) {
    publish(hold, 500);
    most = Math.max(most, hold.outbox.pendingBytes);
  }
  assert.ok(most < 8192 && most > 7000, `${most} bytes waited`);
  assert.equal(
    hold.writes.reduce((sum, bytes) => sum + bytes, hold.outbox.pendingBytes),
    501_010,
  );
});

test('what waits when the transport goes is forgotten, and so is its timer', () => {
  const hold = setUp();
  publish(hold);
  publish(hold);
  hold.outbox.detach();
  hold.clock.advance(1000);
  assert.equal(hold.writes.length, 1);
  assert.equal(hold.outbox.pendingBytes, 0);
});

test('without a time to hold, every turn is a write', () => {
  const hold = setUp(0);
  for (let count = 0; count < 5; count++) publish(hold);
  assert.equal(hold.writes.length, 5);
});
