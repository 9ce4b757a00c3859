import assert from 'node:assert/strict';
import { test } from 'node:test';
import { PacketType } from '#mqtt';
import { BrokerHarness, type TestClient } from '../../test/helpers/broker-harness.ts';
import type { QueueRules } from './ports.ts';

const usual: QueueRules = { urgentTopics: [], whenFull: 'drop-new', maximumAgeMs: 0 };

function absent(harness: BrokerHarness, rules: Partial<QueueRules>): () => TestClient {
  const options = {
    cleanStart: false,
    properties: { sessionExpiry: 3600 },
    profile: { queue: { ...usual, ...rules } },
  } as const;
  const first = harness.connect('b', options);
  first.subscribe('#', { qos: 1 });
  first.disconnect();
  return () => harness.connect('b', options);
}

function publish(harness: BrokerHarness, ...messages: readonly string[]): void {
  const publisher = harness.connect('p');
  for (const [index, message] of messages.entries()) {
    const [topic = '', text = ''] = message.split('=');
    publisher.publish(topic, text, { qos: 1, packetId: index + 1 });
  }
  publisher.disconnect();
}

function takeAll(client: TestClient): string[] {
  const got: string[] = [];
  for (const packet of client.received.splice(0)) {
    if (packet.type !== PacketType.Publish) continue;
    got.push(`${packet.topic}=${packet.payload.toString()}`);
    client.ack(PacketType.Puback, packet.packetId);
  }
  return got;
}

test('urgent messages overtake all others that wait; among themselves and among the others the order is kept', () => {
  const harness = new BrokerHarness();
  const back = absent(harness, { urgentTopics: ['alarm/#', '+/leak'] });
  publish(harness, 'a=1', 'alarm/x=2', 'b=3', 'c/leak=4', 'a=5');
  assert.deepEqual(takeAll(back()), ['alarm/x=2', 'c/leak=4', 'a=1', 'b=3', 'a=5']);
});

test('an urgent message overtakes what waits for a connected client whose window is full', () => {
  const harness = new BrokerHarness();
  const profile = { queue: { ...usual, urgentTopics: ['alarm'] } };
  const client = harness.connect('b', { properties: { receiveMaximum: 1 }, profile });
  client.subscribe('#', { qos: 1 });
  publish(harness, 'a=1', 'a=2', 'a=3', 'alarm=4');
  const order: string[] = [];
  for (let taken = takeAll(client); taken.length > 0; taken = takeAll(client)) order.push(...taken);
  assert.deepEqual(order, ['a=1', 'alarm=4', 'a=2', 'a=3']);
});

test('at the bound the oldest goes where the listener says so, the new one elsewhere; both are counted', () => {
  for (const [whenFull, kept] of [
    ['drop-oldest', ['a=2', 'a=3', 'a=4']],
    ['drop-new', ['a=1', 'a=2', 'a=3']],
  ] as const) {
    const harness = new BrokerHarness({ limits: { maximumQueuedMessages: 3 } });
    const back = absent(harness, { whenFull });
    publish(harness, 'a=1', 'a=2', 'a=3', 'a=4');
    assert.equal(harness.broker.statistics.dropped['queue-full'], 1);
    assert.equal(harness.broker.statistics.queuedMessages, 3);
    assert.deepEqual(takeAll(back()), kept);
    assert.equal(harness.broker.statistics.queuedMessages, 0);
    assert.equal(harness.broker.statistics.queuedBytes, 0);
  }
});

test('a message that does not fit an empty queue drops nothing but itself and what made way for it', () => {
  const harness = new BrokerHarness({ limits: { maximumQueuedBytes: 10 } });
  const back = absent(harness, { whenFull: 'drop-oldest' });
  publish(harness, 'a=1', 'a=much too long for it');
  assert.equal(harness.broker.statistics.dropped['queue-full'], 2);
  assert.deepEqual(takeAll(back()), []);
});

test('bound: age of what waits: older messages are dropped while the client is away, urgent ones never', () => {
  const harness = new BrokerHarness();
  const back = absent(harness, { maximumAgeMs: 60_000, urgentTopics: ['alarm'] });
  publish(harness, 'a=1', 'alarm=2');
  harness.advance(50_000);
  publish(harness, 'a=3');
  harness.advance(20_000);
  assert.equal(harness.broker.statistics.dropped['queue-age'], 1);
  assert.equal(harness.broker.statistics.queuedMessages, 2);
  assert.deepEqual(takeAll(back()), ['alarm=2', 'a=3']);
});

test('a full queue does not keep an urgent message out', () => {
  const harness = new BrokerHarness({ limits: { maximumQueuedMessages: 2 } });
  const back = absent(harness, { urgentTopics: ['alarm'] });
  publish(harness, 'a=1', 'a=2', 'a=3', 'alarm=4', 'alarm=5');
  assert.equal(harness.broker.statistics.dropped['queue-full'], 1);
  assert.deepEqual(takeAll(back()), ['alarm=4', 'alarm=5', 'a=1', 'a=2']);
  assert.equal(harness.broker.statistics.queuedMessages, 0);
});
