import assert from 'node:assert/strict';
import { test } from 'node:test';
import { PacketType, ReasonCode } from '#mqtt';
import { BrokerHarness, publishPacket } from '../../../test/helpers/broker-harness.ts';
import { sysCounter } from '../../../test/helpers/sys-counter.ts';

const stays = { cleanStart: false, properties: { sessionExpiry: 1000 } };

test('bound: packet size, before and after CONNECT', () => {
  const limits = { maximumPacketSize: 2000, maximumPacketSizeBeforeConnect: 500 };
  const harness = new BrokerHarness({ limits });
  const stranger = harness.open();
  stranger.raw('10 ff ff ff 7f');
  assert.ok(stranger.isClosed);
  const client = harness.connect('c');
  client.publish('t', Buffer.alloc(1500), { qos: 1 });
  client.takeAck(PacketType.Puback);
  client.publish('t', Buffer.alloc(2000));
  assert.equal(client.takeDisconnect().reasonCode, ReasonCode.PacketTooLarge);
  assert.equal(sysCounter(harness, 'davylamp/bounds/packet-size'), 2);
});

test('bound: receive window; MQTT 5 that sends more ahead is disconnected where that is strict', () => {
  const harness = new BrokerHarness({ limits: { receiveMaximum: 5, receiveMaximumStrict: true } });
  const client = harness.connect('c');
  client.send(...Array.from({ length: 9 }, (_, i) => publishPacket('t', 'x', { qos: 2, packetId: i + 1 })));
  for (let i = 0; i < 5; i++) client.takeAck(PacketType.Pubrec);
  assert.equal(client.takeDisconnect().reasonCode, ReasonCode.ReceiveMaximumExceeded);
  assert.equal(sysCounter(harness, 'davylamp/bounds/receive-window'), 1);
});

test('bound: in flight; what is beyond waits for an acknowledgement and is counted', () => {
  const harness = new BrokerHarness({ limits: { maximumInflight: 3 } });
  const subscriber = harness.connect('s');
  subscriber.subscribe('t', { qos: 1 });
  const publisher = harness.connect('p');
  for (let i = 1; i <= 5; i++) publisher.publish('t', String(i), { qos: 1, packetId: i });
  assert.equal(subscriber.received.length, 3);
  const { packetId } = subscriber.takePublish();
  subscriber.ack(PacketType.Puback, packetId);
  assert.deepEqual(subscriber.takeAll(), ['t=2', 't=3', 't=4']);
  assert.equal(sysCounter(harness, 'davylamp/bounds/in-flight'), 2);
});

for (const [what, limits] of [
  ['queued messages', { maximumQueuedMessages: 3 }],
  ['queued bytes', { maximumQueuedBytes: 3 * 101 }],
] as const) {
  test(`bound: ${what}; what comes after is dropped and counted`, () => {
    const harness = new BrokerHarness({ limits });
    const absent = harness.connect('absent', stays);
    absent.subscribe('t', { qos: 1 });
    absent.breakOff();
    const publisher = harness.connect('p');
    for (let i = 1; i <= 5; i++) publisher.publish('t', Buffer.alloc(100, i), { qos: 1, packetId: i });
    const back = harness.connect('absent', stays);
    assert.equal(back.received.length, 3);
    assert.equal(sysCounter(harness, 'davylamp/dropped/queue-full'), 2);
  });
}

test('bound: bytes that wait for a slow socket; QoS 0 for it is dropped and counted', () => {
  const harness = new BrokerHarness({ limits: { maximumPendingBytes: 5000 } });
  const slow = harness.connect('slow');
  slow.subscribe('t', { qos: 0 });
  slow.transport.block();
  const publisher = harness.connect('p');
  for (let i = 0; i < 20; i++) publisher.publish('t', Buffer.alloc(1000));
  slow.transport.unblock();
  assert.equal(slow.received.length, 5);
  assert.equal(sysCounter(harness, 'davylamp/dropped/slow-client'), 15);
});

test('bound: subscriptions of one client; the others of it stay', () => {
  const harness = new BrokerHarness({ limits: { maximumSubscriptionsPerClient: 2 } });
  const client = harness.connect('c');
  assert.deepEqual(client.subscribe('a', { qos: 0 }), [0]);
  assert.deepEqual(client.subscribe('b', { qos: 0 }), [0]);
  assert.deepEqual(client.subscribe('c', { qos: 0 }), [ReasonCode.QuotaExceeded]);
  assert.deepEqual(client.subscribe('a', { qos: 1 }), [1], 'one that is there may change');
  const old = harness.connect('old', { version: 4 });
  for (const filter of ['a', 'b']) old.subscribe(filter, { qos: 0 });
  assert.deepEqual(old.subscribe('c', { qos: 0 }), [0x80]);
  assert.equal(sysCounter(harness, 'davylamp/bounds/subscriptions'), 2);
});

test('bound: topic levels and length, of topics and of filters; the length is in bytes', () => {
  const harness = new BrokerHarness({ limits: { maximumTopicLevels: 5, maximumTopicLength: 48 } });
  const client = harness.connect('c');
  assert.deepEqual(client.subscribe('a/b/c/d/e/#', { qos: 0 }), [ReasonCode.TopicFilterInvalid]);
  assert.deepEqual(client.subscribe('x'.repeat(49), { qos: 0 }), [ReasonCode.TopicFilterInvalid]);
  assert.deepEqual(client.subscribe('ä'.repeat(25), { qos: 0 }), [ReasonCode.TopicFilterInvalid]);
  assert.deepEqual(client.subscribe('ä'.repeat(24), { qos: 0 }), [0]);
  client.publish('a/b/c/d/e', 'fits');
  client.publish('a/b/c/d/e/f', 'too deep');
  assert.equal(client.takeDisconnect().reasonCode, ReasonCode.TopicNameInvalid);
  const other = harness.connect('o');
  other.publish('x'.repeat(49), 'too long');
  assert.equal(other.takeDisconnect().reasonCode, ReasonCode.TopicNameInvalid);
  assert.equal(sysCounter(harness, 'davylamp/bounds/topic-levels'), 2);
  assert.equal(sysCounter(harness, 'davylamp/bounds/topic-length'), 3);
});

/** `$SYS` is retained as well: its messages are in the bounds. */
test('bound: retained messages; new topics are refused, those that are kept may change or go', () => {
  // What the broker says about itself ($SYS) does not count.
  const harness = new BrokerHarness({ limits: { maximumRetainedMessages: 2 } });
  const client = harness.connect('c');
  const retain = (topic: string, payload: string): number => {
    client.publish(topic, payload, { qos: 1, retain: true });
    return client.takeAck(PacketType.Puback).reasonCode;
  };
  for (const topic of ['a', 'b']) assert.equal(retain(topic, 'x'), ReasonCode.NoMatchingSubscribers);
  assert.equal(retain('c', 'x'), ReasonCode.QuotaExceeded);
  assert.equal(retain('a', 'y'), ReasonCode.NoMatchingSubscribers);
  retain('b', '');
  assert.equal(retain('c', 'x'), ReasonCode.NoMatchingSubscribers);
  assert.equal(harness.broker.statistics.dropped['retained-full'], 1);
  retain('c', '');
  retain('a', '');
  assert.ok(sysCounter(harness, 'davylamp/dropped/retained-full') >= 1);
});

test('bound: retained bytes; a message that does not fit is refused, a smaller one is not', () => {
  const harness = new BrokerHarness({ limits: { maximumRetainedBytes: 2000 } });
  const client = harness.connect('c');
  const retain = (topic: string, size: number): number => {
    client.publish(topic, Buffer.alloc(size, 1), { qos: 1, retain: true });
    return client.takeAck(PacketType.Puback).reasonCode;
  };
  assert.equal(retain('a', 1000), ReasonCode.NoMatchingSubscribers);
  assert.equal(retain('b', 1001), ReasonCode.QuotaExceeded);
  assert.equal(retain('a', 1001), ReasonCode.NoMatchingSubscribers);
  assert.equal(sysCounter(harness, 'davylamp/dropped/retained-full'), 1);
});

test('bound: retained bytes; topics and properties count, also of a message that takes the place of another', () => {
  const harness = new BrokerHarness({ limits: { maximumRetainedBytes: 2000 } });
  const client = harness.connect('c');
  const retain = (topic: string, propertyBytes: number): number => {
    const userProperties: [string, string][] = [['n', 'v'.repeat(propertyBytes)]];
    client.publish(topic, 'x', { qos: 1, retain: true, properties: { userProperties } });
    return client.takeAck(PacketType.Puback).reasonCode;
  };
  assert.equal(retain('a', 10), ReasonCode.NoMatchingSubscribers);
  assert.equal(retain('t'.repeat(900), 10), ReasonCode.NoMatchingSubscribers);
  assert.equal(retain('a', 1200), ReasonCode.QuotaExceeded);
  assert.equal(retain('a', 900), ReasonCode.NoMatchingSubscribers);
  client.publish('a', '', { qos: 1, retain: true });
  client.takeAck(PacketType.Puback);
  assert.equal(retain('b', 900), ReasonCode.NoMatchingSubscribers);
});

test('bound: topic aliases, of the client and towards it', () => {
  const harness = new BrokerHarness({ limits: { topicAliasMaximum: 2 } });
  const greedy = harness.connect('g');
  greedy.publish('a', 'x', { properties: { topicAlias: 2 } });
  greedy.publish('b', 'x', { properties: { topicAlias: 3 } });
  assert.equal(greedy.takeDisconnect().reasonCode, ReasonCode.TopicAliasInvalid);
  const reader = harness.connect('r', { properties: { topicAliasMaximum: 65_535 } });
  reader.subscribe('#', { qos: 0 });
  const publisher = harness.connect('p');
  const aliases = new Set<number | undefined>();
  for (let i = 0; i < 200; i++) {
    publisher.publish(`t/${i}`, 'x');
    aliases.add(reader.takePublish().properties?.topicAlias);
  }
  assert.ok(aliases.size <= 32, `aliases: ${aliases.size}`);
  assert.equal(sysCounter(harness, 'davylamp/bounds/topic-aliases'), 1);
});

test('bound: user properties of one packet', () => {
  const harness = new BrokerHarness({ limits: { maximumUserProperties: 3 } });
  const client = harness.connect('c');
  const properties = (count: number): { userProperties: [string, string][] } => ({
    userProperties: Array.from({ length: count }, () => ['k', 'v']),
  });
  client.publish('t', 'x', { properties: properties(3) });
  client.expectNothing();
  client.publish('t', 'x', { properties: properties(4) });
  assert.equal(client.takeDisconnect().reasonCode, ReasonCode.QuotaExceeded);
  assert.equal(sysCounter(harness, 'davylamp/bounds/user-properties'), 1);
});

test('a subscriber that acknowledges nothing holds its publishers up once, not again with each connection', () => {
  const harness = new BrokerHarness({ limits: { maximumQueuedMessages: 100, maximumInflight: 10 } });
  const dead = harness.connect('dead', stays);
  dead.subscribe('t', { qos: 1 });
  const publisher = harness.connect('p', { version: 4 });
  const publish = (count: number): void =>
    publisher.send(
      ...Array.from({ length: count }, (_, i) => publishPacket('t', 'x', { qos: 1, packetId: i + 1 })),
    );
  publish(300);
  assert.ok(publisher.transport.isPaused);
  for (let second = 0; second < 12; second++) harness.advance(1000);
  assert.equal(publisher.transport.isPaused, false);
  dead.breakOff();
  const back = harness.connect('dead', stays);
  publisher.received.length = 0;
  publish(50);
  assert.equal(publisher.transport.isPaused, false);
  assert.equal(publisher.received.length, 50);
  // It lives after all: its publishers wait for it again.
  const { packetId } = back.takePublish();
  back.ack(PacketType.Puback, packetId);
  publish(50);
  assert.ok(publisher.transport.isPaused);
});
