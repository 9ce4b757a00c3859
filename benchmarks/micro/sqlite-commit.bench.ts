/**
 * Readings committed per second by the SQLite store, each batch one transaction that is on disk before the next.
 *
 *     node --conditions=source benchmarks/micro/sqlite-commit.bench.ts [rows per batch] [batches]
 *
 * The file is made in `TMPDIR`: put that on the disk which is meant.
 */
import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { DeviceId, IngestBatch, Reading } from '#model';
import { openSqliteStore } from '#store';

const batchRows = Number(process.argv[2] ?? 2_000);
const batches = Number(process.argv[3] ?? 150);

for (const devices of [12, 2_000]) {
  const folder = mkdtempSync(join(tmpdir(), 'davylamp-bench-'));
  const file = join(folder, 'readings.db');
  const store = openSqliteStore({ file });
  const work = Array.from({ length: batches }, (_, n) => batch(n, devices));
  let slowest = 0;
  const started = performance.now();
  for (const one of work) {
    const before = performance.now();
    if (store.commit(one) !== batchRows) throw new Error('not every reading was new');
    slowest = Math.max(slowest, performance.now() - before);
  }
  const seconds = (performance.now() - started) / 1_000;
  const rows = batches * batchRows;
  const queried = performance.now();
  const found = store.readings('5ccf7f000000', 1_000).length;
  const queryMs = performance.now() - queried;
  store.close();
  const perSecond = Math.round(rows / seconds).toLocaleString('en');
  const bytes = (statSync(file).size / rows).toFixed(0);
  console.log(
    `${devices} devices: ${perSecond} rows/s in batches of ${batchRows}; slowest commit ${slowest.toFixed(0)} ms; ` +
      `${bytes} bytes a row; newest ${found} of one device in ${queryMs.toFixed(1)} ms`,
  );
  rmSync(folder, { recursive: true });
}

function batch(n: number, devices: number): IngestBatch {
  const readings = Array.from({ length: batchRows }, (_, i) => reading(n * batchRows + i, devices));
  const nothing = { devices: [], events: [], alarms: [], transitions: [] };
  return { readings, ...nothing, commands: [], quarantined: [] };
}

function reading(n: number, devices: number): Reading {
  const device = n % devices;
  const at = 1_700_000_000_000 + n;
  return {
    deviceId: `5ccf7f${device.toString(16).padStart(6, '0')}` as DeviceId,
    metric: 'gas',
    value: n & 1,
    unit: '1',
    epoch: 1,
    sequence: Math.floor(n / devices),
    at,
    receivedAt: at,
    kind: 'regular',
    quality: 'good',
    stampId: `m5x1k2a9-${n.toString(36)}`,
    topic: `outTopic/23.17.224.11/10.0.${device >> 8}.${device & 255}`,
  };
}
