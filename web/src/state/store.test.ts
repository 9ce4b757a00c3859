import assert from 'node:assert/strict';
import { test } from 'node:test';
import { effect } from '@preact/signals';
import type { CommandView } from '../../../src/api/types.ts';
import { DeviceLog, maximumReadings } from './device-log.ts';
import { maximumPastAlarms, ScreenStore } from './store.ts';
import { alarmView, deviceView, readingView, statusView } from './test-views.ts';

test('a snapshot replaces what was known; a change only adds to it', () => {
  const store = new ScreenStore(0);
  store.apply({ kind: 'devices', devices: [deviceView({ id: 'a' }), deviceView({ id: 'b' })] }, true);
  store.apply({ kind: 'devices', devices: [deviceView({ id: 'c' })] }, false);
  assert.deepEqual([...store.devices.value.keys()], ['a', 'b', 'c']);
  store.apply({ kind: 'devices', devices: [deviceView({ id: 'c' })] }, true);
  assert.deepEqual([...store.devices.value.keys()], ['c']);
  assert.equal(store.snapshots.value, 2);
});

test('a reading changes its own device and leaves the order of the tiles alone', () => {
  const store = new ScreenStore(0);
  store.apply({ kind: 'devices', devices: [deviceView({ id: 'a' }), deviceView({ id: 'b' })] }, true);
  let draws = 0;
  let orders = 0;
  const stop = [
    effect(() => {
      if (store.devices.value.get('b')?.value !== undefined) draws += 1;
    }),
    effect(() => {
      if (store.groups.value.length > 0) orders += 1;
    }),
  ];
  store.apply(
    { kind: 'readings', deviceId: 'a', readings: [readingView({ at: 5000, value: 1, sequence: 7 })] },
    false,
  );
  const device = store.devices.value.get('a')?.value;
  assert.equal(device?.values[0]?.value, 1);
  assert.equal(device?.lastSeen, 5000);
  assert.equal(device?.lastSequence, 7);
  assert.deepEqual([draws, orders], [1, 1]);
  for (const end of stop) end();
});

test('a reading that comes late does not become the last value', () => {
  const store = new ScreenStore(0);
  store.apply({ kind: 'devices', devices: [deviceView({ id: 'a' })] }, true);
  store.apply({ kind: 'readings', deviceId: 'a', readings: [readingView({ at: 9000, value: 1 })] }, false);
  store.apply({ kind: 'readings', deviceId: 'a', readings: [readingView({ at: 4000, value: 0 })] }, false);
  assert.equal(store.devices.value.get('a')?.value.values[0]?.value, 1);
});

test('a new alarm is said aloud once, an acknowledged one is not', () => {
  const store = new ScreenStore(0);
  store.apply({ kind: 'alarms', alarms: [alarmView({ id: 'x', device: 'Kitchen' })] }, true);
  assert.equal(store.announcement.value, 'Alarm: gas at Kitchen, site north');
  store.announcement.value = '';
  store.apply(
    { kind: 'alarms', alarms: [alarmView({ id: 'x', state: 'acknowledged', acknowledgedBy: 'A' })] },
    false,
  );
  assert.equal(store.announcement.value, '');
  assert.equal(store.unacknowledged.value, 0);
  assert.equal(store.activeAlarms.value.length, 1);
});

test('what is over leaves the banner and stays in a list of bounded length', () => {
  const store = new ScreenStore(0);
  const past = Array.from({ length: maximumPastAlarms + 20 }, (_, n) =>
    alarmView({ id: `p${n}`, state: 'normal', raisedAt: n }),
  );
  store.apply({ kind: 'alarms', alarms: [alarmView({ id: 'open', raisedAt: -1 }), ...past] }, true);
  assert.equal(store.activeAlarms.value.length, 1);
  assert.equal(store.alarmList.value.length, maximumPastAlarms + 1);
  assert.equal(store.alarmList.value[0]?.id, 'open');
  assert.equal(store.alarms.value.has('p0'), false);
});

test('ages follow the clock of the server, not of this machine', () => {
  const store = new ScreenStore(1_000);
  store.apply({ kind: 'status', status: statusView(61_000) }, true);
  store.localNow.value = 3_000;
  assert.equal(store.now.value, 63_000);
});

test('history and feed may overlap: each reading is kept once, in order, and not without end', () => {
  const log = new DeviceLog('a');
  log.addReadings([readingView({ at: 3, sequence: 3 }), readingView({ at: 1, sequence: 1 })]);
  log.addReadings([readingView({ at: 2, sequence: 2 }), readingView({ at: 3, sequence: 3 })]);
  assert.deepEqual(
    log.readings.value.map((reading) => reading.sequence),
    [1, 2, 3],
  );
  log.addReadings(
    Array.from({ length: maximumReadings }, (_, n) => readingView({ at: 10 + n, sequence: 10 + n })),
  );
  assert.equal(log.readings.value.length, maximumReadings);
  assert.equal(log.readings.value[0]?.sequence, 10);
});

test('a command never goes back, whichever comes first, and other devices keep theirs', () => {
  const log = new DeviceLog('a');
  const command = {
    id: 'c1',
    deviceId: 'a' as CommandView['deviceId'],
    name: 'Request',
    seconds: null,
    by: 'A',
    at: 1,
    updatedAt: 1,
    detail: '',
  } as const;
  log.addCommands([{ ...command, state: 'delivered' }]);
  log.addCommands([
    { ...command, state: 'pending' },
    { ...command, id: 'c2', deviceId: 'b' as CommandView['deviceId'], state: 'pending' },
  ]);
  assert.deepEqual(
    log.commands.value.map((one) => [one.id, one.state]),
    [['c1', 'delivered']],
  );
  log.addCommands([{ ...command, state: 'answered', detail: 'reading 0' }]);
  assert.equal(log.commands.value[0]?.detail, 'reading 0');
});

test('a device that changes its state changes its place and the counts', () => {
  const store = new ScreenStore(0);
  store.apply({ kind: 'devices', devices: [deviceView({ id: 'a' }), deviceView({ id: 'b' })] }, true);
  assert.deepEqual(store.groups.value[0]?.ids, ['a', 'b']);
  store.apply({ kind: 'devices', devices: [deviceView({ id: 'b', state: 'gas' })] }, false);
  assert.deepEqual(store.groups.value[0]?.ids, ['b', 'a']);
  assert.equal(store.counts.value.gas, 1);
  store.filter.value = 'gas';
  assert.deepEqual(store.groups.value[0]?.ids, ['b']);
});
