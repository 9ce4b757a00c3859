import assert from 'node:assert/strict';
import { test } from 'node:test';
import { PacketType, ReasonCode } from '#mqtt';
import { BrokerHarness } from '../../test/helpers/broker-harness.ts';
import { SlowJournal } from '../../test/helpers/slow-journal.ts';

const persistent = { cleanStart: false, properties: { sessionExpiry: 3600 } } as const;

function setUp(): { journal: SlowJournal; harness: BrokerHarness } {
  const journal = new SlowJournal();
  return { journal, harness: new BrokerHarness({ journal }) };
}

test('bound: disk space of the journal: MQTT 5 publishers are refused, and taken again when there is room', () => {
  const { journal, harness } = setUp();
  const reader = harness.connect('r');
  reader.subscribe('#', { qos: 1 });
  const publisher = harness.connect('p');
  journal.changeState('full');
  publisher.publish('t', '1', { qos: 1, packetId: 1 });
  assert.equal(publisher.takeAck(PacketType.Puback).reasonCode, ReasonCode.QuotaExceeded);
  publisher.publish('t', '2', { qos: 2, packetId: 2 });
  assert.equal(publisher.takeAck(PacketType.Pubrec).reasonCode, ReasonCode.QuotaExceeded);
  publisher.publish('t', '3');
  assert.equal(reader.takePublish().payload.toString(), '3', 'what was refused has gone nowhere');
  assert.equal(harness.broker.statistics.reached.journal, 2);
  journal.changeState('ok');
  publisher.publish('t', '4', { qos: 1, packetId: 1 });
  assert.equal(publisher.takeAck(PacketType.Puback).reasonCode, ReasonCode.Success);
  assert.equal(reader.takePublish().payload.toString(), '4');
});

test('a publisher before MQTT 5 gets no answer while the disk is full, and is asked to send again after it', () => {
  const { journal, harness } = setUp();
  const reader = harness.connect('r');
  reader.subscribe('#', { qos: 1 });
  const publisher = harness.connect('p', { version: 4, ...persistent });
  journal.commit();
  journal.changeState('failed');
  publisher.publish('t', '1', { qos: 1, packetId: 1 });
  publisher.publish('t', '2', { qos: 0 });
  publisher.expectNothing();
  assert.equal(reader.takePublish().payload.toString(), '2');
  assert.equal(publisher.isClosed, false, 'it goes on as a subscriber');
  journal.changeState('ok');
  harness.settle();
  assert.equal(publisher.isClosed, true);
  const again = harness.connect('p', { version: 4, ...persistent });
  journal.commit();
  again.publish('t', '1', { qos: 1, packetId: 1, dup: true });
  journal.commit();
  harness.settle();
  assert.equal(again.takeAck(PacketType.Puback).packetId, 1);
  assert.equal(reader.takePublish().payload.toString(), '1');
});

test('a subscriber goes on while the disk is full: what it acknowledges makes room', () => {
  const { journal, harness } = setUp();
  const away = harness.connect('away', persistent);
  away.send({
    type: PacketType.Subscribe,
    packetId: 1,
    subscriptions: [{ filter: '#', qos: 1, noLocal: false, retainAsPublished: false, retainHandling: 2 }],
    properties: {},
  });
  journal.commit();
  harness.settle();
  away.take(PacketType.Suback);
  away.disconnect();
  const publisher = harness.connect('p');
  for (const [index, text] of ['1', '2'].entries())
    publisher.publish('t', text, { qos: 1, packetId: index + 1 });
  journal.commit();
  journal.changeState('full');
  const back = harness.connect('away', persistent);
  for (const text of ['1', '2']) {
    const got = back.takePublish();
    assert.equal(got.payload.toString(), text);
    back.ack(PacketType.Puback, got.packetId);
  }
  journal.commit();
  assert.equal(harness.broker.statistics.queuedMessages, 0);
});

test('a message of a detector that was to be kept goes to those who are there, and is counted', () => {
  const { journal, harness } = setUp();
  const siren = harness.connect('siren');
  siren.subscribe('#', { qos: 1 });
  journal.changeState('full');
  const detector = harness.connect('d', { version: 4, profile: { minimumQos: 1 } });
  detector.publish('gas', '1');
  assert.equal(siren.takePublish().payload.toString(), '1');
  assert.equal(harness.broker.statistics.dropped['journal-full'], 1);
});
