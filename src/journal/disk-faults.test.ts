import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { test, type TestContext } from 'node:test';
import { FakeClock } from '#base';
import type { FileJournal } from './file-journal.ts';
import { deliveryOf, durable, messageOf, openSmall, readable, TemporaryFolder } from './journal-model.ts';
import { systemFiles, type LogFiles } from './log/log-files.ts';

function systemError(code: string): Error {
  return Object.assign(new Error(code), { code });
}

/** Resolves with the next change of state. */
function nextState(journal: FileJournal): Promise<string> {
  return new Promise((resolve) => journal.onState((state, reason) => resolve(`${state}: ${reason}`)));
}

function isDurable(journal: FileJournal): boolean {
  return journal.durableSequence === journal.sequence;
}

/** Runs the clock until the journal is what it should be; the runner's time limit ends what never is. */
async function until(clock: FakeClock, isSo: () => boolean): Promise<void> {
  while (!isSo()) {
    clock.advance(200);
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
}

/** A file system of its own, of this size; the test is skipped where none can be mounted. */
function smallDisk(t: TestContext, bytes: number): (TemporaryFolder & Disposable) | null {
  const folder = new TemporaryFolder();
  const mount = spawnSync('mount', ['-t', 'tmpfs', '-o', `size=${bytes}`, 'tmpfs', folder.root]);
  if (mount.status !== 0) {
    folder[Symbol.dispose]();
    t.skip('no file system can be mounted here, so none can be filled');
    return null;
  }
  t.after(() => {
    spawnSync('umount', ['-l', folder.root]);
    folder[Symbol.dispose]();
  });
  return folder;
}

test('a disk filled by the journal: nothing more is durable, readers go on, room that they make is used', async (t) => {
  const disk = smallDisk(t, 4 << 20);
  if (disk === null) return;
  const clock = new FakeClock();
  const journal = await openSmall(disk.journal, { clock, segmentBytes: 64 * 1024, reserveBytes: 1 << 20 });
  const full = nextState(journal);
  journal.recordSessionOpened('c', null, 60);
  let serial = 0;
  while (journal.state === 'ok') {
    journal.recordDeliveryQueued('c', deliveryOf(++serial, messageOf('t', Buffer.alloc(1000, serial))));
    // No more under way than the reserve has room for.
    if (serial % 50 === 0) await until(clock, () => journal.state === 'full' || isDurable(journal));
  }
  assert.equal(await full, 'full: the disk is full; make room');
  const page = await journal.readDeliveries('c', 0, 10, 1e6);
  assert.equal(page.length, 10);
  const ok = nextState(journal);
  for (let done = 1; done <= serial - 20; done++) {
    journal.recordDeliveryDone('c', done);
    if (done % 10 === 0) await new Promise((resolve) => setImmediate(resolve));
  }
  await until(clock, () => journal.state === 'ok' && isDurable(journal));
  assert.equal(await ok, 'ok: ');
  const state = readable(journal);
  await journal.close();
  await using again = await openSmall(disk.journal);
  assert.deepEqual(readable(again), state);
  assert.equal(again.statistics.deliveries, 20);
});

test('a disk filled by somebody else: what was recorded is written when there is room again', async (t) => {
  const disk = smallDisk(t, 1 << 20);
  if (disk === null) return;
  const clock = new FakeClock();
  const journal = await openSmall(disk.journal, { clock, segmentBytes: 64 * 1024, reserveBytes: 8 * 1024 });
  journal.recordSessionOpened('c', null, 60);
  await durable(journal);
  const filler = path.join(disk.root, 'filler');
  for (let size = 1 << 20; size >= 4096; size >>= 1) {
    try {
      writeFileSync(filler, Buffer.alloc(size), { flag: 'a' });
    } catch {
      // as much as fits
    }
  }
  const before = journal.durableSequence;
  for (let serial = 1; serial <= 100; serial++)
    journal.recordDeliveryQueued('c', deliveryOf(serial, messageOf('t', Buffer.alloc(1000))));
  await until(clock, () => journal.statistics.failedCommits > 3);
  assert.equal(journal.state, 'full');
  assert.equal(journal.durableSequence, before);
  const copy = path.join(disk.root, '..', `${path.basename(disk.root)}-copy`);
  t.after(() => rmSync(copy, { recursive: true, force: true }));
  cpSync(disk.journal, copy, { recursive: true });
  await using crashed = await openSmall(copy);
  assert.equal(crashed.statistics.deliveries, 0, 'a crash now leaves what was durable');
  rmSync(filler);
  await until(clock, () => journal.state === 'ok' && isDurable(journal));
  await journal.close();
  await using again = await openSmall(disk.journal);
  assert.equal(again.statistics.deliveries, 100);
});

test('on a full disk the end is told: close fails, and the folder is free', async () => {
  using folder = new TemporaryFolder();
  let isFull = false;
  const files: LogFiles = {
    ...systemFiles,
    write: (fd, buffers, position) =>
      isFull ? Promise.reject(systemError('ENOSPC')) : systemFiles.write(fd, buffers, position),
  };
  const journal = await openSmall(folder.journal, { files });
  journal.recordSessionOpened('c', null, 60);
  await durable(journal);
  isFull = true;
  journal.recordSubscription('c', {
    filter: 't',
    qos: 1,
    noLocal: false,
    retainAsPublished: false,
    retainHandling: 0,
    subscriptionIdentifier: 0,
  });
  await assert.rejects(journal.close(), { code: 'JOURNAL_UNUSABLE', message: /the disk is full; make room/ });
  await using again = await openSmall(folder.journal);
  assert.equal(again.statistics.sessions, 1);
});

test('after a flush that failed nothing of that file is trusted: the batch goes to a new one', async () => {
  using folder = new TemporaryFolder();
  const clock = new FakeClock();
  let failures = 0;
  const files: LogFiles = {
    ...systemFiles,
    syncData: (fd) => (failures-- > 0 ? Promise.reject(systemError('EIO')) : systemFiles.syncData(fd)),
  };
  const journal = await openSmall(folder.journal, { files, clock, reserveBytes: 0 });
  journal.recordSessionOpened('c', null, 60);
  await durable(journal);
  for (const [round, count] of [1, 2, 5].entries()) {
    failures = count;
    const failed = nextState(journal);
    const before = journal.durableSequence;
    journal.recordDeliveryQueued('c', deliveryOf(round + 1, messageOf('t', 'x')));
    assert.match(await failed, /^failed: the disk failed to read or write/);
    assert.equal(journal.durableSequence, before);
    const names = readdirSync(folder.journal).filter((name) => name.endsWith('.log'));
    await until(clock, () => journal.state === 'ok' && isDurable(journal));
    const after = readdirSync(folder.journal).filter((name) => name.endsWith('.log'));
    assert.notEqual(after.at(-1), names.at(-1), 'in a new file');
  }
  const state = readable(journal);
  await journal.close();
  await using again = await openSmall(folder.journal);
  assert.deepEqual(readable(again), state);
});

test('a write that broke off in the middle is written again in its place', async () => {
  using folder = new TemporaryFolder();
  const clock = new FakeClock();
  let failures = 0;
  const files: LogFiles = {
    ...systemFiles,
    async write(fd, buffers, position) {
      if (failures-- <= 0) return systemFiles.write(fd, buffers, position);
      await systemFiles.write(fd, [buffers[0]!.subarray(0, 30)], position);
      throw systemError('ENOSPC');
    },
  };
  const journal = await openSmall(folder.journal, { files, clock });
  journal.recordSessionOpened('c', null, 60);
  for (let serial = 1; serial <= 20; serial++) {
    failures = serial % 3;
    journal.recordDeliveryQueued('c', deliveryOf(serial, messageOf('t', `payload ${serial}`)));
    await until(clock, () => isDurable(journal));
  }
  const state = readable(journal);
  await journal.close();
  await using again = await openSmall(folder.journal);
  assert.deepEqual(readable(again), state);
});

/** What a power cut leaves of writes that were not flushed: some of their blocks, in no order. */
class PowerCuts {
  readonly files: LogFiles;
  readonly #folder: string;
  readonly #random: () => number;
  readonly #unflushed = new Map<number, { buffers: readonly Buffer[]; position: number }[]>();
  readonly copies: { readonly folder: string; readonly durable: number; readonly recorded: number }[] = [];
  journal: FileJournal | null = null;

  constructor(folder: string, random: () => number) {
    this.#folder = folder;
    this.#random = random;
    this.files = {
      ...systemFiles,
      write: (fd, buffers, position) => {
        const kept = { buffers: buffers.map((one) => Buffer.from(one)), position };
        this.#unflushed.set(fd, [...(this.#unflushed.get(fd) ?? []), kept]);
        return systemFiles.write(fd, buffers, position);
      },
      syncData: async (fd) => {
        if (this.journal !== null && this.#random() < 0.2) this.#cut();
        await systemFiles.syncData(fd);
        this.#unflushed.delete(fd);
      },
      close: (fd) => {
        this.#unflushed.delete(fd);
        return systemFiles.close(fd);
      },
    };
  }

  /** A copy of the folder as it would be found after the power came back. */
  #cut(): void {
    const folder = path.join(path.dirname(this.#folder), `cut-${this.copies.length}`);
    mkdirSync(folder);
    const { durableSequence: durable, sequence: recorded } = this.journal!;
    this.copies.push({ folder, durable, recorded });
    for (const name of readdirSync(this.#folder)) {
      const bytes = readFileSync(path.join(this.#folder, name));
      if (name.endsWith('.log')) this.#lose(bytes);
      writeFileSync(path.join(folder, name), bytes);
    }
  }

  /** Zeros for blocks that did not reach the disk, where the file holds what was not flushed. */
  #lose(bytes: Buffer): void {
    const block = 64;
    for (const { buffers, position } of [...this.#unflushed.values()].flat()) {
      const written = Buffer.concat(buffers);
      const isHere = bytes.subarray(position, position + written.length).equals(written);
      if (!isHere) continue;
      for (let at = 0; at < written.length; at += block)
        if (this.#random() < 0.4)
          bytes.fill(0, position + at, position + Math.min(at + block, written.length));
    }
  }
}

test('a power cut in the middle of any commit leaves the state of a whole one, and all that was durable', async () => {
  const seed = Math.floor(Math.random() * 2 ** 31);
  let state = seed;
  const random = (): number => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) & 0x7fff_ffff;
    return state / 0x8000_0000;
  };
  using folder = new TemporaryFolder();
  const cuts = new PowerCuts(folder.journal, random);
  const journal = await openSmall(folder.journal, { files: cuts.files, segmentBytes: 1500, reserveBytes: 0 });
  cuts.journal = journal;
  const states = new Map<string, number[]>();
  const note = (): void => {
    const state = JSON.stringify(readable(journal));
    states.set(state, [...(states.get(state) ?? []), journal.sequence]);
  };
  note();
  journal.recordSessionOpened('c', null, 60);
  note();
  for (let serial = 1; serial <= 150; serial++) {
    const one = messageOf(`t/${serial % 7}`, `payload ${serial}`);
    journal.recordDeliveryQueued('c', deliveryOf(serial, one));
    if (serial % 5 === 0) journal.recordRetained(one);
    if (serial > 20) journal.recordDeliveryDone('c', serial - Math.floor(random() * 20));
    note();
    // One turn, or until all is durable: so batches differ in size and in what is under way.
    if (random() < 0.5) await new Promise((resolve) => setImmediate(resolve));
    else await durable(journal);
  }
  cuts.journal = null;
  await journal.close();
  assert.ok(cuts.copies.length > 10, `${cuts.copies.length} cuts`);
  for (const copy of cuts.copies) {
    await using found = await openSmall(copy.folder);
    const sequences = states.get(JSON.stringify(readable(found))) ?? [];
    const what = `seed ${seed}: ${sequences.join()} of ${copy.durable} durable and ${copy.recorded} recorded`;
    const isOne = sequences.some((sequence) => sequence >= copy.durable && sequence <= copy.recorded);
    assert.ok(isOne, what);
  }
});
