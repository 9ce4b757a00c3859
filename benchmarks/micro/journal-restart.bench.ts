/**
 * How long a start takes that finds a million queued messages and 100,000 retained ones, and what memory it needs: in a
 * process of its own, until the retained messages and the first page of every queue are there.
 *
 *     node --conditions=source benchmarks/micro/journal-restart.bench.ts [queued] [retained] [sessions]
 *
 * The files are made in `TMPDIR`: put that on the disk which is meant.
 */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { silentLogger, SystemClock } from '#base';
import { openJournal } from '#journal';

const [queued = 1_000_000, retained = 100_000, sessions = 1_000] = process.argv.slice(2).map(Number);
const options = { clock: new SystemClock(), log: silentLogger };

if (process.env['DAVYLAMP_BENCH_FOLDER'] !== undefined) await restart(process.env['DAVYLAMP_BENCH_FOLDER']);
else {
  const folder = mkdtempSync(join(process.env['TMPDIR'] ?? tmpdir(), 'davylamp-bench-'));
  await fill(folder);
  for (let round = 0; round < 3; round++) {
    const env = { ...process.env, DAVYLAMP_BENCH_FOLDER: folder };
    spawnSync(process.execPath, ['--conditions=source', import.meta.filename], { env, stdio: 'inherit' });
  }
  rmSync(folder, { recursive: true });
}

/** Records everything, a thousand records in a turn. */
async function fill(folder: string): Promise<void> {
  const journal = await openJournal({ folder, ...options });
  const payload = Buffer.alloc(64, 'x');
  for (let i = 0; i < sessions; i++) journal.recordSessionOpened(`session-${i}`, null, 3600);
  let recording = 0;
  const begin = performance.now();
  for (let i = 0; i < queued + retained; i++) {
    const topic = `site/${i % 10}/detector/${i < queued ? i % 5_000 : i}/reading`;
    const message = {
      topic,
      payload,
      qos: 1,
      properties: null,
      publisherId: 'p',
      expiresAt: 0,
      journalId: 0,
    } as const;
    const before = performance.now();
    if (i < queued) {
      journal.recordDeliveryQueued(`session-${i % sessions}`, {
        serial: 1 + Math.floor(i / sessions),
        message: { ...message },
        qos: 1,
        retain: false,
        subscriptionIdentifiers: [],
      });
    } else journal.recordRetained({ ...message });
    recording += performance.now() - before;
    if (i % 1000 === 0) await new Promise((resolve) => setImmediate(resolve));
  }
  await journal.close();
  const seconds = (performance.now() - begin) / 1000;
  const { bytesWritten, flushes, meanCommitMs } = journal.statistics;
  const count = queued + retained;
  console.log(
    `recorded: ${((recording * 1e6) / count).toFixed(0)} ns a message, ${Math.round(count / seconds).toLocaleString('en')}/s on the disk, ` +
      `${(bytesWritten / count).toFixed(0)} bytes a message, ${flushes} commits of ${meanCommitMs.toFixed(1)} ms`,
  );
}

async function restart(folder: string): Promise<void> {
  const base = process.memoryUsage.rss();
  const begin = performance.now();
  const journal = await openJournal({ folder, ...options });
  const readMs = performance.now() - begin;
  const { user, system } = process.cpuUsage();
  const state = journal.load();
  const kept = [...state.retained];
  const ids = [...state.sessions].map(({ clientId }) => clientId);
  const loadedMs = performance.now() - begin;
  let pages = 0;
  for (const id of ids) pages += (await journal.readDeliveries(id, 0, 64, 65_536)).length;
  const allMs = performance.now() - begin;
  const peak = process.resourceUsage().maxRSS * 1024;
  const { deliveries } = journal.statistics;
  console.log(
    `restart: log read in ${readMs.toFixed(0)} ms (${Math.round((user + system) / 1000)} ms of processor), ${kept.length} retained at ${loadedMs.toFixed(0)} ms, ` +
      `${pages} of ${deliveries} queued (a page of each session) at ${allMs.toFixed(0)} ms; ` +
      `peak ${Math.round(peak / 1e6)} MB, of which ${Math.round(base / 1e6)} MB before`,
  );
  await journal.close();
}
