import assert from 'node:assert/strict';
import { test } from 'node:test';
import { encodePacket, PacketType, ReasonCode, type Packet, type SubackPacket } from '#mqtt';
import { BrokerHarness, publishPacket } from '../../../test/helpers/broker-harness.ts';
import { packetsAtAStretch } from './fair-share.ts';

const address = '192.0.2.5';

/** So many filters in one SUBSCRIBE. */
function manyFilters(count: number): Packet {
  const request = { qos: 0, noLocal: false, retainAsPublished: false, retainHandling: 0 } as const;
  const subscriptions = Array.from({ length: count }, (_, i) => ({ filter: `f/${i}`, ...request }));
  return { type: PacketType.Subscribe, packetId: 1, subscriptions, properties: {} };
}

test('who sends thousands of packets at once is handled a stretch at a time, in order and without loss', () => {
  const harness = new BrokerHarness();
  const watcher = harness.connect('w');
  watcher.subscribe('#', { qos: 0 });
  const greedy = Array.from({ length: 10 }, (_, i) => harness.connect(`greedy ${i}`));
  const calm = harness.connect('calm');
  const messages = Array.from({ length: 5000 }, (_, i) => encodePacket(publishPacket('greed', String(i)), 5));
  for (const { transport } of greedy) transport.feed(Buffer.concat(messages));
  harness.turn();
  const first = watcher.takeAll();
  assert.equal(first.length, 10 * packetsAtAStretch);
  calm.transport.feed(encodePacket(publishPacket('calm', 'x'), 5));
  harness.turn();
  const second = watcher.takeAll();
  assert.ok(second.includes('calm=x'), 'who sends little waits for nobody');
  harness.settle();
  const rest = watcher.takeAll();
  assert.equal(first.length + second.length - 1 + rest.length, 10 * messages.length);
  assert.equal(rest.at(-1), 'greed=4999');
  for (const { transport } of greedy) assert.equal(transport.isPaused, false);
});

test('in one turn only a few of them go on', () => {
  const harness = new BrokerHarness();
  const greedy = Array.from({ length: 100 }, (_, i) => harness.connect(`greedy ${i}`));
  const pings = Buffer.concat(Array.from({ length: 3 * packetsAtAStretch }, () => Buffer.from([0xc0, 0])));
  for (const { transport } of greedy) transport.feed(pings);
  let before = harness.broker.statistics.packetsReceived;
  let turns = 0;
  for (; greedy.some(({ transport }) => transport.isPaused); turns++) {
    harness.turn();
    const { packetsReceived } = harness.broker.statistics;
    assert.ok(packetsReceived - before <= 4 * packetsAtAStretch, `${packetsReceived - before} in a turn`);
    before = packetsReceived;
  }
  harness.settle();
  for (const { received } of greedy) assert.equal(received.length, 3 * packetsAtAStretch);
  assert.ok(turns >= 50, `${turns} turns`);
});

test('of those who send packets of a thousand filters, one goes on in two or three turns', () => {
  const harness = new BrokerHarness();
  const greedy = Array.from({ length: 20 }, (_, i) => harness.connect(`greedy ${i}`));
  const packet = encodePacket(manyFilters(1000), 5);
  for (const { transport } of greedy) transport.feed(Buffer.concat([packet, packet, packet]));
  const { statistics } = harness.broker;
  let before = statistics.packetsReceived;
  let turns = 0;
  for (; greedy.some(({ transport }) => transport.isPaused); turns++) {
    harness.turn();
    assert.ok(statistics.packetsReceived - before <= 1, `${statistics.packetsReceived - before} in a turn`);
    before = statistics.packetsReceived;
  }
  harness.settle();
  for (const { received } of greedy) assert.equal(received.length, 3);
  assert.ok(turns >= 80, `${turns} turns`);
});

test('a SUBSCRIBE takes a turn, and rate, by its filters', () => {
  const harness = new BrokerHarness({ limits: { maximumMessageRate: 1000 } });
  const client = harness.connect('c', { address });
  client.transport.feed(encodePacket(manyFilters(200), 5));
  client.transport.feed(encodePacket({ type: PacketType.Pingreq }, 5));
  client.transport.feed(encodePacket({ type: PacketType.Pingreq }, 5));
  assert.ok(client.transport.isPaused);
  harness.settle();
  assert.equal((client.received.shift() as SubackPacket).reasonCodes.length, 200);
  assert.equal(client.received.length, 2, 'after a turn it goes on');
  client.send(manyFilters(900), { type: PacketType.Pingreq }, { type: PacketType.Pingreq });
  assert.ok(client.transport.isPaused, 'its rate is used up');
  harness.advance(1000);
  assert.deepEqual(
    client.received.slice(-2).map(({ type }) => type),
    [PacketType.Pingresp, PacketType.Pingresp],
  );
});

test('acknowledgements of what was never sent cost rate, others do not', () => {
  const harness = new BrokerHarness({ limits: { maximumMessageRate: 100 } });
  const types = [PacketType.Puback, PacketType.Pubrec, PacketType.Pubrel, PacketType.Pubcomp] as const;
  for (const type of types) {
    const client = harness.connect(`c${type}`, { address });
    const acks = Array.from({ length: 300 }, (_, i) => ({
      type,
      packetId: i + 1,
      reasonCode: ReasonCode.Success,
      properties: {},
    }));
    client.send(...acks);
    assert.ok(client.transport.isPaused, `type ${type}`);
  }
  const reader = harness.connect('r', { address, properties: { receiveMaximum: 1000 } });
  reader.subscribe('t', { qos: 1 });
  const publisher = harness.connect('p');
  for (let i = 0; i < 90; i++) publisher.publish('t', 'x', { qos: 1, packetId: i + 1 });
  for (let i = 0; i < 90; i++) {
    const { packetId } = reader.takePublish();
    reader.ack(PacketType.Puback, packetId);
  }
  reader.send(...Array.from({ length: 90 }, () => ({ type: PacketType.Pingreq }) as const));
  assert.equal(reader.transport.isPaused, false);
});
