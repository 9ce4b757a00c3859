import assert from 'node:assert/strict';
import { test } from 'node:test';
import { PacketType, ReasonCode, type Qos } from '#mqtt';
import { BrokerHarness, publishPacket } from '../../test/helpers/broker-harness.ts';

const persistent = { cleanStart: false, properties: { sessionExpiry: 3600 } } as const;

for (const version of [4, 5] as const) {
  test(`v${version}: a session keeps subscriptions and messages while its client is away [MQTT-3.1.2-5] [MQTT-4.1.0-1]`, () => {
    const harness = new BrokerHarness();
    const options = { version, cleanStart: false, properties: version === 5 ? { sessionExpiry: 3600 } : {} };
    const client = harness.connect('s', options);
    assert.equal(client.connack?.sessionPresent, false);
    client.subscribe('t', { qos: 2 });
    client.disconnect();
    const publisher = harness.connect('p');
    publisher.publish('t', 'zero', { qos: 0 });
    publisher.publish('t', 'one', { qos: 1 });
    publisher.publish('t', 'two', { qos: 2, packetId: 2 });
    assert.equal(harness.broker.statistics.queuedMessages, 2);
    const back = harness.connect('s', options);
    assert.equal(back.connack?.sessionPresent, true, '[MQTT-3.2.2-3]; 3.1.1: [MQTT-3.2.2-2]');
    assert.deepEqual(back.takeAll(), ['t=one', 't=two']);
    assert.equal(harness.broker.statistics.queuedMessages, 0);
    const clean = harness.connect('s', { version, cleanStart: true });
    assert.equal(clean.connack?.sessionPresent, false, '[MQTT-3.2.2-2]; 3.1.1: [MQTT-3.2.2-1]');
    publisher.publish('t', 'three');
    clean.expectNothing();
  });

  test(`v${version}: what was not acknowledged comes again, in order, with DUP and the same id [MQTT-4.4.0-1] [MQTT-3.3.1-1] [MQTT-4.6.0-1]`, () => {
    const harness = new BrokerHarness();
    const options = { version, cleanStart: false, properties: version === 5 ? { sessionExpiry: 3600 } : {} };
    const client = harness.connect('s', options);
    client.subscribe('t', { qos: 2 });
    const publisher = harness.connect('p');
    for (let i = 1; i <= 6; i++) {
      publisher.publish('t', String(i), { qos: i % 2 === 0 ? 2 : 1, packetId: i });
    }
    const first = [1, 2, 3, 4, 5, 6].map(() => client.takePublish());
    client.ack(PacketType.Puback, first[2]!.packetId);
    client.ack(PacketType.Pubrec, first[3]!.packetId);
    client.breakOff();
    publisher.publish('t', '7', { qos: 1, packetId: 9 });
    const back = harness.connect('s', options);
    const again = back.received.splice(0).map((packet) => {
      if (packet.type === PacketType.Pubrel) return `pubrel ${packet.packetId}`;
      assert.ok(packet.type === PacketType.Publish);
      return `${packet.payload.toString()} ${packet.dup ? 'dup' : 'new'} ${packet.packetId}`;
    });
    const id = (i: number): number => first[i]!.packetId;
    assert.deepEqual(again.slice(0, 5), [
      `1 dup ${id(0)}`,
      `2 dup ${id(1)}`,
      `pubrel ${id(3)}`,
      `5 dup ${id(4)}`,
      `6 dup ${id(5)}`,
    ]);
    assert.match(again[5]!, /^7 new /);
    back.ack(PacketType.Pubcomp, id(3));
    back.expectNothing();
  });
}

test('a session that is not resumed in time ends [MQTT-3.1.2-23]', () => {
  const harness = new BrokerHarness();
  const client = harness.connect('s', { cleanStart: false, properties: { sessionExpiry: 100 } });
  client.subscribe('t', { qos: 1 });
  client.breakOff();
  harness.connect('p').publish('t', 'x', { qos: 1 });
  harness.advance(99_000);
  assert.equal(harness.broker.statistics.sessions, 2);
  harness.advance(2000);
  assert.equal(harness.broker.statistics.sessions, 1);
  assert.equal(harness.broker.statistics.sessionsExpired, 1);
  assert.equal(harness.broker.statistics.queuedMessages, 0);
  assert.equal(harness.broker.statistics.subscriptions, 0);
  assert.equal(harness.connect('s', persistent).connack?.sessionPresent, false);
});

test('a session without expiry ends with its connection', () => {
  const harness = new BrokerHarness();
  harness.connect('s', { cleanStart: false }).disconnect();
  assert.equal(harness.connect('s', { cleanStart: false }).connack?.sessionPresent, false);
});

test('DISCONNECT may change the expiry, but not make one out of none [MQTT-3.14.2-2]', () => {
  const harness = new BrokerHarness();
  harness.connect('a', persistent).disconnect(0, { sessionExpiry: 0 });
  assert.equal(harness.connect('a', persistent).connack?.sessionPresent, false);
  const none = harness.connect('b');
  none.disconnect(0, { sessionExpiry: 10 });
  assert.equal(none.takeDisconnect().reasonCode, ReasonCode.ProtocolError);
});

test('a second connection takes the session over; the first is told and closed [MQTT-3.1.4-3]', () => {
  const harness = new BrokerHarness();
  const first = harness.connect('s', persistent);
  first.subscribe('t', { qos: 1 });
  const second = harness.connect('s', persistent);
  assert.equal(first.takeDisconnect().reasonCode, ReasonCode.SessionTakenOver);
  assert.ok(first.isClosed);
  assert.equal(second.connack?.sessionPresent, true);
  harness.connect('p').publish('t', 'x', { qos: 1 });
  assert.deepEqual(second.takeAll(), ['t=x']);
  assert.equal(harness.broker.statistics.takeovers, 1);
});

test('a session belongs to its user: another one cannot take it over', () => {
  const harness = new BrokerHarness();
  const anna = harness.connect('s', { ...persistent, username: 'anna' });
  for (const username of ['bert', undefined]) {
    const thief = harness.open();
    thief.connect('s', { ...persistent, username });
    const connack = thief.take(PacketType.Connack);
    assert.equal(connack.type === PacketType.Connack && connack.reasonCode, ReasonCode.NotAuthorized);
  }
  anna.expectNothing();
  anna.disconnect();
  const later = harness.open();
  later.connect('s', { cleanStart: true, username: 'bert' });
  assert.ok(later.isClosed, 'also while its client is away');
});

test('the receive maximum of a client bounds what is in flight; acknowledgements let more through [MQTT-3.3.4-9]', () => {
  const harness = new BrokerHarness();
  const client = harness.connect('s', { properties: { receiveMaximum: 2 } });
  client.subscribe('t', { qos: 2 });
  const publisher = harness.connect('p');
  for (let i = 1; i <= 6; i++) publisher.publish('t', String(i), { qos: (1 + (i % 2)) as Qos, packetId: i });
  const [first, second] = [client.takePublish(), client.takePublish()];
  client.expectNothing();
  client.ack(PacketType.Pubrec, first.packetId);
  client.takeAck(PacketType.Pubrel);
  client.expectNothing();
  client.ack(PacketType.Pubcomp, first.packetId);
  assert.equal(client.takePublish().payload.toString(), '3');
  client.ack(PacketType.Puback, second.packetId);
  assert.equal(client.takePublish().payload.toString(), '4');
  client.expectNothing();
});

test('a resumed client with a smaller window gets its messages again within that window', () => {
  const harness = new BrokerHarness();
  const client = harness.connect('s', persistent);
  client.subscribe('t', { qos: 1 });
  const publisher = harness.connect('p');
  for (let i = 1; i <= 5; i++) publisher.publish('t', String(i), { qos: 1, packetId: i });
  client.breakOff();
  const back = harness.connect('s', {
    ...persistent,
    properties: { sessionExpiry: 3600, receiveMaximum: 1 },
  });
  for (let i = 1; i <= 5; i++) {
    const got = back.takePublish();
    assert.equal(got.payload.toString(), String(i));
    assert.ok(got.dup);
    back.expectNothing();
    back.ack(PacketType.Puback, got.packetId);
  }
  publisher.publish('t', '6', { qos: 1, packetId: 6 });
  assert.equal(back.takePublish().dup, false);
});

test('acknowledgements that fit nothing do no harm', () => {
  const harness = new BrokerHarness();
  const client = harness.connect('s');
  client.subscribe('t', { qos: 2 });
  client.ack(PacketType.Puback, 7);
  client.ack(PacketType.Pubcomp, 7);
  client.ack(PacketType.Pubrec, 7);
  assert.equal(client.takeAck(PacketType.Pubrel).reasonCode, ReasonCode.PacketIdentifierNotFound);
  harness.connect('p').publish('t', 'x', { qos: 2 });
  const got = client.takePublish();
  client.ack(PacketType.Puback, got.packetId);
  client.ack(PacketType.Pubrec, got.packetId, ReasonCode.QuotaExceeded);
  client.ack(PacketType.Pubcomp, got.packetId);
  client.expectNothing();
});

test('a message whose time is over while it waits is not delivered; what is left of it is told [MQTT-3.3.2-5] [MQTT-3.3.2-6]', () => {
  const harness = new BrokerHarness();
  const client = harness.connect('s', persistent);
  client.subscribe('t', { qos: 1 });
  client.disconnect();
  const publisher = harness.connect('p');
  publisher.publish('t', 'short', { qos: 1, packetId: 1, properties: { messageExpiry: 10 } });
  publisher.publish('t', 'long', { qos: 1, packetId: 2, properties: { messageExpiry: 100 } });
  harness.advance(30_000);
  const back = harness.connect('s', persistent);
  const got = back.takePublish();
  assert.equal(got.payload.toString(), 'long');
  assert.equal(got.properties?.messageExpiry, 70);
  back.expectNothing();
  assert.equal(harness.broker.statistics.dropped.expired, 1);
});

test('the queue of an absent client is bounded: new messages are dropped, counted and told', () => {
  const harness = new BrokerHarness({ limits: { maximumQueuedMessages: 5 } });
  const dropped: string[] = [];
  harness.broker.hooks.onDropped.push((policy, clientId, topic) =>
    dropped.push(`${policy} ${clientId} ${topic}`),
  );
  const client = harness.connect('s', persistent);
  client.subscribe('t', { qos: 1 });
  client.disconnect();
  const publisher = harness.connect('p');
  for (let i = 1; i <= 8; i++) publisher.publish('t', String(i), { qos: 1, packetId: i });
  assert.deepEqual(dropped, ['queue-full s t', 'queue-full s t', 'queue-full s t']);
  assert.equal(harness.broker.statistics.dropped['queue-full'], 3);
  assert.equal(harness.log.filter((line) => line.includes('queue of client s is full')).length, 1);
  assert.deepEqual(harness.connect('s', persistent).takeAll(), ['t=1', 't=2', 't=3', 't=4', 't=5']);
});

test('the queue is bounded in bytes as well', () => {
  const harness = new BrokerHarness({ limits: { maximumQueuedBytes: 10_000 } });
  const client = harness.connect('s', persistent);
  client.subscribe('t', { qos: 1 });
  client.disconnect();
  const publisher = harness.connect('p');
  for (let i = 1; i <= 8; i++) publisher.publish('t', Buffer.alloc(3000), { qos: 1, packetId: i });
  assert.equal(harness.broker.statistics.queuedMessages, 3);
  assert.ok(harness.broker.statistics.queuedBytes <= 10_000);
});

test('hooks hear of clients that come and go; what they throw stays theirs', () => {
  const harness = new BrokerHarness();
  const heard: string[] = [];
  harness.broker.hooks.onClientConnected.push(() => {
    throw new Error('a bad hook');
  });
  harness.broker.hooks.onClientConnected.push((client) =>
    heard.push(`+${client.clientId} ${client.name} v${client.version}`),
  );
  harness.broker.hooks.onClientDisconnected.push((client, reason) =>
    heard.push(`-${client.clientId} ${reason}`),
  );
  const client = harness.connect('c', { username: 'anna' });
  client.disconnect();
  assert.deepEqual(heard, ['+c anna v5', '-c client disconnected']);
  assert.ok(harness.log.some((line) => line.includes('a bad hook')));
});

test('names that JavaScript objects have are names like any other', () => {
  const harness = new BrokerHarness();
  for (const name of ['__proto__', 'constructor', 'toString']) {
    const client = harness.connect(name, { username: name });
    client.subscribe(`${name}/+`, { qos: 1 });
    const options = { retain: true, properties: { userProperties: [[name, name]] as const } };
    client.publish(`${name}/${name}`, name, options);
    assert.equal(client.takePublish().topic, `${name}/${name}`);
    client.send(publishPacket(name, ''));
    client.expectNothing();
  }
});
