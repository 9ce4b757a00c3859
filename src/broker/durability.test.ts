import assert from 'node:assert/strict';
import { test } from 'node:test';
import { PacketType, type AckPacket, type Packet } from '#mqtt';
import { BrokerHarness, willOf, type TestClient } from '../../test/helpers/broker-harness.ts';
import { SlowJournal } from '../../test/helpers/slow-journal.ts';

const persistent = { cleanStart: false, properties: { sessionExpiry: 3600 } } as const;

/** What came, as `puback 1`; messages as `t=x 1`. */
function arrivals(client: TestClient): string[] {
  const names = new Map<number, string>([
    [PacketType.Puback, 'puback'],
    [PacketType.Pubrec, 'pubrec'],
    [PacketType.Pubrel, 'pubrel'],
    [PacketType.Pubcomp, 'pubcomp'],
    [PacketType.Suback, 'suback'],
    [PacketType.Unsuback, 'unsuback'],
  ]);
  return client.received.splice(0).map((packet) => {
    if (packet.type === PacketType.Publish) {
      return `${packet.topic}=${packet.payload.toString()} ${packet.packetId}${packet.dup ? ' dup' : ''}`;
    }
    return `${names.get(packet.type)} ${(packet as AckPacket).packetId}`;
  });
}

function setUp(): { journal: SlowJournal; harness: BrokerHarness; away: TestClient; publisher: TestClient } {
  const journal = new SlowJournal();
  const harness = new BrokerHarness({ journal });
  const away = harness.connect('away', persistent);
  away.send({
    type: PacketType.Subscribe,
    packetId: 1,
    subscriptions: [{ filter: 't', qos: 2, noLocal: false, retainAsPublished: false, retainHandling: 0 }],
    properties: {},
  });
  journal.commit();
  harness.settle();
  assert.deepEqual(arrivals(away), ['suback 1']);
  const publisher = harness.connect('p', persistent);
  journal.commit();
  return { journal, harness, away, publisher };
}

test('acknowledgements leave when what they promise is durable, in the order of their packets', () => {
  const { journal, harness, away, publisher } = setUp();
  away.disconnect();
  journal.commit();
  publisher.publish('t', '1', { qos: 1, packetId: 1 });
  const first = journal.sequence;
  publisher.publish('t', '2', { qos: 2, packetId: 2 });
  publisher.publish('nobody', '3', { qos: 1, packetId: 3 });
  publisher.send({
    type: PacketType.Subscribe,
    packetId: 4,
    subscriptions: [{ filter: 'x', qos: 0, noLocal: false, retainAsPublished: false, retainHandling: 0 }],
    properties: {},
  });
  publisher.expectNothing();
  journal.commit(first - journal.durableSequence);
  harness.settle();
  assert.deepEqual(arrivals(publisher), ['puback 1']);
  journal.commit();
  harness.settle();
  assert.deepEqual(arrivals(publisher).toSorted(), ['puback 3', 'pubrec 2', 'suback 4']);
  publisher.ack(PacketType.Pubrel, 2);
  publisher.expectNothing();
  journal.commit();
  harness.settle();
  assert.deepEqual(arrivals(publisher), ['pubcomp 2']);
});

test('a message that nobody has to remember is acknowledged at once', () => {
  const { publisher } = setUp();
  publisher.publish('nobody', 'x', { qos: 1, packetId: 1 });
  assert.deepEqual(arrivals(publisher), ['puback 1']);
});

test('a message at QoS 2, and its PUBREL, go out when their packet id is durable; at QoS 1 at once', () => {
  const { journal, harness, away, publisher } = setUp();
  publisher.publish('t', 'one', { qos: 1, packetId: 1 });
  publisher.publish('t', 'two', { qos: 2, packetId: 2 });
  assert.deepEqual(arrivals(away), ['t=one 1']);
  journal.commit();
  harness.settle();
  assert.deepEqual(arrivals(away), ['t=two 2']);
  away.ack(PacketType.Pubrec, 2);
  away.expectNothing();
  journal.commit();
  harness.settle();
  assert.deepEqual(arrivals(away), ['pubrel 2']);
});

test('acknowledgements of a connection that ended meanwhile are forgotten, not sent to another', () => {
  const { journal, harness, publisher } = setUp();
  publisher.publish('t', '1', { qos: 1, packetId: 1 });
  publisher.breakOff();
  const again = harness.connect('p', persistent);
  journal.commit();
  harness.settle();
  again.expectNothing();
});

test('a crash at any record loses nothing that was acknowledged and repeats nothing at QoS 2', () => {
  for (let crashAfter = 0; crashAfter < 30; crashAfter++) {
    const { journal, harness, away, publisher } = setUp();
    const acknowledged = new Set<string>();
    const taken: string[] = [];
    /** A subscriber that obeys: takes a message at QoS 2 once per packet id until PUBREL. */
    const open = new Set<number>();
    const obey = (client: TestClient): void => {
      while (client.received.length > 0) {
        const packet = client.received.shift()!;
        if (packet.type === PacketType.Publish) {
          if (!open.has(packet.packetId)) taken.push(packet.payload.toString());
          open.add(packet.packetId);
          client.ack(PacketType.Pubrec, packet.packetId);
        } else if (packet.type === PacketType.Pubrel) {
          open.delete(packet.packetId);
          client.ack(PacketType.Pubcomp, packet.packetId);
        }
      }
    };
    let commits = 0;
    const step = (): void => {
      if (commits++ < crashAfter && journal.durableSequence < journal.sequence) journal.commit(1);
      harness.settle();
      for (const packet of publisher.received.splice(0)) {
        if (packet.type === PacketType.Pubrec) {
          acknowledged.add(String(packet.packetId));
          publisher.ack(PacketType.Pubrel, packet.packetId);
        }
      }
      obey(away);
    };
    for (let i = 1; i <= 4; i++) publisher.publish('t', String(i), { qos: 2, packetId: i });
    for (let i = 0; i < 60; i++) step();

    const journal2 = journal.crash();
    const next = new BrokerHarness({ journal: journal2, clock: harness.clock });
    const back = next.connect('away', persistent);
    assert.equal(back.connack?.sessionPresent, true);
    for (let i = 0; i < 20; i++) {
      journal2.commit();
      next.settle();
      obey(back);
    }
    assert.deepEqual(taken.toSorted(), [...new Set(taken)].toSorted(), `repeated after ${crashAfter}`);
    for (const one of acknowledged)
      assert.ok(taken.includes(one), `message ${one} is lost after ${crashAfter}`);
    assert.deepEqual(taken, taken.toSorted(), 'in order');
  }
});

test('a restart finds sessions, subscriptions, queues, incoming ids, retained messages and delayed wills', () => {
  const { journal, harness, away, publisher } = setUp();
  away.disconnect();
  publisher.publish('t', 'queued', { qos: 1, packetId: 1 });
  publisher.publish('nobody', 'incoming', { qos: 2, packetId: 2 });
  publisher.publish('kept', 'retained', { retain: true });
  const will = { ...persistent, will: willOf('kept', 'will', { delay: 60, qos: 1 }) };
  harness.connect('w', will).breakOff();
  journal.commit();
  const journal2 = journal.crash();
  const next = new BrokerHarness({ journal: journal2, clock: harness.clock });
  assert.equal(next.broker.statistics.sessions, 3);
  const back = next.connect('away', persistent);
  assert.deepEqual(back.takeAll(), ['t=queued']);
  const again = next.connect('p', persistent);
  again.publish('t', 'incoming', { qos: 2, packetId: 2, dup: true });
  journal2.commit();
  next.settle();
  assert.deepEqual(arrivals(again), ['pubrec 2']);
  back.expectNothing();
  const watcher = next.connect('watcher');
  watcher.subscribe('kept', { qos: 1 });
  assert.deepEqual(watcher.takeAll(), ['kept=retained']);
  next.advance(61_000);
  assert.deepEqual(watcher.takeAll(), ['kept=will']);
});

/** SUBSCRIBE to a group's `t`. */
const joinGroup: Packet = {
  type: PacketType.Subscribe,
  packetId: 1,
  subscriptions: [
    { filter: '$share/g/t', qos: 1, noLocal: false, retainAsPublished: false, retainHandling: 0 },
  ],
  properties: {},
};

test('a session that is taken up without an expiry ends with that connection, also in the journal', () => {
  const { journal, harness, away } = setUp();
  away.breakOff();
  const last = harness.connect('away', { cleanStart: false, properties: { sessionExpiry: 0 } });
  assert.equal(last.connack?.sessionPresent, true);
  last.breakOff();
  journal.commit();
  assert.deepEqual(
    [...journal.load().sessions].map(({ clientId }) => clientId),
    ['p'],
  );
});

test('after a restart, what an absent member of a group held still goes to the others when its session ends', () => {
  const journal = new SlowJournal();
  const harness = new BrokerHarness({ journal });
  const away = harness.connect('away', persistent);
  away.send(joinGroup);
  const publisher = harness.connect('p');
  publisher.publish('t', 'sent', { qos: 1, packetId: 1 });
  away.breakOff();
  publisher.publish('t', 'queued', { qos: 1, packetId: 2 });
  journal.commit();
  const journal2 = journal.crash();
  const next = new BrokerHarness({ journal: journal2, clock: harness.clock });
  const here = next.connect('here');
  here.send(joinGroup);
  journal2.commit();
  next.settle();
  assert.deepEqual(arrivals(here), ['suback 1']);
  next.advance(3_700_000);
  assert.deepEqual(here.takeAll(), ['t=sent', 't=queued']);
});

test('a publisher that keeps to no window is not read faster than the disk takes, and not cut off for our silence', () => {
  const journal = new SlowJournal();
  const harness = new BrokerHarness({ journal, limits: { receiveMaximum: 5, receiveMaximumStrict: false } });
  const away = harness.connect('away', persistent);
  away.send({
    type: PacketType.Subscribe,
    packetId: 1,
    subscriptions: [{ filter: 't', qos: 1, noLocal: false, retainAsPublished: false, retainHandling: 0 }],
    properties: {},
  });
  away.disconnect();
  for (const version of [4, 5] as const) {
    const publisher = harness.connect(`p${version}`, { version, keepAlive: 1 });
    journal.commit();
    for (let id = 1; id <= 20; id++) publisher.publish('t', 'x', { qos: 1, packetId: id });
    assert.ok(publisher.transport.isPaused);
    const recorded = journal.sequence;
    harness.advance(60_000);
    assert.ok(!publisher.isClosed);
    const got: string[] = [];
    for (let round = 0; got.length < 20; round++) {
      assert.ok(round < 20, 'it comes to an end');
      journal.commit();
      harness.settle();
      got.push(...arrivals(publisher));
    }
    assert.ok(journal.sequence > recorded, 'what was not read has not been recorded');
    assert.deepEqual(
      got,
      Array.from({ length: 20 }, (_, i) => `puback ${i + 1}`),
    );
    assert.ok(!publisher.transport.isPaused);
    publisher.disconnect();
  }
});
