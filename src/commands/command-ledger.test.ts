import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import * as fc from 'fast-check';
import { commandStates, type CommandResult, type Device, type DeviceId } from '#model';
import { CommandLedger, type CreatedCommand } from './command-ledger.ts';

const start = 1_700_000_000_000;
const device: Device = {
  id: '5ccf7f1418ad' as DeviceId,
  mac: '5C:CF:7F:14:18:AD',
  macSent: 'AD:18:14:7F:CF:5C',
  ip: '192.168.1.11',
  site: 'north',
  sensorType: 'Gas',
  protocol: 'legacy',
  topic: 'outTopic/a/b',
  commandTopic: 'InTopic/a/b',
  registration: 'approved',
  firstSeen: start,
  lastSeen: start,
  epoch: 0,
  lastSequence: 1,
  intervalMs: undefined,
  warmUntil: 0,
  counts: { missing: 0, repeated: 0, redelivered: 0, resets: 0 },
};

function createLedger(): CommandLedger {
  let count = 0;
  return new CommandLedger({
    tenant: 'home',
    answerTimeoutMs: 30_000,
    createId: () => {
      count += 1;
      return count.toString(16).padStart(32, '0');
    },
  });
}

function create(ledger: CommandLedger, seconds: number | null = null): CreatedCommand {
  const created = ledger.create(device, seconds === null ? 'Request' : 'Sleep', seconds, 'ann', start);
  assert.ok(typeof created !== 'string');
  return created;
}

function result(id: string, state: CommandResult['state'], detail = ''): Buffer {
  return Buffer.from(JSON.stringify({ id, state, detail, at: start }));
}

test('a command is pending, and what is published names topic, person and expiry', () => {
  const { command, request, topic } = create(createLedger(), 5);
  assert.equal(topic, 'davy/v1/home/north/5ccf7f1418ad/command/Sleep');
  assert.deepEqual([command.state, command.seconds, command.by], ['pending', 5, 'ann']);
  assert.deepEqual(request, {
    id: command.id,
    name: 'Sleep',
    seconds: 5,
    topic: 'InTopic/a/b',
    by: 'ann',
    at: start,
    expiresAt: start + 30_000,
  });
});

test('ids are random and 128 bits long where none are given', () => {
  const ledger = new CommandLedger({ tenant: 'home' });
  const ids = [create(ledger), create(ledger)].map(({ command }) => command.id);
  assert.notEqual(ids[0], ids[1]);
  for (const id of ids) assert.match(id, /^[0-9a-f]{32}$/);
});

test('what cannot be given is refused with the reason', () => {
  const ledger = createLedger();
  assert.equal(
    ledger.create({ ...device, commandTopic: null }, 'Request', null, 'ann', start),
    'device 5ccf7f1418ad takes no commands',
  );
  assert.equal(ledger.create(device, 'Request', 5, 'ann', start), 'Request takes no seconds');
  for (const seconds of [null, 0, 0.009, 86_401, Number.NaN, Infinity, -1]) {
    assert.equal(
      ledger.create(device, 'Sleep', seconds, 'ann', start),
      'Sleep needs 0.01 to 86400 seconds',
      String(seconds),
    );
  }
  assert.equal(
    ledger.create(device, 'Request', null, '', start),
    'the name of who gives the command must have 1 to 128 characters',
  );
  assert.deepEqual(ledger.tick(start + 1e9), [], 'nothing refused is open');
});

describe('a state needs evidence and never goes back', () => {
  test('sent, delivered, answered', () => {
    const ledger = createLedger();
    const { command, topic } = create(ledger);
    assert.equal(ledger.onSent(command.id, start + 1)?.state, 'sent');
    assert.equal(
      ledger.onMessage(`${topic}/result`, result(command.id, 'delivered'), start + 2)?.state,
      'delivered',
    );
    const answered = ledger.onMessage(
      `${topic}/result`,
      result(command.id, 'answered', 'reading 0'),
      start + 3,
    );
    assert.deepEqual(
      [answered?.state, answered?.detail, answered?.updatedAt],
      ['answered', 'reading 0', start + 3],
    );
    assert.equal(ledger.onMessage(`${topic}/result`, result(command.id, 'refused'), start + 4), undefined);
    assert.deepEqual(ledger.counts, { unreadable: 0, unknown: 1, late: 0 });
  });

  test('a PUBACK after the delivery changes nothing', () => {
    const ledger = createLedger();
    const { command } = create(ledger);
    ledger.onResult({ id: command.id, state: 'delivered', detail: '', at: start }, start);
    assert.equal(ledger.onSent(command.id, start), undefined);
    assert.deepEqual(ledger.counts, { unreadable: 0, unknown: 0, late: 0 });
  });

  test('what the broker does not take is refused at once', () => {
    const ledger = createLedger();
    const { command } = create(ledger);
    const refused = ledger.onUnsendable(command.id, 'the broker refused it: not authorized', start);
    assert.deepEqual([refused?.state, refused?.detail], ['refused', 'the broker refused it: not authorized']);
    assert.deepEqual(ledger.tick(start + 1e9), []);
  });

  test('in any order of events the rank only rises and the end is the end', () => {
    const rank = (state: string): number =>
      Math.min(
        3,
        commandStates.findIndex((known) => known === state),
      );
    const event = fc.constantFrom('sent', 'delivered', 'answered', 'refused', 'expired', 'tick');
    fc.assert(
      fc.property(fc.array(event, { maxLength: 12 }), (events) => {
        const ledger = createLedger();
        const { command } = create(ledger);
        let state: string = 'pending';
        for (const each of events) {
          let changed;
          if (each === 'sent') changed = ledger.onSent(command.id, start);
          else if (each === 'tick') [changed] = ledger.tick(start + 1e9);
          else changed = ledger.onResult({ id: command.id, state: each, detail: '', at: start }, start);
          const next: string = changed?.state ?? state;
          if (changed !== undefined) assert.ok(rank(next) > rank(state), `${state} to ${next}`);
          state = next;
        }
      }),
    );
  });
});

describe('results that are not to be believed', () => {
  test('of unknown ids, of another device or site, and of other topics', () => {
    const ledger = createLedger();
    const { command } = create(ledger);
    const refused = result(command.id, 'refused');
    assert.equal(
      ledger.onMessage('davy/v1/home/south/5ccf7f1418ad/command/Request/result', refused, start),
      undefined,
    );
    assert.equal(
      ledger.onMessage('davy/v1/home/north/ffffffffffff/command/Request/result', refused, start),
      undefined,
    );
    assert.equal(
      ledger.onMessage('davy/v1/home/north/5ccf7f1418ad/command/Sleep/result', refused, start),
      undefined,
    );
    assert.equal(
      ledger.onMessage(
        'davy/v1/home/north/5ccf7f1418ad/command/Request/result',
        result('f'.repeat(32), 'refused'),
        start,
      ),
      undefined,
    );
    assert.deepEqual(ledger.counts, { unreadable: 0, unknown: 4, late: 0 });
    assert.equal(
      ledger.onMessage('davy/v1/other/north/5ccf7f1418ad/command/Request/result', refused, start),
      undefined,
    );
    assert.equal(
      ledger.onMessage('davy/v1/home/north/5ccf7f1418ad/command/Request', refused, start),
      undefined,
    );
    assert.equal(ledger.onMessage('davy/v1/home/north/5ccf7f1418ad/reading', refused, start), undefined);
    assert.equal(ledger.onSent(command.id, start)?.state, 'sent', 'still open');
  });

  test('and those that cannot be read', () => {
    const ledger = createLedger();
    const { command, topic } = create(ledger);
    const good = { id: command.id, state: 'answered', detail: '', at: start };
    const bad: readonly unknown[] = [
      null,
      [],
      { ...good, id: command.id.toUpperCase().replace('0', 'F') },
      { ...good, state: 'pending' },
      { ...good, state: 'constructor' },
      { ...good, detail: 7 },
      { ...good, detail: 'a\u001b[2J' },
      { ...good, at: 'now' },
      { ...good, at: -1 },
    ];
    for (const each of bad)
      assert.equal(ledger.onMessage(`${topic}/result`, Buffer.from(JSON.stringify(each)), start), undefined);
    assert.equal(ledger.onMessage(`${topic}/result`, Buffer.alloc(3000, ' '), start), undefined);
    assert.equal(ledger.counts.unreadable, bad.length + 1);
    fc.assert(
      fc.property(
        fc.json(),
        (text) => ledger.onMessage(`${topic}/result`, Buffer.from(text), start) === undefined,
      ),
    );
  });
});

describe('a command that nobody answers expires and says how far it came', () => {
  const cases: readonly (readonly [
    name: string,
    act: (ledger: CommandLedger, id: string) => void,
    detail: RegExp,
  ])[] = [
    ['pending', () => {}, /^not sent: /],
    ['sent', (ledger, id) => void ledger.onSent(id, start), /^the site did not answer$/],
    [
      'delivered',
      (ledger, id) => void ledger.onResult({ id, state: 'delivered', detail: '', at: start }, start),
      /^delivered, but/,
    ],
  ];
  for (const [name, act, detail] of cases) {
    test(name, () => {
      const ledger = createLedger();
      const { command } = create(ledger);
      act(ledger, command.id);
      assert.deepEqual(ledger.tick(start + 35_000), []);
      const [expired, ...more] = ledger.tick(start + 35_001);
      assert.deepEqual([expired?.id, expired?.state, more.length], [command.id, 'expired', 0]);
      assert.match(expired?.detail ?? '', detail);
      assert.deepEqual(ledger.tick(start + 99_000), []);
    });
  }

  test('a delivered Sleep has the time that its readings need', () => {
    const ledger = createLedger();
    const { command } = create(ledger, 60);
    ledger.onResult({ id: command.id, state: 'delivered', detail: '', at: start }, start + 10_000);
    assert.deepEqual(ledger.tick(start + 10_000 + 30_000 + 180_000 + 5_000), []);
    assert.equal(ledger.tick(start + 10_000 + 30_000 + 180_000 + 5_001).length, 1);
  });

  test('also after a restart', () => {
    const { command } = create(createLedger());
    const ledger = createLedger();
    ledger.restore(
      [command, { ...command, id: 'e'.repeat(32), state: 'answered' }],
      new Map([[device.id, device]]),
    );
    assert.deepEqual(
      ledger.tick(start + 1e9).map(({ id }) => id),
      [command.id],
    );
  });
});
