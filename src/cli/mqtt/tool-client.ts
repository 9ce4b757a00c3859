import type { Clock, DavylampError, Dialer, Logger, Timer } from '#base';
import { BrokerLink, createPublishProperties } from '#client';
import {
  PacketType,
  ReasonCode,
  type AckPacket,
  type AckRecord,
  type ConnackPacket,
  type ConnectPacket,
  type PublishPacket,
  type PublishProperties,
  type Qos,
  type SubackPacket,
  type SubscriptionRequest,
  type UnsubackPacket,
} from '#mqtt';
import { HeldMessages } from './held-messages.ts';
import type { PrintedMessage } from './output-format.ts';
import type { PacketTrace } from './packet-trace.ts';
import type { ToolProperties } from './property-words.ts';

/** MQTT's own bound on a packet (2.1.4), as the mosquitto tools have no other. */
const largestPacket = 268_435_455 + 5;
/** Publishing waits when so many bytes are on their way to the system. */
const maximumPendingBytes = 1024 * 1024;
const reconnectMs = 1000;

/** How a connection ended for good. */
export type ToolEnd =
  | { readonly kind: 'closed' }
  /** The broker said no; the code of its CONNACK. */
  | { readonly kind: 'refused'; readonly reasonCode: number; readonly message: string }
  /** It broke after CONNECT was sent. */
  | { readonly kind: 'lost'; readonly message: string }
  | { readonly kind: 'unreachable'; readonly message: string };

/** Who uses a client. */
export interface ToolClientOwner {
  /** At every connection. */
  onConnected(): void;
  /** The payload may be a view that is valid during the call. */
  onMessage(message: PrintedMessage): void;
  onSubscribed(codes: readonly number[]): void;
  /** The broker's last answer to a publish; at QoS 0 the message was handed over. */
  onPublished(packetId: number, reasonCode: number, reasonString: string | undefined): void;
  /** There may be room to publish again. */
  onRoom(): void;
  /** The connection broke; the next try comes in a second. */
  onRetry(message: string): void;
  onEnd(end: ToolEnd): void;
}

export interface ToolClientOptions {
  readonly dialer: Dialer;
  readonly clock: Clock;
  readonly log: Logger;
  readonly connect: ConnectPacket;
  readonly properties: ToolProperties;
  readonly maximumInflight: number;
  readonly receiveMaximum: number;
  /** A connection that was open once is opened again and again. */
  readonly reconnect: boolean;
  /** `-d`. */
  readonly trace: PacketTrace | null;
  readonly owner: ToolClientOwner;
}

interface Outgoing {
  readonly topic: string;
  readonly payload: Buffer;
  readonly qos: Qos;
  readonly retain: boolean;
  readonly properties: PublishProperties | null;
  isReleased: boolean;
}

/**
 * The client of pub, sub and rr. It does what the mosquitto tools do, in their order: packet ids are counted over all
 * packets, QoS 1 is acknowledged before the message is printed, QoS 2 is printed at its PUBREL.
 */
export class ToolClient {
  readonly #options: ToolClientOptions;
  readonly #owner: ToolClientOwner;
  readonly #trace: PacketTrace | null;
  readonly #inflight = new Map<number, Outgoing>();
  readonly #held: HeldMessages;
  readonly #aliases = new Map<number, string>();
  #clientId: string;
  #link: BrokerLink | null = null;
  #retry: Timer | null = null;
  #refused: ConnackPacket | null = null;
  #connack: ConnackPacket | null = null;
  #packetId = 0;
  #wasOpened = false;
  #isClosing = false;
  #isPaused = false;
  /** Sent on this connection: the alias stands for the topic now. */
  #isAliasSent = false;
  /** DISCONNECT leaves when all that was written has been taken. */
  #isClosingWhenSent = false;

  constructor(options: ToolClientOptions) {
    this.#options = options;
    this.#owner = options.owner;
    this.#trace = options.trace;
    this.#clientId = options.connect.clientId;
    // Before MQTT 5 a broker does not know what we take.
    this.#held = new HeldMessages(this.version === 5 ? options.receiveMaximum : 65_535);
  }

  /** Messages at QoS 1 and 2 that are not answered yet. */
  get inflight(): number {
    return this.#inflight.size;
  }

  get version(): ConnectPacket['version'] {
    return this.#options.connect.version;
  }

  start(): void {
    this.#open();
  }

  /** SUBSCRIBE for all of them at once. */
  subscribe(subscriptions: readonly SubscriptionRequest[]): void {
    const packetId = this.#nextPacketId();
    for (const { filter, qos, noLocal, retainAsPublished, retainHandling } of subscriptions) {
      const bits = (retainHandling << 4) | (Number(retainAsPublished) << 3) | (Number(noLocal) << 2);
      const options = `0x${bits.toString(16).padStart(2, '0')}`;
      this.#trace?.sending(
        `SUBSCRIBE (Mid: ${packetId}, Topic: ${filter}, QoS: ${qos}, Options: ${options})`,
      );
    }
    const properties = this.version === 5 ? this.#options.properties.subscribe : {};
    this.#link?.outbox.packet({ type: PacketType.Subscribe, packetId, subscriptions, properties });
  }

  unsubscribe(filter: string): void {
    const packetId = this.#nextPacketId();
    this.#trace?.sending(`UNSUBSCRIBE (Mid: ${packetId}, Topic: ${filter})`);
    const properties = this.version === 5 ? this.#options.properties.unsubscribe : {};
    this.#link?.outbox.packet({ type: PacketType.Unsubscribe, packetId, filters: [filter], properties });
  }

  /** May a message be published now? Otherwise `onRoom` tells when to ask again. */
  hasRoom(qos: Qos): boolean {
    const link = this.#link;
    if (link === null || !link.isUp || this.#isClosing) return false;
    const isWindowFull = qos !== 0 && this.#inflight.size >= this.#window();
    return !isWindowFull && link.outbox.pendingBytes < maximumPendingBytes;
  }

  /**
   * Publishes; gives the packet id, or the reason code why the broker would not take it: `-reasonCode`. At QoS 1 and 2
   * the payload must not change until the answer.
   */
  publish(
    topic: string,
    payload: Buffer,
    qos: Qos,
    retain: boolean,
    some: Partial<PublishProperties> = {},
  ): number {
    const connack = this.#connack?.properties ?? {};
    if (qos > (connack.maximumQos ?? 2)) return -ReasonCode.QosNotSupported;
    if (retain && connack.retainAvailable === false) return -ReasonCode.RetainNotSupported;
    if ((some.topicAlias ?? 0) > (connack.topicAliasMaximum ?? 0)) return -ReasonCode.TopicAliasInvalid;
    const hasProperties = this.version === 5 && Object.keys(some).length > 0;
    const message: Outgoing = {
      topic,
      payload,
      qos,
      retain,
      properties: hasProperties ? createPublishProperties(some) : null,
      isReleased: false,
    };
    const packetId = this.#nextPacketId();
    if (!this.#transmit(packetId, message, false)) return -ReasonCode.PacketTooLarge;
    if (qos === 0) this.#owner.onPublished(packetId, ReasonCode.Success, undefined);
    else this.#inflight.set(packetId, message);
    return packetId;
  }

  /** Stops reading while what came cannot be printed. */
  pause(): void {
    this.#isPaused = true;
    this.#link?.pause();
  }

  resume(): void {
    this.#isPaused = false;
    this.#link?.resume();
  }

  /** Says goodbye at once. */
  close(reasonCode: number = ReasonCode.Success): void {
    this.#isClosing = true;
    this.#retry?.cancel();
    const link = this.#link;
    if (link === null) {
      this.#owner.onEnd({ kind: 'closed' });
      return;
    }
    if (link.isUp) this.#trace?.sending('DISCONNECT');
    // Before MQTT 5 there is but one goodbye.
    if (this.version === 5) link.end(reasonCode, this.#options.properties.disconnect);
    else link.end();
  }

  /** Says goodbye when the system has taken all that was written: at QoS 0 nothing else tells that it left. */
  closeWhenSent(): void {
    this.#isClosingWhenSent = true;
    this.#link?.outbox.flush();
    this.#onDrain();
  }

  #window(): number {
    return Math.min(this.#options.maximumInflight, this.#connack?.properties.receiveMaximum ?? 65_535);
  }

  #nextPacketId(): number {
    do this.#packetId = (this.#packetId % 65_535) + 1;
    while (this.#inflight.has(this.#packetId));
    return this.#packetId;
  }

  #transmit(packetId: number, message: Outgoing, dup: boolean): boolean {
    const link = this.#link;
    if (link === null) return true; // sent with the next connection
    const { payload, qos, retain, properties } = message;
    const isAlias = properties?.topicAlias !== undefined && this.#isAliasSent;
    const topic = isAlias ? '' : message.topic;
    const wireId = qos === 0 ? 0 : packetId;
    const isSent = link.outbox.publish(
      topic,
      payload,
      qos,
      retain,
      dup,
      wireId,
      properties,
      link.peerMaximumPacketSize,
    );
    if (!isSent) return false;
    if (properties?.topicAlias !== undefined) this.#isAliasSent = true;
    this.#trace?.sendingPublish({ topic, payload, qos, retain, dup, packetId });
    return true;
  }

  #open(): void {
    const { dialer, clock, log, connect, properties } = this.#options;
    this.#refused = null;
    this.#isAliasSent = false;
    this.#aliases.clear();
    const link: BrokerLink = new BrokerLink({
      dialer,
      clock,
      log,
      scheduler: setImmediate,
      connect: { ...connect, clientId: this.#clientId },
      maximumPacketSize: properties.connect.maximumPacketSize ?? largestPacket,
      owner: {
        onOpened: () => this.#onOpened(),
        onRefused: (connack) => {
          this.#refused = connack;
          this.#trace?.received(`CONNACK (${connack.reasonCode})`);
        },
        onConnected: (connack) => this.#onConnected(connack),
        onPublish: (packet) => this.#onPublish(packet),
        onAck: (ack) => this.#onAck(ack),
        onSuback: (packet) => this.#onSuback(packet),
        onDisconnect: (packet) => this.#trace?.received(`DISCONNECT (${packet.reasonCode})`),
        onPing: (kind) =>
          kind === 'request' ? this.#trace?.sending('PINGREQ') : this.#trace?.received('PINGRESP'),
        onDrain: () => this.#onDrain(),
        onEnd: (error) => this.#onEnd(error),
      },
    });
    this.#link = link;
    link.start();
  }

  #onOpened(): void {
    this.#wasOpened = true;
    this.#trace?.sending('CONNECT');
  }

  #onConnected(connack: ConnackPacket): ReasonCode {
    this.#connack = connack;
    const assigned = connack.properties.assignedClientIdentifier;
    if (assigned !== undefined) {
      this.#clientId = assigned;
      if (this.#trace !== null) this.#trace.clientId = assigned;
    }
    this.#trace?.received(`CONNACK (${connack.reasonCode})`);
    if (this.#isPaused) this.#link?.pause();
    if (!connack.sessionPresent) this.#held.clear();
    for (const [packetId, message] of this.#inflight) {
      // In a new session it is a first delivery there [MQTT-3.3.1-1].
      if (message.isReleased) this.#sendAck(PacketType.Pubrel, packetId);
      else this.#transmit(packetId, message, connack.sessionPresent);
    }
    this.#owner.onConnected();
    this.#owner.onRoom();
    return ReasonCode.Success;
  }

  #onPublish(packet: PublishPacket): ReasonCode {
    this.#trace?.receivedPublish(packet);
    const topic = this.#topicOf(packet);
    if (topic === undefined) return ReasonCode.TopicAliasInvalid;
    const { payload, qos, retain, packetId, properties } = packet;
    const message: PrintedMessage = { topic, payload, qos, retain, packetId, properties };
    if (qos === 2) {
      const fault = this.#held.add(message);
      if (fault === ReasonCode.Success) this.#sendAck(PacketType.Pubrec, packetId);
      return fault;
    }
    if (qos === 1) this.#sendAck(PacketType.Puback, packetId);
    this.#owner.onMessage(message);
    return ReasonCode.Success;
  }

  /** `undefined`: an alias that stands for nothing. The link has checked its range. */
  #topicOf({ topic, properties }: PublishPacket): string | undefined {
    const alias = properties?.topicAlias;
    if (alias === undefined) return topic;
    if (topic === '') return this.#aliases.get(alias);
    this.#aliases.set(alias, topic);
    return topic;
  }

  #onAck(ack: AckRecord): ReasonCode {
    this.#trace?.receivedAck(ack);
    const { packetId, reasonCode } = ack;
    if (ack.type === PacketType.Pubrel) {
      const message = this.#held.take(packetId);
      this.#sendAck(PacketType.Pubcomp, packetId);
      if (message !== undefined) this.#owner.onMessage(message);
      return ReasonCode.Success;
    }
    const message = this.#inflight.get(packetId);
    if (ack.type === PacketType.Pubrec && reasonCode < 0x80) {
      if (message?.qos === 2) message.isReleased = true;
      this.#sendAck(PacketType.Pubrel, packetId);
    } else if (message !== undefined && isDue(message, ack.type)) {
      this.#inflight.delete(packetId);
      this.#owner.onPublished(packetId, reasonCode, ack.properties?.reasonString);
      this.#owner.onRoom();
    }
    return ReasonCode.Success;
  }

  #sendAck(type: AckPacket['type'], packetId: number): void {
    this.#link?.outbox.ack(type, packetId, ReasonCode.Success);
    this.#trace?.sendingAck(type, packetId, ReasonCode.Success);
  }

  #onSuback(packet: SubackPacket | UnsubackPacket): ReasonCode {
    this.#trace?.received(packet.type === PacketType.Suback ? 'SUBACK' : 'UNSUBACK');
    if (packet.type !== PacketType.Suback) return ReasonCode.Success;
    this.#trace?.subscribed(packet.packetId, packet.reasonCodes);
    this.#owner.onSubscribed(packet.reasonCodes);
    return ReasonCode.Success;
  }

  #onDrain(): void {
    if (!this.#isClosingWhenSent) {
      this.#owner.onRoom();
    } else if (this.#link === null || this.#link.outbox.pendingBytes === 0) {
      this.#isClosingWhenSent = false;
      this.close();
    }
  }

  #onEnd(error: DavylampError | undefined): void {
    this.#link = null;
    if (this.#isClosing || error === undefined) {
      this.#owner.onEnd({ kind: 'closed' });
    } else if (this.#refused !== null) {
      const { reasonCode } = this.#refused;
      this.#owner.onEnd({ kind: 'refused', reasonCode, message: error.message });
    } else if (this.#wasOpened && this.#options.reconnect) {
      this.#owner.onRetry(error.message);
      this.#retry = this.#options.clock.after(reconnectMs, () => this.#open());
    } else {
      this.#owner.onEnd({ kind: this.#wasOpened ? 'lost' : 'unreachable', message: error.message });
    }
  }
}

/** Does this answer end the exchange of that message? */
function isDue(message: Outgoing, type: number): boolean {
  if (type === PacketType.Puback) return message.qos === 1;
  if (type === PacketType.Pubrec) return message.qos === 2;
  return type === PacketType.Pubcomp && message.isReleased;
}
