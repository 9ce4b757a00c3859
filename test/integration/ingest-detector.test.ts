import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { Device } from '#model';
import { hello, id, Platform, reading } from './ingest-platform.ts';

describe('gas', () => {
  test('raises in the batch of its reading, stands through silence, and returns by a reading', () => {
    const platform = new Platform();
    platform.push(reading(1, 0));
    platform.push(reading(2, 1));
    platform.ingest.flush();
    assert.deepEqual(platform.table.transitions, ['normal>unacknowledged']);
    platform.clock.advance(60_000);
    platform.ingest.tick();
    platform.ingest.flush();
    assert.deepEqual(platform.table.events, ['new', 'silent']);
    const device = platform.registry.get(id) as Device;
    assert.equal(platform.registry.state(device, platform.clock.now(), platform.alarms.isActive(id)), 'gas');
    platform.push(reading(3, 0));
    platform.ingest.flush();
    assert.deepEqual(platform.table.transitions, ['normal>unacknowledged', 'unacknowledged>returned']);
    assert.deepEqual(platform.table.events, ['new', 'silent', 'heard-again']);
  });

  test('of a cold sensor raises nothing; what stands after the warm-up does, with or without a reading', () => {
    const platform = new Platform();
    platform.push(reading(1, 0));
    platform.clock.advance(5000);
    platform.push(hello);
    for (let sequence = 1; sequence <= 10; sequence += 1) {
      platform.clock.advance(5000);
      platform.push(reading(sequence, 1));
    }
    platform.ingest.flush();
    assert.deepEqual(platform.table.transitions, []);
    assert.equal([...platform.table.rows.values()].at(-1)?.quality, 'warming');
    platform.clock.advance(180_000);
    platform.ingest.tick();
    platform.ingest.flush();
    assert.deepEqual(platform.table.transitions, ['normal>unacknowledged']);
    assert.ok(platform.table.events.includes('warm'));
  });

  test('of a detector that was warm when it reconnected is heard again within half a minute', () => {
    const platform = new Platform();
    platform.push(reading(1, 0));
    platform.push(hello);
    for (let sequence = 1; sequence <= 5; sequence += 1) {
      platform.clock.advance(5000);
      platform.push(reading(sequence, 0));
    }
    platform.clock.advance(5000);
    platform.push(reading(6, 1));
    platform.ingest.flush();
    assert.deepEqual(platform.table.transitions, ['normal>unacknowledged']);
  });

  test('under a number that came before is told at once, though it is no new row', () => {
    const platform = new Platform();
    for (const sequence of [0, 1, 2, 3]) platform.push(reading(sequence, 0));
    platform.clock.advance(60_000);
    platform.push(reading(0, 1));
    platform.ingest.flush();
    assert.deepEqual(platform.table.transitions, ['normal>unacknowledged']);
    assert.equal(platform.table.rows.size, 4);
    assert.equal(platform.ingest.counts.repeated, 1);
  });
});

describe('a boot', () => {
  test('announced before the device is known begins its first epoch and its warm-up', () => {
    const platform = new Platform();
    platform.push(hello);
    platform.clock.advance(5000);
    platform.push(reading(1, 1));
    platform.ingest.flush();
    const device = platform.table.devices.get(id);
    assert.deepEqual([device?.epoch, (device?.warmUntil ?? 0) - platform.clock.now()], [1, 175_000]);
    assert.deepEqual(platform.table.transitions, []);
    assert.deepEqual(platform.table.events, ['hello', 'new']);
  });

  test('whose hello comes twice does not begin the warm-up again', () => {
    const platform = new Platform();
    platform.push(reading(1));
    platform.clock.advance(1000);
    const stamp = platform.stamp();
    platform.push(hello, stamp);
    platform.clock.advance(10_000);
    platform.push(reading(1));
    platform.push(hello, stamp);
    platform.ingest.flush();
    const device = platform.table.devices.get(id);
    assert.deepEqual([device?.epoch, (device?.warmUntil ?? 0) - platform.clock.now()], [1, 170_000]);
    assert.equal(device?.counts.redelivered, 1);
  });

  test('lets the same numbers come again in a new epoch', () => {
    const platform = new Platform();
    for (let boot = 0; boot < 3; boot += 1) {
      platform.clock.advance(1000);
      platform.push(hello);
      for (let sequence = 0; sequence < 5; sequence += 1) platform.push(reading(sequence));
    }
    platform.ingest.flush();
    assert.equal(platform.table.rows.size, 15);
    assert.deepEqual(platform.table.devices.get(id)?.counts, {
      missing: 0,
      repeated: 0,
      redelivered: 0,
      resets: 0,
    });
  });
});
