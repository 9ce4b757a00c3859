import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { closeSync, openSync, readFileSync, statSync, writeSync } from 'node:fs';
import path from 'node:path';
import process from 'node:process';
import { test } from 'node:test';
import { deliveryOf, messageOf, openSmall, TemporaryFolder } from './journal-model.ts';

const clients = ['a', 'b', 'c'] as const;

/** Lines that the child writes: `q a 7` = delivery 7 is durable, `t a 7` = its end is recorded next, `d a 7` = durable. */
type Line = readonly [what: string, clientId: string, serial: number];

if (process.env['DAVYLAMP_CRASH_CHILD'] === undefined) {
  test('kill -9 at any moment loses nothing that was acknowledged and brings nothing back', async () => {
    using folder = new TemporaryFolder();
    const notes = path.join(folder.root, 'notes');
    closeSync(openSync(notes, 'w'));
    for (let round = 0; round < 12; round++) {
      await runAndKill(folder.journal, notes, statSync(notes).size + 500 + Math.random() * 20_000);
      await check(folder.journal, notes);
    }
    assert.ok(readNotes(notes).length > 1000);
  });
} else await runChild(process.argv[2]!, process.argv[3]!);

/** Lets a child work until its notes are so long. */
async function runAndKill(folder: string, notes: string, length: number): Promise<void> {
  const child = spawn(process.execPath, ['--conditions=source', import.meta.filename, folder, notes], {
    env: { ...process.env, DAVYLAMP_CRASH_CHILD: '1' },
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  const gone = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  const timer = setInterval(() => {
    if (statSync(notes).size >= length) child.kill('SIGKILL');
  }, 1);
  await gone;
  clearInterval(timer);
  assert.equal(child.signalCode, 'SIGKILL', 'it does not end by itself');
}

function readNotes(notes: string): Line[] {
  const lines = readFileSync(notes, 'utf8').split('\n');
  return lines.slice(0, -1).map((line) => {
    const [what = '', clientId = '', serial = ''] = line.split(' ');
    return [what, clientId, Number(serial)];
  });
}

async function check(folder: string, notes: string): Promise<void> {
  const queued = new Set<string>();
  const mayBeGone = new Set<string>();
  const gone = new Set<string>();
  for (const [what, clientId, serial] of readNotes(notes)) {
    const key = `${clientId} ${serial}`;
    if (what === 'q') queued.add(key);
    else (what === 't' ? mayBeGone : gone).add(key);
  }
  await using journal = await openSmall(folder);
  const found = new Set<string>();
  for (const { clientId, deliveries } of journal.load().sessions) {
    let last = 0;
    for (const { serial, message } of deliveries) {
      assert.ok(serial > last, 'in order');
      last = serial;
      assert.equal(message.payload.toString(), `payload of ${clientId} ${serial}`);
      found.add(`${clientId} ${serial}`);
    }
  }
  for (const key of queued) assert.ok(found.has(key) || mayBeGone.has(key), `${key} is lost`);
  for (const key of gone) assert.ok(!found.has(key), `${key} is back`);
}

/** Queues and ends messages without end; notes what is durable, and what it is about to end. */
async function runChild(folder: string, notes: string): Promise<void> {
  const fd = openSync(notes, 'a');
  const journal = await openSmall(folder);
  const waiting = new Map<string, number[]>();
  const serials = new Map<string, number>();
  const promised: { sequence: number; line: string }[] = [];
  // A serial is never used twice here, so that the notes of all rounds can be compared.
  for (const [, clientId, serial] of readNotes(notes))
    serials.set(clientId, Math.max(serials.get(clientId) ?? 0, serial));
  for (const session of journal.load().sessions) {
    const found = [...session.deliveries].map(({ serial }) => serial);
    waiting.set(session.clientId, found);
    serials.set(session.clientId, Math.max(serials.get(session.clientId) ?? 0, found.at(-1) ?? 0));
  }
  journal.onDurable(() => {
    let lines = '';
    while (promised.length > 0 && promised[0]!.sequence <= journal.durableSequence)
      lines += promised.shift()!.line;
    if (lines !== '') writeSync(fd, lines);
  });
  for (const clientId of clients) journal.recordSessionOpened(clientId, null, 60);
  for (;;) {
    for (const clientId of clients) {
      const serial = (serials.get(clientId) ?? 0) + 1;
      serials.set(clientId, serial);
      const one = messageOf('t', `payload of ${clientId} ${serial}`);
      journal.recordDeliveryQueued(clientId, deliveryOf(serial, one));
      promised.push({ sequence: journal.sequence, line: `q ${clientId} ${serial}\n` });
      const list = waiting.get(clientId) ?? [];
      waiting.set(clientId, list);
      list.push(serial);
      if (list.length < 20) continue;
      const [done] = list.splice(Math.floor(Math.random() * 10), 1);
      writeSync(fd, `t ${clientId} ${done}\n`);
      journal.recordDeliveryDone(clientId, done!);
      promised.push({ sequence: journal.sequence, line: `d ${clientId} ${done}\n` });
    }
    await new Promise((resolve) => setImmediate(resolve));
  }
}
