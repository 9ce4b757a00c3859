import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { DecodedValue, Device, DeviceEvent, DeviceId, DeviceMessage } from '#model';
import { id, message as plainMessage, start } from '../../test/helpers/device-message.ts';
import { DeviceRegistry, type DeviceRegistryOptions, type Observation } from './device-registry.ts';

const second = 1000;
const minute = 60 * second;

const options: DeviceRegistryOptions = {
  warmUpMs: 3 * minute,
  warmProofMs: 20 * second,
  silentAfterIntervals: 3,
  silentMinimumMs: 15 * second,
  approvedDevices: ['AA:BB:CC:00:00:01', 'north.host'],
};

const counts = { missing: 0, repeated: 0, redelivered: 0, resets: 0 };

function message(fields: Partial<DeviceMessage> = {}): DeviceMessage {
  return plainMessage({
    mac: '5C:CF:7F:14:18:AD',
    macSent: 'AD:18:14:7F:CF:5C',
    ip: '192.168.1.11',
    ...fields,
  });
}

/** Reads as ingest does: admit, then observe. */
function read(
  registry: DeviceRegistry,
  at: number,
  value = 0,
  fields: Partial<DeviceMessage> = {},
): Observation {
  const each = message({ receivedAt: start + at, ...fields });
  const { deviceId = id } = each;
  const values: DecodedValue[] = [{ metric: 'gas', value, unit: '1' }];
  const now = Math.max(start + at, each.receivedAt);
  assert.equal(registry.admit(deviceId, each, now).refused, undefined);
  return registry.onReading(deviceId, each, values, { epoch: 0, lastSequence: each.sequence, counts }, now);
}

function hello(registry: DeviceRegistry, at: number): readonly DeviceEvent[] {
  const each = message({ deviceId: undefined, mac: null, ip: null, receivedAt: start + at });
  const owner = registry.claimHello(each);
  if (owner === undefined) return [];
  return registry.onHello(owner, each, { epoch: 1, lastSequence: undefined, counts }, start + at);
}

function kinds(events: readonly DeviceEvent[]): string[] {
  return events.map(({ kind }) => kind);
}

describe('who it is', () => {
  test('a device that is heard for the first time is new and not approved', () => {
    const registry = new DeviceRegistry(options);
    const { events, warming } = read(registry, 0, 0, { sequence: 495 });
    assert.deepEqual([kinds(events), warming], [['new'], false]);
    assert.match(events[0]?.detail ?? '', /MAC 5C:CF:7F:14:18:AD, not approved/);
    const device = registry.get(id);
    assert.deepEqual(
      [device?.registration, device?.site, device?.lastSequence, device?.firstSeen],
      ['new', 'north', 495, start],
    );
    assert.deepEqual(kinds(read(registry, second).events), []);
  });

  test('the configuration approves by id and by MAC address, a person by hand and once', () => {
    const registry = new DeviceRegistry(options);
    for (const deviceId of ['aabbcc000001', 'north.host'] as DeviceId[]) {
      read(registry, 0, 0, { deviceId });
      assert.equal(registry.get(deviceId)?.registration, 'approved');
    }
    read(registry, 0);
    const approval = registry.approve(id, 'ann', start);
    assert.deepEqual(
      [approval?.device.registration, approval?.event.kind, approval?.event.detail],
      ['approved', 'approved', 'by ann'],
    );
    assert.equal(registry.approve(id, 'ann', start), undefined);
    assert.equal(registry.approve('ffffffffffff' as DeviceId, 'ann', start), undefined);
  });

  test('a changed address is told with what it was; a late message changes nothing', () => {
    const registry = new DeviceRegistry(options);
    read(registry, 0);
    const moved = read(registry, 5 * second, 0, { ip: '192.168.1.12', topic: 'outTopic/a/c', site: 'south' });
    assert.deepEqual(kinds(moved.events), ['address-changed']);
    assert.equal(
      moved.events[0]?.detail,
      'IP 192.168.1.11 to 192.168.1.12, topic outTopic/a/b to outTopic/a/c, site north to south',
    );
    assert.deepEqual(kinds(read(registry, second).events), []);
    assert.equal(registry.get(id)?.site, 'south');
  });

  test('beyond the bound no new device comes in, approved and known ones do', () => {
    const registry = new DeviceRegistry({ ...options, maximumNewDevices: 2 });
    for (const deviceId of ['a1', 'a2'] as DeviceId[]) read(registry, 0, 0, { deviceId });
    assert.match(
      registry.admit('a3' as DeviceId, message(), start).refused ?? '',
      /^device a3: 2 new devices wait for approval/,
    );
    assert.equal(registry.dropped.refusedMessages, 1);
    assert.equal(registry.get('a3' as DeviceId), undefined);
    read(registry, 0, 0, { deviceId: 'a1' as DeviceId });
    read(registry, 0, 0, { deviceId: 'north.host' as DeviceId });
    registry.approve('a1' as DeviceId, 'ann', start);
    read(registry, 0, 0, { deviceId: 'a3' as DeviceId });
  });

  test('what is handed out does not change afterwards', () => {
    const registry = new DeviceRegistry(options);
    read(registry, 0);
    const before = registry.list()[0];
    read(registry, 5 * second);
    assert.equal(before?.lastSeen, start);
  });
});

describe('a hello', () => {
  test('belongs to the device that was last heard on its topic', () => {
    const registry = new DeviceRegistry(options);
    read(registry, 0, 0, { deviceId: 'a1' as DeviceId });
    read(registry, second, 0, { deviceId: 'a2' as DeviceId });
    assert.deepEqual(
      hello(registry, 2 * second).map((event) => [event.deviceId, event.kind]),
      [['a2', 'hello']],
    );
    read(registry, 3 * second, 0, { deviceId: 'a1' as DeviceId });
    assert.equal(registry.claimHello(message({ deviceId: undefined })), 'a1');
  });

  test('waits for the first reading on its topic, and only there', () => {
    const registry = new DeviceRegistry(options);
    assert.deepEqual(hello(registry, 0), []);
    assert.equal(
      registry.admit('a1' as DeviceId, message({ topic: 'outTopic/x/y' }), start).hello,
      undefined,
    );
    assert.equal(registry.admit(id, message(), start).hello?.receivedAt, start);
    assert.equal(registry.admit('a2' as DeviceId, message(), start).hello, undefined);
  });

  test('waiting ones are bounded: the oldest is forgotten and counted', () => {
    const registry = new DeviceRegistry({ ...options, maximumWaitingHellos: 2 });
    for (const topic of ['outTopic/a/1', 'outTopic/a/2', 'outTopic/a/3'])
      registry.claimHello(message({ deviceId: undefined, topic }));
    assert.equal(registry.dropped.forgottenHellos, 1);
    assert.equal(
      registry.admit('a1' as DeviceId, message({ topic: 'outTopic/a/1' }), start).hello,
      undefined,
    );
    assert.notEqual(
      registry.admit('a3' as DeviceId, message({ topic: 'outTopic/a/3' }), start).hello,
      undefined,
    );
  });
});

describe('warm-up', () => {
  test('covers every reading until its time is over', () => {
    const registry = new DeviceRegistry(options);
    read(registry, 0);
    hello(registry, second);
    assert.equal(registry.get(id)?.warmUntil, start + second + 3 * minute);
    assert.equal(read(registry, 10 * second, 1).warming, true);
    assert.equal(read(registry, 3 * minute, 1).warming, true);
    const last = read(registry, 3 * minute + second, 1);
    assert.deepEqual([last.warming, kinds(last.events)], [false, ['warm']]);
    assert.equal(registry.get(id)?.warmUntil, 0);
  });

  test('ends when the detector has read 0 without a break for long enough and three times', () => {
    const registry = new DeviceRegistry(options);
    read(registry, 0);
    hello(registry, second);
    const steps: readonly (readonly [at: number, value: number, warming: boolean])[] = [
      [5, 0, true],
      [10, 1, true],
      [15, 0, true],
      [20, 0, true],
      [30, 0, true],
      [34, 0, true],
      [35, 0, false],
      [40, 1, false],
    ];
    for (const [at, value, warming] of steps)
      assert.equal(read(registry, at * second, value).warming, warming, `at ${at} s`);
  });

  test('does not end by time alone with fewer than three readings of 0', () => {
    const registry = new DeviceRegistry(options);
    read(registry, 0);
    hello(registry, second);
    assert.equal(read(registry, 10 * second).warming, true);
    assert.equal(read(registry, 60 * second).warming, true);
    assert.equal(read(registry, 61 * second).warming, false);
  });

  test('begins anew with each hello', () => {
    const registry = new DeviceRegistry(options);
    read(registry, 0);
    hello(registry, second);
    hello(registry, 2 * minute);
    assert.equal(read(registry, 4 * minute, 1).warming, true);
    assert.equal(read(registry, 5 * minute, 1).warming, false);
  });

  test('ends by the clock when no reading comes, and is told once', () => {
    const registry = new DeviceRegistry({ ...options, silentMinimumMs: 60 * minute });
    read(registry, 0);
    hello(registry, second);
    assert.deepEqual(kinds(registry.tick(start + 3 * minute)), []);
    assert.deepEqual(kinds(registry.tick(start + second + 3 * minute)), ['warm']);
    assert.deepEqual(kinds(registry.tick(start + 4 * minute)), []);
  });

  test('of a backlog is judged by its own hour, and not ended by the clock before its readings have come', () => {
    const registry = new DeviceRegistry({ ...options, silentMinimumMs: 240 * minute });
    const now = start + 60 * minute;
    const old = message({ receivedAt: start });
    registry.admit(id, old, now);
    registry.onReading(id, old, [], { epoch: 0, lastSequence: 1, counts }, now);
    registry.onHello(
      id,
      message({ deviceId: undefined, receivedAt: start + second }),
      { epoch: 1, lastSequence: undefined, counts },
      now,
    );
    assert.deepEqual(kinds(registry.tick(now + second)), []);
    assert.equal(registry.isWarming(id, start + minute), true);
    assert.equal(registry.isWarming(id, start + 5 * minute), false);
  });
});

describe('interval and silence', () => {
  test('one gap does not move the interval, two readings after a change do', () => {
    const registry = new DeviceRegistry(options);
    for (const at of [0, 5, 10, 15]) read(registry, at * second, 0, { sequence: at / 5 });
    assert.equal(registry.get(id)?.intervalMs, 5 * second);
    read(registry, 75 * second, 0, { sequence: 4 });
    assert.equal(registry.get(id)?.intervalMs, 5 * second);
    read(registry, 76 * second, 0, { sequence: 5 });
    read(registry, 77 * second, 0, { sequence: 6 });
    assert.equal(registry.get(id)?.intervalMs, second);
  });

  test('missing numbers and requested readings tell no interval', () => {
    const registry = new DeviceRegistry(options);
    read(registry, 0, 0, { sequence: 1 });
    read(registry, 20 * second, 0, { sequence: 5 });
    read(registry, 21 * second, 0, { sequence: 6, requested: true });
    assert.equal(registry.get(id)?.intervalMs, undefined);
  });

  test('a device falls silent once, keeps that state, and is heard again', () => {
    const registry = new DeviceRegistry(options);
    for (const at of [0, 10, 20]) read(registry, at * second);
    assert.deepEqual(kinds(registry.tick(start + 50 * second)), []);
    const [silent] = registry.tick(start + 51 * second);
    assert.deepEqual([silent?.kind, silent?.detail], ['silent', 'nothing heard for 31 s']);
    assert.deepEqual(registry.tick(start + 90 * second), []);
    const device = registry.get(id) as Device;
    assert.equal(registry.state(device, start + 90 * second, false), 'silent');
    assert.deepEqual(kinds(read(registry, 95 * second).events), ['heard-again']);
    assert.equal(registry.state(registry.get(id) as Device, start + 95 * second, false), 'normal');
  });

  test('a stamp ahead of the time does not hide a silence', () => {
    const registry = new DeviceRegistry(options);
    const ahead = message({ receivedAt: start + 60 * minute });
    registry.admit(id, ahead, start);
    registry.onReading(id, ahead, [], { epoch: 0, lastSequence: 1, counts }, start);
    assert.equal(registry.get(id)?.lastSeen, start);
    assert.deepEqual(kinds(registry.tick(start + 20 * second)), ['silent']);
  });

  test('gas stays gas when its device falls silent; warming is less urgent than silence', () => {
    const registry = new DeviceRegistry(options);
    read(registry, 0);
    hello(registry, second);
    const device = registry.get(id) as Device;
    assert.equal(registry.state(device, start + 2 * second, false), 'warming-up');
    assert.equal(registry.state(device, start + minute, false), 'silent');
    assert.equal(registry.state(device, start + minute, true), 'gas');
  });

  test('after a restart records go on, and silence is told only after this process has listened', () => {
    const before = new DeviceRegistry(options);
    for (const at of [0, 10, 20]) read(before, at * second);
    hello(before, 21 * second);
    const registry = new DeviceRegistry(options);
    const now = start + minute;
    registry.restore(before.list(), now);
    assert.deepEqual(registry.list(), before.list());
    assert.equal(registry.claimHello(message({ deviceId: undefined })), id);
    assert.deepEqual(kinds(registry.tick(now + 30 * second)), []);
    assert.deepEqual(kinds(registry.tick(now + 31 * second)), ['silent']);
    assert.equal(registry.isWarming(id, now), true);
  });
});
