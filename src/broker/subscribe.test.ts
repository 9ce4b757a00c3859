import assert from 'node:assert/strict';
import { test } from 'node:test';
import { PacketType, ReasonCode, type SubackPacket, type UnsubackPacket } from '#mqtt';
import { BrokerHarness, type TestClient } from '../../test/helpers/broker-harness.ts';

test('each filter of a SUBSCRIBE is answered for itself [MQTT-3.8.4-5] [MQTT-3.8.4-6] [MQTT-3.9.3-1]', () => {
  for (const version of [4, 5] as const) {
    const harness = new BrokerHarness({ limits: { maximumSubscriptionsPerClient: 3 } });
    const client = harness.connect('s', { version });
    const options = { qos: 1, noLocal: false, retainAsPublished: false, retainHandling: 0 } as const;
    const filters = ['a', 'b/#/c', '$share/g', 'a/+', 'c', 'd', 'a'];
    client.send({
      type: PacketType.Subscribe,
      packetId: 10,
      subscriptions: filters.map((filter) => Object.assign({ filter }, options)),
      properties: {},
    });
    const suback = client.take(PacketType.Suback) as SubackPacket;
    assert.equal(suback.packetId, 10);
    const expected = version === 5 ? [1, 0x8f, 0x8f, 1, 1, 0x97, 1] : [1, 0x80, 0x80, 1, 1, 0x80, 1];
    assert.deepEqual(suback.reasonCodes, expected);
  }
});

test('a subscription to the same filter replaces the first [MQTT-3.8.4-3]', () => {
  const harness = new BrokerHarness();
  const client = harness.connect('s');
  client.subscribe('t', { qos: 0 });
  const publisher = harness.connect('p');
  publisher.publish('t', '1', { qos: 1 });
  assert.equal(client.takePublish().qos, 0);
  client.subscribe('t', { qos: 1, subscriptionIdentifier: 9 });
  publisher.publish('t', '2', { qos: 1, packetId: 2 });
  const got = client.takePublish();
  assert.equal(got.qos, 1);
  assert.deepEqual(got.properties?.subscriptionIdentifiers, [9]);
  client.expectNothing();
  assert.equal(harness.broker.statistics.subscriptions, 1);
});

test('overlapping subscriptions give one copy, at the highest QoS, with all identifiers [MQTT-3.3.4-2] [MQTT-3.3.4-4] [MQTT-3.3.5-1]', () => {
  const harness = new BrokerHarness();
  const client = harness.connect('s');
  client.subscribe('a/#', { qos: 0, subscriptionIdentifier: 1 });
  client.subscribe('a/+', { qos: 2, subscriptionIdentifier: 2 });
  client.subscribe('a/b', { qos: 1 });
  const publisher = harness.connect('p');
  publisher.publish('a/b', 'x', { qos: 2 });
  const got = client.takePublish();
  assert.equal(got.qos, 2);
  assert.deepEqual(
    got.properties?.subscriptionIdentifiers.toSorted((a, b) => a - b),
    [1, 2],
  );
  client.expectNothing();
  client.unsubscribe('a/+');
  client.take(PacketType.Unsuback);
  publisher.publish('a/b', 'y', { qos: 2, packetId: 2 });
  assert.equal(client.takePublish().qos, 1);
});

test('no-local counts for its own subscription alone', () => {
  const harness = new BrokerHarness();
  const client = harness.connect('s');
  client.subscribe('a/#', { qos: 0, noLocal: true, subscriptionIdentifier: 1 });
  client.subscribe('a/+', { qos: 0, subscriptionIdentifier: 2 });
  client.publish('a/b', 'mine');
  assert.deepEqual(client.takePublish().properties?.subscriptionIdentifiers, [2]);
  client.publish('a', 'mine too');
  harness.connect('p').publish('a/b', 'theirs');
  assert.equal(client.takePublish().properties?.subscriptionIdentifiers.length, 2);
  client.expectNothing();
});

test('UNSUBSCRIBE stops the delivery and says what it found [MQTT-3.10.4-1] [MQTT-3.10.4-4] [MQTT-3.11.3-1]', () => {
  for (const version of [4, 5] as const) {
    const harness = new BrokerHarness();
    const client = harness.connect('s', { version });
    client.subscribe('a/b', { qos: 0 });
    client.unsubscribe('a/b', 'a/+', 'a/#/b');
    const unsuback = client.take(PacketType.Unsuback) as UnsubackPacket;
    assert.equal(unsuback.packetId, 9);
    assert.deepEqual(unsuback.reasonCodes, version === 5 ? [0, 0x11, 0x8f] : []);
    harness.connect('p').publish('a/b', 'x');
    client.expectNothing();
  }
});

function members(harness: BrokerHarness, count: number, version: 4 | 5 = 5): TestClient[] {
  return Array.from({ length: count }, (_, i) => {
    const client = harness.connect(`m${i}`, { version });
    assert.deepEqual(client.subscribe('$share/g/t/+', { qos: 1 }), [1]);
    return client;
  });
}

test('a shared subscription gives each message to one member, turn by turn; others get their own copy', () => {
  for (const version of [4, 5] as const) {
    const harness = new BrokerHarness();
    const group = members(harness, 3, version);
    const plain = harness.connect('plain');
    plain.subscribe('t/+', { qos: 0 });
    const other = harness.connect('other');
    other.subscribe('$share/h/t/#', { qos: 0 });
    const publisher = harness.connect('p');
    for (let i = 0; i < 9; i++) publisher.publish(`t/${i}`, String(i), { qos: 1, packetId: i + 1 });
    const counts = group.map((client) => client.takeAll().length);
    assert.deepEqual(counts, [3, 3, 3]);
    assert.equal(plain.takeAll().length, 9);
    assert.equal(other.takeAll().length, 9);
  }
});

test('a shared subscription prefers members that are connected; waits for a persistent one when none is', () => {
  const harness = new BrokerHarness();
  const options = { cleanStart: false, properties: { sessionExpiry: 100 } };
  const away = harness.connect('away', options);
  away.subscribe('$share/g/t', { qos: 1 });
  away.disconnect();
  const here = harness.connect('here');
  here.subscribe('$share/g/t', { qos: 1 });
  const publisher = harness.connect('p');
  for (let i = 1; i <= 4; i++) publisher.publish('t', String(i), { qos: 1, packetId: i });
  assert.equal(here.takeAll().length, 4);
  for (let id = 1; id <= 4; id++) here.ack(PacketType.Puback, id);
  here.disconnect();
  publisher.publish('t', '5', { qos: 1, packetId: 5 });
  assert.deepEqual(harness.connect('away', options).takeAll(), ['t=5']);
});

test('leaving a group, plain or shared, leaves the other alone', () => {
  const harness = new BrokerHarness();
  const [one, two] = members(harness, 2);
  one!.subscribe('t/+', { qos: 0 });
  one!.unsubscribe('$share/g/t/+');
  one!.take(PacketType.Unsuback);
  const publisher = harness.connect('p');
  publisher.publish('t/1', 'x', { qos: 1 });
  assert.deepEqual(one!.takeAll(), ['t/1=x']);
  assert.deepEqual(two!.takeAll(), ['t/1=x']);
  two!.breakOff();
  publisher.publish('t/1', 'y', { qos: 1, packetId: 2 });
  assert.deepEqual(one!.takeAll(), ['t/1=y']);
  assert.equal(harness.broker.statistics.sharedSubscriptions, 0);
});

test('no-local in a group is a protocol error [MQTT-3.8.3-4]; a group gets no retained messages', () => {
  const harness = new BrokerHarness();
  harness.connect('p').publish('t', 'x', { retain: true });
  const client = harness.connect('s');
  client.subscribe('$share/g/t');
  client.expectNothing();
  client.send({
    type: PacketType.Subscribe,
    packetId: 2,
    subscriptions: [
      { filter: '$share/g/t', qos: 0, noLocal: true, retainAsPublished: false, retainHandling: 0 },
    ],
    properties: {},
  });
  assert.equal(client.takeDisconnect().reasonCode, ReasonCode.ProtocolError);
});
