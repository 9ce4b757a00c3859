import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import * as fc from 'fast-check';
import type { Device } from '#model';
import { id, message, stamped, start } from '../../test/helpers/device-message.ts';
import { SequenceSupervisor, type RecentReading, type Supervision } from './sequence-supervisor.ts';

/** Feeds `sequences` in order, each accepted by the site after the one before. */
function feed(supervisor: SequenceSupervisor, sequences: readonly number[], from = 1): Supervision[] {
  return sequences.map((sequence, index) => supervisor.observe(id, stamped(from + index, { sequence })));
}

function kinds(results: readonly Supervision[]): string[] {
  return results.map(({ kind, event, epoch }) => `${kind} ${epoch}${event === undefined ? '' : ` ${event}`}`);
}

describe('in one epoch', () => {
  test('numbers that follow each other are new', () => {
    const supervisor = new SequenceSupervisor();
    assert.deepEqual(kinds(feed(supervisor, [7, 8, 9])), ['new 0', 'new 0', 'new 0']);
    const state = supervisor.stateOf(id);
    assert.deepEqual([state?.epoch, state?.lastSequence, state?.counts.missing], [0, 9, 0]);
  });

  test('a gap is told once, by its numbers, and a late arrival fills it', () => {
    const supervisor = new SequenceSupervisor();
    const [, gap] = feed(supervisor, [1, 5]);
    assert.deepEqual([gap?.kind, gap?.event, gap?.detail], ['new', 'gap', 'sequence 2 to 4 missing']);
    assert.equal(supervisor.totals.missing, 3);
    assert.equal(
      supervisor.observe(id, stamped(1, { sequence: 3, stampId: 's-1a', receivedAt: start + 1500 })).kind,
      'new',
    );
    assert.equal(supervisor.totals.missing, 2);
    assert.equal(feed(supervisor, [7], 90)[0]?.detail, 'sequence 6 missing');
  });

  test('the same stamp is a redelivery, another stamp a repeat', () => {
    const supervisor = new SequenceSupervisor();
    feed(supervisor, [1, 2]);
    assert.deepEqual(kinds([supervisor.observe(id, stamped(2, { sequence: 2 }))]), ['redelivered 0']);
    const repeat = supervisor.observe(id, stamped(3, { sequence: 2 }));
    assert.deepEqual([repeat.kind, repeat.event, repeat.detail], ['repeat', 'repeat', 'sequence 2 repeated']);
    assert.deepEqual(supervisor.stateOf(id)?.counts, { missing: 0, repeated: 1, redelivered: 1, resets: 0 });
  });

  test('without a stamp the same number is a repeat: nothing shows that it was the network', () => {
    const supervisor = new SequenceSupervisor();
    supervisor.observe(id, message({ sequence: 1 }));
    assert.equal(supervisor.observe(id, message({ sequence: 1, receivedAt: start + 9 })).kind, 'repeat');
  });

  test('a device that goes on repeating is counted each time and told of now and then', () => {
    const supervisor = new SequenceSupervisor();
    const results = feed(
      supervisor,
      Array.from({ length: 2001 }, () => 5),
    );
    assert.equal(supervisor.totals.repeated, 2000);
    assert.equal(results.filter(({ event }) => event === 'repeat').length, 2);
    assert.equal(supervisor.stateOf(id)?.epoch, 0);
  });

  test('a number behind the window that came in time is left to the unique key', () => {
    const supervisor = new SequenceSupervisor();
    feed(supervisor, [1, 3000], 10);
    assert.deepEqual(kinds([supervisor.observe(id, stamped(9, { sequence: 2 }))]), ['new 0']);
  });

  test('a jump ahead by any length costs no more than the window and is one gap', () => {
    const supervisor = new SequenceSupervisor();
    const [, jump] = feed(supervisor, [1, 4_294_967_295]);
    assert.equal(jump?.detail, 'sequence 2 to 4294967294 missing');
    assert.equal(feed(supervisor, [2], 50)[0]?.event, 'reset');
  });

  test('without numbers the stamp tells messages apart', () => {
    const supervisor = new SequenceSupervisor();
    const results = [stamped(1), stamped(2), stamped(1)].map((each) => supervisor.observe(id, each).kind);
    assert.deepEqual(results, ['new', 'new', 'redelivered']);
    assert.deepEqual(
      [message({}), message({})].map((each) => supervisor.observe(id, each).kind),
      ['new', 'new'],
    );
  });
});

describe('a new epoch', () => {
  test('begins when the number falls below all that came', () => {
    const supervisor = new SequenceSupervisor();
    const results = feed(supervisor, [495, 496, 1, 2]);
    assert.deepEqual(kinds(results), ['new 0', 'new 0', 'new 1 reset', 'new 1']);
    assert.match(results[2]?.detail ?? '', /from 496 to 1/);
    assert.equal(supervisor.totals.resets, 1);
  });

  test('begins when the number falls behind the window', () => {
    const supervisor = new SequenceSupervisor();
    feed(
      supervisor,
      Array.from({ length: 2000 }, (_, index) => index),
    );
    assert.deepEqual(kinds(feed(supervisor, [3, 4], 5000)), ['new 1 reset', 'new 1']);
  });

  test('begins at the third of a run of repeats: a boot whose hello was lost', () => {
    const supervisor = new SequenceSupervisor();
    feed(
      supervisor,
      Array.from({ length: 100 }, (_, index) => index),
    );
    assert.deepEqual(kinds(feed(supervisor, [0, 1, 2, 3], 500)), [
      'repeat 0 repeat',
      'repeat 0',
      'new 1 reset',
      'new 1',
    ]);
    assert.deepEqual(kinds(feed(supervisor, [3, 4], 600)), ['repeat 1 repeat', 'new 1']);
  });

  test('is not begun by single replays', () => {
    const supervisor = new SequenceSupervisor();
    feed(supervisor, [1, 2, 3, 4, 5, 6]);
    const replays = feed(supervisor, [2, 5, 3, 2], 100);
    assert.ok(replays.every(({ kind }) => kind === 'repeat'));
    assert.equal(supervisor.stateOf(id)?.epoch, 0);
  });

  test('begins with a hello, expects 0 or 1, and counts what is missing before the first', () => {
    for (const [first, missing] of [
      [0, 0],
      [1, 0],
      [2, 1],
      [5, 4],
    ] as const) {
      const supervisor = new SequenceSupervisor();
      feed(supervisor, [495]);
      assert.equal(supervisor.hello(id, stamped(2)), 'new');
      assert.equal(supervisor.stateOf(id)?.lastSequence, undefined);
      assert.equal(supervisor.observe(id, stamped(3, { sequence: first })).epoch, 1);
      assert.equal(supervisor.totals.missing, missing, `first number ${first}`);
    }
  });

  test('is not begun by the same hello again, with or without a stamp', () => {
    const supervisor = new SequenceSupervisor();
    assert.equal(supervisor.hello(id, stamped(1)), 'new');
    assert.equal(supervisor.hello(id, stamped(1)), 'redelivered');
    feed(supervisor, [1], 2);
    assert.equal(supervisor.hello(id, stamped(1)), 'redelivered');
    assert.equal(supervisor.hello(id, message({ receivedAt: start + 9000 })), 'new');
    assert.equal(supervisor.hello(id, message({ receivedAt: start + 9999 })), 'redelivered');
    assert.equal(supervisor.stateOf(id)?.epoch, 2);
  });

  test('leaves late readings of the boot before in their own epoch', () => {
    const supervisor = new SequenceSupervisor();
    feed(supervisor, [1, 2, 5]);
    supervisor.hello(id, stamped(10));
    feed(supervisor, [0, 1], 11);
    const late = [
      supervisor.observe(id, stamped(3, { sequence: 4, stampId: 's-3' })),
      supervisor.observe(id, stamped(2, { sequence: 2 })),
    ];
    assert.deepEqual(kinds(late), ['new 0', 'redelivered 0']);
    assert.equal(supervisor.totals.missing, 1);
    assert.equal(supervisor.stateOf(id)?.lastSequence, 1);
  });

  test('holds although the site set its clock back: its count shows the order', () => {
    const supervisor = new SequenceSupervisor();
    feed(supervisor, [1, 2, 3]);
    supervisor.hello(id, stamped(10));
    const back = supervisor.observe(id, stamped(11, { sequence: 1, receivedAt: start - 3_600_000 }));
    assert.deepEqual(kinds([back]), ['new 1']);
  });

  test('leaves redeliveries of three boots before where they were', () => {
    const supervisor = new SequenceSupervisor();
    feed(supervisor, [1]);
    for (const count of [10, 20, 30]) {
      supervisor.hello(id, stamped(count));
      if (count > 10) feed(supervisor, [1, 2], count + 1);
    }
    assert.deepEqual(kinds([supervisor.observe(id, stamped(1, { sequence: 1 }))]), ['redelivered 0']);
    assert.deepEqual(kinds([supervisor.observe(id, stamped(22, { sequence: 2 }))]), ['redelivered 2']);
    assert.deepEqual(kinds(feed(supervisor, [3], 40)), ['new 3']);
  });

  test('begins with another boot id', () => {
    const supervisor = new SequenceSupervisor();
    const results = [
      supervisor.observe(id, stamped(1, { sequence: 0, bootId: 'a' })),
      supervisor.observe(id, stamped(2, { sequence: 1, bootId: 'a' })),
      supervisor.observe(id, stamped(3, { sequence: 0, bootId: 'b' })),
      supervisor.observe(id, stamped(2, { sequence: 1, bootId: 'a' })),
      supervisor.observe(id, stamped(4, { sequence: 1, bootId: 'b' })),
    ];
    assert.deepEqual(kinds(results), ['new 0', 'new 0', 'new 1 hello', 'redelivered 0', 'new 1']);
    const cut = supervisor.observe(id, stamped(5, { sequence: 3, bootId: 'c' }));
    assert.deepEqual([cut.event, cut.detail], ['hello', 'boot b was followed by c, sequence 1 to 2 missing']);
  });
});

describe('after a restart of this process', () => {
  const device: Device = {
    id,
    mac: null,
    macSent: null,
    ip: null,
    site: 'north',
    sensorType: 'Gas',
    protocol: 'legacy',
    topic: 'outTopic/a/b',
    commandTopic: null,
    registration: 'new',
    firstSeen: start,
    lastSeen: start + 12_000,
    epoch: 3,
    lastSequence: 9,
    intervalMs: undefined,
    warmUntil: 0,
    counts: { missing: 2, repeated: 1, redelivered: 0, resets: 0 },
  };
  const row = (count: number, epoch: number, sequence: number): RecentReading => {
    const { stampId, receivedAt } = stamped(count);
    return { epoch, sequence, stampId, receivedAt, topic: 'outTopic/a/b' };
  };
  const restored = (): SequenceSupervisor => {
    const supervisor = new SequenceSupervisor();
    supervisor.restore(device, [row(12, 3, 9), row(11, 3, 8), row(10, 3, 6), row(9, 2, 44)]);
    return supervisor;
  };

  test('redeliveries are known, repeats and new ones too, and the counts go on', () => {
    const supervisor = restored();
    const results = [
      supervisor.observe(id, stamped(12, { sequence: 9 })),
      supervisor.observe(id, stamped(10, { sequence: 6 })),
      supervisor.observe(id, stamped(13, { sequence: 8 })),
      supervisor.observe(id, stamped(14, { sequence: 11 })),
    ];
    assert.deepEqual(kinds(results), ['redelivered 3', 'redelivered 3', 'repeat 3 repeat', 'new 3 gap']);
    assert.deepEqual(supervisor.totals, { missing: 3, repeated: 2, redelivered: 2, resets: 0 });
  });

  test('a hello that was committed before is no new boot, a later one is', () => {
    const supervisor = restored();
    assert.equal(supervisor.hello(id, stamped(8)), 'redelivered');
    assert.equal(supervisor.hello(id, stamped(20)), 'new');
    assert.deepEqual(kinds(feed(supervisor, [1], 21)), ['new 4']);
  });

  test('redeliveries of the boot before are known, also when nothing has come since the hello', () => {
    const before = [
      restored().observe(id, stamped(9, { sequence: 44 })),
      restored().observe(id, stamped(8, { sequence: 43 })),
    ];
    assert.deepEqual(kinds(before), ['redelivered 2', 'new 2']);
    const booted = new SequenceSupervisor();
    booted.restore({ ...device, epoch: 4, lastSequence: undefined }, [row(11, 3, 9), row(10, 3, 8)]);
    assert.equal(booted.hello(id, stamped(12)), 'redelivered');
    assert.deepEqual(kinds([booted.observe(id, stamped(10, { sequence: 8 }))]), ['redelivered 3']);
    assert.deepEqual(kinds(feed(booted, [1], 13)), ['new 4']);
  });

  test('the last number is known even when no row of it is left', () => {
    const supervisor = new SequenceSupervisor();
    supervisor.restore(device, []);
    assert.equal(supervisor.observe(id, stamped(12, { sequence: 9 })).kind, 'redelivered');
    assert.equal(supervisor.observe(id, stamped(13, { sequence: 10 })).kind, 'new');
  });
});

/** What a network makes of a device's boots: drops, duplicates, late ones, repeats by the device itself. */
interface Sent {
  readonly boot: number;
  readonly sequence: number;
  readonly count: number;
}

test('any interleaving of loss, redelivery, late arrival, repeat and boot: each reading once, all counts right', () => {
  const boots = fc.array(
    fc.array(fc.constantFrom('pass', 'pass', 'pass', 'drop', 'late', 'twice', 'again'), {
      minLength: 1,
      maxLength: 40,
      size: 'max',
    }),
    {
      minLength: 1,
      maxLength: 5,
    },
  );
  fc.assert(
    fc.property(boots, fc.infiniteStream(fc.nat(6)), fc.nat(1), (plan, distances, first) => {
      const supervisor = new SequenceSupervisor();
      const stored = new Set<string>();
      const expected = new Set<string>();
      let stampCount = 100;
      let redelivered = 0;
      let repeated = 0;
      let missing = 0;
      for (const [boot, fates] of plan.entries()) {
        assert.equal(supervisor.hello(id, stamped(stampCount)), 'new');
        stampCount += 1;
        const arrivals: { readonly order: number; readonly sent: Sent }[] = [];
        const came = new Set<number>();
        for (const [index, fate] of fates.entries()) {
          const sequence = first + index;
          const sent = { boot, sequence, count: stampCount };
          stampCount += 1;
          if (fate === 'drop') continue;
          // Late: within its boot, behind up to six that were sent after it.
          const order = fate === 'late' ? index + 0.5 + (distances.next().value ?? 0) : index;
          arrivals.push({ order, sent });
          came.add(sequence);
          if (fate === 'twice') {
            arrivals.push({ order: order + 0.1 + (distances.next().value ?? 0), sent });
            redelivered += 1;
          }
        }
        arrivals.sort((a, b) => a.order - b.order);
        for (const { sent } of arrivals) {
          const found = supervisor.observe(id, stamped(sent.count, { sequence: sent.sequence }));
          expected.add(`${boot + 1}/${sent.sequence}`);
          if (found.kind !== 'new') continue;
          const key = `${found.epoch}/${sent.sequence}`;
          assert.ok(!stored.has(key), `${key} is stored twice`);
          stored.add(key);
        }
        // The device says some numbers again, no two that follow each other.
        const again = [...came]
          .filter((sequence) => fates[sequence - first] === 'again' && sequence % 2 === 0)
          .sort((a, b) => b - a);
        for (const sequence of again) {
          assert.equal(supervisor.observe(id, stamped(stampCount, { sequence })).kind, 'repeat');
          stampCount += 1;
          repeated += 1;
        }
        const highest = Math.max(0, ...came);
        for (let sequence = 1; sequence < highest; sequence += 1) if (!came.has(sequence)) missing += 1;
      }
      assert.deepEqual([...stored].sort(), [...expected].sort());
      assert.deepEqual(supervisor.totals, { missing, repeated, redelivered, resets: 0 });
    }),
    { numRuns: 300 },
  );
});

test('what its publisher sends again, because the answer was lost, is stored once and resets nothing', () => {
  const supervisor = new SequenceSupervisor();
  for (let sequence = 1; sequence <= 20; sequence += 1)
    supervisor.observe(id, stamped(sequence, { sequence }));
  for (let sequence = 11; sequence <= 22; sequence += 1) {
    const { kind, epoch } = supervisor.observe(id, stamped(100 + sequence, { sequence, mayBeRepeat: true }));
    assert.deepEqual({ kind, epoch }, { kind: sequence <= 20 ? 'redelivered' : 'new', epoch: 0 });
  }
  assert.deepEqual(supervisor.totals, { missing: 0, repeated: 0, redelivered: 10, resets: 0 });
});

test('any numbers under distinct stamps: nothing is stored twice in an epoch and epochs only rise', () => {
  fc.assert(
    fc.property(
      fc.array(fc.oneof(fc.nat(20), fc.nat(5000), fc.maxSafeNat()), { maxLength: 200, size: 'max' }),
      (sequences) => {
        const supervisor = new SequenceSupervisor();
        const stored = new Set<string>();
        let epoch = 0;
        for (const [index, sequence] of sequences.entries()) {
          const found = supervisor.observe(id, stamped(index + 1, { sequence }));
          assert.ok(found.epoch >= epoch);
          epoch = found.epoch;
          if (found.kind !== 'new') continue;
          assert.ok(!stored.has(`${epoch}/${sequence}`), `${sequence} twice in epoch ${epoch}`);
          stored.add(`${epoch}/${sequence}`);
        }
      },
    ),
  );
});
