import type { SparingLog } from '#base';
import type { BridgeTopicConfig } from '#config';
import { createPublishProperties, type BrokerLink } from '#client';
import { hasTooManyProperties } from '#model';
import { PacketType, ReasonCode, reasonName, type AckRecord, type PublishPacket, type Qos } from '#mqtt';
import type { MessageBounds } from './bridge-options.ts';
import type { BridgeStatus } from './bridge-status.ts';
import { matches } from '#topics';
import { HeldMessages } from './held-messages.ts';
import { InflightTopics } from './inflight-topics.ts';
import { Patience } from './patience.ts';
import type { RelaySessions } from './relay-sessions.ts';
import { StaleIds } from './stale-ids.ts';
import { Suspicion } from './suspicion.ts';
import { ReceivingAliases, SendingAliases } from './topic-aliases.ts';
import { TopicMap } from './topic-map.ts';
import { ViaTag } from './via.ts';

/** Bytes towards the receiving broker at which the sending one is not read any more. */
const maximumPendingBytes = 1024 * 1024;
const largestReceiveMaximum = 65_535;
const nothing = createPublishProperties();

export interface RelayOptions {
  readonly direction: 'in' | 'out';
  readonly topics: readonly BridgeTopicConfig[];
  /** Filters over local topics: what matches is never held back for company. */
  readonly urgentTopics: readonly string[];
  /** False: messages go on without the retain flag. */
  readonly passesRetain: boolean;
  /** Largest packet that goes on, in bytes, beside what the receiver says; 0 = no bound of our own. */
  readonly maximumPacketSize: number;
  /** What the receiver takes beside that; `null` = not known. */
  readonly bounds: MessageBounds | null;
  /** The receiver has no room for a message now (0x97): the link is to be ended, that it may come again. */
  readonly onNoRoom: (topic: string) => void;
  /** The other broker has a bridge to ours that carries this local topic too. */
  readonly onCrossed: (topic: string) => void;
  readonly brokerName: string;
  readonly status: BridgeStatus;
  readonly refusals: SparingLog;
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
  /** Local filters of what the other direction brings. */
  readonly #fetched: readonly string[];
  readonly #via: ViaTag;
  readonly #status: BridgeStatus;
  readonly #refusals: SparingLog;
  readonly #passesRetain: boolean;
  readonly #maximumPacketSize: number;
  readonly #maximumUserProperties: number;
  readonly #onNoRoom: (topic: string) => void;
  readonly #onCrossed: (topic: string) => void;
  readonly #topics = new InflightTopics();
  readonly #patience = new Patience();
  readonly #properties = createPublishProperties();
  #from: BrokerLink | null = null;
  #to: BrokerLink | null = null;
  #sessions: RelaySessions | null = null;
  #isPaused = false;
  /** Messages that were passed on and not answered. */
  #underWay = 0;
  /** Those of them that wait in the outbox for company, while its count of writes is `#writes`. */
  #gathered = 0;
  #writes = 0;
  #sendingAliases: SendingAliases | null = null;
  #receivingAliases = new ReceivingAliases();
  /** Messages that our broker has not finished; `null` = not counted, the sender surely keeps the window. */
  #unanswered: Set<number> | null = null;
  readonly #held = new HeldMessages();
  readonly #stale = new StaleIds();
  readonly #suspicion = new Suspicion();
  /** Messages that may be under way to the receiver. */
  #window = largestReceiveMaximum;
  /** Ids of QoS 2 messages that were passed on at QoS 1. */
  readonly #lowered = new Set<number>();
  /** Ids of messages that went on with the retain flag and are not answered. */
  readonly #retained = new Set<number>();

  constructor(options: RelayOptions) {
    this.#isOut = options.direction === 'out';
    this.#map = new TopicMap(options.topics, options.direction, options.urgentTopics, options.bounds);
    this.#maximumUserProperties = options.bounds?.maximumUserProperties ?? Infinity;
    this.#fetched = options.topics
      .filter(({ direction }) => direction !== 'out')
      .map(({ localPrefix, filter }) => localPrefix + filter);
    this.#via = new ViaTag(options.brokerName, options.direction);
    this.#status = options.status;
    this.#refusals = options.refusals;
    this.#passesRetain = options.passesRetain;
    this.#maximumPacketSize = options.maximumPacketSize === 0 ? Infinity : options.maximumPacketSize;
    this.#onNoRoom = options.onNoRoom;
    this.#onCrossed = options.onCrossed;
  }

  /** Messages are to come one by one over the next connection: one of them makes the receiver end the link. */
  get isSuspicious(): boolean {
    return this.#suspicion.isAroused;
  }

  /** Both connections are up. */
  start(from: BrokerLink, to: BrokerLink, sessions: RelaySessions): void {
    this.#from = from;
    this.#to = to;
    this.#sessions = sessions;
    this.#isPaused = false;
    this.#underWay = 0;
    this.#gathered = 0;
    this.#writes = to.outbox.writes;
    this.#properties.topicAlias = undefined; // of the connection before
    const { topicAliasMaximum } = sessions;
    this.#sendingAliases = topicAliasMaximum === 0 ? null : new SendingAliases(topicAliasMaximum);
    this.#receivingAliases = new ReceivingAliases();
    // 3.1.1 knows no window, and some brokers overrun that of MQTT 5 after a cut. Ours keeps it.
    const isOneByOne = this.#suspicion.start();
    this.#window = isOneByOne ? 1 : sessions.receiveMaximum;
    const keepsWindow = (this.#isOut && !isOneByOne) || this.#window >= largestReceiveMaximum;
    this.#unanswered = keepsWindow ? null : new Set();
    this.#held.clear();
    this.#via.meet(sessions.remoteName);
    this.#stale.start(sessions);
    this.#retained.clear();
    this.#lowered.clear();
  }

  stop(): void {
    this.#from = null;
    this.#to = null;
  }

  /** PUBLISH of the sender. */
  onPublish(packet: PublishPacket): ReasonCode {
    const fault = this.#receivingAliases.resolve(packet);
    if (fault !== ReasonCode.Success) return fault;
    if (packet.qos !== 0 && this.#isWindowFull()) return this.#hold(packet);
    return this.#pass(packet);
  }

  #pass(packet: PublishPacket): ReasonCode {
    const to = this.#to;
    const sessions = this.#sessions;
    if (to === null || sessions === null) return ReasonCode.Success;
    if (this.#suspicion.isCondemned(packet.packetId, packet.dup))
      return this.#drop(packet, 'rejected', 'the other side ends the link for it');
    const { name, isUrgent } = this.#map.find(packet.topic);
    if (name === null) return this.#drop(packet, 'unmapped', 'its topic is not one of this bridge');
    if (this.#comesBack(packet)) return this.#drop(packet, 'loops', 'it has been here before');
    const { userProperties } = packet.properties ?? nothing;
    if (hasTooManyProperties(userProperties, this.#maximumUserProperties))
      return this.#drop(packet, 'tooLarge', 'it has too many user properties');
    let properties = null;
    if (sessions.receiverVersion === 5) {
      properties = this.#properties;
      this.#via.mark(packet.properties, properties);
    }
    const qos = packet.qos > sessions.maximumQos ? sessions.maximumQos : packet.qos;
    const retain = packet.retain && sessions.retainAvailable && this.#passesRetain;
    if (qos !== 0) this.#beforeDelivery(to, packet, qos, retain);
    // [MQTT-3.3.1-2]
    const dup = packet.dup && qos !== 0;
    const { payload, packetId } = packet;
    let topic = name;
    if (this.#sendingAliases !== null && properties !== null)
      topic = this.#sendingAliases.apply(name, properties);
    const bound = Math.min(to.peerMaximumPacketSize, this.#maximumPacketSize);
    if (!to.outbox.publish(topic, payload, qos, retain, dup, packetId, properties, bound)) {
      // The receiver has not learnt the alias.
      if (topic !== '') this.#sendingAliases?.forget(name);
      return this.#drop(packet, 'tooLarge', `larger than the ${bound} bytes that may be sent`);
    }
    if (qos !== 0) this.#countGathered(to);
    // With nothing on its way to the receiver, it would gain nothing by waiting.
    if (isUrgent || (qos !== 0 && this.#underWay <= this.#gathered)) to.outbox.hurry();
    if (this.#isOut) this.#status.sent += 1;
    else this.#status.received += 1;
    if (qos === 0 && packet.qos !== 0) this.#accept(packet);
    if (to.outbox.pendingBytes > maximumPendingBytes) this.#pause();
    return ReasonCode.Success;
  }

  #comesBack({ topic, properties }: PublishPacket): boolean {
    if (!this.#via.isCrossed(properties)) return this.#via.isLoop(properties);
    // What this bridge does not fetch itself may be meant to go round.
    if (this.#isOut && !this.#fetched.some((filter) => matches(filter, topic)))
      return this.#via.isLoop(properties);
    this.#onCrossed(topic);
    return true;
  }

  /** PUBACK, PUBREC or PUBCOMP of the receiver. */
  onAnswer(ack: AckRecord): void {
    const { type, packetId, reasonCode } = ack;
    if (this.#from === null) return;
    if (type === PacketType.Pubcomp && this.#stale.onReleased(packetId)) return;
    this.#suspicion.onAnswered(packetId);
    const isRetained = this.#retained.delete(packetId);
    if (reasonCode === ReasonCode.QuotaExceeded && type !== PacketType.Pubcomp) {
      const topic = this.#topics.get(packetId);
      if (!isRetained || !this.#patience.isOver(topic)) {
        // Its sender hears nothing, so it keeps the message.
        this.#onNoRoom(topic);
        return;
      }
    }
    if (type !== PacketType.Pubcomp && reasonCode >= 0x80) {
      this.#status.refused += 1;
      const reason = ack.properties?.reasonString ?? reasonName(reasonCode);
      this.#refusals.warning('message refused by the other side', {
        topic: this.#topics.get(packetId),
        reason,
      });
    }
    if (type !== PacketType.Pubrec || reasonCode >= 0x80) {
      this.#underWay--;
      this.#onAnswered(packetId);
    }
    this.#sendGathered();
    if (type === PacketType.Pubcomp && reasonCode !== ReasonCode.Success) this.#onUnknown(packetId);
    const wasLowered = type === PacketType.Puback && this.#lowered.delete(packetId);
    const answer = wasLowered ? PacketType.Pubrec : (type as typeof PacketType.Puback);
    this.#from.outbox.ack(answer, packetId, reasonCode);
  }

  /** PUBREL of the sender. */
  onRelease(ack: AckRecord): void {
    // A receiver without QoS 2 has no part in this.
    if (this.#sessions !== null && this.#sessions.maximumQos < 2)
      this.#from?.outbox.ack(PacketType.Pubcomp, ack.packetId, 0);
    else this.#to?.outbox.ack(PacketType.Pubrel, ack.packetId, ack.reasonCode);
  }

  /** The receiver has ended its connection and says why (MQTT 5). */
  onReceiverLeft(reasonCode: number): void {
    this.#suspicion.onLeft(reasonCode, this.#underWay > 0);
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

  #beforeDelivery(to: BrokerLink, packet: PublishPacket, qos: Qos, retain: boolean): void {
    const { packetId } = packet;
    this.#topics.set(packetId, packet.topic);
    this.#suspicion.onSent(packetId);
    if (retain) this.#retained.add(packetId);
    if (packet.qos === 2 && qos === 1) this.#lowered.add(packetId);
    if (qos === 2 && this.#stale.mustRelease(packetId, packet.dup))
      to.outbox.ack(PacketType.Pubrel, packetId, 0);
    this.#unanswered?.add(packetId);
  }

  #countGathered({ outbox }: BrokerLink): void {
    if (this.#writes !== outbox.writes) {
      this.#writes = outbox.writes;
      this.#gathered = 0;
    }
    this.#underWay++;
    this.#gathered++;
  }

  /** All that was written is answered: what has gathered meanwhile goes, however full the window is. */
  #sendGathered(): void {
    const outbox = this.#to?.outbox;
    if (outbox === undefined || this.#underWay === 0) return;
    if (this.#writes === outbox.writes && this.#underWay <= this.#gathered) outbox.hurry();
  }

  #isWindowFull(): boolean {
    const unanswered = this.#unanswered;
    return unanswered !== null && (!this.#held.isEmpty || unanswered.size >= this.#window);
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
    while (this.#unanswered.size < this.#window) {
      const packet = this.#held.shift();
      if (packet === undefined) break;
      this.#pass(packet);
    }
  }

  /** Not passed on: acknowledged to its sender here, so that it leaves the queue, and counted by its reason. */
  #drop(
    packet: PublishPacket,
    count: 'loops' | 'unmapped' | 'tooLarge' | 'rejected',
    reason: string,
  ): ReasonCode {
    this.#status[count] += 1;
    if (count !== 'loops') this.#refusals.warning('message not passed on', { topic: packet.topic, reason });
    if (packet.qos !== 0) {
      this.#suspicion.onAnswered(packet.packetId);
      this.#retained.delete(packet.packetId);
      this.#onAnswered(packet.packetId);
    }
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
