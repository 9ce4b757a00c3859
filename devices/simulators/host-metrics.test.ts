import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { HostMetrics } from './host-metrics.ts';

test('values of this machine are plausible', () => {
  const values = new HostMetrics().read();
  const memory = values['memory_used'];
  assert.ok(memory !== undefined && memory.unit === '%' && memory.value > 0 && memory.value < 100);
  assert.ok((values['load_average']?.value ?? -1) >= 0);
  assert.ok((values['uptime']?.value ?? 0) > 0);
});

test('CPU load is a share of the time since the last reading', () => {
  const metrics = new HostMetrics();
  // Works until the kernel's count has moved: without a tick there is no share, and the value is left out.
  let load: number | undefined;
  for (let n = 0; load === undefined && n < 200_000; n++) load = metrics.read()['cpu_load']?.value;
  assert.ok(load !== undefined && load >= 0 && load <= 1, String(load));
});

test('temperature is the hottest zone, nonsense is passed over, and a machine without zones leaves it out', (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'davylamp-thermal-'));
  t.after(() => rmSync(folder, { recursive: true }));
  assert.equal(new HostMetrics(folder).read()['temperature'], undefined);
  assert.equal(new HostMetrics(join(folder, 'absent')).read()['temperature'], undefined);
  for (const [zone, text] of [
    ['thermal_zone0', '48200\n'],
    ['thermal_zone1', '51734\n'],
    ['thermal_zone2', 'garbage'],
    ['thermal_zone3', '-274000'],
  ] as const) {
    mkdirSync(join(folder, zone));
    writeFileSync(join(folder, zone, 'temp'), text);
  }
  mkdirSync(join(folder, 'thermal_zone4'));
  assert.deepEqual(new HostMetrics(folder).read()['temperature'], { value: 51.734, unit: 'Cel' });
});
