import type { Dialer, Transport } from '#base';
import { createMemoryDialer } from '#listeners';
import {
  decodePacket,
  encodePacket,
  FrameReader,
  PacketType,
  ReasonCode,
  type ConnackProperties,
  type ConnectPacket,
  type Packet,
  type PublishPacket,
  type PublishProperties,
  type Qos,
  type SubscribePacket,
} from '#mqtt';

/** Counts what crosses and may cut the line: `shouldCut` is asked before each packet, in both directions. */
export interface Line {
  shouldCut(packet: Packet, direction: 'to-broker' | 'from-broker'): boolean;
}

interface Sent {
  readonly packet: PublishPacket;
  isReleased: boolean;
}

/** What `publish` takes. */
export interface TestMessage {
  readonly topic: string;
  readonly payload: string;
  readonly qos: Qos;
  readonly retain?: boolean;
  readonly properties?: PublishProperties;
}

/**
 * A broker for one client, as small as the standard allows: keeps that client's session over its connections, sends it
 * what a test publishes (whatever it subscribed to), and writes down what it gets.
 */
export class SessionBroker {
  readonly dialer: Dialer;
  /** Messages taken over, as `topic payload`, in order. */
  readonly accepted: string[] = [];
  /** The same as packets: copies. */
  readonly publishes: PublishPacket[] = [];
  readonly connects: ConnectPacket[] = [];
  readonly subscribes: SubscribePacket[] = [];
  /** All acknowledgements that came, as `type id reason`. */
  readonly answers: string[] = [];
  connackCode = 0;
  connackProperties: ConnackProperties = {};
  /** Answer of PUBLISH at QoS 1 and 2. */
  publishAnswer: number = ReasonCode.Success;
  /** Keep the answers to PUBLISH until `answer()`. */
  answersLate = false;
  /** Answers of SUBSCRIBE. */
  subscribeAnswers: (packet: SubscribePacket) => number[] = grantAll;
  line: Line | null = null;
  /** Gets the packets that are written down nowhere else. */
  onPacket: (packet: Packet) => void = () => {};
  #transport: Transport | null = null;
  #version: 3 | 4 | 5 = 5;
  #hasSession = false;
  #window = 65_535;
  #nextId = 0;
  readonly #queue: TestMessage[] = [];
  readonly #inflight = new Map<number, Sent>();
  readonly #inbound = new Set<number>();
  readonly #late: Packet[] = [];

  constructor() {
    this.dialer = createMemoryDialer((transport) => this.#accept(transport));
  }

  get isConnected(): boolean {
    return this.#transport !== null;
  }

  /** Messages that the client has not finished. */
  get unfinished(): number {
    return this.#queue.length + this.#inflight.size;
  }

  /** QoS 2 ids that the client has not released. */
  get unreleased(): number {
    return this.#inbound.size;
  }

  publish(message: TestMessage): void {
    this.#queue.push(message);
    this.#pump();
  }

  /** Breaks the connection, as a cable that is pulled. */
  cut(): void {
    this.#transport?.destroy();
    this.#transport = null;
  }

  /** Ends the connection with DISCONNECT (MQTT 5). */
  leave(reasonCode: number): void {
    this.send({ type: PacketType.Disconnect, reasonCode, properties: {} });
    this.#transport?.end();
    this.#transport = null;
  }

  /** Forgets the session, as a broker that was restarted without a disk. */
  forget(): void {
    this.#hasSession = false;
    this.#inflight.clear();
    this.#inbound.clear();
    this.#nextId = 0;
  }

  /** Sends the answers that were kept. */
  answer(): void {
    for (const packet of this.#late.splice(0)) this.send(packet);
  }

  /** Counts its packet ids from 1 again, as after 65,535 messages. */
  restartIds(): void {
    this.#nextId = 0;
  }

  send(packet: Packet): void {
    if (this.#transport === null) return;
    if (this.line?.shouldCut(packet, 'from-broker') === true) this.cut();
    else this.#transport.write(encodePacket(packet, this.#version));
  }

  sendBytes(bytes: Buffer): void {
    this.#transport?.write(bytes);
  }

  #accept(transport: Transport): void {
    const reader = new FrameReader(
      {
        onFrame: (bytes, start, bodyStart, end) => {
          if (this.#transport !== transport) return ReasonCode.Success;
          const packet = decodePacket(bytes, start, bodyStart, end, this.#version);
          if (packet.type === 0) throw new Error(`the client sent rubbish: ${packet.detail}`);
          if (this.line?.shouldCut(packet, 'to-broker') === true) this.cut();
          else this.#onPacket(packet);
          return ReasonCode.Success;
        },
      },
      1 << 24,
    );
    transport.handler = {
      onBytes: (chunk) => void reader.push(chunk),
      onDrain: () => {},
      onClose: () => {
        if (this.#transport === transport) this.#transport = null;
      },
    };
    this.#transport?.destroy();
    this.#transport = transport;
  }

  #onPacket(packet: Packet): void {
    switch (packet.type) {
      case PacketType.Connect:
        this.#onConnect(packet);
        break;
      case PacketType.Publish:
        this.#onPublish(packet);
        break;
      case PacketType.Subscribe:
        this.subscribes.push(packet);
        this.send({
          type: PacketType.Suback,
          packetId: packet.packetId,
          reasonCodes: this.subscribeAnswers(packet),
          properties: {},
        });
        break;
      case PacketType.Puback:
      case PacketType.Pubrec:
      case PacketType.Pubrel:
      case PacketType.Pubcomp:
        this.answers.push(`${packet.type} ${packet.packetId} ${packet.reasonCode}`);
        this.#onAck(packet.type, packet.packetId, packet.reasonCode);
        break;
      case PacketType.Pingreq:
        this.send({ type: PacketType.Pingresp });
        break;
      default:
        this.onPacket(packet);
    }
  }

  #onConnect(packet: ConnectPacket): void {
    this.connects.push(packet);
    this.#version = packet.version;
    if (this.connackCode !== 0) {
      this.send({
        type: PacketType.Connack,
        sessionPresent: false,
        reasonCode: this.connackCode,
        properties: {},
      });
      this.#transport?.end();
      return;
    }
    if (packet.cleanStart) this.forget();
    this.#window = packet.properties.receiveMaximum ?? 65_535;
    const sessionPresent = this.#hasSession;
    this.#hasSession = true;
    const properties = this.#version === 5 ? this.connackProperties : {};
    this.send({ type: PacketType.Connack, sessionPresent, reasonCode: 0, properties });
    for (const [packetId, sent] of this.#inflight) {
      if (sent.isReleased) this.#ack(PacketType.Pubrel, packetId, 0);
      else this.send({ ...sent.packet, dup: true });
    }
    this.#pump();
  }

  #onPublish(packet: PublishPacket): void {
    const { qos, packetId, topic } = packet;
    const { maximumQos = 2 } = this.connackProperties;
    if (qos > maximumQos) throw new Error(`QoS ${qos} was sent where ${maximumQos} is the highest`); // [MQTT-3.2.2-11]
    if (qos !== 2 || !this.#inbound.has(packetId)) {
      this.accepted.push(`${topic} ${packet.payload.toString()}`);
      this.publishes.push({ ...packet, payload: Buffer.from(packet.payload) });
    }
    if (qos === 2 && this.publishAnswer < 0x80) this.#inbound.add(packetId);
    if (qos !== 0) this.#ack(qos === 1 ? PacketType.Puback : PacketType.Pubrec, packetId, this.publishAnswer);
  }

  #onAck(type: number, packetId: number, reasonCode: number): void {
    const sent = this.#inflight.get(packetId);
    if (type === PacketType.Pubrel) {
      const known = this.#inbound.delete(packetId);
      this.#ack(PacketType.Pubcomp, packetId, known ? 0 : ReasonCode.PacketIdentifierNotFound);
    } else if (type === PacketType.Pubrec && reasonCode < 0x80) {
      if (sent !== undefined) sent.isReleased = true;
      this.#ack(PacketType.Pubrel, packetId, sent === undefined ? ReasonCode.PacketIdentifierNotFound : 0);
    } else {
      this.#inflight.delete(packetId);
      this.#pump();
    }
  }

  #ack(
    type:
      | typeof PacketType.Puback
      | typeof PacketType.Pubrec
      | typeof PacketType.Pubrel
      | typeof PacketType.Pubcomp,
    packetId: number,
    reasonCode: number,
  ): void {
    const packet: Packet = {
      type,
      packetId,
      reasonCode: this.#version === 5 ? reasonCode : 0,
      properties: {},
    };
    if (this.answersLate && type !== PacketType.Pubrel) this.#late.push(packet);
    else this.send(packet);
  }

  #pump(): void {
    while (this.#transport !== null && this.#hasSession && this.#inflight.size < this.#window) {
      const message = this.#queue.shift();
      if (message === undefined) break;
      const { topic, payload, qos, retain = false, properties = null } = message;
      const packetId = qos === 0 ? 0 : (this.#nextId % 65_535) + 1;
      if (qos !== 0) this.#nextId = packetId;
      const packet: PublishPacket = {
        type: PacketType.Publish,
        topic,
        payload: Buffer.from(payload),
        qos,
        retain,
        dup: false,
        packetId,
        properties: this.#version === 5 ? properties : null,
      };
      if (qos !== 0) this.#inflight.set(packetId, { packet, isReleased: false });
      this.send(packet);
    }
  }
}

/** Each filter at the QoS that was asked for. */
export function grantAll(packet: SubscribePacket): number[] {
  return packet.subscriptions.map((subscription) => subscription.qos);
}

/** Lets the event loop turn until `isDone`, moving the clock on so that waits end; fails after many turns. */
export async function turnUntil(
  isDone: () => boolean,
  clock: { advance(milliseconds: number): void },
  stepMs = 100,
): Promise<void> {
  for (let turn = 0; turn < 5000; turn += 1) {
    if (isDone()) return;
    await new Promise((resolve) => setImmediate(resolve));
    if (turn % 10 === 9) clock.advance(stepMs);
  }
  throw new Error('what was waited for did not come within 5,000 turns');
}
