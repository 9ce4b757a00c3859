import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createPublishProperties } from '#client';
import type { BridgeTopicConfig } from '#config';
import { PacketType, type Packet, type PublishPacket, type UnsubscribePacket } from '#mqtt';
import { connect, isQuiet, series, setUp } from '../../test/helpers/scripted-bridge.ts';
import { turnUntil } from '../../test/helpers/session-broker.ts';

const carry = (filter: string, direction: BridgeTopicConfig['direction']): BridgeTopicConfig => ({
  filter,
  direction,
  qos: 1,
  localPrefix: '',
  remotePrefix: '',
});

/** What a publish looked like on the line: its topic, and its alias. */
function onTheLine(packets: readonly PublishPacket[]): (readonly [string, number | undefined])[] {
  return packets.map(({ topic, properties }) => [topic, properties?.topicAlias] as const);
}

test('try_private false: 3.1.1 is spoken without the bit, and a refusal is not answered with it', async () => {
  const setup = setUp({ protocolVersion: 4, tryPrivate: false });
  setup.remote.connackCode = 1;
  setup.bridge.start();
  await turnUntil(() => setup.remote.connects.length === 3, setup.clock);
  setup.remote.connackCode = 0;
  await turnUntil(() => setup.bridge.status.state === 'connected', setup.clock);
  assert.ok(setup.remote.connects.every((packet) => !packet.bridge));
  await setup.bridge.close();
});

test('outgoing_retain false: nothing goes out with the flag, what comes in keeps it', async () => {
  const setup = setUp({ outgoingRetain: false });
  await connect(setup);
  setup.local.publish({ topic: 'x', payload: 'out', qos: 1, retain: true });
  setup.remote.publish({ topic: 'y', payload: 'in', qos: 1, retain: true });
  await turnUntil(() => isQuiet(setup), setup.clock);
  assert.deepEqual([setup.remote.publishes[0]!.retain, setup.local.publishes[0]!.retain], [false, true]);
  await setup.bridge.close();
});

test('a session that was there is unsubscribed from what is only sent, and from nothing that is fetched', async () => {
  const topics = [
    carry('gas/#', 'out'),
    carry('set/#', 'in'),
    carry('both/#', 'both'),
    carry('set/#', 'out'),
  ];
  const setup = setUp({ topics });
  const asked: UnsubscribePacket[] = [];
  setup.remote.onPacket = (packet) => {
    if (packet.type === PacketType.Unsubscribe) asked.push(packet);
  };
  await connect(setup);
  await turnUntil(() => setup.remote.subscribes.length === 1, setup.clock);
  assert.equal(asked.length, 0, 'a session that is new has nothing');
  setup.remote.cut();
  await turnUntil(() => asked.length === 1, setup.clock);
  assert.deepEqual(asked[0]!.filters, ['gas/#']);
  await setup.bridge.close();
  const silent = setUp({ topics, attemptUnsubscribe: false });
  let unsubscribes = 0;
  silent.remote.onPacket = (packet: Packet) => {
    if (packet.type === PacketType.Unsubscribe) unsubscribes++;
  };
  await connect(silent);
  silent.remote.cut();
  await turnUntil(() => silent.bridge.status.connects === 2, silent.clock);
  silent.local.publish({ topic: 'gas/1', payload: 'sentinel', qos: 1 });
  await turnUntil(() => silent.remote.accepted.length === 1, silent.clock);
  assert.equal(unsubscribes, 0);
  await silent.bridge.close();
});

test('client id, user and password on our own broker', async () => {
  const setup = setUp({ localClientId: 'local.north', localUsername: 'bridge', localPassword: 'lamp' });
  await connect(setup);
  for (const { clientId, username, password } of setup.local.connects)
    assert.deepEqual([clientId, username, password?.toString()], ['local.north', 'bridge', 'lamp']);
  assert.equal(setup.remote.connects[0]!.clientId, 'north-relay');
  await setup.bridge.close();
});

test('receive_maximum bounds both directions, and a smaller one of the other side counts', async () => {
  const setup = setUp({ receiveMaximum: 20 });
  setup.remote.connackProperties = { receiveMaximum: 5 };
  await connect(setup);
  assert.equal(setup.remote.connects[0]!.properties.receiveMaximum, 20);
  assert.equal(setup.local.connects.at(-1)!.properties.receiveMaximum, 5);
  await setup.bridge.close();
});

test('a packet larger than our own bound is not sent; what comes in may be larger', async () => {
  const setup = setUp({ maximumPacketSize: 100 });
  await connect(setup);
  assert.equal(setup.remote.connects[0]!.properties.maximumPacketSize, undefined);
  setup.local.publish({ topic: 'big', payload: 'x'.repeat(100), qos: 1 });
  setup.remote.publish({ topic: 'big', payload: 'x'.repeat(100), qos: 1 });
  setup.local.publish({ topic: 'small', payload: '', qos: 1 });
  await turnUntil(() => isQuiet(setup), setup.clock);
  assert.deepEqual(setup.remote.accepted, ['small ']);
  assert.equal(setup.local.accepted.length, 1);
  assert.equal(setup.bridge.status.tooLarge, 1);
  await setup.bridge.close();
});

test('aliases out: a topic is named once, as many topics as both sides take, and anew after a cut', async () => {
  const setup = setUp({ topicAliasMaximum: 5 });
  setup.remote.connackProperties = { topicAliasMaximum: 2 };
  await connect(setup);
  const send = async (...names: readonly string[]): Promise<void> => {
    for (const topic of names) setup.local.publish({ topic, payload: '', qos: 1 });
    await turnUntil(() => isQuiet(setup), setup.clock);
  };
  await send('a', 'b', 'a', 'c', 'b', 'c');
  assert.deepEqual(onTheLine(setup.remote.publishes), [
    ['a', 1],
    ['b', 2],
    ['', 1],
    ['c', undefined],
    ['', 2],
    ['c', undefined],
  ]);
  setup.remote.publishes.length = 0;
  setup.remote.cut();
  await turnUntil(() => setup.bridge.status.connects === 2, setup.clock);
  await send('b', 'b');
  assert.deepEqual(onTheLine(setup.remote.publishes), [
    ['b', 1],
    ['', 1],
  ]);
  // A side that takes none any more gets none.
  setup.remote.connackProperties = {};
  setup.remote.publishes.length = 0;
  setup.remote.cut();
  await turnUntil(() => setup.bridge.status.connects === 3, setup.clock);
  await send('b', 'b');
  assert.deepEqual(onTheLine(setup.remote.publishes), [
    ['b', undefined],
    ['b', undefined],
  ]);
  await setup.bridge.close();
});

test('aliases out: a first message that is too large has not taught the other side its alias', async () => {
  const setup = setUp({ topicAliasMaximum: 5 });
  setup.remote.connackProperties = { topicAliasMaximum: 5, maximumPacketSize: 100 };
  await connect(setup);
  for (const payload of ['x'.repeat(100), '1', 'x'.repeat(100), '2'])
    setup.local.publish({ topic: 'a', payload, qos: 1 });
  await turnUntil(() => isQuiet(setup), setup.clock);
  assert.deepEqual(onTheLine(setup.remote.publishes), [
    ['a', 1],
    ['', 1],
  ]);
  assert.equal(setup.bridge.status.tooLarge, 2);
  await setup.bridge.close();
});

test('aliases in: offered, resolved, and not passed on; one that nobody explained ends the link', async () => {
  const setup = setUp({ topicAliasMaximum: 5 });
  await connect(setup);
  assert.equal(setup.remote.connects[0]!.properties.topicAliasMaximum, 5);
  const alias = (topicAlias: number): ReturnType<typeof createPublishProperties> =>
    createPublishProperties({ topicAlias });
  setup.remote.publish({ topic: 'a/b', payload: '1', qos: 1, properties: alias(3) });
  setup.remote.publish({ topic: '', payload: '2', qos: 1, properties: alias(3) });
  setup.remote.publish({ topic: 'c', payload: '3', qos: 1, properties: alias(3) });
  setup.remote.publish({ topic: '', payload: '4', qos: 0, properties: alias(3) });
  await turnUntil(() => setup.local.accepted.length === 4, setup.clock);
  assert.deepEqual(setup.local.accepted, ['a/b 1', 'a/b 2', 'c 3', 'c 4']);
  assert.ok(setup.local.publishes.every(({ properties }) => properties?.topicAlias === undefined));
  setup.remote.publish({ topic: '', payload: 'who?', qos: 0, properties: alias(4) });
  await turnUntil(() => setup.bridge.status.connects === 2, setup.clock);
  assert.match(setup.bridge.status.lastError ?? '', /broke the protocol: protocol error/);
  await setup.bridge.close();
});

test('aliases are not offered to 3.1.1, and not where none are wanted', async () => {
  for (const change of [{ protocolVersion: 4, topicAliasMaximum: 5 }, { topicAliasMaximum: 0 }] as const) {
    const setup = setUp(change);
    setup.remote.connackProperties = { topicAliasMaximum: 9 };
    await connect(setup);
    assert.ok((setup.remote.connects[0]!.properties.topicAliasMaximum ?? 0) === 0);
    for (const message of series(1, 2)) setup.local.publish(message);
    await turnUntil(() => isQuiet(setup), setup.clock);
    assert.deepEqual(
      setup.remote.publishes.map(({ topic }) => topic),
      ['a/b', 'a/b'],
    );
    await setup.bridge.close();
  }
});

test('expiry and what else is the publisher’s travels in, too', async () => {
  const setup = setUp();
  await connect(setup);
  const properties = createPublishProperties({ messageExpiry: 30, userProperties: [['unit', 'ppm']] });
  setup.remote.publish({ topic: 'x', payload: '', qos: 1, properties });
  await turnUntil(() => isQuiet(setup), setup.clock);
  assert.equal(setup.local.publishes[0]!.properties?.messageExpiry, 30);
  assert.deepEqual(setup.local.publishes[0]!.properties?.userProperties, [
    ['unit', 'ppm'],
    ['davy-via', '>north'],
  ]);
  await setup.bridge.close();
});

test('a clean start on our own side forgets what waited there', async () => {
  const setup = setUp({ localCleanStart: true });
  await connect(setup);
  assert.ok(setup.local.connects.every((packet) => packet.cleanStart));
  await setup.bridge.close();
});

test('closed when the link is lost: it carries on until then, and does not come back', async () => {
  const setup = setUp();
  await connect(setup);
  const closed = setup.bridge.closeWhenLost();
  setup.local.publish({ topic: 'x', payload: '1', qos: 2 });
  await turnUntil(() => isQuiet(setup) && setup.remote.accepted.length === 1, setup.clock);
  setup.remote.cut();
  await closed;
  setup.clock.advance(1_000_000);
  assert.equal(setup.bridge.status.state, 'closed');
  assert.equal(setup.bridge.status.connects, 1);
});
