import assert from 'node:assert/strict';
import { test } from 'node:test';
import { PacketType, ReasonCode } from '#mqtt';
import { sysCounter } from '../../test/helpers/sys-counter.ts';
import { BrokerHarness, wideLimits } from '../../test/helpers/broker-harness.ts';

const narrow = { limits: { ...wideLimits, maximumPacketSize: 300, receiveMaximum: 3, topicAliasMaximum: 0 } };

test('a connection is told of the bounds of its listener, and held to them; others are not', () => {
  const harness = new BrokerHarness();
  const inside = harness.connect('inside');
  const outside = harness.connect('outside', { profile: narrow });
  assert.equal(inside.connack?.properties.maximumPacketSize, wideLimits.maximumPacketSize);
  assert.equal(outside.connack?.properties.maximumPacketSize, 300);
  assert.equal(outside.connack?.properties.receiveMaximum, 3);
  assert.equal(outside.connack?.properties.topicAliasMaximum, undefined);
  inside.publish('t', Buffer.alloc(400));
  inside.expectNothing();
  outside.publish('t', Buffer.alloc(400));
  assert.equal(outside.takeDisconnect().reasonCode, ReasonCode.PacketTooLarge);
});

test('topic depth, subscriptions and keep-alive are those of the listener', () => {
  const harness = new BrokerHarness();
  const limits = {
    ...wideLimits,
    maximumTopicLevels: 2,
    maximumSubscriptionsPerClient: 1,
    maximumKeepAliveSeconds: 60,
  };
  const client = harness.connect('c', { profile: { limits }, keepAlive: 600 });
  assert.equal(client.connack?.properties.serverKeepAlive, 60);
  assert.deepEqual(client.subscribe('a/b/c'), [ReasonCode.TopicFilterInvalid]);
  assert.deepEqual(client.subscribe('a/b'), [2]);
  assert.deepEqual(client.subscribe('a/c'), [ReasonCode.QuotaExceeded]);
  const other = harness.connect('o');
  assert.deepEqual(other.subscribe('a/b/c/d'), [2]);
});

test('a session keeps the queue bounds of its last connection', () => {
  const harness = new BrokerHarness();
  const session = { cleanStart: false, properties: { sessionExpiry: 1000 } };
  const few = { limits: { ...wideLimits, maximumQueuedMessages: 2 } };
  harness.connect('c', { ...session }).subscribe('t', { qos: 1 });
  harness.connect('c', { ...session, profile: few }).breakOff();
  const publisher = harness.connect('p');
  for (const payload of ['1', '2', '3']) publisher.publish('t', payload, { qos: 1 });
  const back = harness.connect('c', { ...session });
  assert.deepEqual(back.takeAll(), ['t=1', 't=2']);
  assert.equal(harness.broker.statistics.dropped['queue-full'], 1);
});

test('bound: bytes in flight; messages go until it is reached, one at least', () => {
  const harness = new BrokerHarness({ limits: { maximumInflightBytes: 10 } });
  const subscriber = harness.connect('s');
  subscriber.subscribe('t', { qos: 1 });
  const publisher = harness.connect('p');
  for (let i = 0; i < 4; i++) publisher.publish('t', 'sixsix', { qos: 1, packetId: i + 1 });
  assert.equal(subscriber.received.length, 2, 'the second passes the bound, the third waits');
  subscriber.ack(PacketType.Puback, subscriber.takePublish().packetId);
  assert.equal(subscriber.received.length, 2, 'six bytes are out: one more goes');
  assert.ok(sysCounter(harness, 'davylamp/bounds/in-flight') >= 1);
  const large = new BrokerHarness({ limits: { maximumInflightBytes: 10 } });
  const reader = large.connect('s');
  reader.subscribe('t', { qos: 2 });
  large.connect('p').publish('t', Buffer.alloc(100), { qos: 2 });
  assert.equal(reader.takePublish().payload.length, 100);
});

test('bounds that change hold for clients that connect from then on', () => {
  const harness = new BrokerHarness();
  const before = harness.connect('before');
  harness.broker.changeLimits({ ...wideLimits, maximumTopicLevels: 1 });
  const after = harness.connect('after');
  assert.deepEqual(before.subscribe('a/b'), [2]);
  assert.deepEqual(after.subscribe('a/b'), [ReasonCode.TopicFilterInvalid]);
});
