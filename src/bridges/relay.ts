import type { SparingLog } from '#base';
import type { BridgeTopicConfig } from '#config';
import { createPublishProperties, type BrokerLink } from '#client';
import { PacketType, ReasonCode, reasonName, type AckRecord, type PublishPacket, type Qos } from '#mqtt';
import type { BridgeStatus } from './bridge-status.ts';
import { HeldMessages } from './held-messages.ts';
import { InflightTopics } from './inflight-topics.ts';
import { TopicMap } from './topic-map.ts';
import { ViaTag } from './via.ts';

/** Bytes towards the receiving broker at which the sending one is not read any more. */
const maximumPendingBytes = 1024 * 1024;
const largestReceiveMaximum = 65_535;

export interface RelayOptions {
  readonly direction: 'in' | 'out';
  readonly topics: readonly BridgeTopicConfig[];
  readonly brokerName: string;
  readonly status: BridgeStatus;
  readonly refusals: SparingLog;
}

/** What is known of the two sessions when both connections are up. */
export interface RelaySessions {
  readonly receiverVersion: 4 | 5;
  readonly senderSessionPresent: boolean;
  readonly receiverSessionPresent: boolean;
  /** How many QoS 1 and 2 messages the receiver takes at once. */
  readonly receiveMaximum: number;
  /**
   * Highest QoS that the receiver takes. What was queued before that was known is lowered; the exchange with its sender
   * is then ended here.
   */
  readonly maximumQos: Qos;
  readonly retainAvailable: boolean;
}

/**
 * One direction of a bridge: hands each packet of a delivery from one broker to the other under the same packet id, so
 * the two sessions hold all state and the relay none.
 *
 *      sender            relay            receiver
 *        ── PUBLISH n ──────────────────────▶      topic renamed, `davy-via` added
 *        ◀───────────────────── PUBACK/PUBREC n ── the message leaves the sender's queue only now
 *        ── PUBREL n ───────────────────────▶
 *        ◀──────────────────────── PUBCOMP n ──
 *
 * Invariant: every acknowledgement that the sender gets was made by the receiver, but for messages that are not passed on.
 */
export class Relay {
  readonly #isOut: boolean;
  readonly #map: TopicMap;
  readonly #via: ViaTag;
  readonly #status: BridgeStatus;
  readonly #refusals: SparingLog;
  readonly #topics = new InflightTopics();
  readonly #properties = createPublishProperties();
  #from: BrokerLink | null = null;
  #to: BrokerLink | null = null;
  #sessions: RelaySessions | null = null;
  #isPaused = false;
  /** Messages that our broker has not finished; `null` = not counted, the sender surely keeps the window. */
  #unanswered: Set<number> | null = null;
  readonly #held = new HeldMessages();
  /**
   * Ids that are surely not stale at the receiver; `null` = none is. Held over connections: an id is safe only when the
   * receiver has answered for it. (Cut just there, a message may come twice: better than not at all.)
   */
  #fresh: Set<number> | null = null;
  /** Ids of QoS 2 messages that were passed on at QoS 1. */
  readonly #lowered = new Set<number>();
  /** Ids whose PUBREL was ours: its PUBCOMP is not the sender's business. */
  readonly #purging = new Set<number>();

  constructor(options: RelayOptions) {
    this.#isOut = options.direction === 'out';
    this.#map = new TopicMap(options.topics, options.direction);
    this.#via = new ViaTag(options.brokerName, options.direction);
    this.#status = options.status;
    this.#refusals = options.refusals;
  }

  /** Both connections are up. */
  start(from: BrokerLink, to: BrokerLink, sessions: RelaySessions): void {
    this.#from = from;
    this.#to = to;
    this.#sessions = sessions;
    this.#isPaused = false;
    // 3.1.1 knows no window, and some brokers overrun that of MQTT 5 after a cut. Ours keeps it.
    const hasWindow = this.#isOut || sessions.receiveMaximum >= largestReceiveMaximum;
    this.#unanswered = hasWindow ? null : new Set();
    this.#held.clear();
    // A sender that lost its session counts its ids anew; to a receiver that kept its own, they could seem repeats.
    if (!sessions.receiverSessionPresent) this.#fresh = null;
    else if (!sessions.senderSessionPresent) this.#fresh = new Set();
    this.#purging.clear();
    this.#lowered.clear();
  }

  stop(): void {
    this.#from = null;
    this.#to = null;
  }

  /** PUBLISH of the sender. */
  onPublish(packet: PublishPacket): ReasonCode {
    if (packet.qos !== 0 && this.#isWindowFull()) return this.#hold(packet);
    return this.#pass(packet);
  }

  #pass(packet: PublishPacket): ReasonCode {
    const to = this.#to;
    const sessions = this.#sessions;
    if (to === null || sessions === null) return ReasonCode.Success;
    const topic = this.#map.rename(packet.topic);
    if (topic === null) return this.#drop(packet, 'unmapped', 'its topic is not one of this bridge');
    if (this.#via.isLoop(packet.properties)) return this.#drop(packet, 'loops', 'it has been here before');
    let properties = null;
    if (sessions.receiverVersion === 5) {
      properties = this.#properties;
      this.#via.mark(packet.properties, properties);
    }
    const qos = packet.qos > sessions.maximumQos ? sessions.maximumQos : packet.qos;
    if (qos !== 0) this.#beforeDelivery(to, packet, qos);
    const retain = packet.retain && sessions.retainAvailable;
    // [MQTT-3.3.1-2]
    const dup = packet.dup && qos !== 0;
    const { payload, packetId } = packet;
    if (
      !to.outbox.publish(topic, payload, qos, retain, dup, packetId, properties, to.peerMaximumPacketSize)
    ) {
      return this.#drop(
        packet,
        'tooLarge',
        `larger than the ${to.peerMaximumPacketSize} bytes the other side takes`,
      );
    }
    if (this.#isOut) this.#status.sent += 1;
    else this.#status.received += 1;
    if (qos === 0 && packet.qos !== 0) this.#accept(packet);
    if (to.outbox.pendingBytes > maximumPendingBytes) this.#pause();
    return ReasonCode.Success;
  }

  /** PUBACK, PUBREC or PUBCOMP of the receiver. */
  onAnswer(ack: AckRecord): void {
    const { type, packetId, reasonCode } = ack;
    if (type === PacketType.Pubcomp && this.#purging.delete(packetId)) {
      this.#fresh?.add(packetId);
      return;
    }
    if (type !== PacketType.Pubcomp && reasonCode >= 0x80) {
      this.#status.refused += 1;
      const reason = ack.properties?.reasonString ?? reasonName(reasonCode);
      this.#refusals.warning('message refused by the other side', {
        topic: this.#topics.get(packetId),
        reason,
      });
    }
    if (type !== PacketType.Pubrec || reasonCode >= 0x80) this.#onAnswered(packetId);
    if (type === PacketType.Pubcomp && reasonCode !== ReasonCode.Success) this.#onUnknown(packetId);
    const wasLowered = type === PacketType.Puback && this.#lowered.delete(packetId);
    const answer = wasLowered ? PacketType.Pubrec : (type as typeof PacketType.Puback);
    this.#from?.outbox.ack(answer, packetId, reasonCode);
  }

  /** PUBREL of the sender. */
  onRelease(ack: AckRecord): void {
    // A receiver without QoS 2 has no part in this.
    if (this.#sessions !== null && this.#sessions.maximumQos < 2)
      this.#from?.outbox.ack(PacketType.Pubcomp, ack.packetId, 0);
    else this.#to?.outbox.ack(PacketType.Pubrel, ack.packetId, ack.reasonCode);
  }

  /** The receiver's connection has taken all that was written. */
  onDrain(): void {
    if (!this.#isPaused) return;
    this.#isPaused = false;
    this.#from?.resume();
  }

  #pause(): void {
    if (this.#isPaused) return;
    this.#isPaused = true;
    this.#from?.pause();
  }

  /** Ends the sender's part of a message that went on at QoS 0. */
  #accept(packet: PublishPacket): void {
    this.#from?.outbox.ack(packet.qos === 1 ? PacketType.Puback : PacketType.Pubrec, packet.packetId, 0);
  }

  #beforeDelivery(to: BrokerLink, packet: PublishPacket, qos: Qos): void {
    const { packetId } = packet;
    this.#topics.set(packetId, packet.topic);
    if (packet.qos === 2 && qos === 1) this.#lowered.add(packetId);
    if (qos === 2 && this.#fresh !== null && !this.#fresh.has(packetId)) {
      // Whatever the receiver keeps under this id is finished first.
      this.#purging.add(packetId);
      to.outbox.ack(PacketType.Pubrel, packetId, 0);
    }
    this.#unanswered?.add(packetId);
  }

  #isWindowFull(): boolean {
    const unanswered = this.#unanswered;
    return unanswered !== null && (!this.#held.isEmpty || unanswered.size >= this.#sessions!.receiveMaximum);
  }

  #hold(packet: PublishPacket): ReasonCode {
    if (this.#held.push(packet)) return ReasonCode.Success;
    const { topic } = packet;
    this.#refusals.warning(
      'too many messages under way from the other side; raise [broker] receive_maximum',
      { topic },
    );
    return ReasonCode.ReceiveMaximumExceeded;
  }

  #onAnswered(packetId: number): void {
    if (this.#unanswered === null || !this.#unanswered.delete(packetId)) return;
    while (this.#unanswered.size < this.#sessions!.receiveMaximum) {
      const packet = this.#held.shift();
      if (packet === undefined) break;
      this.#pass(packet);
    }
  }

  /** Not passed on: acknowledged to its sender here, so that it leaves the queue, and counted by its reason. */
  #drop(packet: PublishPacket, count: 'loops' | 'unmapped' | 'tooLarge', reason: string): ReasonCode {
    this.#status[count] += 1;
    if (count !== 'loops') this.#refusals.warning('message not passed on', { topic: packet.topic, reason });
    if (packet.qos !== 0) this.#onAnswered(packet.packetId);
    if (packet.qos === 1) this.#from?.outbox.ack(PacketType.Puback, packet.packetId, 0);
    if (packet.qos === 2) {
      // A refusal ends the exchange at once. A 3.1.1 sender goes on with PUBREL, which the receiver answers.
      const code = count === 'tooLarge' ? ReasonCode.QuotaExceeded : ReasonCode.ImplementationSpecificError;
      this.#from?.outbox.ack(PacketType.Pubrec, packet.packetId, code);
    }
    return ReasonCode.Success;
  }

  /** 0x92: the receiver has finished the message before a cut, as it should; or it has lost its session. */
  #onUnknown(packetId: number): void {
    if (this.#sessions?.receiverSessionPresent === true) return;
    const reason = 'the session that had it is gone; it may be lost or come twice';
    const topic = this.#topics.get(packetId);
    this.#refusals.warning('the other side does not know a QoS 2 message any more', { topic, reason });
  }
}
