/** Nanoseconds per packet for reading: `node --conditions=source benchmarks/micro/mqtt-decode.bench.ts`. */
import {
  createAckRecord,
  decodeAck,
  decodePublish,
  encodePacket,
  FrameReader,
  PublishRecord,
  type ProtocolVersion,
  type PublishPacket,
} from '#mqtt';
import { measure } from './measure.ts';
import { readingPacket, stampedProperties } from './mqtt-packets.ts';

/** Many packets behind each other, as in a socket's chunk, so that no single string is made again and again. */
function publishing(name: string, wanted: PublishPacket, version: ProtocolVersion): void {
  const perChunk = 600;
  const frame = encodePacket(wanted, version);
  const chunk = Buffer.concat(Array.from({ length: perChunk }, () => frame));
  const record = new PublishRecord();
  let total = 0;
  const reader = new FrameReader(
    {
      onFrame(bytes, start, bodyStart, end) {
        const code = decodePublish(bytes, start, bodyStart, end, version, record);
        total += record.payloadLength;
        return code;
      },
    },
    1_000_000,
  );
  const bodyStart = frame.length > 129 ? 3 : 2;
  measure(`decodePublish, ${name}`, 600_000, (count) => {
    let sum = 0;
    for (let i = 0; i < count; i++) {
      const start = (i % perChunk) * frame.length;
      decodePublish(chunk, start, start + bodyStart, start + frame.length, version, record);
      sum += record.topic.length + record.payloadLength;
    }
    return sum;
  });
  measure(`FrameReader + decodePublish, ${name}`, 600_000, (count) => {
    for (let i = 0; i < count; i += perChunk) reader.push(chunk);
    return total;
  });
}

publishing('QoS 0, topic 30, payload 64, level 4', readingPacket({}), 4);
publishing('QoS 0, topic 30, payload 64, level 5', readingPacket({}), 5);
publishing('QoS 1, topic 30, payload 64, level 5', readingPacket({ qos: 1, packetId: 77 }), 5);
publishing(
  'QoS 1, stamped with three user properties, level 5',
  readingPacket({ qos: 1, packetId: 77, properties: stampedProperties }),
  5,
);
publishing('QoS 0, topic not ASCII, level 4', readingPacket({ topic: 'outTopic/Zürich/Gebäude/detect' }), 4);

const ack = encodePacket({ type: 4, packetId: 77, reasonCode: 0, properties: {} }, 5);
const ackRecord = createAckRecord();
measure('decodeAck, PUBACK, level 5', 5_000_000, (count) => {
  let sum = 0;
  for (let i = 0; i < count; i++) {
    decodeAck(ack, 0, 2, ack.length, 5, ackRecord);
    sum += ackRecord.packetId;
  }
  return sum;
});
