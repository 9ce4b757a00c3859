import assert from 'node:assert/strict';
import { test } from 'node:test';
import { PacketType } from '#mqtt';
import { BrokerHarness } from '../../../test/helpers/broker-harness.ts';
import { SlowJournal } from '../../../test/helpers/slow-journal.ts';

const subscribe = (packetId: number) => ({
  type: PacketType.Subscribe,
  packetId,
  subscriptions: [
    {
      filter: `t/${packetId}`,
      qos: 1 as const,
      noLocal: false,
      retainAsPublished: false,
      retainHandling: 0 as const,
    },
  ],
  properties: {},
});

test('who subscribes faster than the disk keeps up is not read, and gets every answer in order', () => {
  const journal = new SlowJournal();
  const harness = new BrokerHarness({ journal });
  const client = harness.connect('c', { cleanStart: false, properties: { sessionExpiry: 100 } });
  const count = 1000;
  // One at a time: a chunk is cut where the reader stops, and the rest waits unread.
  for (let id = 1; id <= count; id++) client.send(subscribe(id));
  assert.ok(client.transport.isPaused);
  assert.equal(client.received.length, 0, 'nothing is promised that is not on the disk');
  const recorded = journal.sequence;
  assert.ok(recorded < 70, `${recorded} records were made before the client had to wait`);
  while (journal.durableSequence < journal.sequence) {
    journal.commit();
    harness.settle();
  }
  assert.equal(client.transport.isPaused, false);
  const ids = client.received.map((packet) => (packet.type === PacketType.Suback ? packet.packetId : 0));
  assert.deepEqual(
    ids,
    Array.from({ length: count }, (_, i) => i + 1),
  );
});
