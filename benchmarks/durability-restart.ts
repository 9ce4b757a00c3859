import { mkdtempSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import process from 'node:process';
import { SystemClock, silentLogger } from '#base';
import { openJournal } from '#journal';
import { cpuSecondsOf } from './process-figures.ts';
import { BenchRole, benchToml, freePort, openListener } from './durability-role.ts';

const clock = new SystemClock();
const sessions = 1000;

/**
 * Starts of the broker that find so many queued messages (to a thousand sessions) and retained ones: time until it
 * listens and memory at the peak, beside a start that finds nothing.
 */
export async function measureRestarts(rounds: number, queued: number, retained: number): Promise<void> {
  const folder = mkdtempSync(path.join(process.env['TMPDIR'] ?? os.tmpdir(), 'davylamp-bench-'));
  try {
    await fill(path.join(folder, 'journal-full'), queued, retained);
    console.log('| start finds | listens after ms | CPU s | peak MiB |');
    console.log('|---|---|---|---|');
    const full = `${queued.toLocaleString('en')} queued, ${retained.toLocaleString('en')} retained`;
    for (const [name, what] of [
      ['empty', 'nothing'],
      ['full', full],
    ] as const) {
      for (let round = 0; round < rounds; round++) {
        const role = await BenchRole.start(folder, benchToml(name, true) + openListener(await freePort()));
        const mib = Math.round(role.peakBytes / 1024 / 1024);
        const cpu = cpuSecondsOf(role.pid).toFixed(2);
        console.log(`| ${what} | ${Math.round(role.startMs)} | ${cpu} | ${mib} |`);
        await role.stop();
      }
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Records everything with the journal itself, a thousand records in a turn. */
async function fill(folder: string, queued: number, retained: number): Promise<void> {
  await using journal = await openJournal({ folder, clock, log: silentLogger });
  const payload = Buffer.alloc(64, 'x');
  for (let i = 0; i < sessions; i++) {
    journal.recordSessionOpened(`session-${i}`, null, 86_400);
    journal.recordSubscription(`session-${i}`, {
      filter: `site/${i}/#`,
      qos: 1,
      noLocal: false,
      retainAsPublished: false,
      retainHandling: 0,
      subscriptionIdentifier: 0,
    });
  }
  for (let i = 0; i < queued + retained; i++) {
    const message = {
      topic: `site/${i % sessions}/detector/${i < queued ? i % 5000 : i}/reading`,
      payload,
      qos: 1,
      properties: null,
      publisherId: 'bench',
      expiresAt: 0,
      journalId: 0,
    } as const;
    if (i >= queued) journal.recordRetained({ ...message });
    else {
      journal.recordDeliveryQueued(`session-${i % sessions}`, {
        serial: 1 + Math.floor(i / sessions),
        message: { ...message },
        qos: 1,
        retain: false,
        subscriptionIdentifiers: [],
        queuedAt: clock.now(),
      });
    }
    if (i % 1000 === 0) await new Promise(setImmediate);
  }
}
