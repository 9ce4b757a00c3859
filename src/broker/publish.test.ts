import assert from 'node:assert/strict';
import { test } from 'node:test';
import { PacketType, ReasonCode, type Qos } from '#mqtt';
import { BrokerHarness, publishPacket } from '../../test/helpers/broker-harness.ts';

for (const publisherVersion of [4, 5] as const) {
  for (const subscriberVersion of [3, 4, 5] as const) {
    for (const qos of [0, 1, 2] as const) {
      for (const granted of [0, 1, 2] as const) {
        test(`v${publisherVersion} publishes at QoS ${qos}, v${subscriberVersion} subscribed at ${granted} gets it at the lower [MQTT-3.8.4-8] [MQTT-4.3.1-1] [MQTT-4.3.2-2] [MQTT-4.3.3-2]`, () => {
          const harness = new BrokerHarness();
          const subscriber = harness.connect('s', { version: subscriberVersion });
          const publisher = harness.connect('p', { version: publisherVersion });
          assert.deepEqual(subscriber.subscribe('a/+', { qos: granted }), [granted]);
          publisher.publish('a/b', 'hello', { qos, packetId: qos === 0 ? 0 : 77 });
          const got = subscriber.takePublish();
          assert.equal(got.topic, 'a/b');
          assert.equal(got.payload.toString(), 'hello');
          assert.equal(got.qos, Math.min(qos, granted));
          assert.equal(got.retain, false);
          assert.equal(got.dup, false);
          finishSubscriber(got.qos, got.packetId);
          finishPublisher();
          subscriber.expectNothing();
          publisher.expectNothing();

          function finishSubscriber(at: Qos, packetId: number): void {
            if (at === 1) subscriber.ack(PacketType.Puback, packetId);
            if (at !== 2) return;
            subscriber.ack(PacketType.Pubrec, packetId);
            assert.equal(subscriber.takeAck(PacketType.Pubrel).packetId, packetId);
            subscriber.ack(PacketType.Pubcomp, packetId);
          }
          function finishPublisher(): void {
            if (qos === 1) assert.equal(publisher.takeAck(PacketType.Puback).packetId, 77);
            if (qos !== 2) return;
            assert.equal(publisher.takeAck(PacketType.Pubrec).packetId, 77);
            publisher.ack(PacketType.Pubrel, 77);
            assert.equal(publisher.takeAck(PacketType.Pubcomp).packetId, 77);
          }
        });
      }
    }
  }
}

test('a repeated PUBLISH at QoS 2 is answered and delivered once; after PUBREL the id is new [MQTT-4.3.3-10] [MQTT-4.3.3-12]', () => {
  const harness = new BrokerHarness();
  const subscriber = harness.connect('s');
  const publisher = harness.connect('p');
  subscriber.subscribe('t', { qos: 0 });
  publisher.publish('t', '1', { qos: 2, packetId: 5 });
  publisher.publish('t', '1', { qos: 2, packetId: 5, dup: true });
  assert.equal(publisher.takeAck(PacketType.Pubrec).reasonCode, 0);
  assert.equal(publisher.takeAck(PacketType.Pubrec).reasonCode, 0);
  publisher.ack(PacketType.Pubrel, 5);
  publisher.ack(PacketType.Pubrel, 5);
  assert.equal(publisher.takeAck(PacketType.Pubcomp).reasonCode, 0);
  assert.equal(publisher.takeAck(PacketType.Pubcomp).reasonCode, ReasonCode.PacketIdentifierNotFound);
  publisher.publish('t', '2', { qos: 2, packetId: 5 });
  assert.deepEqual(subscriber.takeAll(), ['t=1', 't=2']);
});

test('a fan-out reaches every version, QoS and option with the right bytes', () => {
  const harness = new BrokerHarness();
  const clients = Array.from({ length: 40 }, (_, i) => {
    const client = harness.connect(`s${i}`, { version: i % 2 === 0 ? 4 : 5 });
    client.subscribe('t/#', {
      qos: (i % 3) as Qos,
      ...(i % 4 === 1 ? { subscriptionIdentifier: i } : {}),
    });
    return client;
  });
  const publisher = harness.connect('p');
  for (let round = 0; round < 3; round++) {
    const properties = { userProperties: [['k', 'v']] as const, contentType: 'text' };
    publisher.publish(`t/${round}`, `payload ${round}`, { qos: 2, packetId: round + 1, properties });
  }
  for (const [i, client] of clients.entries()) {
    const ids = new Set<number>();
    for (let round = 0; round < 3; round++) {
      const got = client.takePublish();
      assert.equal(got.topic, `t/${round}`);
      assert.equal(got.payload.toString(), `payload ${round}`);
      assert.equal(got.qos, i % 3);
      if (got.qos > 0) ids.add(got.packetId);
      if (client.version === 5) {
        assert.deepEqual(got.properties?.userProperties, [['k', 'v']]);
        assert.equal(got.properties?.contentType, 'text');
        assert.deepEqual(got.properties?.subscriptionIdentifiers, i % 4 === 1 ? [i] : []);
      }
    }
    assert.equal(ids.size, i % 3 === 0 ? 0 : 3, 'packet ids are distinct [MQTT-2.2.1-4]');
    client.expectNothing();
  }
});

for (const size of [0, 1, 3000, 4097, 20_000, 70_000, 300_000]) {
  test(`a payload of ${size} bytes arrives whole, at every QoS, at several receivers`, () => {
    const harness = new BrokerHarness();
    const payload = Buffer.alloc(size);
    for (let i = 0; i < size; i++) payload[i] = (i * 7) & 0xff;
    const clients = [0, 1, 2, 0, 1, 2].map((qos, i) => {
      const client = harness.connect(`c${i}`, { version: i % 2 === 0 ? 4 : 5 });
      client.subscribe('big', { qos: qos as Qos });
      return client;
    });
    const publisher = harness.connect('p', { version: 4 });
    publisher.publish('big', payload, { qos: 2 });
    publisher.publish('big', 'after', { qos: 0 });
    for (const client of clients) {
      assert.ok(client.takePublish().payload.equals(payload));
      assert.equal(client.takePublish().payload.toString(), 'after');
    }
  });
}

test('many packets of one turn leave in one write', () => {
  const harness = new BrokerHarness();
  const subscriber = harness.connect('s');
  const publisher = harness.connect('p');
  subscriber.subscribe('t');
  const before = subscriber.transport.writes;
  publisher.send(...Array.from({ length: 500 }, (_, i) => publishPacket('t', `message ${i}`)));
  assert.equal(subscriber.received.length, 500);
  assert.equal(subscriber.transport.writes - before, 1);
});

test('a message without a matching subscription is acknowledged and says so in MQTT 5', () => {
  const harness = new BrokerHarness();
  const publisher = harness.connect('p');
  publisher.publish('nobody', 'x', { qos: 1 });
  assert.equal(publisher.takeAck(PacketType.Puback).reasonCode, ReasonCode.NoMatchingSubscribers);
  const old = harness.connect('o', { version: 4 });
  old.publish('nobody', 'x', { qos: 1 });
  assert.equal(old.takeAck(PacketType.Puback).reasonCode, 0);
});

test('a client that publishes to itself gets its message, unless it is no-local [MQTT-3.8.3-3]', () => {
  const harness = new BrokerHarness();
  const client = harness.connect('c');
  client.subscribe('a', { qos: 0 });
  client.subscribe('b', { qos: 0, noLocal: true });
  client.publish('a', '1');
  client.publish('b', '2');
  client.publish('a', '3');
  assert.deepEqual(client.takeAll(), ['a=1', 'a=3']);
});

test('the broker publishes from inside', () => {
  const harness = new BrokerHarness();
  const client = harness.connect('c');
  client.subscribe('a', { qos: 1 });
  const own = { payload: Buffer.from('x'), qos: 1, retain: false } as const;
  assert.equal(harness.broker.publish({ topic: 'a', ...own }), ReasonCode.Success);
  assert.equal(harness.broker.publish({ topic: 'b', ...own }), ReasonCode.NoMatchingSubscribers);
  assert.equal(harness.broker.publish({ topic: 'a/#', ...own }), ReasonCode.TopicNameInvalid);
  harness.settle();
  assert.deepEqual(client.takeAll(), ['a=x']);
});
