import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { encodePacket, PacketType, type Packet } from '#mqtt';
import {
  BrokerHarness,
  publishPacket,
  type PublishOptions,
  type TestClient,
} from '../../test/helpers/broker-harness.ts';

const kib = 1024;

/** A payload that tells its number at every place. */
const payloadOf = (number: number, size: number): Buffer => Buffer.alloc(size, `<${number}>`);

/** Sends it in chunks of `size` bytes, each of which is overwritten after the call. */
function sendCut(client: TestClient, packets: readonly Packet[], size: number): void {
  const bytes = Buffer.concat(packets.map((packet) => encodePacket(packet, client.version)));
  for (let at = 0; at < bytes.length; at += size) client.raw(bytes.subarray(at, at + size));
}

/** Everything that was published to it, acknowledged. */
function takeMessages(client: TestClient): Buffer[] {
  const payloads: Buffer[] = [];
  while (client.received.length > 0) {
    const packet = client.received.shift()!;
    if (packet.type === PacketType.Publish) {
      payloads.push(packet.payload);
      if (packet.qos === 1) client.ack(PacketType.Puback, packet.packetId);
      if (packet.qos === 2) client.ack(PacketType.Pubrec, packet.packetId);
    } else if (packet.type === PacketType.Pubrel) client.ack(PacketType.Pubcomp, packet.packetId);
  }
  return payloads;
}

function assertPayloads(taken: readonly Buffer[], wanted: readonly Buffer[], who: string): void {
  assert.equal(taken.length, wanted.length, who);
  for (const [i, payload] of taken.entries()) assert.ok(payload.equals(wanted[i]!), `${who}: message ${i}`);
}

const sizes = fc.array(fc.integer({ min: 15 * kib, max: 90 * kib }), { minLength: 1, maxLength: 12 });
const chunks = fc.oneof(fc.integer({ min: 9 * kib, max: 70 * kib }), fc.constant(64 * kib));

test('large payloads, cut anywhere, come whole to everybody: at once, late, again and from what is retained', () => {
  fc.assert(
    fc.property(sizes, chunks, fc.constantFrom(0, 1, 2), fc.boolean(), (lengths, chunk, qos, isV5) => {
      const harness = new BrokerHarness();
      const version = isV5 ? 5 : 4;
      const quick = harness.connect('quick', { version });
      const slow = harness.connect('slow', { version: isV5 ? 4 : 5 });
      const away = harness.connect('away', { cleanStart: false, properties: { sessionExpiry: 3600 } });
      for (const client of [quick, slow, away]) client.subscribe('t/#', { qos: 2 });
      away.transport.breakOff();
      slow.transport.block();
      const publisher = harness.connect('p', { version });
      const payloads = lengths.map((length, i) => payloadOf(i, length));
      const taken: Buffer[] = [];
      for (const [i, payload] of payloads.entries()) {
        const options: PublishOptions = { qos, retain: i === 0, packetId: qos === 0 ? 0 : i + 1 };
        sendCut(publisher, [publishPacket('t/1', payload, options)], chunk);
        taken.push(...takeMessages(quick));
      }
      assertPayloads(taken, payloads, 'quick');
      slow.transport.unblock();
      harness.settle();
      const late: Buffer[] = [];
      for (let more = takeMessages(slow); more.length > 0; more = takeMessages(slow)) late.push(...more);
      assertPayloads(late, payloads, 'slow');
      const back = harness.connect('away', { cleanStart: false });
      const kept: Buffer[] = [];
      for (let more = takeMessages(back); more.length > 0; more = takeMessages(back)) kept.push(...more);
      assertPayloads(kept, qos === 0 ? [] : payloads, 'away');
      const newcomer = harness.connect('newcomer', { version });
      newcomer.subscribe('t/#');
      assertPayloads(takeMessages(newcomer), payloads.slice(0, 1), 'newcomer');
    }),
    { numRuns: 60 },
  );
});

test('what is kept for later, or retained, is not written over by the frames that follow', () => {
  const harness = new BrokerHarness();
  const away = harness.connect('away', { cleanStart: false, properties: { sessionExpiry: 3600 } });
  away.subscribe('kept', { qos: 1 });
  away.transport.breakOff();
  const publisher = harness.connect('p');
  const payload = payloadOf(0, 40 * kib);
  const correlationData = Buffer.from('which one');
  const kept = publishPacket('kept', payload, { qos: 1, properties: { correlationData } });
  sendCut(publisher, [kept, publishPacket('retained', payload, { retain: true })], 30 * kib);
  const other = harness.connect('other');
  other.subscribe('other');
  for (let i = 1; i < 10; i++) {
    sendCut(publisher, [publishPacket('other', payloadOf(i, 40 * kib))], 30 * kib);
    assertPayloads(takeMessages(other), [payloadOf(i, 40 * kib)], 'other');
  }
  const back = harness.connect('away', { cleanStart: false });
  const [delivered] = back.received;
  assert.deepEqual(
    delivered?.type === PacketType.Publish && delivered.properties?.correlationData,
    correlationData,
  );
  assertPayloads(takeMessages(back), [payload], 'away');
  other.subscribe('retained');
  assertPayloads(takeMessages(other), [payload], 'retained');
});

test('a client that never acknowledges keeps its messages while others come and go', () => {
  const harness = new BrokerHarness();
  const lazy = harness.connect('lazy', { version: 4 });
  const busy = harness.connect('busy', { version: 4 });
  const member = harness.connect('member');
  lazy.subscribe('t', { qos: 1 });
  lazy.subscribe('$share/g/s', { qos: 1 });
  busy.subscribe('t', { qos: 1 });
  const publisher = harness.connect('p', { version: 4 });
  const payload = payloadOf(0, 40 * kib);
  sendCut(publisher, [publishPacket('s', payload, { qos: 1 })], 30 * kib);
  for (let i = 1; i < 10; i++) {
    sendCut(publisher, [publishPacket('t', payloadOf(i, 40 * kib), { qos: 1, packetId: i + 1 })], 30 * kib);
    assertPayloads(takeMessages(busy), [payloadOf(i, 40 * kib)], 'busy');
  }
  member.subscribe('$share/g/s', { qos: 1 });
  lazy.transport.breakOff();
  harness.settle();
  assertPayloads(takeMessages(member), [payload], 'member');
});

test('only what stands before a large payload is written anew; the payload is one piece for all', () => {
  const harness = new BrokerHarness();
  const written: Buffer[] = [];
  for (const name of ['a', 'b']) {
    const client = harness.connect(name);
    client.subscribe('t', { qos: 1 });
    const write = client.transport.write.bind(client.transport);
    client.transport.write = (bytes) => {
      written.push(bytes as Buffer);
      write(bytes);
    };
  }
  const payload = payloadOf(1, 50 * kib);
  sendCut(harness.connect('p'), [publishPacket('t', payload, { qos: 1 })], 32 * kib);
  const large = written.filter((bytes) => bytes.length >= payload.length);
  assert.deepEqual(
    large.map((bytes) => bytes.length),
    [payload.length, payload.length],
  );
  assert.equal(large[0]?.buffer, large[1]?.buffer);
  assert.equal(large[0]?.byteOffset, large[1]?.byteOffset);
});
