import {
  decodePublish,
  encodePacket,
  FrameReader,
  publishLength,
  PublishRecord,
  utf8Length,
  writePublish,
} from '#mqtt';
import { TopicTree } from '#topics';
import { BenchBroker, chunkOf } from './bench-broker.ts';
import { BenchOutboxes } from './bench-outbox.ts';
import { BenchRouter } from './bench-router.ts';
import { filterOf, topicsOf } from './bench-topics.ts';
import { readingPacket, stampedProperties } from './mqtt-packets.ts';

/** One function of the hot path with an input that never changes. */
export interface HotFunction {
  readonly name: string;
  /** Makes the input; what it returns does so many calls, and gives a sum so that none can be left out. */
  readonly prepare: () => (calls: number) => number;
}

const framesPerChunk = 500;

const decode: HotFunction = {
  name: 'decode',
  prepare: () => {
    const packet = readingPacket({ qos: 1, packetId: 77, properties: stampedProperties });
    const frame = encodePacket(packet, 5);
    const chunk = Buffer.concat(Array.from({ length: framesPerChunk }, () => frame));
    const record = new PublishRecord();
    let sum = 0;
    const reader = new FrameReader(
      {
        onFrame(bytes, start, bodyStart, end) {
          const code = decodePublish(bytes, start, bodyStart, end, 5, record);
          sum += record.topic.length + record.payloadLength;
          return code;
        },
      },
      1_000_000,
    );
    return (calls) => {
      for (let i = 0; i < calls; i += framesPerChunk) reader.push(chunk);
      return sum;
    };
  },
};

const match: HotFunction = {
  name: 'match',
  prepare: () => {
    const filters = 5000;
    const tree = new TopicTree<number>();
    for (let i = 0; i < filters; i++) tree.add(filterOf(i), i);
    const topics = topicsOf(filters, 1000);
    const into: number[] = [];
    return (calls) => {
      let sum = 0;
      for (let i = 0; i < calls; i++) {
        into.length = 0;
        tree.collect(topics[i % topics.length]!, into);
        sum += into.length;
      }
      return sum;
    };
  },
};

const route: HotFunction = {
  name: 'route',
  prepare: () => {
    const subscriptions = 2000;
    const { router } = new BenchRouter(subscriptions);
    const topics = topicsOf(subscriptions, 1000);
    return (calls) => {
      let sum = 0;
      for (let i = 0; i < calls; i++) sum += router.route(topics[i % topics.length]!).targets.length;
      return sum;
    };
  },
};

const encode: HotFunction = {
  name: 'encode',
  prepare: () => {
    const { topic, payload, qos, properties } = readingPacket({ qos: 1, properties: stampedProperties });
    const out = Buffer.alloc(65_536);
    return (calls) => {
      let at = 0;
      for (let i = 0; i < calls; i++) {
        const topicLength = utf8Length(topic);
        if (at + publishLength(topicLength, payload.length, qos, properties, 5) > out.length) at = 0;
        at = writePublish(out, at, topic, topicLength, payload, qos, false, false, i & 0xffff, properties, 5);
      }
      return at;
    };
  },
};

const outbox: HotFunction = {
  name: 'outbox',
  prepare: () => {
    const outboxes = new BenchOutboxes(10);
    const frame = Buffer.alloc(100, 0x61);
    return (calls) => {
      let sum = 0;
      // One frame and ten, as idle and busy clients get them.
      for (let i = 0; i < calls; i += 110) sum += outboxes.turn(frame, 1) + outboxes.turn(frame, 10);
      return sum;
    };
  },
};

/** All of them and what is between: from a chunk of bytes to a write, QoS 0 and a message at QoS 1 with its answers. */
function publish(name: string, qos: 0 | 1): HotFunction {
  return {
    name,
    prepare: () => {
      const broker = new BenchBroker();
      const topic = 'bench/publish/0000';
      const subscriber = broker.connect('subscriber', 4, topic, qos);
      if (qos === 1) broker.acknowledging(subscriber, topic.length);
      const publisher = broker.connect('publisher', 4, null, 0);
      const perTurn = 20;
      const chunk = chunkOf(topic, perTurn, qos, 4);
      return (calls) => {
        for (let i = 0; i < calls; i += perTurn) {
          publisher.handler.onBytes(chunk);
          broker.turn();
        }
        return subscriber.bytes;
      };
    },
  };
}

/** What is counted. */
export const hotFunctions: readonly HotFunction[] = [
  decode,
  match,
  route,
  encode,
  outbox,
  publish('publish at QoS 0', 0),
  publish('publish at QoS 1', 1),
];
