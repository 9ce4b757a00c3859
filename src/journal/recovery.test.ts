import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import {
  cpSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import path from 'node:path';
import process from 'node:process';
import { test } from 'node:test';
import { LineLogger, SystemClock } from '#base';
import { segmentNames } from './folder.ts';
import { inspectJournal } from './inspect-journal.ts';
import { deliveryOf, durable, messageOf, openSmall, readable, TemporaryFolder } from './journal-model.ts';
import { formatVersion, segmentHeaderSize } from './records/format.ts';
import { repairJournal } from './repair-journal.ts';

const unusable = { code: 'JOURNAL_UNUSABLE' } as const;

/** Fills a journal commit by commit; what is readable after each, and where each ends in the last file. */
async function fill(folder: string, commits: number): Promise<{ states: unknown[]; ends: number[] }> {
  const states: unknown[] = [];
  const ends: number[] = [];
  const journal = await openSmall(folder, { segmentBytes: 1 << 20 });
  journal.recordSessionOpened('c', 'owner', 60);
  for (let serial = 1; serial <= commits; serial++) {
    const one = messageOf(`t/${serial}`, `payload ${serial}`);
    journal.recordDeliveryQueued('c', deliveryOf(serial, one, { qos: 2 }));
    if (serial % 2 === 0) journal.recordRetained(one);
    if (serial > 2) journal.recordDeliveryDone('c', serial - 2);
    await durable(journal);
    states.push(readable(journal));
    ends.push(segmentHeaderSize + journal.statistics.bytes);
  }
  await journal.close();
  return { states, ends };
}

function lastFile(folder: string): string {
  return path.join(folder, segmentNames(folder).at(-1)!);
}

/** A journal in several files, the last of which has more than one commit. */
async function fillFiles(folder: string): Promise<unknown> {
  const journal = await openSmall(folder, { segmentBytes: 600 });
  journal.recordSessionOpened('c', null, 60);
  for (let serial = 1; segmentNames(folder).length < 4 || serial < 30; serial++) {
    journal.recordDeliveryQueued('c', deliveryOf(serial, messageOf('t', `payload ${serial}`)));
    await durable(journal);
  }
  const state = readable(journal);
  await journal.close();
  return state;
}

test('cut at any byte of its last commits, the log is what it was at the last whole one', async () => {
  using folder = new TemporaryFolder();
  const { states, ends } = await fill(folder.journal, 6);
  const bytes = readFileSync(lastFile(folder.journal));
  for (let length = ends[2]!; length <= bytes.length; length++) {
    truncateSync(lastFile(folder.journal), length);
    const journal = await openSmall(folder.journal);
    const whole = ends.findLastIndex((end) => end <= length);
    assert.deepEqual(readable(journal), states[whole], `cut at ${length}`);
    // It goes on from there.
    journal.recordSessionOpened('later', null, 1);
    await journal.close();
    const again = await openSmall(folder.journal);
    assert.equal(again.statistics.sessions, 2);
    await again.close();
    writeFileSync(lastFile(folder.journal), bytes);
  }
});

test('rubbish behind the last commit is cut off and told: zeros, the beginning of a batch, another batch', async () => {
  using folder = new TemporaryFolder();
  const { states, ends } = await fill(folder.journal, 3);
  const file = lastFile(folder.journal);
  const bytes = readFileSync(file);
  const batch = bytes.subarray(ends[1]);
  for (const rubbish of [Buffer.alloc(5000), batch.subarray(0, 20), batch, Buffer.from('DAVB')]) {
    writeFileSync(file, Buffer.concat([bytes, rubbish]));
    const lines: string[] = [];
    const log = new LineLogger({
      clock: new SystemClock(),
      level: 'warning',
      write: (line) => lines.push(line),
    });
    const journal = await openSmall(folder.journal, { log });
    assert.deepEqual(readable(journal), states[2]);
    await journal.close();
    assert.match(lines.join(''), new RegExp(`cut off at the end of \\w+\\.log bytes=${rubbish.length}\n`));
    assert.deepEqual(readFileSync(file), bytes);
  }
});

test('a changed bit is found: the last commit is cut off, before it the start is refused with the way out', async () => {
  using folder = new TemporaryFolder();
  const { states, ends } = await fill(folder.journal, 5);
  const file = lastFile(folder.journal);
  const bytes = readFileSync(file);
  for (let at = 0; at < bytes.length; at += 7) {
    const changed = Buffer.from(bytes);
    changed[at] = changed[at]! ^ (1 << (at % 8));
    writeFileSync(file, changed);
    const isTail = at >= ends[3]!;
    if (isTail) {
      await using journal = await openSmall(folder.journal);
      assert.deepEqual(readable(journal), states[3], `bit at ${at}`);
      continue;
    }
    const error = await openSmall(folder.journal).then(
      () => assert.fail(`opened with a changed bit at ${at}`),
      (reason: unknown) => reason as Error & { code: string },
    );
    assert.equal(error.code, unusable.code);
    // The version is no damage that a repair could undo.
    if (at < 8 || at > 12) assert.match(error.message, /\w+\.log .*run: davylamp journal repair /);
    assert.deepEqual(readFileSync(file), changed, 'nothing is changed by the attempt');
  }
});

test('a missing file is noticed, be it the first, one in between, the last or all of them', async () => {
  using folder = new TemporaryFolder();
  const state = await fillFiles(folder.journal);
  const names = segmentNames(folder.journal);
  const copy = path.join(folder.root, 'copy');
  cpSync(folder.journal, copy, { recursive: true });
  for (const missing of [[names[0]!], [names[1]!], [names.at(-1)!], names]) {
    for (const name of missing) rmSync(path.join(copy, name));
    await assert.rejects(openSmall(copy), { ...unusable, message: /missing/ });
    for (const name of missing) cpSync(path.join(folder.journal, name), path.join(copy, name));
  }
  await using journal = await openSmall(copy);
  assert.deepEqual(readable(journal), state);
});

test('a file that is cut short or damaged before the last one is no interrupted write', async () => {
  using folder = new TemporaryFolder();
  await fillFiles(folder.journal);
  const file = path.join(folder.journal, segmentNames(folder.journal)[1]!);
  const bytes = readFileSync(file);
  for (const length of [10, segmentHeaderSize, bytes.length - 60]) {
    truncateSync(file, length);
    await assert.rejects(openSmall(folder.journal), unusable);
    writeFileSync(file, bytes);
  }
});

test('a repair saves what is whole, keeps the damaged files and says what is lost', async () => {
  using folder = new TemporaryFolder();
  await fillFiles(folder.journal);
  const names = segmentNames(folder.journal);
  const file = path.join(folder.journal, names[1]!);
  const bytes = readFileSync(file);
  bytes[segmentHeaderSize + 60] = bytes[segmentHeaderSize + 60]! ^ 1;
  writeFileSync(file, bytes);
  assert.match(inspectJournal(folder.journal)?.segments[1]?.fault ?? '', /wrong checksum/);
  const before = inspectJournal(folder.journal)!;
  const report = repairJournal(folder.journal, Date.now());
  assert.deepEqual(report.damagedFiles, [names[1]]);
  assert.ok(report.lostBytes > 40 && report.lostBytes < 200, `${report.lostBytes} bytes are lost`);
  assert.deepEqual(readdirSync(report.keptIn).toSorted(), names);
  assert.deepEqual(readFileSync(path.join(report.keptIn, names[1]!)), bytes);
  const journal = await openSmall(folder.journal);
  const [session] = journal.load().sessions;
  assert.equal([...session!.deliveries].length, report.savedBatches);
  assert.ok(journal.statistics.deliveries > before.deliveries, 'also what stands behind the damage');
  await journal.close();
  const clean = inspectJournal(folder.journal)!;
  assert.deepEqual(
    clean.segments.map(({ fault }) => fault),
    [null],
  );
});

test('a repair goes on where a crash stopped an earlier one, and does not bring back what was delivered', async () => {
  using folder = new TemporaryFolder();
  await fillFiles(folder.journal);
  const old = segmentNames(folder.journal);
  const copy = path.join(folder.root, 'copy');
  cpSync(folder.journal, copy, { recursive: true });
  repairJournal(folder.journal, 1);
  const first = await openSmall(folder.journal, { segmentBytes: 600 });
  first.recordDeliveryDone('c', 1);
  const state = readable(first);
  await first.close();
  // The old files are still there, one without its header.
  for (const name of old) cpSync(path.join(copy, name), path.join(folder.journal, name));
  writeFileSync(path.join(folder.journal, old[0]!), 'x');
  await assert.rejects(openSmall(folder.journal), unusable);
  repairJournal(folder.journal, 2);
  await using again = await openSmall(folder.journal);
  assert.deepEqual(readable(again), state);
});

test('another version is refused, or brought here step by step', async () => {
  using folder = new TemporaryFolder();
  const { states } = await fill(folder.journal, 2);
  const marker = path.join(folder.journal, 'format');
  const file = lastFile(folder.journal);
  const bytes = readFileSync(file);
  const setVersion = (version: number): void => {
    writeFileSync(marker, `davylamp journal ${version}\n`);
    const changed = Buffer.from(bytes);
    changed.writeUInt32LE(version, 8);
    writeFileSync(file, version === formatVersion ? bytes : changed);
  };
  setVersion(formatVersion + 1);
  await assert.rejects(openSmall(folder.journal), { ...unusable, message: /version 2.*update Davylamp/ });
  assert.throws(() => repairJournal(folder.journal, 0), { ...unusable, message: /version/ });
  setVersion(0);
  await assert.rejects(openSmall(folder.journal), { ...unusable, message: /version 0/ });
  const migrations = [{ from: 0, to: 1, migrate: () => setVersion(1) }];
  await using journal = await openSmall(folder.journal, { migrations });
  assert.deepEqual(readable(journal), states[1]);
});

test('one folder has one journal, in this process and in another', async () => {
  using folder = new TemporaryFolder();
  await using journal = await openSmall(folder.journal);
  await assert.rejects(openSmall(folder.journal), { ...unusable, message: /another Davylamp uses it/ });
  const script = `
    import { openJournal } from '#journal';
    import { silentLogger, SystemClock } from '#base';
    await openJournal({ folder: process.argv[1], clock: new SystemClock(), log: silentLogger }).then(
      () => console.log('opened'), (error) => console.log(error.message));`;
  const args = ['--conditions=source', '--input-type=module', '-e', script, '--', folder.journal];
  const run = (): string => spawnSync(process.execPath, args, { encoding: 'utf8' }).stdout.trim();
  assert.match(run(), /another Davylamp uses it; stop that one or choose another folder$/);
  await journal.close();
  assert.equal(run(), 'opened');
});

test('a folder that cannot be used is refused in plain words', async () => {
  using folder = new TemporaryFolder();
  mkdirSync(folder.journal);
  writeFileSync(path.join(folder.journal, 'format'), 'something else\n');
  await assert.rejects(openSmall(folder.journal), { ...unusable, message: /format does not name a version/ });
  const file = path.join(folder.root, 'file');
  writeFileSync(file, '');
  await assert.rejects(openSmall(path.join(file, 'below')), { ...unusable, message: /is a file|path/ });
  assert.equal(inspectJournal(folder.root), null);
  assert.ok(statSync(file).isFile());
});
