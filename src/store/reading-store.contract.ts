import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import type { Reading } from '#model';
import type { ReadingStore } from './reading-store.ts';
import {
  alarmOf,
  batchOf,
  commandOf,
  deviceOf,
  host,
  lamp,
  readingOf,
  start,
  transitionOf,
} from './reading-store.samples.ts';

/** A real, empty store for one test. */
export interface StoreUnderTest extends AsyncDisposable {
  store: ReadingStore;
  /** Closes the store and opens the same data again, as a restart does. */
  reopen(): Promise<void>;
}

/** A behaviour that every adapter has. */
type Behaviour = (subject: StoreUnderTest) => Promise<void>;

const sequences = (readings: readonly Reading[]): (number | undefined)[] =>
  readings.map((reading) => reading.sequence);

const behaviours = new Map<string, Behaviour>([
  ['an empty store answers every query', emptyStore],
  ['a device record comes back whole and is replaced by the next', devices],
  ['a reading comes back whole, newest first, within the limit', readings],
  ['a reading that is there already is not stored twice', repeatedReadings],
  ['a reading without a sequence number is known by its stamp, else by time and value', unsequenced],
  ['the same batch committed again changes nothing', doubleCommit],
  ['a batch survives a restart', restart],
  ['latest values: one for each device and metric, by the time of measurement', latestValues],
  ['recent keys: one for each message, newest first', recentKeys],
  ['alarms are replaced by id; open ones come first', alarms],
  ['transitions stay in order, also within one millisecond', transitions],
  ['events: newest first, of all or one device', events],
  ['commands are replaced by id; open ones are those without an end', commands],
  ['quarantine keeps the first 1,024 bytes, newest first', quarantine],
  ['a reading with a number that no column takes goes to quarantine and stops nothing', unstorable],
  ['any sequence of batches leaves what a naive model holds', naiveModel],
  ['texts with quotes, line feeds and other scripts come back as they were', texts],
]);

/** Runs every behaviour against stores that `newStore` makes. */
export function readingStoreContract(adapter: string, newStore: () => Promise<StoreUnderTest>): void {
  for (const [name, behaviour] of behaviours) {
    void test(`${adapter}: ${name}`, async () => {
      await using subject = await newStore();
      await behaviour(subject);
    });
  }
}

async function emptyStore({ store }: StoreUnderTest): Promise<void> {
  assert.equal(await store.commit(batchOf({})), 0);
  assert.deepEqual(await store.devices(), []);
  assert.deepEqual(await store.openAlarms(), []);
  assert.deepEqual(await store.alarms(10), []);
  assert.deepEqual(await store.transitions('none'), []);
  assert.deepEqual(await store.readings(lamp, 10), []);
  assert.deepEqual(await store.latestValues(), []);
  assert.deepEqual(await store.recentKeys(lamp, 10), []);
  assert.deepEqual(await store.events(10), []);
  assert.deepEqual(await store.quarantine(10), []);
  assert.deepEqual(await store.commands(10), []);
  assert.deepEqual(await store.openCommands(), []);
  const none = { devices: 0, readings: 0, events: 0, alarms: 0, openAlarms: 0 };
  assert.deepEqual(await store.counts(), {
    ...none,
    transitions: 0,
    commands: 0,
    quarantined: 0,
    commits: 1,
  });
}

async function devices({ store }: StoreUnderTest): Promise<void> {
  const agent = deviceOf({
    id: host,
    mac: null,
    macSent: null,
    ip: null,
    sensorType: 'host',
    protocol: 'json',
    commandTopic: null,
  });
  await store.commit(batchOf({ devices: [agent, deviceOf()] }));
  assert.deepEqual(await store.devices(), [deviceOf(), agent]);
  const newer = deviceOf({
    registration: 'approved',
    lastSequence: 495,
    intervalMs: 1_000.5,
    warmUntil: start + 1,
    counts: { missing: 1, repeated: 2, redelivered: 3, resets: 4 },
  });
  await store.commit(batchOf({ devices: [newer] }));
  assert.deepEqual(await store.devices(), [newer, agent]);
}

async function readings({ store }: StoreUnderTest): Promise<void> {
  const all = [
    readingOf(1),
    readingOf(2, { value: 1, kind: 'requested', quality: 'warming', receivedAt: start + 5_000 }),
    readingOf(3, { metric: 'temperature', unit: 'Cel', value: -0.25, quality: 'uncertain-time' }),
    readingOf(4, { deviceId: host }),
  ];
  // A reading that waited at the site arrives after younger ones and still stands at its hour.
  assert.equal(await store.commit(batchOf({ readings: [all[1]!, all[2]!, all[3]!] })), 3);
  assert.equal(await store.commit(batchOf({ readings: [all[0]!] })), 1);
  assert.deepEqual(await store.readings(lamp, 10), [all[2], all[1], all[0]]);
  assert.deepEqual(await store.readings(lamp, 2), [all[2], all[1]]);
  assert.deepEqual(await store.readings(lamp, 10, 'gas'), [all[1], all[0]]);
  assert.deepEqual(await store.readings(lamp, 10, 'none'), []);
  assert.deepEqual(await store.readings(lamp, -1), []);
  assert.equal((await store.counts()).readings, 4);
}

async function repeatedReadings({ store }: StoreUnderTest): Promise<void> {
  const first = readingOf(1);
  assert.equal(await store.commit(batchOf({ readings: [first, first] })), 1);
  const repeat = readingOf(1, { stampId: 'other', at: start + 9_000, value: 1, topic: 'elsewhere' });
  assert.equal(await store.commit(batchOf({ readings: [repeat] })), 0);
  assert.deepEqual(await store.readings(lamp, 10), [first]);
  // What makes it another reading: the boot, the metric, the device.
  const others = [{ epoch: 2 }, { metric: 'temperature' }, { deviceId: host }];
  const readings = others.map((change) => readingOf(1, change));
  assert.equal(await store.commit(batchOf({ readings })), 3);
}

async function unsequenced({ store }: StoreUnderTest): Promise<void> {
  const bare = { sequence: undefined, at: start };
  const stamped = (stampId: string): Reading => readingOf(0, { ...bare, stampId });
  assert.equal(await store.commit(batchOf({ readings: ['a', 'b', 'a'].map((id) => stamped(id)) })), 2);
  assert.equal(await store.commit(batchOf({ readings: [stamped('b'), stamped('c')] })), 1);
  const unstamped = [
    readingOf(0, { ...bare, stampId: '' }),
    readingOf(0, { ...bare, stampId: '', value: 1 }),
    readingOf(0, { ...bare, stampId: '', at: start + 1 }),
  ];
  assert.equal(await store.commit(batchOf({ readings: unstamped })), 3);
  assert.equal(await store.commit(batchOf({ readings: unstamped })), 0);
  assert.equal((await store.readings(lamp, 10)).length, 6);
}

async function doubleCommit(subject: StoreUnderTest): Promise<void> {
  const alarm = alarmOf(0);
  const batch = batchOf({
    readings: [readingOf(1), readingOf(2, { sequence: undefined }), readingOf(3)],
    devices: [deviceOf({ lastSequence: 3 })],
    events: [{ deviceId: lamp, kind: 'gap', at: start, detail: 'sequence 2 missing' }],
    alarms: [alarm],
    transitions: [transitionOf(alarm)],
    commands: [commandOf(1)],
    quarantined: [{ at: start, topic: 't', payload: Buffer.from('x'), size: 1, reason: 'no' }],
  });
  assert.equal(await subject.store.commit(batch), 3);
  const once = await everything(subject.store);
  assert.equal(await subject.store.commit(batch), 0);
  assert.deepEqual(await everything(subject.store), once);
  await subject.reopen();
  assert.equal(await subject.store.commit(batch), 0);
  assert.deepEqual(await everything(subject.store), once);
}

async function everything(store: ReadingStore): Promise<readonly unknown[]> {
  const { commits: _, ...counts } = await store.counts();
  const alarms = await store.alarms(10);
  return [
    counts,
    await store.readings(lamp, 10),
    await store.devices(),
    await store.events(10),
    alarms,
    await Promise.all(alarms.map(async (alarm) => store.transitions(alarm.id))),
    await store.commands(10),
    await store.quarantine(10),
  ];
}

async function restart(subject: StoreUnderTest): Promise<void> {
  await subject.store.commit(batchOf({ devices: [deviceOf()], readings: [readingOf(1)] }));
  const before = await everything(subject.store);
  await subject.reopen();
  assert.deepEqual(await everything(subject.store), before);
  assert.equal(await subject.store.commit(batchOf({ readings: [readingOf(1), readingOf(2)] })), 1);
  assert.deepEqual(sequences(await subject.store.readings(lamp, 10)), [2, 1]);
}

async function latestValues({ store }: StoreUnderTest): Promise<void> {
  const temperature = readingOf(1, { metric: 'temperature', value: 20 });
  const other = readingOf(7, { deviceId: host, metric: 'cpu_load' });
  await store.commit(batchOf({ readings: [readingOf(9), readingOf(3), temperature, other] }));
  assert.deepEqual(await store.latestValues(), [readingOf(9), temperature, other]);
}

async function recentKeys({ store }: StoreUnderTest): Promise<void> {
  const readings = [1, 2, 3].flatMap((n) => [readingOf(n), readingOf(n, { metric: 'temperature' })]);
  readings.push(readingOf(4, { sequence: undefined }), readingOf(9, { deviceId: host }));
  await store.commit(batchOf({ readings }));
  const newest = [
    { epoch: 1, sequence: undefined, stampId: 'boot-4' },
    { epoch: 1, sequence: 3, stampId: 'boot-3' },
    { epoch: 1, sequence: 2, stampId: 'boot-2' },
  ];
  assert.deepEqual(await store.recentKeys(lamp, 3), newest);
  assert.equal((await store.recentKeys(lamp, 100)).length, 4);
}

async function alarms({ store }: StoreUnderTest): Promise<void> {
  const [oldest, middle, newest] = [alarmOf(1), alarmOf(2), alarmOf(3)];
  await store.commit(batchOf({ alarms: [oldest, middle, newest] }));
  assert.deepEqual(await store.openAlarms(), [newest, middle, oldest]);
  const over = alarmOf(3, {
    state: 'normal',
    peakValue: 7.5,
    acknowledgedAt: start + 10,
    acknowledgedBy: 'Ada',
    returnedAt: start + 20,
  });
  const seen = alarmOf(2, { state: 'acknowledged', acknowledgedAt: start + 10, acknowledgedBy: 'Ada' });
  const returned = alarmOf(1, { state: 'returned', returnedAt: start + 9 });
  await store.commit(batchOf({ alarms: [over, seen, returned] }));
  assert.deepEqual(await store.openAlarms(), [seen, returned]);
  assert.deepEqual(await store.alarms(10), [seen, returned, over]);
  assert.deepEqual(await store.alarms(1), [seen]);
  assert.equal((await store.counts()).openAlarms, 2);
}

async function transitions({ store }: StoreUnderTest): Promise<void> {
  const alarm = alarmOf(0);
  const raise = transitionOf(alarm);
  const acknowledge = transitionOf(alarm, {
    kind: 'acknowledge',
    from: 'unacknowledged',
    to: 'acknowledged',
    by: 'Ada',
    value: null,
    comment: 'seen',
  });
  const back = transitionOf(alarm, {
    kind: 'return',
    from: 'acknowledged',
    to: 'normal',
    at: start + 5,
  });
  await store.commit(
    batchOf({ transitions: [raise, acknowledge, transitionOf(alarmOf(9))], alarms: [alarm] }),
  );
  await store.commit(batchOf({ transitions: [back] }));
  assert.deepEqual(await store.transitions(alarm.id), [raise, acknowledge, back]);
}

async function events({ store }: StoreUnderTest): Promise<void> {
  const gap = { deviceId: lamp, kind: 'gap', at: start, detail: 'sequence 2 missing' } as const;
  const hello = { deviceId: lamp, kind: 'hello', at: start + 1, detail: '' } as const;
  const silent = { deviceId: host, kind: 'silent', at: start + 2, detail: '' } as const;
  await store.commit(batchOf({ events: [gap, silent, hello] }));
  assert.deepEqual(await store.events(10), [silent, hello, gap]);
  assert.deepEqual(await store.events(10, lamp), [hello, gap]);
  assert.deepEqual(await store.events(1, lamp), [hello]);
}

async function commands({ store }: StoreUnderTest): Promise<void> {
  const request = commandOf(2, { name: 'Request', seconds: null, deviceId: host });
  await store.commit(batchOf({ commands: [commandOf(1), request, commandOf(3, { state: 'pending' })] }));
  assert.deepEqual(await store.openCommands(), [commandOf(1), request, commandOf(3, { state: 'pending' })]);
  const answered = commandOf(1, { state: 'answered', updatedAt: start + 99, detail: 'reading 0' });
  await store.commit(batchOf({ commands: [answered, commandOf(3, { state: 'expired' })] }));
  assert.deepEqual(await store.openCommands(), [request]);
  assert.deepEqual(await store.commands(10), [commandOf(3, { state: 'expired' }), request, answered]);
  assert.deepEqual(await store.commands(1, lamp), [commandOf(3, { state: 'expired' })]);
}

async function quarantine({ store }: StoreUnderTest): Promise<void> {
  const long = Buffer.alloc(3_000, 0xff);
  await store.commit(
    batchOf({
      quarantined: [
        { at: start, topic: 'a', payload: long, size: 3_000, reason: 'no reading' },
        { at: start + 1, topic: 'b', payload: Buffer.alloc(0), size: 0, reason: 'empty' },
      ],
    }),
  );
  assert.deepEqual(await store.quarantine(10), [
    { at: start + 1, topic: 'b', payload: Buffer.alloc(0), size: 0, reason: 'empty' },
    { at: start, topic: 'a', payload: long.subarray(0, 1_024), size: 3_000, reason: 'no reading' },
  ]);
}

async function unstorable({ store }: StoreUnderTest): Promise<void> {
  const bad = [
    { value: Number.NaN },
    { sequence: 2 ** 53 },
    { sequence: 1.5 },
    { at: Number.NaN },
    { at: 1e300 },
    { epoch: Number.POSITIVE_INFINITY },
  ].map((change, n) => readingOf(n, { ...change, receivedAt: start + n }));
  assert.equal(await store.commit(batchOf({ readings: [...bad, readingOf(99)] })), 1);
  assert.deepEqual(await store.readings(lamp, 10), [readingOf(99)]);
  const kept = await store.quarantine(10);
  assert.equal(kept.length, bad.length);
  assert.match(kept[0]!.reason, /cannot be stored/);
}

/** Few devices, numbers and stamps, so that repeats are many. */
const arbitraryReading = fc
  .record({
    deviceId: fc.constantFrom(lamp, host),
    metric: fc.constantFrom('gas', 'temperature'),
    epoch: fc.integer({ min: 1, max: 2 }),
    sequence: fc.option(fc.integer({ min: 0, max: 5 }), { nil: undefined }),
    stampId: fc.constantFrom('', 'a', 'b'),
    at: fc.integer({ min: start, max: start + 3 }),
    value: fc.constantFrom(0, 1, 0.1, -5),
  })
  .map((changes) => readingOf(0, { receivedAt: start + 9, ...changes }));

async function naiveModel(subject: StoreUnderTest): Promise<void> {
  const model = new Map<string, Reading>();
  const step = async (readings: readonly Reading[]): Promise<void> => {
    const before = model.size;
    for (const reading of readings) {
      const { deviceId, metric, epoch, sequence, stampId, at, value } = reading;
      const identity =
        sequence === undefined ? stampId || `at ${at} ${value}` : `sequence ${epoch} ${sequence}`;
      const key = JSON.stringify([deviceId, metric, identity, sequence === undefined]);
      if (!model.has(key)) model.set(key, reading);
    }
    assert.equal(await subject.store.commit(batchOf({ readings })), model.size - before);
    assert.equal((await subject.store.counts()).readings, model.size);
  };
  const batches = fc.array(arbitraryReading, { minLength: 1, maxLength: 20 });
  await fc.assert(fc.asyncProperty(batches, step), { numRuns: 30 });
  await subject.reopen();
  for (const deviceId of [lamp, host]) {
    const stored = await subject.store.readings(deviceId, 10_000);
    const expected = [...model.values()].filter((reading) => reading.deviceId === deviceId);
    assert.deepEqual(
      new Set(stored.map((one) => JSON.stringify(one))),
      new Set(expected.map((one) => JSON.stringify(one))),
    );
    assert.ok(stored.every((reading, i) => i === 0 || reading.at <= stored[i - 1]!.at));
  }
}

async function texts({ store }: StoreUnderTest): Promise<void> {
  const odd = `'; drop table reading; --\n"żółć" 🔥 \\ %s`;
  const reading = readingOf(1, { metric: odd, unit: odd, topic: odd, stampId: odd });
  const device = deviceOf({ site: odd, sensorType: odd, topic: odd });
  await store.commit(batchOf({ readings: [reading], devices: [device] }));
  assert.deepEqual(await store.readings(lamp, 10, odd), [reading]);
  assert.deepEqual(await store.devices(), [device]);
}
