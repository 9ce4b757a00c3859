import { silentLogger, SystemClock, type PeerInfo, type Transport, type TransportHandler } from '#base';
import { Broker } from '#broker';
import { MemoryJournal } from '#journal';
import { encodePacket, PacketType, type ProtocolVersion, type Qos } from '#mqtt';
import { connectPacket, openProfile, publishPacket, wideLimits } from '../../test/helpers/broker-harness.ts';

const nobody: TransportHandler = { onBytes: () => {}, onDrain: () => {}, onClose: () => {} };

/** Takes whatever is written at once. */
export class Sink implements Transport {
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

const profile = openProfile({ name: 'bench' });

/** A broker without sockets, whose turns belong to the benchmark. */
export class BenchBroker {
  readonly #tasks: (() => void)[] = [];
  readonly #broker = new Broker({
    clock: new SystemClock(),
    log: silentLogger,
    limits: { ...wideLimits, maximumConnections: 100_000, receiveMaximum: 65_535, maximumInflight: 65_535 },
    journal: new MemoryJournal(),
    name: 'bench',
    version: '0',
    schedule: (callback) => this.#tasks.push(callback),
  });

  constructor() {
    this.#broker.start();
  }

  /** Ends a turn of the event loop. */
  turn(): void {
    while (this.#tasks.length > 0) this.#tasks.shift()!();
  }

  /** A connected client; with a filter, subscribed to it. */
  connect(clientId: string, version: ProtocolVersion, filter: string | null, qos: Qos): Sink {
    const sink = new Sink();
    this.#broker.accept(sink, profile);
    sink.handler.onBytes(encodePacket(connectPacket(clientId, version), version));
    if (filter !== null) {
      const options = { noLocal: false, retainAsPublished: false, retainHandling: 0 } as const;
      const subscriptions = [{ filter, qos, ...options }];
      sink.handler.onBytes(
        encodePacket({ type: PacketType.Subscribe, packetId: 1, subscriptions, properties: {} }, version),
      );
    }
    this.turn();
    return sink;
  }

  /** Lets a client answer QoS 1 messages on this topic: one chunk of PUBACKs for each write, in the same turn. */
  acknowledging(sink: Sink, topicLength: number): void {
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
        this.#tasks.push(() => {
          for (const piece of pieces.splice(0)) sink.handler.onBytes(piece);
        });
      }
    };
  }
}

/** A chunk of `count` messages of 64 bytes to one topic, as a busy socket gives it. */
export function chunkOf(topic: string, count: number, qos: Qos, version: ProtocolVersion): Buffer {
  const payload = Buffer.alloc(64, 0x61);
  return Buffer.concat(
    Array.from({ length: count }, (_, i) =>
      encodePacket(publishPacket(topic, payload, { qos, packetId: qos === 0 ? 0 : i + 1 }), version),
    ),
  );
}
