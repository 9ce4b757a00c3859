import { DavylampError } from '#base';
import {
  PacketType,
  ReasonCode,
  type AckRecord,
  type ConnackPacket,
  type PublishProperties,
  type Qos,
} from '#mqtt';
import type { BrokerLink } from './broker-link.ts';
import type { ClientStatistics, PublishResult } from './client-options.ts';

/** Leaves packet ids for SUBSCRIBE and UNSUBSCRIBE where the broker would take 65,535 messages at once. */
const maximumWindow = 60_000;
/**
 * QoS 2 messages under way to a 3.1.1 broker, which cannot say what it takes: Mosquitto acknowledges what exceeds its 20
 * in flight and drops it.
 */
const unknownExactlyOnceWindow = 20;
/** QoS 0 and quiet publishes stop here, in bytes, until the system has taken some. */
const maximumPendingBytes = 1024 * 1024;

const Stage = {
  Waiting: 0,
  /** PUBLISH sent: PUBACK or PUBREC is due. */
  Sent: 1,
  /** PUBREL sent: PUBCOMP is due. */
  Released: 2,
} as const;
type Stage = (typeof Stage)[keyof typeof Stage];

/** One QoS 1 or 2 message on its way out. */
class Outgoing {
  readonly topic: string;
  readonly payload: Buffer;
  readonly qos: Qos;
  readonly retain: boolean;
  readonly properties: PublishProperties | null;
  readonly settle: ((result: PublishResult) => void) | null;
  readonly reject: ((error: DavylampError) => void) | null;
  packetId = 0;
  stage: Stage = Stage.Waiting;

  constructor(
    topic: string,
    payload: Buffer,
    qos: Qos,
    retain: boolean,
    properties: PublishProperties | null,
    settle: ((result: PublishResult) => void) | null,
    reject: ((error: DavylampError) => void) | null,
  ) {
    this.topic = topic;
    this.payload = payload;
    this.qos = qos;
    this.retain = retain;
    this.properties = properties;
    this.settle = settle;
    this.reject = reject;
  }
}

export interface OutgoingOptions {
  readonly version: 4 | 5;
  readonly maximumQueuedMessages: number;
  readonly nextPacketId: () => number;
  readonly statistics: ClientStatistics;
}

/**
 * The messages that a client sends: a window of those in flight, in the order of sending, and behind it those that wait.
 *
 *      publish → [ waiting … ] → [ in flight: Sent → (QoS 2: Released) ] → settled by PUBACK / PUBCOMP
 *
 * Invariant: in flight ≤ the broker's receive maximum; what is in flight keeps its packet id over connections.
 */
export class OutgoingMessages {
  readonly #options: OutgoingOptions;
  readonly #inflight = new Map<number, Outgoing>();
  #waiting: Outgoing[] = [];
  #waitingHead = 0;
  #link: BrokerLink | null = null;
  #window = 0;
  /** QoS 2 messages in flight. */
  #exactlyOnce = 0;
  readonly #exactlyOnceWindow: number;
  #maximumQos: Qos = 2;
  #retainAvailable = true;

  constructor(options: OutgoingOptions) {
    this.#options = options;
    this.#exactlyOnceWindow = options.version === 5 ? maximumWindow : unknownExactlyOnceWindow;
  }

  /** Messages that are not settled yet. */
  get size(): number {
    return this.#inflight.size + this.#waiting.length - this.#waitingHead;
  }

  hasPacketId(packetId: number): boolean {
    return this.#inflight.has(packetId);
  }

  /** A connection is up: what is in flight is sent again [MQTT-4.4.0-1], then what waits. */
  onConnected(link: BrokerLink, connack: ConnackPacket): void {
    this.#link = link;
    const { receiveMaximum, maximumQos, retainAvailable } = connack.properties;
    this.#window = Math.min(maximumWindow, receiveMaximum ?? maximumWindow);
    this.#maximumQos = maximumQos ?? 2;
    this.#retainAvailable = retainAvailable ?? true;
    for (const message of this.#inflight.values()) {
      this.#options.statistics.redelivered += 1;
      if (message.stage === Stage.Released) link.outbox.ack(PacketType.Pubrel, message.packetId, 0);
      // In a new session it is a first delivery there. [MQTT-3.3.1-1]
      else this.#transmit(link, message, connack.sessionPresent);
    }
    this.#sendWaiting();
  }

  onConnectionEnd(): void {
    this.#link = null;
  }

  /** Room for another message without waiting? */
  hasRoom(qos: Qos): boolean {
    return (
      this.#link !== null &&
      this.#waiting.length === this.#waitingHead &&
      this.#hasWindow(qos) &&
      this.#link.outbox.pendingBytes < maximumPendingBytes
    );
  }

  /** QoS 0: hands the message over. Gives the reason why it was not sent, 0 = sent. */
  sendOnce(
    topic: string,
    payload: Buffer,
    retain: boolean,
    properties: PublishProperties | null,
  ): ReasonCode {
    const link = this.#link;
    if (link === null) return ReasonCode.ServerUnavailable;
    if (retain && !this.#retainAvailable) return ReasonCode.RetainNotSupported;
    const sent = link.outbox.publish(
      topic,
      payload,
      0,
      retain,
      false,
      0,
      properties,
      link.peerMaximumPacketSize,
    );
    return sent ? ReasonCode.Success : ReasonCode.PacketTooLarge;
  }

  /** QoS 1 and 2: sends the message as soon as the window allows. */
  send(
    topic: string,
    payload: Buffer,
    qos: Qos,
    retain: boolean,
    properties: PublishProperties | null,
  ): Promise<PublishResult> {
    return new Promise((resolve, reject) => {
      if (this.#waiting.length - this.#waitingHead >= this.#options.maximumQueuedMessages) {
        const why = `${this.#options.maximumQueuedMessages} messages wait already; publish more slowly or raise the bound`;
        reject(new DavylampError('QUEUE_FULL', `message on ${topic} was not taken: ${why}`));
        return;
      }
      this.#waiting.push(new Outgoing(topic, payload, qos, retain, properties, resolve, reject));
      this.#sendWaiting();
    });
  }

  /** QoS 1 and 2 without an answer to the caller, who has asked `hasRoom` before. */
  sendQuietly(topic: string, payload: Buffer, qos: Qos): void {
    this.#waiting.push(new Outgoing(topic, payload, qos, false, null, null, null));
    this.#sendWaiting();
  }

  /** PUBACK, PUBREC or PUBCOMP. One that answers nothing is let pass: it can do no harm. */
  onAck(ack: AckRecord): void {
    const message = this.#inflight.get(ack.packetId);
    if (ack.type === PacketType.Pubrec) {
      this.#onPubrec(ack, message);
    } else if (message !== undefined) {
      const isDue =
        ack.type === PacketType.Puback
          ? message.qos === 1
          : ack.type === PacketType.Pubcomp && message.stage === Stage.Released;
      // A PUBCOMP that knows no such id comes after a lost session; PUBREC has said before that the message arrived.
      if (isDue) this.#settle(message, ack.type === PacketType.Puback ? ack.reasonCode : 0, ack);
    }
  }

  /** Gives everything up. */
  rejectAll(error: DavylampError): void {
    const messages = [...this.#inflight.values(), ...this.#waiting.slice(this.#waitingHead)];
    this.#inflight.clear();
    this.#exactlyOnce = 0;
    this.#waiting = [];
    this.#waitingHead = 0;
    for (const message of messages) message.reject?.(error);
  }

  #onPubrec(ack: AckRecord, message: Outgoing | undefined): void {
    if (message === undefined || message.qos !== 2) {
      this.#link?.outbox.ack(PacketType.Pubrel, ack.packetId, ReasonCode.PacketIdentifierNotFound);
    } else if (ack.reasonCode >= 0x80 && message.stage === Stage.Sent) {
      this.#settle(message, ack.reasonCode, ack);
    } else {
      message.stage = Stage.Released;
      this.#link?.outbox.ack(PacketType.Pubrel, ack.packetId, 0);
    }
  }

  #hasWindow(qos: Qos): boolean {
    return this.#inflight.size < this.#window && (qos !== 2 || this.#exactlyOnce < this.#exactlyOnceWindow);
  }

  #forget(message: Outgoing): void {
    if (this.#inflight.delete(message.packetId) && message.qos === 2) this.#exactlyOnce -= 1;
  }

  #settle(message: Outgoing, reasonCode: number, ack: AckRecord): void {
    this.#forget(message);
    if (reasonCode >= 0x80) this.#options.statistics.refused += 1;
    const reasonString = ack.properties?.reasonString;
    message.settle?.(reasonString === undefined ? { reasonCode } : { reasonCode, reasonString });
    this.#sendWaiting();
  }

  #sendWaiting(): void {
    const link = this.#link;
    if (link === null) return;
    while (this.#waitingHead < this.#waiting.length) {
      const message = this.#waiting[this.#waitingHead]!;
      if (!this.#hasWindow(message.qos)) break;
      this.#waitingHead += 1;
      message.packetId = this.#options.nextPacketId();
      message.stage = Stage.Sent;
      this.#inflight.set(message.packetId, message);
      if (message.qos === 2) this.#exactlyOnce += 1;
      this.#transmit(link, message, false);
    }
    if (this.#waitingHead === this.#waiting.length) {
      this.#waiting.length = 0;
      this.#waitingHead = 0;
    } else if (this.#waitingHead > 1024 && this.#waitingHead * 2 > this.#waiting.length) {
      this.#waiting = this.#waiting.slice(this.#waitingHead);
      this.#waitingHead = 0;
    }
  }

  #transmit(link: BrokerLink, message: Outgoing, dup: boolean): void {
    const { topic, payload, qos, retain, packetId, properties } = message;
    let refusal: ReasonCode = ReasonCode.Success;
    if (qos > this.#maximumQos) refusal = ReasonCode.QosNotSupported;
    else if (retain && !this.#retainAvailable) refusal = ReasonCode.RetainNotSupported;
    else if (
      !link.outbox.publish(topic, payload, qos, retain, dup, packetId, properties, link.peerMaximumPacketSize)
    ) {
      refusal = ReasonCode.PacketTooLarge;
    }
    if (refusal === ReasonCode.Success) return;
    // The broker has said what it does not take: asking it again would end the connection.
    this.#forget(message);
    this.#options.statistics.refused += 1;
    message.settle?.({ reasonCode: refusal });
  }
}
