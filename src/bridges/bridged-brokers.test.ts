import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FakeClock, silentLogger, type Dialer, type Transport } from '#base';
import { Broker, type Journal, type ListenerProfile } from '#broker';
import { Client, type ClientOptions } from '#client';
import type { BridgeConfig, BridgeTopicConfig } from '#config';
import { MemoryJournal } from '#journal';
import { createMemoryDialer } from '#listeners';
import { openAuthenticator, openAuthorizer, wideLimits } from '../../test/helpers/broker-harness.ts';
import { turnUntil } from '../../test/helpers/session-broker.ts';
import { SlowJournal } from '../../test/helpers/slow-journal.ts';
import { Bridge } from './bridge.ts';

/** A whole broker, reached through memory; every connection can be cut. */
class Site {
  readonly name: string;
  readonly broker: Broker;
  readonly dialer: Dialer;

  constructor(name: string, clock: FakeClock, journal: Journal = new MemoryJournal(), limits = wideLimits) {
    this.name = name;
    const profile: ListenerProfile = {
      name,
      authenticator: openAuthenticator,
      authorizer: openAuthorizer,
      stampSite: null,
      minimumQos: 0,
      sharedClientIds: new Set(),
    };
    this.broker = new Broker({
      clock,
      log: silentLogger,
      limits,
      journal,
      name,
      version: '0.0.0',
    });
    this.broker.start();
    this.dialer = createMemoryDialer((transport) => {
      this.broker.accept(transport, profile);
    });
  }

  /** As the broker itself. */
  publish(topic: string, payload: string): void {
    this.broker.publish({ topic, payload: Buffer.from(payload), qos: 1, retain: false });
  }
}

function bridge(
  from: Site,
  to: Site,
  clock: FakeClock,
  topics: readonly BridgeTopicConfig[],
  change: Partial<BridgeConfig> = {},
  [localDialer, remoteDialer]: readonly [Dialer, Dialer] = [from.dialer, to.dialer],
): Bridge {
  const config: BridgeConfig = {
    name: to.name,
    host: 'memory',
    port: 0,
    tls: null,
    protocolVersion: 5,
    clientId: `${from.name}-${to.name}`,
    username: null,
    passwordFile: null,
    keepAliveSeconds: 0,
    cleanStart: false,
    sessionExpirySeconds: 3600,
    retryMinimumMs: 100,
    retryMaximumMs: 1000,
    topics,
    ...change,
  };
  return new Bridge({ config, brokerName: from.name, localDialer, remoteDialer, clock, log: silentLogger });
}

async function client(site: Site, clock: FakeClock, change: Partial<ClientOptions> = {}): Promise<Client> {
  const made = new Client({
    dialer: site.dialer,
    clock,
    log: silentLogger,
    clientId: `client-of-${site.name}`,
    version: 5,
    cleanStart: false,
    keepAliveSeconds: 0,
    sessionExpirySeconds: 3600,
    reconnect: { minimumMs: 100, maximumMs: 1000 },
    ...change,
  });
  await made.connect();
  return made;
}

const topic = (direction: 'in' | 'out' | 'both', qos: 0 | 1 | 2): BridgeTopicConfig => ({
  filter: 'gas/#',
  direction,
  qos,
  localPrefix: '',
  remotePrefix: '',
});

/** A subscriber of `gas/#` at QoS 0, whom a slow journal does not delay. */
class Watcher {
  readonly got: string[] = [];
  readonly #client: Client;

  constructor(site: Site, clock: FakeClock) {
    this.#client = new Client({
      dialer: site.dialer,
      clock,
      log: silentLogger,
      clientId: 'subscriber',
      version: 5,
      cleanStart: true,
      keepAliveSeconds: 0,
      reconnect: false,
    });
    this.#client.onMessage = (message) => this.got.push(message.payload.toString());
  }

  async start(turns: { advance(milliseconds: number): void }): Promise<void> {
    let isReady = false;
    const ready = this.#client
      .connect()
      .then(() => this.#client.subscribe([{ filter: 'gas/#', qos: 0 }]))
      .then(() => {
        isReady = true;
      });
    await turnUntil(() => isReady, turns);
    await ready;
  }

  close(): Promise<void> {
    return this.#client.close();
  }
}

/** A dialer that remembers its last connection, to cut it. */
class CutDialer implements Dialer {
  readonly target = 'memory';
  readonly #dialer: Dialer;
  #transport: Transport | null = null;

  constructor(dialer: Dialer) {
    this.#dialer = dialer;
  }

  async dial(...[handler, signal]: Parameters<Dialer['dial']>): Promise<Transport> {
    this.#transport = await this.#dialer.dial(handler, signal);
    return this.#transport;
  }

  cut(): void {
    this.#transport?.destroy();
  }
}

/** Publishes until something arrives: from then on the bridge has its subscription. */
async function waitForPath(sender: Client, receiver: Client, clock: FakeClock): Promise<void> {
  let arrived = false;
  receiver.onMessage = () => {
    arrived = true;
  };
  const probe = Buffer.from('probe');
  await turnUntil(() => arrived || (sender.publishQuietly('gas/probe', probe, 0) && false), clock);
  // The last probe is behind all others.
  await sender.publish('gas/last', '', { qos: 1 });
  let isLast = false;
  receiver.onMessage = (message) => {
    isLast ||= message.topic === 'gas/last';
  };
  await turnUntil(() => isLast, clock);
}

for (const [direction, protocolVersion] of [
  ['out', 5],
  ['in', 5],
  ['out', 4],
  ['in', 4],
] as const) {
  test(`QoS 2 ${direction} over version ${protocolVersion}: a thousand messages and many cuts, each once and in order`, async () => {
    const clock = new FakeClock();
    const [near, far] = [new Site('north', clock), new Site('relay', clock)];
    const lines = [new CutDialer(near.dialer), new CutDialer(far.dialer)] as const;
    const link = bridge(near, far, clock, [topic(direction, 2)], { protocolVersion }, lines);
    const [source, target] = direction === 'out' ? [near, far] : [far, near];
    const receiver = await client(target, clock);
    await receiver.subscribe([{ filter: 'gas/#', qos: 2 }]);
    const sender = await client(source, clock, { clientId: 'sender' });
    link.start();
    await waitForPath(sender, receiver, clock);

    const got: number[] = [];
    receiver.onMessage = (message) => got.push(Number(message.payload.toString()));
    const answers = Array.from({ length: 1000 }, (_, index) =>
      sender.publish('gas/d1', String(index), { qos: 2 }),
    );
    let cuts = 0;
    for (let mark = 50; mark < 1000; mark += 90) {
      await turnUntil(() => got.length >= mark, clock);
      lines[cuts % 2 === 0 ? 0 : 1].cut();
      cuts += 1;
    }
    await Promise.all(answers);
    await turnUntil(() => got.length >= 1000, clock);
    assert.deepEqual(
      got,
      Array.from({ length: 1000 }, (_, index) => index),
    );
    assert.ok(link.status.connects > cuts / 2, `${link.status.connects} connections for ${cuts} cuts`);
    await Promise.all([link.close(), receiver.close(), sender.close()]);
    await Promise.all([near.broker.close(), far.broker.close()]);
  });
}

for (const protocolVersion of [5, 4] as const) {
  test(`a bridge that carries everything both ways over version ${protocolVersion} gives nobody a message twice`, async () => {
    const clock = new FakeClock();
    const [near, far] = [new Site('north', clock), new Site('relay', clock)];
    const link = bridge(near, far, clock, [{ ...topic('both', 1), filter: '#' }], { protocolVersion });
    const receivers = [await client(near, clock), await client(far, clock)] as const;
    for (const receiver of receivers) await receiver.subscribe([{ filter: 'gas/#', qos: 1 }]);
    const senders = [
      await client(near, clock, { clientId: 'sender' }),
      await client(far, clock, { clientId: 'sender' }),
    ] as const;
    link.start();
    await waitForPath(senders[0], receivers[1], clock);
    await waitForPath(senders[1], receivers[0], clock);
    const got: [string[], string[]] = [[], []];
    receivers[0].onMessage = (message) => got[0].push(message.topic);
    receivers[1].onMessage = (message) => got[1].push(message.topic);
    for (const name of ['gas/1', 'gas/2', 'gas/end']) await senders[0].publish(name, '', { qos: 1 });
    await turnUntil(() => got[1].includes('gas/end'), clock);
    // What comes back would be here before the answer to a message that makes the way after it.
    await senders[1].publish('gas/back', '', { qos: 1 });
    await turnUntil(() => got[0].includes('gas/back'), clock);
    const once = ['gas/1', 'gas/2', 'gas/end', 'gas/back'];
    assert.deepEqual(got[1], once);
    // 3.1.1 has no way to say "not my own": only a broker that knows bit 7 of the level keeps them back.
    if (protocolVersion === 5) assert.deepEqual(got[0], once);
    await Promise.all([link.close(), ...[...senders, ...receivers].map((one) => one.close())]);
    await Promise.all([near.broker.close(), far.broker.close()]);
  });
}

test('two brokers that are both bridged to each other both ways: copies end, they do not go round', async () => {
  const clock = new FakeClock();
  const [near, far] = [new Site('north', clock), new Site('relay', clock)];
  const links = [bridge(near, far, clock, [topic('both', 1)]), bridge(far, near, clock, [topic('both', 1)])];
  const receiver = await client(far, clock);
  await receiver.subscribe([{ filter: 'gas/#', qos: 1 }]);
  const sender = await client(near, clock, { clientId: 'sender' });
  for (const link of links) link.start();
  await waitForPath(sender, receiver, clock);
  const passed = (): number => links.reduce((sum, { status }) => sum + status.sent + status.received, 0);
  let before = -1;
  let quietTurns = 0;
  await turnUntil(() => {
    quietTurns = passed() === before ? quietTurns + 1 : 0;
    before = passed();
    return quietTurns === 50;
  }, clock);
  assert.ok(links.some(({ status }) => status.loops > 0));
  // Both are told, none loses anything, and what was published here does not come back here.
  assert.ok(links.every(({ status }) => status.crossed > 0));
  const near2 = await client(near, clock, { clientId: 'near-receiver' });
  await near2.subscribe([{ filter: 'gas/#', qos: 1 }]);
  const got: [string[], string[]] = [[], []];
  near2.onMessage = (message) => got[0].push(message.payload.toString());
  receiver.onMessage = (message) => got[1].push(message.payload.toString());
  for (const payload of ['1', '2', '3']) await sender.publish('gas/x', payload, { qos: 1 });
  quietTurns = 0;
  await turnUntil(() => {
    quietTurns = passed() === before ? quietTurns + 1 : 0;
    before = passed();
    return quietTurns === 50;
  }, clock);
  assert.deepEqual(got[0], ['1', '2', '3']);
  assert.deepEqual([...new Set(got[1])], ['1', '2', '3']);
  assert.equal(got[1].length, 6, 'once by each bridge');
  await near2.close();
  await Promise.all([...links.map((link) => link.close()), sender.close(), receiver.close()]);
  await Promise.all([near.broker.close(), far.broker.close()]);
});

test('what is published while the other broker is away waits in our session and follows in order', async () => {
  const clock = new FakeClock();
  const [near, far] = [new Site('north', clock), new Site('relay', clock)];
  const line = new CutDialer(far.dialer);
  const link = bridge(near, far, clock, [topic('out', 1)], {}, [near.dialer, line]);
  const receiver = await client(far, clock);
  await receiver.subscribe([{ filter: 'gas/#', qos: 1 }]);
  const sender = await client(near, clock, { clientId: 'sender' });
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

/** A dialer whose other end is out of reach until it is said to be there. */
class LateDialer implements Dialer {
  readonly target = 'memory';
  isReachable = false;
  readonly #dialer: Dialer;

  constructor(dialer: Dialer) {
    this.#dialer = dialer;
  }

  dial(...[handler, signal]: Parameters<Dialer['dial']>): Promise<Transport> {
    return this.isReachable ? this.#dialer.dial(handler, signal) : Promise.reject(new Error('not there yet'));
  }
}

for (const qos of [0, 1, 2] as const) {
  test(`what is published before the first connection waits in the queue, retained messages come once (QoS ${qos})`, async () => {
    const clock = new FakeClock();
    const [site, cloud] = [new Site('site', clock), new Site('cloud', clock)];
    const line = new LateDialer(cloud.dialer);
    const publisher = await client(site, clock);
    await publisher.publish('gas/state', 'online', { qos: 1, retain: true });
    const link = bridge(site, cloud, clock, [topic('out', qos)], {}, [site.dialer, line]);
    link.start();
    await turnUntil(() => link.status.state === 'waiting', clock);
    const early = Array.from({ length: 10 }, (_, index) => String(index));
    for (const payload of early) await publisher.publish('gas/early', payload, { qos: 2 });

    const receiver = await client(cloud, clock);
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
  const link = bridge(site, cloud, clock, [topic('out', 2)], {}, [site.dialer, line]);
  link.start();
  await turnUntil(() => link.status.state === 'waiting', clock);
  const publisher = await client(site, clock);
  await publisher.publish('gas/early', '1', { qos: 2 });
  const receiver = await client(cloud, clock);
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
  const topics = [topic('out', 2)];
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
  const link = bridge(before, cloud, clock, topics, {}, [before.dialer, line]);
  link.start();
  await turnUntil(() => link.status.state === 'waiting', turns);
  await publish('gas/early', '1', { qos: 2 });
  await link.close();

  journalNow = journal.crash();
  const after = new Site('site', clock, journalNow);
  const receiver = await client(cloud, clock);
  const got: string[] = [];
  receiver.onMessage = (message) => got.push(`${message.topic} ${message.payload.toString()}`);
  await receiver.subscribe([{ filter: 'gas/#', qos: 2 }]);
  const again = bridge(after, cloud, clock, topics, {}, [after.dialer, line]);
  line.isReachable = true;
  again.start();
  await turnUntil(() => got.length >= 2, turns);
  assert.deepEqual(got, ['gas/early 1', 'gas/state online']);
  await Promise.all([again.close(), receiver.close(), publisher.close()]);
  await Promise.all([before.broker.close(), after.broker.close(), cloud.broker.close()]);
});

for (const direction of ['out', 'in'] as const) {
  test(`${direction}: messages that the receiving broker ends the connection for hold nothing up`, async () => {
    const clock = new FakeClock();
    const narrow = { ...wideLimits, maximumTopicLevels: 4, maximumUserProperties: 3 };
    const [near, far] = [
      new Site('near', clock, new MemoryJournal(), direction === 'in' ? narrow : wideLimits),
      new Site('far', clock, new MemoryJournal(), direction === 'out' ? narrow : wideLimits),
    ];
    const [source, target] = direction === 'out' ? [near, far] : [far, near];
    const link = bridge(near, far, clock, [topic(direction, 1)]);
    const receiver = await client(target, clock);
    await receiver.subscribe([{ filter: 'gas/#', qos: 1 }]);
    const sender = await client(source, clock, { clientId: 'sender' });
    link.start();
    await waitForPath(sender, receiver, clock);
    const got: string[] = [];
    receiver.onMessage = (message) => got.push(message.payload.toString());
    await sender.publish('gas/1', 'before', { qos: 1 });
    await sender.publish('gas/1/2/3/4/5', 'too deep', { qos: 1 });
    // As many properties as its publisher may have: what the bridge adds is not held against it.
    const userProperties = ['a', 'b', 'c'].map((name) => [name, '1'] as const);
    await sender.publish('gas/1', 'many properties', { qos: 1, properties: { userProperties } });
    await sender.publish('gas/1', 'after', { qos: 1 });
    await turnUntil(() => got.includes('after'), clock);
    assert.deepEqual([...new Set(got)], ['before', 'many properties', 'after']);
    assert.equal(link.status.rejected, 1);
    await Promise.all([link.close(), sender.close(), receiver.close()]);
    await Promise.all([near.broker.close(), far.broker.close()]);
  });
}

for (const protocolVersion of [5, 4] as const) {
  test(`the disk of the other broker is full for a while, version ${protocolVersion}: nothing is lost`, async () => {
    const clock = new FakeClock();
    const journal = new SlowJournal();
    const [near, far] = [new Site('near', clock), new Site('far', clock, journal)];
    const link = bridge(near, far, clock, [topic('out', 1)], { protocolVersion });
    const turns = {
      advance: (milliseconds: number): void => {
        journal.commit();
        clock.advance(milliseconds);
      },
    };
    const receiver = new Watcher(far, clock);
    await receiver.start(turns);
    link.start();
    await turnUntil(() => link.status.state === 'connected', turns);
    near.publish('gas/1', 'before');
    await turnUntil(() => receiver.got.length === 1, turns);
    journal.changeState('full');
    const kept = Array.from({ length: 20 }, (_, index) => String(index));
    for (const payload of kept) near.publish('gas/1', payload);
    const enough = clock.now() + 20_000;
    await turnUntil(() => clock.now() >= enough, turns, 1000);
    assert.deepEqual(receiver.got, ['before']);
    if (protocolVersion === 5) assert.ok(link.status.noRoom > 1);
    journal.changeState('ok');
    await turnUntil(() => receiver.got.length > 20, turns);
    assert.deepEqual([...new Set(receiver.got)], ['before', ...kept]);
    assert.equal(link.status.refused, 0);
    await Promise.all([link.close(), receiver.close()]);
    await Promise.all([near.broker.close(), far.broker.close()]);
  });
}
