import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FakeClock, silentLogger } from '#base';
import { Client } from '#client';
import { MemoryJournal } from '#journal';
import { bridgeTopic } from '../../test/helpers/bridge-config.ts';
import {
  connectClient,
  createBridge,
  CutDialer,
  LateDialer,
  Site,
  waitForPath,
} from '../../test/helpers/bridged-sites.ts';
import { wideLimits } from '../../test/helpers/broker-harness.ts';
import { turnUntil } from '../../test/helpers/session-broker.ts';
import { SlowJournal } from '../../test/helpers/slow-journal.ts';

test('what is published while the other broker is away waits in our session and follows in order', async () => {
  const clock = new FakeClock();
  const [near, far] = [new Site('north', clock), new Site('relay', clock)];
  const line = new CutDialer(far.dialer);
  const link = createBridge(near, far, clock, [bridgeTopic('out', 1)], {}, [near.dialer, line]);
  const receiver = await connectClient(far, clock);
  await receiver.subscribe([{ filter: 'gas/#', qos: 1 }]);
  const sender = await connectClient(near, clock, { clientId: 'sender' });
  link.start();
  await waitForPath(sender, receiver, clock);
  await link.close();
  const got: string[] = [];
  receiver.onMessage = (message) => got.push(message.payload.toString());
  const expected = Array.from({ length: 300 }, (_, index) => String(index));
  await Promise.all(expected.map((payload) => sender.publish('gas/d1', payload, { qos: 1 })));
  link.start();
  await turnUntil(() => got.length === 300, clock);
  assert.deepEqual(got, expected);
  await Promise.all([link.close(), receiver.close(), sender.close()]);
  await Promise.all([near.broker.close(), far.broker.close()]);
});

for (const qos of [0, 1, 2] as const) {
  test(`what is published before the first connection waits in the queue, retained messages come once (QoS ${qos})`, async () => {
    const clock = new FakeClock();
    const [site, cloud] = [new Site('site', clock), new Site('cloud', clock)];
    const line = new LateDialer(cloud.dialer);
    const publisher = await connectClient(site, clock);
    await publisher.publish('gas/state', 'online', { qos: 1, retain: true });
    const link = createBridge(site, cloud, clock, [bridgeTopic('out', qos)], {}, [site.dialer, line]);
    link.start();
    await turnUntil(() => link.status.state === 'waiting', clock);
    const early = Array.from({ length: 10 }, (_, index) => String(index));
    for (const payload of early) await publisher.publish('gas/early', payload, { qos: 2 });

    const receiver = await connectClient(cloud, clock);
    const got: string[] = [];
    receiver.onMessage = (message) => got.push(`${message.topic} ${message.payload.toString()}`);
    await receiver.subscribe([{ filter: 'gas/#', qos: 2 }]);
    line.isReachable = true;
    await turnUntil(() => got.includes('gas/state online'), clock);
    await publisher.publish('gas/last', '', { qos: 2 });
    await turnUntil(() => got.includes('gas/last '), clock);
    // What is published at QoS 0, or carried at it, waits for nobody.
    const queued = qos === 0 ? [] : early.map((payload) => `gas/early ${payload}`);
    assert.deepEqual(
      got.filter((entry) => entry.startsWith('gas/early')),
      queued,
    );
    // A link that comes back does not bring what is retained again.
    await link.close();
    link.start();
    await turnUntil(() => link.status.connects === 2, clock);
    await publisher.publish('gas/end', '', { qos: 2 });
    await turnUntil(() => got.includes('gas/end '), clock);
    assert.equal(got.filter((entry) => entry === 'gas/state online').length, 1);
    await Promise.all([link.close(), publisher.close(), receiver.close()]);
    await Promise.all([site.broker.close(), cloud.broker.close()]);
  });
}

test('the queue outlives the session expiry of our broker, however long the other side is away', async () => {
  const clock = new FakeClock();
  const limits = { ...wideLimits, maximumSessionExpirySeconds: 60 };
  const [site, cloud] = [new Site('site', clock, new MemoryJournal(), limits), new Site('cloud', clock)];
  const line = new LateDialer(cloud.dialer);
  const link = createBridge(site, cloud, clock, [bridgeTopic('out', 2)], {}, [site.dialer, line]);
  link.start();
  await turnUntil(() => link.status.state === 'waiting', clock);
  const publisher = await connectClient(site, clock);
  await publisher.publish('gas/early', '1', { qos: 2 });
  const receiver = await connectClient(cloud, clock);
  const got: string[] = [];
  receiver.onMessage = (message) => got.push(message.payload.toString());
  await receiver.subscribe([{ filter: 'gas/#', qos: 2 }]);
  const backAt = clock.now() + 600_000;
  await turnUntil(() => clock.now() >= backAt, clock, 2000);
  line.isReachable = true;
  await turnUntil(() => got.length > 0, clock);
  await publisher.publish('gas/last', 'last', { qos: 2 });
  await turnUntil(() => got.includes('last'), clock);
  assert.deepEqual(got, ['1', 'last']);
  await Promise.all([link.close(), publisher.close(), receiver.close()]);
  await Promise.all([site.broker.close(), cloud.broker.close()]);
});

test('a power cut before the first connection: what was queued and what is retained come after it', async () => {
  const clock = new FakeClock();
  const cloud = new Site('cloud', clock);
  const line = new LateDialer(cloud.dialer);
  const journal = new SlowJournal();
  const before = new Site('site', clock, journal);
  const topics = [bridgeTopic('out', 2)];
  let journalNow = journal;
  const turns = {
    advance: (milliseconds: number): void => {
      journalNow.commit();
      clock.advance(milliseconds);
    },
  };
  const publisher = new Client({
    dialer: before.dialer,
    clock,
    log: silentLogger,
    clientId: 'publisher',
    version: 5,
    cleanStart: true,
    keepAliveSeconds: 0,
    reconnect: false,
  });
  let isDone = false;
  const publish = async (...[name, payload, options]: Parameters<Client['publish']>): Promise<void> => {
    isDone = false;
    void publisher.publish(name, payload, options).then(() => {
      isDone = true;
    });
    await turnUntil(() => isDone, turns);
  };
  await publisher.connect();
  await publish('gas/state', 'online', { qos: 1, retain: true });
  const link = createBridge(before, cloud, clock, topics, {}, [before.dialer, line]);
  link.start();
  await turnUntil(() => link.status.state === 'waiting', turns);
  await publish('gas/early', '1', { qos: 2 });
  await link.close();

  journalNow = journal.crash();
  const after = new Site('site', clock, journalNow);
  const receiver = await connectClient(cloud, clock);
  const got: string[] = [];
  receiver.onMessage = (message) => got.push(`${message.topic} ${message.payload.toString()}`);
  await receiver.subscribe([{ filter: 'gas/#', qos: 2 }]);
  const again = createBridge(after, cloud, clock, topics, {}, [after.dialer, line]);
  line.isReachable = true;
  again.start();
  await turnUntil(() => got.length >= 2, turns);
  assert.deepEqual(got, ['gas/early 1', 'gas/state online']);
  await Promise.all([again.close(), receiver.close(), publisher.close()]);
  await Promise.all([before.broker.close(), after.broker.close(), cloud.broker.close()]);
});
