/**
 * What one message costs inside the broker's core, from a chunk of bytes to a gathered write, without any socket.
 * Run: node --conditions=source benchmarks/micro/broker-publish.bench.ts
 */
import { silentLogger, SystemClock, type PeerInfo, type Transport, type TransportHandler } from '#base';
import { Broker, type ListenerProfile } from '#broker';
import { MemoryJournal } from '#journal';
import { encodePacket, PacketType, type ConnectPacket, type ProtocolVersion, type Qos } from '#mqtt';
import {
  openAuthenticator,
  openAuthorizer,
  publishPacket,
  wideLimits,
} from '../../test/helpers/broker-harness.ts';

const nobody: TransportHandler = { onBytes: () => {}, onDrain: () => {}, onClose: () => {} };

/** Takes whatever is written at once. */
class Sink implements Transport {
  readonly peer: PeerInfo = { address: 'local', port: 0, certificate: null };
  readonly pendingBytes = 0;
  handler: TransportHandler = nobody;
  bytes = 0;
  /** The last write, for those who answer. */
  onOutput: (bytes: Uint8Array) => void = () => {};

  write(bytes: Uint8Array): void {
    this.bytes += bytes.length;
    this.onOutput(bytes);
  }

  pause(): void {}
  resume(): void {}
  end(): void {}
  destroy(): void {}
}

const tasks: (() => void)[] = [];
const broker = new Broker({
  clock: new SystemClock(),
  log: silentLogger,
  limits: { ...wideLimits, maximumConnections: 100_000, receiveMaximum: 65_535, maximumInflight: 65_535 },
  journal: new MemoryJournal(),
  name: 'bench',
  version: '0',
  schedule: (callback) => tasks.push(callback),
});
broker.start();
const profile: ListenerProfile = {
  name: 'bench',
  authenticator: openAuthenticator,
  authorizer: openAuthorizer,
  stampSite: null,
  minimumQos: 0,
  sharedClientIds: new Set(),
};

function turn(): void {
  while (tasks.length > 0) tasks.shift()!();
}

function connect(clientId: string, version: ProtocolVersion, filter: string | null, qos: Qos): Sink {
  const sink = new Sink();
  broker.accept(sink, profile);
  const packet: ConnectPacket = {
    type: PacketType.Connect,
    version,
    bridge: false,
    clientId,
    cleanStart: true,
    keepAlive: 0,
    username: undefined,
    password: undefined,
    will: null,
    properties: {},
  };
  sink.handler.onBytes(encodePacket(packet, version));
  if (filter !== null) {
    const options = { noLocal: false, retainAsPublished: false, retainHandling: 0 } as const;
    const subscriptions = [{ filter, qos, ...options }];
    sink.handler.onBytes(
      encodePacket({ type: PacketType.Subscribe, packetId: 1, subscriptions, properties: {} }, version),
    );
  }
  turn();
  return sink;
}

/** A chunk of `count` messages to one topic, as a busy socket gives it. */
function chunkOf(topic: string, count: number, qos: Qos, version: ProtocolVersion): Buffer {
  const payload = Buffer.alloc(64, 0x61);
  return Buffer.concat(
    Array.from({ length: count }, (_, i) =>
      encodePacket(publishPacket(topic, payload, { qos, packetId: qos === 0 ? 0 : i + 1 }), version),
    ),
  );
}

function measure(name: string, messagesPerRound: number, round: () => void): void {
  const seconds = 0.4;
  let best = Infinity;
  for (let attempt = 0; attempt < 5; attempt++) {
    const begin = performance.now();
    let rounds = 0;
    let elapsed = 0;
    while (elapsed < seconds * 1000) {
      for (let i = 0; i < 10; i++) round();
      rounds += 10;
      elapsed = performance.now() - begin;
    }
    best = Math.min(best, (elapsed * 1e6) / (rounds * messagesPerRound));
  }
  console.log(`${name.padEnd(64)} ${best.toFixed(0).padStart(6)} ns per delivered message`);
}

/** Answers QoS 1 messages of 64 bytes as a client does: one chunk of PUBACKs for each write. */
function acknowledging(sink: Sink, topicLength: number): void {
  const pieces: Buffer[] = [];
  sink.onOutput = (bytes) => {
    const acks: number[] = [];
    for (let at = 0; at < bytes.length; at += bytes[at + 1]! + 2) {
      if (bytes[at]! >> 4 !== PacketType.Publish) continue;
      const id = at + 4 + topicLength;
      acks.push(0x40, 2, bytes[id]!, bytes[id + 1]!);
    }
    if (acks.length > 0) pieces.push(Buffer.from(acks));
    if (pieces.length === 1) {
      tasks.push(() => {
        for (const piece of pieces.splice(0)) sink.handler.onBytes(piece);
      });
    }
  };
}

for (const version of [4, 5] as const) {
  const pairs = Array.from({ length: 20 }, (_, i) => {
    const topic = `bench/v${version}/pair/${String(i).padStart(4, '0')}`;
    connect(`s0-${version}-${i}`, version, topic, 0);
    return {
      publisher: connect(`p0-${version}-${i}`, version, null, 0),
      chunk: chunkOf(topic, 500, 0, version),
    };
  });
  measure(`v${version}, 20 pairs, QoS 0, 64 bytes, 500 messages a chunk`, 20 * 500, () => {
    for (const { publisher, chunk } of pairs) publisher.handler.onBytes(chunk);
    turn();
  });
}

const topic1 = 'bench/qos1/0000';
const one = connect('s1', 4, topic1, 1);
acknowledging(one, topic1.length);
const publishers = Array.from({ length: 100 }, (_, i) => connect(`p1-${i}`, 4, null, 0));
const chunk1 = chunkOf(topic1, 20, 1, 4);
measure('v4, 100 to 1, QoS 1 both ways, 20 messages a chunk', 100 * 20, () => {
  for (const publisher of publishers) publisher.handler.onBytes(chunk1);
  turn();
});

const topicFan = 'bench/fan';
for (let i = 0; i < 500; i++) connect(`f${i}`, 4, topicFan, 0);
const fan = connect('pf', 4, null, 0);
const chunkFan = chunkOf(topicFan, 20, 0, 4);
measure('v4, 1 to 500, QoS 0, 20 messages a chunk', 500 * 20, () => {
  fan.handler.onBytes(chunkFan);
  turn();
});

const topics = Array.from({ length: 1000 }, (_, i) => `bench/many/${i}`);
connect('many', 4, 'bench/many/+', 0);
const many = connect('pm', 4, null, 0);
const chunkMany = Buffer.concat(topics.map((topic) => chunkOf(topic, 1, 0, 4)));
measure('v4, 1 to 1, QoS 0, another topic each time (1,000 topics)', 1000, () => {
  many.handler.onBytes(chunkMany);
  turn();
});

const single = connect('ps', 4, null, 0);
connect('ss', 4, 'bench/single', 0);
const chunkSingle = chunkOf('bench/single', 1, 0, 4);
measure('v4, 1 to 1, QoS 0, one message a turn', 1, () => {
  single.handler.onBytes(chunkSingle);
  turn();
});
process.exit(0);
