import assert from 'node:assert/strict';
import { test } from 'node:test';
import { encodePacket, PacketType, ReasonCode, type PublishPacket } from '#mqtt';
import { BrokerHarness, publishPacket } from '../../test/helpers/broker-harness.ts';

test('the last retained message of each topic is sent to a new subscription, marked as such [MQTT-3.3.1-5] [MQTT-3.3.1-6] [MQTT-3.3.1-8]', () => {
  const harness = new BrokerHarness();
  const publisher = harness.connect('p', { version: 4 });
  publisher.publish('a/1', 'old', { retain: true });
  publisher.publish('a/1', 'new', { retain: true, qos: 1 });
  publisher.takeAck(PacketType.Puback);
  publisher.publish('a/2', 'kept', { retain: true, qos: 2, packetId: 2 });
  publisher.publish('a/2', 'passing', { qos: 0 });
  publisher.publish('$hidden', 'x', { retain: true });
  const client = harness.connect('s');
  client.subscribe('a/#', { qos: 1 });
  const got = client.received.splice(0) as PublishPacket[];
  assert.deepEqual(
    got.map((one) => `${one.topic}=${one.payload.toString()} qos ${one.qos} retain ${one.retain}`).toSorted(),
    ['a/1=new qos 1 retain true', 'a/2=kept qos 1 retain true'],
  );
  client.subscribe('#', { qos: 0 });
  assert.deepEqual(
    client.takeAll().toSorted(),
    ['a/1=new', 'a/2=kept'],
    'no $ topics for a wildcard [MQTT-4.7.2-1]',
  );
});

test('an empty retained message removes the last, and is delivered but not kept [MQTT-3.3.1-6] [MQTT-3.3.1-7]', () => {
  const harness = new BrokerHarness();
  const watcher = harness.connect('w');
  watcher.subscribe('t', { qos: 0 });
  const publisher = harness.connect('p');
  publisher.publish('t', 'x', { retain: true });
  assert.equal(watcher.takePublish().retain, false, '[MQTT-3.3.1-12]');
  publisher.publish('t', '', { retain: true });
  assert.equal(watcher.takePublish().payload.length, 0);
  const client = harness.connect('s');
  client.subscribe('t');
  client.expectNothing();
});

test('retain handling 0, 1 and 2 [MQTT-3.3.1-9] [MQTT-3.3.1-10] [MQTT-3.3.1-11]', () => {
  const harness = new BrokerHarness();
  harness.connect('p').publish('t', 'x', { retain: true });
  const client = harness.connect('s');
  client.subscribe('t', { retainHandling: 2 });
  client.expectNothing();
  client.subscribe('t', { retainHandling: 0 });
  assert.deepEqual(client.takeAll(), ['t=x']);
  client.subscribe('t', { retainHandling: 1 });
  client.expectNothing();
  client.unsubscribe('t');
  client.take(PacketType.Unsuback);
  client.subscribe('t', { retainHandling: 1 });
  assert.deepEqual(client.takeAll(), ['t=x']);
});

test('retain as published keeps the flag [MQTT-3.3.1-13]', () => {
  const harness = new BrokerHarness();
  const client = harness.connect('s');
  client.subscribe('t', { retainAsPublished: true, qos: 0 });
  const publisher = harness.connect('p');
  publisher.publish('t', '1', { retain: true });
  publisher.publish('t', '2');
  assert.equal(client.takePublish().retain, true);
  assert.equal(client.takePublish().retain, false);
});

test('a retained message whose time is over is not sent; what is left of it is told', () => {
  const harness = new BrokerHarness();
  const publisher = harness.connect('p');
  publisher.publish('short', 'x', { retain: true, properties: { messageExpiry: 10 } });
  publisher.publish('long', 'y', { retain: true, properties: { messageExpiry: 100 } });
  const before = harness.broker.statistics.retainedMessages;
  harness.clock.advance(500);
  harness.clock.advance(29_500);
  const client = harness.connect('s');
  client.subscribe('short');
  client.expectNothing();
  client.subscribe('long');
  assert.equal(client.takePublish().properties?.messageExpiry, 70);
  assert.equal(harness.broker.statistics.retainedMessages, before - 1, 'the sweep has removed it');
});

test('a clock that is set ends nothing early, and nobody is told of more time than was given', () => {
  const harness = new BrokerHarness();
  const away = harness.connect('away', { cleanStart: false, properties: { sessionExpiry: 3600 } });
  away.subscribe('queued', { qos: 1 });
  away.disconnect();
  const publisher = harness.connect('p');
  publisher.publish('kept', 'x', { retain: true, properties: { messageExpiry: 0xffff_ffff } });
  publisher.publish('queued', 'y', { qos: 1, packetId: 1, properties: { messageExpiry: 60 } });
  harness.clock.jump(365 * 86_400_000);
  harness.clock.advance(10_000);
  const back = harness.connect('away', { cleanStart: false, properties: { sessionExpiry: 3600 } });
  assert.equal(back.connack?.sessionPresent, true);
  assert.equal(back.takePublish().properties?.messageExpiry, 50);
  harness.clock.jump(-2 * 365 * 86_400_000);
  back.subscribe('kept');
  assert.equal(back.takePublish().properties?.messageExpiry, 0xffff_ffff - 10);
});

test('a thousand retained messages are sent in slices, and other clients are served in between', () => {
  const harness = new BrokerHarness();
  const publisher = harness.connect('p');
  publisher.send(
    ...Array.from({ length: 1000 }, (_, i) => publishPacket(`t/${i}`, String(i), { retain: true })),
  );
  const client = harness.connect('s');
  client.transport.feed(
    Buffer.from([0x82, 0x09, 0, 1, 0, 0, 3, ...Buffer.from('t/#'), 0]), // not settled: turn by turn
  );
  const counts: number[] = [];
  for (let turn = 0; turn < 30 && client.received.length < 1001; turn++) {
    harness.turn();
    counts.push(client.received.length);
  }
  assert.equal(client.received.length, 1001);
  assert.ok(counts.length >= 5, `turns: ${counts.length}`);
  for (let i = 1; i < counts.length; i++) assert.ok(counts[i]! - counts[i - 1]! <= 201);
  assert.equal(new Set(client.received.slice(1).map((packet) => (packet as PublishPacket).topic)).size, 1000);
});

test('a hundred subscriptions that match all that is retained get it in slices, and others are served in between', () => {
  const harness = new BrokerHarness();
  const publisher = harness.connect('p');
  publisher.send(
    ...Array.from({ length: 300 }, (_, i) =>
      publishPacket(`x/x/x/x/x/x/x/${i}`, String(i), { retain: true }),
    ),
  );
  const filters = Array.from(
    { length: 100 },
    (_, n) => `${Array.from({ length: 7 }, (_level, bit) => ((n >> bit) & 1 ? '+' : 'x')).join('/')}/#`,
  );
  const options = { qos: 0, noLocal: false, retainAsPublished: false, retainHandling: 0 } as const;
  const subscriptions = filters.map((filter) => ({ filter, ...options }));
  const client = harness.connect('s');
  client.transport.feed(
    encodePacket({ type: PacketType.Subscribe, packetId: 1, subscriptions, properties: {} }, 5),
  );
  let before = 0;
  let turns = 0;
  for (; client.received.length < 1 + 300 * filters.length && turns < 1000; turns++) {
    harness.turn();
    const count = client.received.length - before;
    assert.ok(count <= 2001, `${count} in turn ${turns}`); // what SUBSCRIBE itself may send, and the turn
    before = client.received.length;
  }
  assert.equal(client.received.length, 1 + 300 * filters.length);
  assert.ok(turns >= 25, `${turns} turns`);
});

test('a client that does not keep up gets its retained messages when it does, all of them', () => {
  const harness = new BrokerHarness({ limits: { maximumPendingBytes: 4000 } });
  const publisher = harness.connect('p');
  publisher.send(
    ...Array.from({ length: 500 }, (_, i) => publishPacket(`t/${i}`, Buffer.alloc(100), { retain: true })),
  );
  const client = harness.connect('s');
  client.transport.block();
  client.raw('82 09 0001 00 0003 742f23 00');
  harness.advance(3000);
  assert.equal(client.isClosed, false);
  for (let i = 0; i < 20; i++) {
    client.transport.unblock();
    client.transport.block();
    harness.advance(1000);
  }
  client.transport.unblock();
  assert.equal(client.received.filter((packet) => packet.type === PacketType.Publish).length, 500);
  assert.equal(harness.broker.statistics.dropped['slow-client'], 0);
});

test('retained messages are bounded by count and bytes; the publisher is told', () => {
  const harness = new BrokerHarness({
    limits: { maximumRetainedMessages: 100, maximumRetainedBytes: 10_000 },
  });
  const own = harness.broker.statistics.retainedMessages; // $SYS, which has no part in the bounds
  const publisher = harness.connect('p');
  publisher.publish('large', Buffer.alloc(9000), { retain: true, qos: 1, packetId: 1 });
  assert.ok(publisher.takeAck(PacketType.Puback).reasonCode < 0x80);
  publisher.publish('more', Buffer.alloc(2000), { retain: true, qos: 1, packetId: 2 });
  assert.equal(publisher.takeAck(PacketType.Puback).reasonCode, ReasonCode.QuotaExceeded);
  publisher.publish('large', Buffer.alloc(10), { retain: true, qos: 1, packetId: 3 });
  assert.ok(publisher.takeAck(PacketType.Puback).reasonCode < 0x80, 'a smaller one in its place fits');
  for (let i = 0; i < 200; i++) publisher.publish(`n/${i}`, '1', { retain: true });
  assert.equal(harness.broker.statistics.retainedMessages - own, 100);
  assert.ok(harness.broker.statistics.dropped['retained-full'] > 0);
});

test('the broker tells about itself under $SYS, to those who ask for it', () => {
  const harness = new BrokerHarness();
  const client = harness.connect('s');
  client.subscribe('$SYS/#', { qos: 0 });
  const values = new Map(client.takeAll().map((one) => one.slice(5).split('=') as [string, string]));
  assert.equal(values.get('broker/version'), 'davylamp version 1.2.3');
  assert.equal(values.get('broker/uptime'), '0 seconds');
  assert.equal(values.get('broker/davylamp/dropped/queue-full'), '0');
  harness.advance(10_000);
  const changed = new Map(client.takeAll().map((one) => one.slice(5).split('=') as [string, string]));
  assert.equal(changed.get('broker/uptime'), '10 seconds');
  assert.equal(changed.get('broker/clients/connected'), '1');
  assert.equal(changed.get('broker/subscriptions/count'), '1');
  assert.equal(changed.has('broker/version'), false, 'only what has changed');
  assert.ok(Number(changed.get('broker/load/bytes/received/1min')) > 0);
});

test('clients do not publish under $SYS', () => {
  const harness = new BrokerHarness();
  const client = harness.connect('c');
  client.publish('$SYS/broker/version', 'mine', { qos: 1, retain: true });
  assert.equal(client.takeAck(PacketType.Puback).reasonCode, ReasonCode.NotAuthorized);
  client.subscribe('$SYS/broker/version');
  assert.deepEqual(client.takeAll(), ['$SYS/broker/version=davylamp version 1.2.3']);
});
