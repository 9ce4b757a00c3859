import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { encodePacket, PacketType, ReasonCode, type Packet } from '#mqtt';
import { BrokerHarness, publishPacket, willOf } from '../../test/helpers/broker-harness.ts';

test('65,535 QoS 2 messages without PUBREL: the window of MQTT 5 is kept, even within one chunk [MQTT-3.3.4-8]', () => {
  const harness = new BrokerHarness({ limits: { receiveMaximum: 20 } });
  for (let round = 0; round < 3; round++) {
    const client = harness.connect('c', { cleanStart: false, properties: { sessionExpiry: 100 } });
    client.send(
      ...Array.from({ length: 65_535 }, (_, i) => publishPacket('t', 'x', { qos: 2, packetId: i + 1 })),
    );
    const acks = client.received.splice(0, 20 * (round + 1)); // those that the session knows already are repeats
    assert.ok(acks.every((packet) => packet.type === PacketType.Pubrec));
    assert.equal(client.takeDisconnect().reasonCode, ReasonCode.ReceiveMaximumExceeded);
    assert.ok(client.isClosed);
  }
});

test('a client of MQTT 5 that keeps to no window is read on where that is allowed, up to every packet id there is', () => {
  const harness = new BrokerHarness({ limits: { receiveMaximum: 20, receiveMaximumStrict: false } });
  const watcher = harness.connect('w');
  watcher.subscribe('t', { qos: 0 });
  const client = harness.connect('c');
  const all = Array.from({ length: 65_535 }, (_, i) => publishPacket('t', 'x', { qos: 2, packetId: i + 1 }));
  client.send(...all);
  assert.equal(client.received.splice(0).length, 65_535);
  client.send(all[0]!);
  client.takeAck(PacketType.Pubrec); // a repeat
  client.ack(PacketType.Pubrel, 1);
  client.takeAck(PacketType.Pubcomp);
  client.send(all[0]!);
  client.takeAck(PacketType.Pubrec);
  client.expectNothing();
  assert.equal(watcher.takeAll().length, 65_536);
});

test('towards a client before MQTT 5 that takes QoS 2 no more than 20 are under way, also when it comes back', () => {
  const harness = new BrokerHarness();
  const publisher = harness.connect('p');
  const publish = (): void => {
    for (let i = 0; i < 50; i++) publisher.publish('t', 'x', { qos: 2, packetId: i + 1 });
    for (let i = 0; i < 50; i++) publisher.ack(PacketType.Pubrel, i + 1);
    publisher.received.length = 0;
  };
  const careful = harness.connect('careful', { version: 4, cleanStart: false });
  careful.subscribe('t', { qos: 2 });
  const plain = harness.connect('plain', { version: 4 });
  plain.subscribe('t', { qos: 1 });
  const modern = harness.connect('modern');
  modern.subscribe('t', { qos: 2 });
  publish();
  assert.equal(careful.received.length, 20);
  assert.equal(plain.received.length, 50);
  assert.equal(modern.received.length, 50);
  careful.breakOff();
  const back = harness.connect('careful', { version: 4, cleanStart: false });
  assert.equal(back.received.length, 20);
  const { packetId } = back.takePublish();
  back.ack(PacketType.Pubrec, packetId);
  back.ack(PacketType.Pubcomp, packetId);
  assert.equal(back.received.filter(({ type }) => type === PacketType.Publish).length, 20);
});

test('a PUBREL for an id that is done: no fault where a session goes on after a cut, unknown elsewhere', () => {
  const harness = new BrokerHarness();
  const options = { cleanStart: false, properties: { sessionExpiry: 100 } };
  const client = harness.connect('c', options);
  client.publish('t', 'x', { qos: 2, packetId: 1 });
  client.takeAck(PacketType.Pubrec);
  client.ack(PacketType.Pubrel, 1);
  client.breakOff(); // before PUBCOMP has come
  const back = harness.connect('c', options);
  back.ack(PacketType.Pubrel, 1);
  assert.equal(back.takeAck(PacketType.Pubcomp).reasonCode, ReasonCode.Success);
  const other = harness.connect('other', options);
  other.ack(PacketType.Pubrel, 1);
  assert.equal(other.takeAck(PacketType.Pubcomp).reasonCode, ReasonCode.PacketIdentifierNotFound);
});

test('3.1.1 knows no window: every id may be open at once, each message is delivered once', () => {
  const harness = new BrokerHarness({ limits: { receiveMaximum: 20 } });
  const watcher = harness.connect('w');
  watcher.subscribe('t', { qos: 0 });
  const client = harness.connect('c', { version: 4 });
  const all = Array.from({ length: 5000 }, (_, i) => publishPacket('t', 'x', { qos: 2, packetId: i + 1 }));
  client.send(...all, ...all);
  assert.equal(watcher.takeAll().length, 5000);
  assert.equal(client.received.length, 10_000);
});

test('a client that finishes its exchanges never meets the window', () => {
  const harness = new BrokerHarness({ limits: { receiveMaximum: 2 } });
  const client = harness.connect('c');
  for (let i = 1; i <= 50; i++) {
    client.publish('t', 'x', { qos: 1, packetId: 1 });
    client.takeAck(PacketType.Puback);
    client.publish('t', 'x', { qos: 2, packetId: 2 });
    client.takeAck(PacketType.Pubrec);
    client.ack(PacketType.Pubrel, 2);
    client.takeAck(PacketType.Pubcomp);
  }
  client.expectNothing();
});

test('topic aliases: set, used, set anew, and refused when unknown or too large [MQTT-3.3.2-8] [MQTT-3.3.2-9] [MQTT-3.3.2-12]', () => {
  const harness = new BrokerHarness();
  const watcher = harness.connect('w');
  watcher.subscribe('#', { qos: 0 });
  const client = harness.connect('c');
  client.publish('a', '1', { properties: { topicAlias: 3 } });
  client.publish('', '2', { properties: { topicAlias: 3 } });
  client.publish('b', '3', { properties: { topicAlias: 3 } });
  client.publish('', '4', { properties: { topicAlias: 3, contentType: 'x' } });
  assert.deepEqual(watcher.takeAll(), ['a=1', 'a=2', 'b=3', 'b=4']);
  client.publish('', 'x', { properties: { topicAlias: 4 } });
  assert.equal(client.takeDisconnect().reasonCode, ReasonCode.ProtocolError);
  const greedy = harness.connect('g');
  greedy.publish('a', 'x', { properties: { topicAlias: 11 } });
  assert.equal(greedy.takeDisconnect().reasonCode, ReasonCode.TopicAliasInvalid);
  const again = harness.connect('c');
  again.publish('', 'x', { properties: { topicAlias: 3 } });
  assert.equal(
    again.takeDisconnect().reasonCode,
    ReasonCode.ProtocolError,
    'aliases end with the connection',
  );
});

test('towards a client that takes them, topics travel once; more topics than aliases take turns [MQTT-3.1.2-26] [MQTT-3.1.2-27]', () => {
  const harness = new BrokerHarness();
  const client = harness.connect('c', { properties: { topicAliasMaximum: 2 } });
  const plain = harness.connect('plain');
  client.subscribe('#', { qos: 1 });
  plain.subscribe('#', { qos: 1 });
  const publisher = harness.connect('p');
  const topics = ['a', 'a', 'b', 'a', 'c', 'c', 'b', 'a'];
  const known = new Map<number, string>();
  for (const [i, topic] of topics.entries()) {
    publisher.publish(topic, String(i), { qos: 1, packetId: i + 1 });
    const got = client.takePublish();
    const alias = got.properties?.topicAlias ?? 0;
    assert.ok(alias >= 1 && alias <= 2);
    if (got.topic !== '') known.set(alias, got.topic);
    assert.equal(known.get(alias), topic);
    assert.equal(got.payload.toString(), String(i));
    assert.equal(plain.takePublish().topic, topic);
  }
  publisher.publish('c', 'x', { qos: 1, packetId: 100 });
  assert.equal(client.takePublish().topic === '' || known.size === 2, true);
});

test('a message larger than the client takes is not sent, counts as delivered, and holds up nobody [MQTT-3.1.2-24] [MQTT-3.1.2-25]', () => {
  const harness = new BrokerHarness();
  const options = {
    cleanStart: false,
    properties: { sessionExpiry: 100, maximumPacketSize: 60, receiveMaximum: 1 },
  };
  const client = harness.connect('c', options);
  client.subscribe('t', { qos: 1 });
  const publisher = harness.connect('p');
  publisher.publish('t', Buffer.alloc(100), { qos: 1, packetId: 1 });
  publisher.publish('t', Buffer.alloc(100), { qos: 0 });
  publisher.publish('t', 'fits', { qos: 1, packetId: 2 });
  assert.deepEqual(client.takeAll(), ['t=fits']);
  client.breakOff();
  publisher.publish('t', Buffer.alloc(100), { qos: 1, packetId: 3 });
  const back = harness.connect('c', options);
  assert.deepEqual(back.takeAll(), ['t=fits']);
  assert.equal(harness.broker.statistics.dropped['too-large'], 2);
  back.ack(PacketType.Puback, 1);
  assert.equal(harness.broker.statistics.dropped['too-large'], 3);
  back.expectNothing();
});

test('a message in flight that the client takes no more when it comes back does not stand in the way', () => {
  const harness = new BrokerHarness();
  const large = { cleanStart: false, properties: { sessionExpiry: 100, receiveMaximum: 1 } };
  const client = harness.connect('c', large);
  client.subscribe('t', { qos: 1 });
  const publisher = harness.connect('p');
  publisher.publish('t', Buffer.alloc(100), { qos: 1, packetId: 1 });
  publisher.publish('t', 'fits', { qos: 1, packetId: 2 });
  assert.equal(client.takeAll().length, 1);
  client.breakOff();
  const small = { cleanStart: false, properties: { ...large.properties, maximumPacketSize: 60 } };
  assert.deepEqual(harness.connect('c', small).takeAll(), ['t=fits']);
});

test('a packet larger than the broker takes ends the connection before its body has come [MQTT-3.2.2-15]', () => {
  const harness = new BrokerHarness({ limits: { maximumPacketSize: 1000 } });
  const client = harness.connect('c');
  client.raw('30 ffff 7f');
  assert.equal(client.takeDisconnect().reasonCode, ReasonCode.PacketTooLarge);
});

const broken: readonly (readonly [string, string, ReasonCode])[] = [
  ['PUBLISH at QoS 3', '36 05 0001 74 0001', ReasonCode.MalformedPacket],
  ['PUBLISH with a wildcard [MQTT-3.3.2-2]', '30 04 0001 23 00', ReasonCode.TopicNameInvalid],
  ['PUBLISH with packet id 0 [MQTT-2.2.1-3]', '32 06 0001 74 0000 00', ReasonCode.ProtocolError],
  ['PUBLISH without topic and alias', '30 03 0000 00', ReasonCode.ProtocolError],
  [
    'PUBLISH with a subscription identifier [MQTT-3.3.4-6]',
    '30 06 0001 74 02 0b01',
    ReasonCode.ProtocolError,
  ],
  ['SUBSCRIBE without a filter [MQTT-3.8.3-2]', '82 03 0001 00', ReasonCode.ProtocolError],
  ['SUBSCRIBE with wrong flags [MQTT-3.8.1-1]', '80 07 0001 00 0001 74 00', ReasonCode.MalformedPacket],
  ['UNSUBSCRIBE without a filter [MQTT-3.10.3-2]', 'a2 03 0001 00', ReasonCode.ProtocolError],
  ['PUBREL with wrong flags [MQTT-3.6.1-1]', '60 02 0001', ReasonCode.MalformedPacket],
  ['CONNACK from a client', '20 03 00 00 00', ReasonCode.ProtocolError],
  ['PINGRESP from a client', 'd0 00', ReasonCode.ProtocolError],
  ['packet type 0', '00 00', ReasonCode.MalformedPacket],
  ['a length of five bytes', '30 ff ff ff ff 7f', ReasonCode.MalformedPacket],
];

for (const [name, hex, reason] of broken) {
  test(`${name} ends that connection alone, and says why [MQTT-4.13.1-1]`, () => {
    const harness = new BrokerHarness();
    const watcher = harness.connect('w');
    watcher.subscribe('#', { qos: 0 });
    const client = harness.connect('c', { will: willOf('will', 'x') });
    client.raw(`${hex} 30 04 0001 74 00`);
    assert.equal(client.takeDisconnect().reasonCode, reason);
    assert.ok(client.isClosed);
    assert.deepEqual(client.received, []);
    assert.deepEqual(watcher.takeAll(), ['will=x'], 'nothing behind the fault is handled');
    const old = harness.connect('o', { version: 4 });
    old.raw(hex);
    harness.connect('still').expectNothing();
  });
}

test('whatever bytes come, in whatever order, only that connection suffers', () => {
  const harness = new BrokerHarness();
  const watcher = harness.connect('watcher', { version: 4 });
  watcher.subscribe('sentinel', { qos: 0 });
  const valid: Packet[] = [
    publishPacket('a/b', 'payload', { qos: 2, packetId: 3, properties: { topicAlias: 1 } }),
    publishPacket('a', 'x', { qos: 1, retain: true }),
    { type: PacketType.Pubrel, packetId: 3, reasonCode: 0, properties: {} },
    { type: PacketType.Puback, packetId: 1, reasonCode: 0, properties: {} },
    { type: PacketType.Pubrec, packetId: 1, reasonCode: 0, properties: {} },
    {
      type: PacketType.Subscribe,
      packetId: 1,
      subscriptions: [{ filter: '#', qos: 2, noLocal: false, retainAsPublished: true, retainHandling: 0 }],
      properties: { subscriptionIdentifier: 1 },
    },
    { type: PacketType.Unsubscribe, packetId: 1, filters: ['#'], properties: {} },
    { type: PacketType.Pingreq },
  ];
  const mutated = fc
    .record({
      packet: fc.constantFrom(...valid),
      at: fc.nat(40),
      value: fc.nat(255),
      cut: fc.nat(60),
    })
    .map(({ packet, at, value, cut }) => {
      const bytes = encodePacket(packet, 5);
      if (cut % 3 === 0 && at < bytes.length) bytes[at] = value;
      return cut % 7 === 0 ? bytes.subarray(0, cut) : bytes;
    });
  const stream = fc.array(
    fc.oneof(
      mutated,
      fc.uint8Array({ maxLength: 30 }).map((one) => Buffer.from(one)),
    ),
    {
      maxLength: 20,
    },
  );
  fc.assert(
    fc.property(stream, fc.constantFrom(4 as const, 5 as const), fc.boolean(), (pieces, version, signsIn) => {
      const client = signsIn ? harness.connect('fuzz', { version }) : harness.open({ version });
      for (const piece of pieces) client.raw(piece);
      client.breakOff();
      harness.broker.publish({ topic: 'sentinel', payload: Buffer.from('ok'), qos: 0, retain: false });
      harness.settle();
      assert.deepEqual(watcher.takeAll(), ['sentinel=ok']);
    }),
    { numRuns: 500 },
  );
  assert.equal(
    harness.broker.statistics.bugs,
    0,
    harness.log.find((line) => line.includes('BUG')),
  );
});
