import {
  PacketType,
  ReasonCode,
  type AckRecord,
  type PublishPacket,
  type PublishProperties,
  type Qos,
} from '#mqtt';
import type { BrokerLink } from './broker-link.ts';
import type { ClientStatistics, MessageHandler, ReceivedMessage } from './client-options.ts';

/** A message from the broker, until it is answered. */
class Incoming implements ReceivedMessage {
  readonly topic: string;
  payload: Buffer;
  readonly qos: Qos;
  readonly retain: boolean;
  readonly dup: boolean;
  properties: PublishProperties | null;
  readonly packetId: number;
  /** -1 = not dealt with yet. */
  reasonCode = -1;
  readonly #owner: IncomingMessages;

  constructor(packet: PublishPacket, owner: IncomingMessages) {
    this.topic = packet.topic;
    this.payload = packet.payload;
    this.qos = packet.qos;
    this.retain = packet.retain;
    this.dup = packet.dup;
    this.properties = packet.properties;
    this.packetId = packet.packetId;
    this.#owner = owner;
  }

  keep(): this {
    this.payload = Buffer.from(this.payload);
    const correlationData = this.properties?.correlationData;
    if (this.properties !== null && correlationData !== undefined) {
      this.properties = { ...this.properties, correlationData: Buffer.from(correlationData) };
    }
    return this;
  }

  acknowledge(reasonCode: number = ReasonCode.Success): void {
    if (this.reasonCode !== -1) return;
    this.reasonCode = reasonCode;
    this.#owner.onDealtWith();
  }
}

export interface IncomingOptions {
  readonly version: 4 | 5;
  readonly receiveMaximum: number;
  readonly manualAcknowledge: boolean;
  readonly statistics: ClientStatistics;
  /** Asked for each message, so that it may be set at any time. */
  readonly handler: () => MessageHandler;
}

/**
 * The messages that a client receives. Answers leave in the order of reception [MQTT-4.6.0-2], whatever order they are
 * dealt with in. A QoS 2 id is remembered from its PUBLISH to its PUBREL, over connections of one session, so that a
 * repeat is not handed up again.
 */
export class IncomingMessages {
  readonly #options: IncomingOptions;
  /** Received on this connection, not answered yet, in the order of reception. */
  #order: Incoming[] = [];
  #orderHead = 0;
  /** QoS 2: `null` once PUBREC was sent. */
  readonly #exactlyOnce = new Map<number, Incoming | null>();
  #link: BrokerLink | null = null;

  constructor(options: IncomingOptions) {
    this.#options = options;
  }

  onConnected(link: BrokerLink, sessionPresent: boolean): void {
    this.#link = link;
    if (!sessionPresent) this.#exactlyOnce.clear();
  }

  /** What was not answered comes again on the next connection of the session. */
  onConnectionEnd(): void {
    this.#link = null;
    this.#order = [];
    this.#orderHead = 0;
  }

  onPublish(packet: PublishPacket): ReasonCode {
    const { statistics, receiveMaximum, manualAcknowledge } = this.#options;
    if (packet.qos !== 0) {
      if (packet.qos === 2 && this.#isRepeat(packet)) return this.#onRepeat(packet.packetId);
      const unanswered = this.#order.length - this.#orderHead;
      if (unanswered >= receiveMaximum || this.#exactlyOnce.size >= receiveMaximum) {
        return ReasonCode.ReceiveMaximumExceeded;
      }
    }
    statistics.received += 1;
    const message = new Incoming(packet, this);
    if (packet.qos !== 0) this.#order.push(message);
    if (packet.qos === 2) this.#exactlyOnce.set(packet.packetId, message);
    this.#options.handler()(message);
    if (packet.qos !== 0 && !manualAcknowledge) message.acknowledge();
    return ReasonCode.Success;
  }

  /** PUBREL: the sender has forgotten the message, and so do we. [MQTT-4.3.3-11] */
  onPubrel(ack: AckRecord): ReasonCode {
    const message = this.#exactlyOnce.get(ack.packetId);
    if (message !== undefined && message !== null && this.#order.includes(message))
      return ReasonCode.ProtocolError;
    const known = this.#exactlyOnce.delete(ack.packetId);
    const reason = known || this.#options.version !== 5 ? 0 : ReasonCode.PacketIdentifierNotFound;
    this.#link?.outbox.ack(PacketType.Pubcomp, ack.packetId, reason);
    return ReasonCode.Success;
  }

  /** Some message was dealt with: answers what now stands at the head. */
  onDealtWith(): void {
    const link = this.#link;
    if (link === null) return;
    while (this.#orderHead < this.#order.length) {
      const message = this.#order[this.#orderHead]!;
      if (message.reasonCode === -1) break;
      this.#orderHead += 1;
      this.#answer(link, message);
    }
    if (this.#orderHead === this.#order.length) {
      this.#order.length = 0;
      this.#orderHead = 0;
    } else if (this.#orderHead > 1024 && this.#orderHead * 2 > this.#order.length) {
      this.#order = this.#order.slice(this.#orderHead);
      this.#orderHead = 0;
    }
  }

  #answer(link: BrokerLink, message: Incoming): void {
    const reasonCode = this.#options.version === 5 ? message.reasonCode : 0;
    if (message.qos === 1) {
      link.outbox.ack(PacketType.Puback, message.packetId, reasonCode);
      return;
    }
    // A refusal ends the exchange: no PUBREL follows. [MQTT-4.3.3-4]
    if (reasonCode >= 0x80) this.#exactlyOnce.delete(message.packetId);
    else this.#exactlyOnce.set(message.packetId, null);
    link.outbox.ack(PacketType.Pubrec, message.packetId, reasonCode);
  }

  #isRepeat(packet: PublishPacket): boolean {
    const known = this.#exactlyOnce.get(packet.packetId);
    if (known === undefined) return false;
    // Unanswered at a cut and not marked as a repeat: the broker gave that one up and uses its id anew.
    return known === null || packet.dup || this.#order.includes(known);
  }

  /** The same QoS 2 message again. Whoever has it already is not told; the answer is repeated, or is still to come. */
  #onRepeat(packetId: number): ReasonCode {
    this.#options.statistics.duplicates += 1;
    const message = this.#exactlyOnce.get(packetId);
    if (message === null || message === undefined) {
      this.#link?.outbox.ack(PacketType.Pubrec, packetId, 0);
    } else if (!this.#order.includes(message)) {
      this.#order.push(message);
      this.onDealtWith();
    }
    return ReasonCode.Success;
  }
}
