import assert from 'node:assert/strict';
import { test } from 'node:test';
import { PacketType, ReasonCode } from '#mqtt';
import { sysCounter } from '../../test/helpers/sys-counter.ts';
import { BrokerHarness, publishPacket, type TestClient } from '../../test/helpers/broker-harness.ts';

const messages = (topic: string, count: number, from = 1) =>
  Array.from({ length: count }, (_, i) =>
    publishPacket(topic, String(from + i), { qos: 1, packetId: from + i }),
  );

/** Acknowledges everything that came; gives back what it was. */
function acknowledgeAll(client: TestClient): string[] {
  const taken: string[] = [];
  while (client.received.length > 0) {
    const packet = client.received.shift()!;
    if (packet.type !== PacketType.Publish) continue;
    taken.push(packet.payload.toString());
    if (packet.qos === 1) client.ack(PacketType.Puback, packet.packetId);
  }
  return taken;
}

test('a publisher that is faster than a subscriber at QoS 1 is slowed; nothing is lost', () => {
  const harness = new BrokerHarness({ limits: { maximumQueuedMessages: 100, maximumInflight: 10 } });
  const subscriber = harness.connect('s');
  subscriber.subscribe('t', { qos: 1 });
  const publisher = harness.connect('p', { version: 4 });
  publisher.send(...messages('t', 1000));
  assert.ok(publisher.transport.isPaused);
  assert.ok(harness.broker.statistics.queuedMessages <= 60, 'it stops in the middle of a chunk');
  const taken: string[] = [];
  for (let i = 0; i < 1000 && taken.length < 1000; i++) taken.push(...acknowledgeAll(subscriber));
  assert.deepEqual(
    taken,
    Array.from({ length: 1000 }, (_, i) => String(i + 1)),
  );
  assert.equal(publisher.transport.isPaused, false);
  assert.equal(publisher.received.length, 1000, 'every message is acknowledged in the end');
  assert.equal(harness.broker.statistics.dropped['queue-full'], 0);
});

test('only those wait who publish to the slow one', () => {
  const harness = new BrokerHarness({ limits: { maximumQueuedMessages: 100, maximumInflight: 10 } });
  const slow = harness.connect('slow');
  slow.subscribe('slow', { qos: 1 });
  const quick = harness.connect('quick');
  quick.subscribe('quick', { qos: 1 });
  harness.connect('a', { version: 4 }).send(...messages('slow', 500));
  const other = harness.connect('b', { version: 4 });
  other.send(...messages('quick', 30));
  assert.equal(other.transport.isPaused, false);
  const taken: string[] = [];
  for (let i = 0; i < 30; i++) taken.push(...acknowledgeAll(quick));
  assert.equal(taken.length, 30);
});

test('clients that publish to each other faster than they take never stop for good', () => {
  const harness = new BrokerHarness({ limits: { maximumQueuedMessages: 40, maximumInflight: 5 } });
  const names = ['a', 'b', 'c'];
  const clients = names.map((name, i) => {
    const client = harness.connect(name, { properties: { receiveMaximum: 5 } });
    client.subscribe(`to/${names[i]}`, { qos: 1 });
    return client;
  });
  const sent = [0, 0, 0];
  const acknowledged = [0, 0, 0];
  const taken = [0, 0, 0];
  const total = 400;
  for (let round = 0; round < 5000; round++) {
    for (const [i, client] of clients.entries()) {
      // A client that keeps to the broker's receive maximum of 100 and acknowledges one message a round.
      while (sent[i]! < total && sent[i]! - acknowledged[i]! < 100) {
        sent[i]!++;
        client.publish(`to/${names[(i + 1) % 3]}`, 'x', { qos: 1, packetId: (sent[i]! % 60_000) + 1 });
      }
      let hasTaken = false;
      const rest = client.received.splice(0).filter((packet) => {
        if (packet.type === PacketType.Puback) {
          acknowledged[i]!++;
          return false;
        }
        if (packet.type !== PacketType.Publish || hasTaken) return true;
        hasTaken = true;
        taken[i]!++;
        client.ack(PacketType.Puback, packet.packetId);
        return false;
      });
      client.received.unshift(...rest);
    }
    harness.settle();
  }
  const { dropped } = harness.broker.statistics;
  assert.deepEqual(acknowledged, [total, total, total]);
  const sum = taken[0]! + taken[1]! + taken[2]!;
  assert.equal(sum + dropped['queue-full'], 3 * total, 'each message is taken or counted');
  assert.equal(
    clients.some((client) => client.transport.isPaused),
    false,
  );
});

test('a held publisher is read again as soon as it has something to acknowledge', () => {
  const harness = new BrokerHarness({ limits: { maximumQueuedMessages: 100, maximumInflight: 10 } });
  const slow = harness.connect('slow');
  slow.subscribe('t', { qos: 1 });
  const both = harness.connect('both', { version: 4 });
  both.subscribe('for-both', { qos: 1 });
  both.send(...messages('t', 200));
  assert.ok(both.transport.isPaused);
  harness.connect('other').publish('for-both', 'hello', { qos: 1 });
  assert.equal(both.transport.isPaused, false);
  const got = both.received.find((packet) => packet.type === PacketType.Publish);
  assert.ok(got?.type === PacketType.Publish);
  both.ack(PacketType.Puback, got.packetId);
});

test('a subscriber that acknowledges nothing is waited for no longer than ten seconds', () => {
  const harness = new BrokerHarness({ limits: { maximumQueuedMessages: 100, maximumInflight: 10 } });
  const dead = harness.connect('dead');
  dead.subscribe('t', { qos: 1 });
  const alive = harness.connect('alive');
  alive.subscribe('t', { qos: 0 });
  const publisher = harness.connect('p', { version: 4 });
  publisher.send(...messages('t', 300));
  assert.ok(publisher.transport.isPaused);
  for (let second = 0; second < 12; second++) {
    harness.advance(1000);
    dead.send({ type: PacketType.Pingreq });
  }
  assert.equal(publisher.transport.isPaused, false);
  assert.equal(publisher.received.length, 300);
  assert.equal(alive.takeAll().length, 300);
  assert.equal(harness.broker.statistics.dropped['queue-full'], 300 - 10 - 100);
  assert.ok(harness.log.some((line) => line.includes('client dead acknowledges nothing')));
});

test('bound: drain rate; one acknowledgement every nine seconds holds nobody up for ever', () => {
  for (const [minimumDrainRate, isHeld] of [
    [0, true],
    [1, false],
  ] as const) {
    const limits = { maximumQueuedMessages: 100, maximumInflight: 10, minimumDrainRate };
    const harness = new BrokerHarness({ limits });
    const slow = harness.connect('slow');
    slow.subscribe('t', { qos: 1 });
    const publisher = harness.connect('p', { version: 4 });
    publisher.send(...messages('t', 300));
    for (let round = 0; round < 4; round++) {
      slow.ack(PacketType.Puback, slow.takePublish().packetId);
      for (let second = 0; second < 9; second++) harness.advance(1000);
    }
    assert.equal(publisher.transport.isPaused, isHeld);
    assert.equal(harness.broker.statistics.reached['drain-rate'], isHeld ? 0 : 1);
    const isTold = harness.log.some((line) => line.includes('client slow acknowledges too slowly'));
    assert.equal(isTold, !isHeld);
    if (!isHeld) assert.equal(sysCounter(harness, 'davylamp/bounds/drain-rate'), 1);
  }
});

test('a subscriber that was too slow is waited for again when it keeps up, and not before', () => {
  const limits = { maximumQueuedMessages: 100, maximumInflight: 10, minimumDrainRate: 1 };
  const harness = new BrokerHarness({ limits });
  const slow = harness.connect('slow');
  slow.subscribe('t', { qos: 1 });
  const publisher = harness.connect('p', { version: 4 });
  publisher.send(...messages('t', 100));
  assert.ok(publisher.transport.isPaused);
  for (let second = 0; second < 12; second++) harness.advance(1000);
  assert.equal(publisher.transport.isPaused, false);
  slow.ack(PacketType.Puback, slow.takePublish().packetId);
  harness.advance(1000);
  publisher.send(...messages('t', 10));
  assert.equal(publisher.transport.isPaused, false, 'one acknowledgement is not enough');
  for (let i = 0; i < 10; i++) slow.ack(PacketType.Puback, slow.takePublish().packetId);
  harness.advance(1000);
  publisher.send(...messages('t', 50));
  assert.equal(publisher.transport.isPaused, true);
});

test('a subscriber that leaves lets its publishers go on', () => {
  const harness = new BrokerHarness({ limits: { maximumQueuedMessages: 100, maximumInflight: 10 } });
  const subscriber = harness.connect('s');
  subscriber.subscribe('t', { qos: 1 });
  const publisher = harness.connect('p', { version: 4 });
  publisher.send(...messages('t', 300));
  assert.ok(publisher.transport.isPaused);
  subscriber.breakOff();
  assert.equal(publisher.transport.isPaused, false);
  assert.equal(publisher.received.length, 300);
});

test('a held publisher cannot let answers pile up without end', () => {
  const harness = new BrokerHarness({ limits: { maximumQueuedMessages: 20, maximumInflight: 5 } });
  harness.connect('slow').subscribe('t', { qos: 1 });
  const publisher = harness.connect('p', { version: 4 });
  publisher.subscribe('p', { qos: 1 });
  harness.connect('q').publish('p', 'keeps p from being paused', { qos: 1 });
  publisher.takePublish();
  publisher.send(...messages('t', 20));
  assert.equal(publisher.transport.isPaused, false);
  const releases = Buffer.alloc(4 * 65_536);
  for (let at = 0; at < releases.length; at += 4) releases.set([0x62, 2, 0, 1], at);
  publisher.raw(releases);
  assert.equal(publisher.isClosed, false, 'as many as an honest client may have');
  publisher.raw(releases);
  assert.equal(publisher.isClosed, true);
});

test('a publisher that leaves while it is held leaves nothing behind', () => {
  const harness = new BrokerHarness({ limits: { maximumQueuedMessages: 20, maximumInflight: 2 } });
  const subscriber = harness.connect('s');
  subscriber.subscribe('t', { qos: 1 });
  const publisher = harness.connect('p', { version: 4 });
  publisher.send(...messages('t', 100));
  publisher.breakOff();
  for (let i = 0; i < 50; i++) acknowledgeAll(subscriber);
  subscriber.expectNothing();
  assert.equal(harness.broker.statistics.bugs, 0);
});

test('QoS 0 for a client that does not read is dropped and counted; QoS 1 waits for it; others get everything', () => {
  const harness = new BrokerHarness({ limits: { maximumPendingBytes: 10_000 } });
  const slow = harness.connect('slow');
  slow.subscribe('t', { qos: 1 });
  const quick = harness.connect('quick');
  quick.subscribe('t', { qos: 0 });
  const publisher = harness.connect('p');
  slow.transport.block();
  for (let i = 0; i < 100; i++) publisher.publish('t', Buffer.alloc(1000));
  for (let i = 0; i < 5; i++) publisher.publish('t', String(i), { qos: 1, packetId: i + 1 });
  assert.equal(quick.received.length, 105);
  const dropped = harness.broker.statistics.dropped['slow-client'];
  assert.ok(dropped >= 85 && dropped < 95, `dropped: ${dropped}`);
  assert.equal(harness.broker.statistics.queuedMessages, 5);
  slow.transport.unblock();
  harness.settle();
  const taken = slow.takeAll();
  assert.equal(taken.length, 105 - dropped);
  assert.deepEqual(taken.slice(-5), ['t=0', 't=1', 't=2', 't=3', 't=4']);
});

test('a client that does not read for 30 s, or lets four times the bound pile up, is disconnected', () => {
  const harness = new BrokerHarness({ limits: { maximumPendingBytes: 1000 } });
  const slow = harness.connect('slow');
  slow.subscribe('t', { qos: 0 });
  slow.transport.block();
  const publisher = harness.connect('p');
  publisher.publish('t', Buffer.alloc(2000));
  harness.advance(29_000);
  assert.equal(slow.isClosed, false);
  harness.advance(3000);
  assert.ok(slow.isClosed);
  const flooder = harness.connect('flooder');
  flooder.transport.block();
  for (let i = 0; i < 3000; i++) flooder.send({ type: PacketType.Pingreq });
  harness.advance(1000);
  assert.ok(flooder.isClosed);
  assert.equal(harness.broker.statistics.slowClientsClosed, 2);
  assert.equal(harness.connect('q').connack?.reasonCode, ReasonCode.Success);
});

test('bytes that wait for a slow socket are not overwritten by those for others', () => {
  const harness = new BrokerHarness();
  const slow = harness.connect('slow');
  const quick = harness.connect('quick');
  for (const client of [slow, quick]) client.subscribe('#', { qos: 0 });
  const publisher = harness.connect('p');
  const expected: string[] = [];
  slow.transport.block();
  for (let i = 0; i < 300; i++) {
    const payload = String(i).repeat(1 + (i % 700));
    expected.push(`t/${i}=${payload}`);
    publisher.publish(`t/${i}`, payload);
    if (i % 50 === 49) {
      slow.transport.unblock();
      slow.transport.block();
    }
  }
  slow.transport.unblock();
  assert.deepEqual(slow.takeAll(), expected);
  assert.deepEqual(quick.takeAll(), expected);
});

test('a burst larger than the bound within one turn reaches a client that keeps up', () => {
  const harness = new BrokerHarness({ limits: { maximumPendingBytes: 100_000 } });
  const subscriber = harness.connect('s');
  subscriber.subscribe('t', { qos: 0 });
  const publisher = harness.connect('p');
  publisher.send(...Array.from({ length: 1000 }, () => publishPacket('t', Buffer.alloc(1000))));
  assert.equal(subscriber.received.length, 1000);
  assert.equal(harness.broker.statistics.messagesDropped, 0);
});
