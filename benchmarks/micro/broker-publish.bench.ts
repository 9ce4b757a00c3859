/**
 * What one message costs inside the broker's core, from a chunk of bytes to a gathered write, without any socket.
 * Run: node --conditions=source benchmarks/micro/broker-publish.bench.ts
 */
import process from 'node:process';
import { BenchBroker, chunkOf } from './bench-broker.ts';
import { measure } from './measure.ts';

const broker = new BenchBroker();

/** `round` brings `messages` to their receivers; the figure is for each of them. */
function measureRounds(name: string, messages: number, rounds: number, round: () => number): void {
  measure(name, messages * rounds, () => {
    let sum = 0;
    for (let i = 0; i < rounds; i++) sum += round();
    return sum;
  });
}

for (const version of [4, 5] as const) {
  const pairs = Array.from({ length: 20 }, (_, i) => {
    const topic = `bench/v${version}/pair/${String(i).padStart(4, '0')}`;
    return {
      subscriber: broker.connect(`s0-${version}-${i}`, version, topic, 0),
      publisher: broker.connect(`p0-${version}-${i}`, version, null, 0),
      chunk: chunkOf(topic, 500, 0, version),
    };
  });
  measureRounds(`v${version}, 20 pairs, QoS 0, 64 bytes, 500 messages a chunk`, 20 * 500, 100, () => {
    for (const { publisher, chunk } of pairs) publisher.handler.onBytes(chunk);
    broker.turn();
    return pairs[0]!.subscriber.bytes;
  });
}

const topic1 = 'bench/qos1/0000';
const one = broker.connect('s1', 4, topic1, 1);
broker.acknowledging(one, topic1.length);
const publishers = Array.from({ length: 100 }, (_, i) => broker.connect(`p1-${i}`, 4, null, 0));
const chunk1 = chunkOf(topic1, 20, 1, 4);
measureRounds('v4, 100 to 1, QoS 1 both ways, 20 messages a chunk', 100 * 20, 200, () => {
  for (const publisher of publishers) publisher.handler.onBytes(chunk1);
  broker.turn();
  return one.bytes;
});

const topicFan = 'bench/fan';
const fans = Array.from({ length: 500 }, (_, i) => broker.connect(`f${i}`, 4, topicFan, 0));
const fan = broker.connect('pf', 4, null, 0);
const chunkFan = chunkOf(topicFan, 20, 0, 4);
measureRounds('v4, 1 to 500, QoS 0, 20 messages a chunk', 500 * 20, 100, () => {
  fan.handler.onBytes(chunkFan);
  broker.turn();
  return fans[0]!.bytes;
});

const topics = Array.from({ length: 1000 }, (_, i) => `bench/many/${i}`);
const all = broker.connect('many', 4, 'bench/many/+', 0);
const many = broker.connect('pm', 4, null, 0);
const chunkMany = Buffer.concat(topics.map((topic) => chunkOf(topic, 1, 0, 4)));
measureRounds('v4, 1 to 1, QoS 0, another topic each time (1,000 topics)', 1000, 500, () => {
  many.handler.onBytes(chunkMany);
  broker.turn();
  return all.bytes;
});

const single = broker.connect('ps', 4, null, 0);
const receiver = broker.connect('ss', 4, 'bench/single', 0);
const chunkSingle = chunkOf('bench/single', 1, 0, 4);
measureRounds('v4, 1 to 1, QoS 0, one message a turn', 1, 500_000, () => {
  single.handler.onBytes(chunkSingle);
  broker.turn();
  return receiver.bytes;
});
process.exit(0);
