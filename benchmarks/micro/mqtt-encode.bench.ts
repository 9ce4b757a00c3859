/** Nanoseconds per packet for writing: `node --conditions=source benchmarks/micro/mqtt-encode.bench.ts`. */
import { encodePacket, publishLength, utf8Length, writeAck, writePublish, type PublishPacket } from '#mqtt';
import { measure } from './measure.ts';
import { readingPacket, stampedProperties } from './mqtt-packets.ts';

const out = Buffer.alloc(65_536);

/** Into a shared buffer, as a connection does it: measure, flush when full, write. */
function writing(name: string, packet: PublishPacket, version: 4 | 5): void {
  const { topic, payload, qos, properties } = packet;
  measure(`publishLength + writePublish, ${name}`, 1_000_000, (count) => {
    let at = 0;
    for (let i = 0; i < count; i++) {
      const topicLength = utf8Length(topic);
      if (at + publishLength(topicLength, payload.length, qos, properties, version) > out.length) at = 0;
      at = writePublish(
        out,
        at,
        topic,
        topicLength,
        payload,
        qos,
        false,
        false,
        i & 0xffff,
        properties,
        version,
      );
    }
    return at;
  });
}

writing('QoS 0, topic 30, payload 64, level 4', readingPacket({}), 4);
writing('QoS 0, topic 30, payload 64, level 5', readingPacket({}), 5);
writing('QoS 1, topic 30, payload 64, level 5', readingPacket({ qos: 1 }), 5);
writing(
  'QoS 1, stamped with three user properties, level 5',
  readingPacket({ qos: 1, properties: stampedProperties }),
  5,
);
writing('QoS 0, topic 30, payload 1024, level 4', readingPacket({ payload: Buffer.alloc(1024) }), 4);

const one = readingPacket({ qos: 1, packetId: 77 });
measure('encodePacket of the same at QoS 1, level 5', 1_000_000, (count) => {
  let sum = 0;
  for (let i = 0; i < count; i++) sum += encodePacket(one, 5).length;
  return sum;
});

measure('writeAck, PUBACK', 10_000_000, (count) => {
  let at = 0;
  for (let i = 0; i < count; i++) at = writeAck(out, at > 65_000 ? 0 : at, 4, i & 0xffff, 0, 5);
  return at;
});
