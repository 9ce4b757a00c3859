import assert from 'node:assert/strict';
import { statSync, readdirSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import * as fc from 'fast-check';
import type { PublishProperties, Qos } from '#mqtt';
import type { StoredMessage } from '#broker';
import type { FileJournal } from './file-journal.ts';
import {
  deliveryOf,
  durable,
  JournalModel,
  messageOf,
  openSmall,
  readable,
  readableDelivery,
  TemporaryFolder,
} from './journal-model.ts';

const text = fc.string({
  unit: fc.constantFrom('a', 'b', '/', 'é', '漢', '🙂'),
  minLength: 1,
  maxLength: 20,
});
const properties: fc.Arbitrary<PublishProperties | null> = fc.oneof(
  fc.constant(null),
  fc.record({
    payloadFormat: fc.constantFrom(0, 1, undefined),
    messageExpiry: fc.constantFrom(7, 4_000_000_000),
    topicAlias: fc.constant(undefined),
    responseTopic: fc.option(text, { nil: undefined }),
    correlationData: fc.option(
      fc.uint8Array({ maxLength: 9 }).map((bytes) => Buffer.from(bytes)),
      { nil: undefined },
    ),
    contentType: fc.option(text, { nil: undefined }),
    userProperties: fc.array(fc.tuple(text, text), { maxLength: 2 }),
    subscriptionIdentifiers: fc.constant([]),
  }),
);
const qos = fc.constantFrom<Qos[]>(0, 1, 2);
const message: fc.Arbitrary<StoredMessage> = fc.record({
  topic: text,
  payload: fc.uint8Array({ maxLength: 300 }).map((bytes) => Buffer.from(bytes)),
  qos,
  properties,
  publisherId: text,
  expiresAt: fc.constantFrom(0, 1_800_000_000_123),
  journalId: fc.constant(0),
});

const client = fc.constantFrom('c1', 'c2', 'c3', 'client with a 🙂');
const number = fc.nat(1000);

/** One thing that a broker does, on the journal and on the model. */
type Step = (world: World) => void | Promise<void>;

class World {
  readonly folder: string;
  journal: FileJournal;
  readonly model = new JournalModel();
  readonly serials = new Map<string, number>();
  readonly messages: StoredMessage[] = [];

  constructor(folder: string, journal: FileJournal) {
    this.folder = folder;
    this.journal = journal;
  }

  /** The session's deliveries and one of their serials. */
  pick(clientId: string, choice: number): number | undefined {
    const serials = [...(this.model.sessions.get(clientId)?.deliveries.keys() ?? [])];
    return serials.length === 0 ? undefined : serials[choice % serials.length];
  }

  /** A message of this run; another run of the same steps may have stored the same object. */
  meet(one: StoredMessage): void {
    if (this.messages.includes(one)) return;
    one.journalId = 0;
    this.messages.push(one);
  }

  async reopen(): Promise<void> {
    await this.journal.close();
    this.journal = await openSmall(this.folder);
    for (const one of this.messages) one.journalId = 0; // another process has other objects
    assert.deepEqual(readable(this.journal), this.model.readable);
  }
}

function queue(world: World, clients: readonly string[], one: StoredMessage, more: object): void {
  world.meet(one);
  for (const clientId of clients) {
    const session = world.model.sessions.get(clientId);
    if (session === undefined) continue;
    const serial = (world.serials.get(clientId) ?? 0) + 1;
    world.serials.set(clientId, serial);
    const delivery = deliveryOf(serial, one, more);
    world.journal.recordDeliveryQueued(clientId, delivery);
    session.deliveries.set(serial, { ...delivery, packetId: 0, received: false });
  }
}

const steps: fc.Arbitrary<Step> = fc.oneof(
  fc
    .record({ client, owner: fc.constantFrom(null, 'user'), expiry: fc.constantFrom(1, 0xffff_ffff) })
    .map(({ client: clientId, owner, expiry }): Step => ({ journal, model, serials }) => {
      const former = model.sessions.get(clientId);
      const kept = former?.owner ?? owner;
      if (former === undefined) serials.delete(clientId);
      journal.recordSessionOpened(clientId, kept, expiry);
      model.open(clientId, kept, expiry);
    }),
  fc
    .record({ client, at: fc.constantFrom(1, 1_800_000_000_000) })
    .map(({ client: clientId, at }): Step => ({ journal, model }) => {
      const session = model.sessions.get(clientId);
      if (session === undefined) return;
      journal.recordSessionClosed(clientId, 60, at);
      Object.assign(session, { expirySeconds: 60, disconnectedAt: at });
    }),
  client.map((clientId): Step => ({ journal, model }) => {
    journal.recordSessionEnded(clientId);
    model.sessions.delete(clientId);
  }),
  fc
    .record({ client, filter: text, qos, bits: fc.nat(11), removes: fc.boolean() })
    .map(({ client: clientId, filter, qos: wanted, bits, removes }): Step => ({ journal, model }) => {
      const session = model.sessions.get(clientId);
      if (session === undefined) return;
      if (removes) {
        journal.recordUnsubscription(clientId, filter);
        session.subscriptions.delete(filter);
        return;
      }
      const options = {
        filter,
        qos: wanted,
        noLocal: (bits & 1) !== 0,
        retainAsPublished: (bits & 2) !== 0,
        retainHandling: (bits >> 2) as 0 | 1 | 2,
        subscriptionIdentifier: bits * 1000,
      };
      journal.recordSubscription(clientId, options);
      session.subscriptions.set(filter, options);
    }),
  fc
    .record({
      clients: fc.uniqueArray(client, { minLength: 1 }),
      message,
      more: fc.record({
        qos: fc.constantFrom(1, 2),
        retain: fc.boolean(),
        subscriptionIdentifiers: fc.array(fc.integer({ min: 1, max: 268_435_455 }), { maxLength: 3 }),
        share: fc.constantFrom('', '$share/group/#'),
        isUrgent: fc.boolean(),
        queuedAt: fc.constantFrom(0, 1_800_000_000_001),
      }),
    })
    .map(
      ({ clients, message: one, more }): Step =>
        (world) =>
          queue(world, clients, one, more),
    ),
  fc.record({ client, choice: number }).map(({ client: clientId, choice }): Step => (world) => {
    const { messages } = world;
    const again = messages[choice % messages.length];
    if (again !== undefined) queue(world, [clientId], again, { qos: 2 });
  }),
  fc
    .record({ client, choice: number, packetId: fc.integer({ min: 1, max: 65_535 }), how: fc.nat(3) })
    .map(({ client: clientId, choice, packetId, how }): Step => (world) => {
      const { journal, model } = world;
      const serial = world.pick(clientId, choice);
      const deliveries = model.sessions.get(clientId)?.deliveries;
      if (serial === undefined || deliveries === undefined) return;
      const delivery = deliveries.get(serial)!;
      if (how === 0) {
        journal.recordDeliverySent(clientId, serial, packetId);
        deliveries.set(serial, { ...delivery, packetId });
      } else if (how === 1 && delivery.packetId !== 0) {
        journal.recordDeliveryReceived(clientId, serial);
        deliveries.set(serial, { ...delivery, received: true });
      } else {
        journal.recordDeliveryDone(clientId, serial);
        deliveries.delete(serial);
      }
    }),
  fc
    .record({ client, packetId: fc.integer({ min: 1, max: 5 }), releases: fc.boolean() })
    .map(({ client: clientId, packetId, releases }): Step => ({ journal, model }) => {
      const session = model.sessions.get(clientId);
      if (session === undefined) return;
      if (releases) {
        journal.recordIncomingReleased(clientId, packetId);
        session.incoming.delete(packetId);
      } else {
        journal.recordIncoming(clientId, packetId);
        session.incoming.add(packetId);
      }
    }),
  fc
    .record({ message, clears: fc.boolean() })
    .map(({ message: one, clears }): Step => ({ journal, model, messages }) => {
      messages.push(one);
      if (clears) {
        journal.recordRetainedCleared(one.topic);
        model.retained.delete(one.topic);
      } else {
        journal.recordRetained(one);
        model.retained.set(one.topic, one);
      }
    }),
  fc
    .record({ client, message, delay: fc.constantFrom(1, 4_000_000_000), clears: fc.boolean() })
    .map(({ client: clientId, message: one, delay, clears }): Step => ({ journal, model }) => {
      const session = model.sessions.get(clientId);
      if (session === undefined) return;
      if (clears) {
        journal.recordWillCleared(clientId);
        session.will = null;
        return;
      }
      const { topic, payload, qos: willQos, properties: more } = one;
      const will = { topic, payload, qos: willQos, retain: delay === 1, delay, properties: more };
      session.will = { will, dueAt: 1_800_000_000_000 + delay };
      journal.recordWill(clientId, session.will);
    }),
  fc
    .record({ client, after: fc.nat(30), count: fc.integer({ min: 1, max: 20 }), bytes: fc.nat(2000) })
    .map(({ client: clientId, after, count, bytes }): Step => async ({ journal, model }) => {
      const page = await journal.readDeliveries(clientId, after, count, bytes);
      const expected = [...(model.sessions.get(clientId)?.deliveries.values() ?? [])]
        .filter(({ serial, packetId, isUrgent }) => serial > after && packetId === 0 && isUrgent !== true)
        .toSorted((a, b) => a.serial - b.serial);
      assert.ok(page.length <= count && (page.length > 0 || expected.length === 0));
      assert.deepEqual(page.map(readableDelivery), expected.slice(0, page.length).map(readableDelivery));
    }),
  fc.constant<Step>(({ journal }) => durable(journal)),
  fc.constant<Step>((world) => world.reopen()),
);

test('whatever is recorded, in small files that are tidied up on the way, is what the next start finds', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(steps, { minLength: 20, maxLength: 300, size: 'max' }), async (list) => {
      using folder = new TemporaryFolder();
      const world = new World(folder.journal, await openSmall(folder.journal));
      for (const step of list) await step(world);
      await world.reopen();
      await world.journal.close();
    }),
    { numRuns: 40 },
  );
});

test('a message that goes to many is written once, and its bytes are given back with the last of them', async () => {
  using folder = new TemporaryFolder();
  await using journal = await openSmall(folder.journal, { segmentBytes: 1 << 20 });
  const shared = messageOf('t', Buffer.alloc(10_000));
  for (let i = 0; i < 50; i++) {
    journal.recordSessionOpened(`c${i}`, null, 60);
    journal.recordDeliveryQueued(`c${i}`, deliveryOf(1, shared));
  }
  journal.recordRetained(shared);
  await durable(journal);
  assert.equal(journal.statistics.messages, 1);
  assert.ok(journal.statistics.bytes < 15_000, `${journal.statistics.bytes} bytes`);
  for (let i = 0; i < 50; i++) journal.recordDeliveryDone(`c${i}`, 1);
  assert.equal(journal.statistics.messages, 1);
  journal.recordRetainedCleared('t');
  assert.equal(journal.statistics.messages, 0);
  // A message that was forgotten is written anew.
  journal.recordDeliveryQueued('c1', deliveryOf(2, shared));
  const [again] = await journal.readDeliveries('c1', 0, 10, 1000);
  assert.equal(again?.message.payload.length, 10_000);
});

test('nothing is durable before it is on the disk, everything after close; records in one turn share a flush', async () => {
  using folder = new TemporaryFolder();
  const journal = await openSmall(folder.journal);
  let calls = 0;
  journal.onDurable(() => calls++);
  journal.recordSessionOpened('c', 'owner', 60);
  for (let serial = 1; serial <= 20; serial++)
    journal.recordDeliveryQueued('c', deliveryOf(serial, messageOf('t', String(serial))));
  assert.equal(journal.sequence, 21);
  assert.equal(journal.durableSequence, 0);
  await journal.close();
  assert.equal(journal.durableSequence, 21);
  assert.equal(journal.statistics.flushes, 1);
  assert.equal(calls, 1);
});

test('files are for their owner alone', { skip: process.platform === 'win32' }, async () => {
  using folder = new TemporaryFolder();
  await using journal = await openSmall(folder.journal);
  journal.recordSessionOpened('c', null, 60);
  await durable(journal);
  assert.equal(statSync(folder.journal).mode & 0o777, 0o700);
  for (const name of readdirSync(folder.journal))
    assert.equal(statSync(path.join(folder.journal, name)).mode & 0o777, 0o600, name);
});

test('a record for a session that is not open is refused, not forgotten', async () => {
  using folder = new TemporaryFolder();
  await using journal = await openSmall(folder.journal);
  assert.throws(() => journal.recordDeliveryQueued('nobody', deliveryOf(1, messageOf('t', 'x'))), {
    code: 'BUG',
  });
  journal.recordSessionOpened('c', null, 60);
  journal.recordDeliveryQueued('c', deliveryOf(5, messageOf('t', 'x')));
  assert.throws(() => journal.recordDeliveryQueued('c', deliveryOf(5, messageOf('t', 'y'))), { code: 'BUG' });
});

test('the numbers of deliveries go on after a restart, also when all of them are gone', async () => {
  using folder = new TemporaryFolder();
  const first = await openSmall(folder.journal);
  first.recordSessionOpened('c', null, 3600);
  for (let serial = 1; serial <= 50; serial++) {
    first.recordDeliveryQueued('c', deliveryOf(serial, messageOf('t', 'x')));
    first.recordDeliveryDone('c', serial);
  }
  first.recordSessionClosed('c', 3600, 1);
  await first.close();
  await using second = await openSmall(folder.journal);
  const [session] = second.load().sessions;
  assert.equal(session?.queue?.lastSerial, 50);
  assert.equal(session.queue.messages, 0);
});
