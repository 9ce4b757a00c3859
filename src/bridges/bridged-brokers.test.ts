import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FakeClock } from '#base';
import { MemoryJournal } from '#journal';
import { bridgeTopic } from '../../test/helpers/bridge-config.ts';
import {
  connectClient,
  createBridge,
  CutDialer,
  Site,
  waitForPath,
  Watcher,
} from '../../test/helpers/bridged-sites.ts';
import { wideLimits } from '../../test/helpers/broker-harness.ts';
import { turnUntil } from '../../test/helpers/session-broker.ts';
import { SlowJournal } from '../../test/helpers/slow-journal.ts';

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
    const link = createBridge(near, far, clock, [bridgeTopic(direction, 2)], { protocolVersion }, lines);
    const [source, target] = direction === 'out' ? [near, far] : [far, near];
    const receiver = await connectClient(target, clock);
    await receiver.subscribe([{ filter: 'gas/#', qos: 2 }]);
    const sender = await connectClient(source, clock, { clientId: 'sender' });
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
    const link = createBridge(near, far, clock, [bridgeTopic('both', 1, '#')], { protocolVersion });
    const receivers = [await connectClient(near, clock), await connectClient(far, clock)] as const;
    for (const receiver of receivers) await receiver.subscribe([{ filter: 'gas/#', qos: 1 }]);
    const senders = [
      await connectClient(near, clock, { clientId: 'sender' }),
      await connectClient(far, clock, { clientId: 'sender' }),
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
  const links = [
    createBridge(near, far, clock, [bridgeTopic('both', 1)]),
    createBridge(far, near, clock, [bridgeTopic('both', 1)]),
  ];
  const receiver = await connectClient(far, clock);
  await receiver.subscribe([{ filter: 'gas/#', qos: 1 }]);
  const sender = await connectClient(near, clock, { clientId: 'sender' });
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
  const near2 = await connectClient(near, clock, { clientId: 'near-receiver' });
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

for (const direction of ['out', 'in'] as const) {
  test(`${direction}: messages that the receiving broker ends the connection for hold nothing up`, async () => {
    const clock = new FakeClock();
    const narrow = { ...wideLimits, maximumTopicLevels: 4, maximumUserProperties: 3 };
    const [near, far] = [
      new Site('near', clock, new MemoryJournal(), direction === 'in' ? narrow : wideLimits),
      new Site('far', clock, new MemoryJournal(), direction === 'out' ? narrow : wideLimits),
    ];
    const [source, target] = direction === 'out' ? [near, far] : [far, near];
    const link = createBridge(near, far, clock, [bridgeTopic(direction, 1)]);
    const receiver = await connectClient(target, clock);
    await receiver.subscribe([{ filter: 'gas/#', qos: 1 }]);
    const sender = await connectClient(source, clock, { clientId: 'sender' });
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
    const link = createBridge(near, far, clock, [bridgeTopic('out', 1)], { protocolVersion });
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
