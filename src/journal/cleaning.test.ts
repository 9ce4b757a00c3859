import assert from 'node:assert/strict';
import { readdirSync, statSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import type { FileJournal } from './file-journal.ts';
import { deliveryOf, durable, messageOf, openSmall, readable, TemporaryFolder } from './journal-model.ts';

const segmentBytes = 64 * 1024;

/** Bytes of all files of the log. */
function diskBytes(folder: string): number {
  return readdirSync(folder)
    .filter((name) => name.endsWith('.log'))
    .reduce(
      (sum, name) => sum + (statSync(path.join(folder, name), { throwIfNoEntry: false })?.size ?? 0),
      0,
    );
}

/** Queues and ends `count` messages of a busy client, a hundred in a turn. */
async function traffic(journal: FileJournal, firstSerial: number, count: number): Promise<void> {
  for (let serial = firstSerial; serial < firstSerial + count; serial++) {
    journal.recordDeliveryQueued('busy', deliveryOf(serial, messageOf('busy/topic', Buffer.alloc(100))));
    journal.recordDeliverySent('busy', serial, (serial % 100) + 1);
    journal.recordDeliveryDone('busy', serial);
    if (serial % 100 === 0) await durable(journal);
  }
}

test('traffic that goes through leaves nothing on the disk; what waits is kept, readable and in order', async () => {
  using folder = new TemporaryFolder();
  let journal = await openSmall(folder.journal, { segmentBytes });
  journal.recordSessionOpened('busy', null, 60);
  journal.recordSessionOpened('away', 'owner', 60);
  for (let serial = 1; serial <= 1000; serial++) {
    const one = messageOf(`kept/${serial}`, Buffer.alloc(200, serial));
    journal.recordDeliveryQueued('away', deliveryOf(serial, one, { share: '$share/g/#', queuedAt: serial }));
    if (serial % 10 === 0) journal.recordRetained(one);
  }
  await durable(journal);
  const before = readable(journal);
  const { liveBytes } = journal.statistics;
  let largest = 0;
  for (let round = 0; round < 60; round++) {
    await traffic(journal, 1 + round * 400, 400);
    largest = Math.max(largest, diskBytes(folder.journal));
    const page = await journal.readDeliveries('away', round * 10, 10, 1e6);
    assert.deepEqual(
      page.map(({ serial }) => serial),
      Array.from({ length: 10 }, (_, i) => round * 10 + i + 1),
    );
    assert.ok(page.every(({ message, serial }) => message.payload.every((byte) => byte === serial % 256)));
  }
  const { bytesMoved, bytesWritten } = journal.statistics;
  assert.ok(bytesWritten > 20 * segmentBytes, `${bytesWritten} bytes written`);
  assert.ok(bytesMoved > liveBytes, `${bytesMoved} bytes moved`);
  assert.ok(largest < 2 * liveBytes + 5 * segmentBytes, `${largest} bytes on the disk for ${liveBytes}`);
  assert.deepEqual(readable(journal), before);
  await journal.close();
  journal = await openSmall(folder.journal, { segmentBytes });
  assert.deepEqual(readable(journal), before);
  await journal.close();
});

test('a backlog that is fetched gives the disk back on the way, also before a message that nobody fetches', async () => {
  using folder = new TemporaryFolder();
  await using journal = await openSmall(folder.journal, { segmentBytes });
  journal.recordSessionOpened('never', null, 60);
  journal.recordSessionOpened('c', null, 60);
  journal.recordDeliveryQueued('never', deliveryOf(1, messageOf('t', 'first')));
  for (let serial = 1; serial <= 5000; serial++) {
    journal.recordDeliveryQueued('c', deliveryOf(serial, messageOf('t', Buffer.alloc(200))));
    if (serial % 200 === 0) await durable(journal);
  }
  const full = diskBytes(folder.journal);
  assert.ok(full > 15 * segmentBytes);
  for (let serial = 1; serial <= 5000; serial++) {
    journal.recordDeliveryDone('c', serial);
    if (serial % 100 === 0) await durable(journal);
    if (serial === 2500) assert.ok(diskBytes(folder.journal) < full * 0.7, 'half of it');
  }
  // Something has to be written for each file that goes.
  for (let i = 0; i < 50; i++) {
    journal.recordIncoming('c', 1);
    await durable(journal);
  }
  assert.ok(diskBytes(folder.journal) <= 3 * segmentBytes, `${diskBytes(folder.journal)} bytes are left`);
  const [first] = await journal.readDeliveries('never', 0, 1, 1);
  assert.equal(first?.message.payload.toString(), 'first');
});

test('at its maximum the journal says that it is full, and takes messages again when there is room', async () => {
  using folder = new TemporaryFolder();
  await using journal = await openSmall(folder.journal, { maximumBytes: 400_000, reserveBytes: 0 });
  const states: string[] = [];
  journal.onState((state, reason) => states.push(`${state} ${reason}`));
  journal.recordSessionOpened('c', null, 60);
  let serial = 0;
  while (journal.state === 'ok') {
    journal.recordDeliveryQueued('c', deliveryOf(++serial, messageOf('t', Buffer.alloc(1000))));
    await durable(journal);
  }
  assert.ok(serial > 300 && serial < 420, `${serial} messages`);
  for (let done = 1; done <= serial; done++) {
    journal.recordDeliveryDone('c', done);
    await durable(journal);
  }
  assert.equal(journal.state, 'ok');
  assert.equal(states.length, 2);
  assert.match(states[0]!, /^full it has reached its maximum size/);
});

test('while more waits for the disk than is allowed in memory, the journal is full', async () => {
  using folder = new TemporaryFolder();
  await using journal = await openSmall(folder.journal, { maximumPendingBytes: 50_000 });
  journal.recordSessionOpened('c', null, 60);
  for (let serial = 1; serial <= 100; serial++)
    journal.recordDeliveryQueued('c', deliveryOf(serial, messageOf('t', Buffer.alloc(1000))));
  const states: string[] = [];
  journal.onState((state) => states.push(state));
  await durable(journal);
  assert.deepEqual(states, ['full', 'ok']);
});
