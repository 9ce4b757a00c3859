import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FakeClock } from '#base';
import { Gathering } from './gathering.ts';

/** A turn without anything else in it: looking at the sockets, a read, a write. Milliseconds. */
const turnMs = 0.01;

/** Where packets come from. */
interface Senders {
  /** When the next one comes. */
  readonly due: number;
  /** It is taken by a turn that began then. */
  take(at: number): void;
}

/** A turn of an event loop after the other, each with all that has come until it begins. */
class Loop {
  readonly clock = new FakeClock(0);
  readonly gathering: Gathering;
  packets = 0;
  turns = 0;
  rests = 0;

  constructor() {
    this.gathering = new Gathering(this.clock, (milliseconds) => {
      this.rests++;
      this.clock.advance(milliseconds);
    });
  }

  run(forMs: number, senders: Senders): void {
    const end = this.clock.monotonic() + forMs;
    while (this.clock.monotonic() < end) {
      this.clock.advance(Math.max(0, senders.due - this.clock.monotonic()));
      const begin = this.clock.monotonic();
      for (; senders.due <= begin; senders.take(begin)) this.packets++;
      this.clock.advance(turnMs);
      this.turns++;
      this.gathering.afterTurn(this.packets);
    }
  }
}

/** So many at a time, at a pace that nothing changes. */
function paced(perSecond: number, from = 0, together = 1): Senders {
  let sent = 0;
  return {
    get due() {
      return from + (Math.floor(sent / together) * together * 1000) / perSecond;
    },
    take: () => void sent++,
  };
}

/** `clients` that each send the next one 0.05 ms after the answer to the last. */
function waiting(clients: number): Senders {
  const due = Array.from({ length: clients }, () => 0);
  return {
    get due() {
      return Math.min(...due);
    },
    take(at) {
      due[due.indexOf(Math.min(...due))] = at + turnMs + 0.05;
    },
  };
}

test('messages that come often and one by one gather: a quarter of the turns at most', () => {
  const loop = new Loop();
  const senders = paced(10_000);
  loop.run(1000, senders);
  const { turns, packets } = loop;
  loop.run(1000, senders);
  assert.ok(loop.packets - packets >= 9990, 'all were handled');
  assert.ok(loop.turns - turns < 2500, `${loop.turns - turns} turns`);
});

test('few messages, and those that gather by themselves, are never rested for', () => {
  for (const senders of [paced(1000), paced(200_000, 0, 20)]) {
    const loop = new Loop();
    loop.run(10_000, senders);
    assert.equal(loop.rests, 0);
  }
});

test('senders that wait for each answer are not slowed: 1 % of a minute at most', () => {
  for (const clients of [1, 3, 6]) {
    const loop = new Loop();
    loop.run(60_000, waiting(clients));
    assert.ok(loop.rests > 0, `${clients}: it was not tried`);
    assert.ok(loop.rests * 0.5 < 600, `${clients}: rested ${loop.rests * 0.5} ms of a minute`);
  }
});

test('a load that changes is seen within two seconds: to senders that wait, to less, to more; and back', () => {
  const changes: readonly (readonly [string, (from: number) => Senders])[] = [
    ['waiting', () => waiting(1)],
    ['less', (from) => paced(200, from)],
    ['more', (from) => paced(400_000, from, 100)],
  ];
  for (const [name, change] of changes) {
    const loop = new Loop();
    loop.run(1000, paced(10_000));
    const changed = change(loop.clock.monotonic());
    loop.run(2000, changed);
    const { rests } = loop;
    loop.run(2000, changed);
    assert.ok(loop.rests - rests <= 64, `${name}: ${loop.rests - rests} rests`);
    const senders = paced(10_000, loop.clock.monotonic());
    loop.run(5000, senders);
    const { turns } = loop;
    loop.run(1000, senders);
    assert.ok(loop.turns - turns < 2500, `${name}, and back: ${loop.turns - turns} turns`);
  }
});
