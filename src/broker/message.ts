import { isUtf8 } from 'node:buffer';
import type { LimitsConfig } from '#config';
import {
  ProtocolVersion,
  publishLength,
  ReasonCode,
  utf8Length,
  type PublishProperties,
  type Qos,
} from '#mqtt';
import { topicNameFault } from '#topics';
import type { FrameLease } from './frame-memory.ts';
import type { StoredDelivery, StoredMessage } from './ports.ts';

/** What is as large does not lie in Node's pool; the head of a packet that is held with it weighs little. */
const smallestApart = 16 * 1024;

/**
 * A message inside the broker, made from a PUBLISH, a will or the broker's own voice. Its properties hold neither a
 * topic alias nor subscription identifiers: both belong to one connection.
 */
export class Message implements StoredMessage {
  readonly topic: string;
  /** UTF-8 bytes of `topic`. */
  readonly topicLength: number;
  /** Bytes of the payload. */
  readonly payloadLength: number;
  readonly qos: Qos;
  /** The retain flag as published. */
  readonly retain: boolean;
  properties: PublishProperties | null;
  readonly publisherId: string;
  readonly expiresAt: number;
  journalId = 0;
  #kept = false;
  #size = 0;
  /** The payload, or what it stands in. */
  #bytes: Buffer;
  /** Where it begins there; -1 = `#bytes` is the payload and nothing else. */
  #start: number;
  /** The payload stands in memory that is no part of something much larger, and can be shared; `null` = elsewhere. */
  readonly lease: FrameLease | null;

  /**
   * `bytes`: the payload, or with a `start` what it stands in, `length` bytes long. They may be a chunk that is valid
   * only during the call: see `keep`. `lease`: of that memory, where it has one.
   */
  constructor(
    topic: string,
    topicLength: number,
    bytes: Buffer,
    qos: Qos,
    retain: boolean,
    properties: PublishProperties | null,
    publisherId: string,
    expiresAt: number,
    lease: FrameLease | null = null,
    start = -1,
    length = bytes.length,
  ) {
    this.topic = topic;
    this.topicLength = topicLength;
    this.payloadLength = length;
    this.qos = qos;
    this.retain = retain;
    this.properties = properties;
    this.publisherId = publisherId;
    this.expiresAt = expiresAt;
    this.#bytes = bytes;
    this.#start = start;
    this.lease = lease;
  }

  /** Bytes of topic, payload and properties: those can be much more than the rest. */
  get size(): number {
    const { payloadLength, topicLength, properties } = this;
    if (properties === null) return payloadLength + topicLength;
    // Once for a message: properties do not change in size.
    if (this.#size === 0)
      this.#size = publishLength(topicLength, payloadLength, 0, properties, ProtocolVersion.V5);
    return this.#size;
  }

  /** A view, made when it is first asked for: most messages are only copied on. */
  get payload(): Buffer {
    if (this.#start >= 0) this.#own(this.#bytes.subarray(this.#start, this.#start + this.payloadLength));
    return this.#bytes;
  }

  /** Writes the payload into a frame. */
  copyPayload(into: Buffer, at: number): void {
    const start = this.#start < 0 ? 0 : this.#start;
    this.#bytes.copy(into, at, start, start + this.payloadLength);
  }

  /** Copies what is a view of the socket's chunk, once: whoever holds a message beyond the call keeps it first. */
  keep(): this {
    if (this.#kept) return this;
    if (this.lease === null) this.#copyTo(Buffer.allocUnsafe(this.payloadLength)); // a view would pin 64 KiB
    else this.lease.keep();
    return this.#keepProperties();
  }

  /** As `keep`, into memory of its own: what may stay for months must not pin Node's shared pool of 8 KiB. */
  keepApart(): this {
    if (this.#kept) return this;
    if (this.lease !== null && this.payloadLength >= smallestApart) this.lease.keep();
    else this.#copyTo(Buffer.allocUnsafeSlow(this.payloadLength));
    return this.#keepProperties();
  }

  /** As `keep`, but only until the lease that it returns is released; `null` = it is kept. */
  hold(): FrameLease | null {
    if (this.lease === null) this.keep();
    else this.lease.use();
    return this.lease;
  }

  /** The payload, to be held together with its lease, or without one as a copy. */
  shared(): Buffer {
    return this.lease === null ? this.keep().payload : this.payload;
  }

  hasExpired(now: number): boolean {
    return this.expiresAt !== 0 && now >= this.expiresAt;
  }

  #copyTo(own: Buffer): void {
    this.copyPayload(own, 0);
    this.#own(own);
  }

  #own(payload: Buffer): void {
    this.#bytes = payload;
    this.#start = -1;
  }

  #keepProperties(): this {
    this.#kept = true;
    const data = this.properties?.correlationData;
    if (this.properties !== null && data !== undefined) {
      this.properties = { ...this.properties, correlationData: Buffer.from(data) };
    }
    return this;
  }
}

/** Wall time at which a message with these properties expires; 0 = never. */
export function expiryTime(properties: PublishProperties | null, now: number): number {
  const seconds = properties?.messageExpiry;
  return seconds === undefined ? 0 : now + seconds * 1000;
}

/**
 * What is wrong with a message of a client beside its topic: a response topic that none can be published on breaks the
 * protocol [MQTT-3.3.2-14]; a payload that is not the UTF-8 that it is said to be is refused where that is checked
 * (MQTT 5, 3.3.2.3.2); a payload beyond a bound of its own goes nowhere.
 */
export function messageFault(
  limits: LimitsConfig,
  payloadLength: number,
  message: { readonly payload: Buffer; readonly properties: PublishProperties | null },
): ReasonCode {
  const { maximumPayloadSize = 0 } = limits;
  if (maximumPayloadSize > 0 && payloadLength > maximumPayloadSize)
    return ReasonCode.ImplementationSpecificError;
  const { properties } = message;
  if (properties === null) return ReasonCode.Success;
  const { responseTopic, payloadFormat } = properties;
  if (responseTopic !== undefined && topicNameFault(responseTopic, Infinity) !== ReasonCode.Success)
    return ReasonCode.ProtocolError;
  // With a mount point before it it may not fit into a packet any more (1.5.4).
  if (responseTopic !== undefined && responseTopic.length * 3 > longestString) {
    if (utf8Length(responseTopic) > longestString) return ReasonCode.TopicNameInvalid;
  }
  if (payloadFormat === 1 && limits.checkPayloadFormat === true && !isUtf8(message.payload))
    return ReasonCode.PayloadFormatInvalid;
  return ReasonCode.Success;
}

/** Bytes of a string in a packet. */
const longestString = 65_535;

/** Where a bridge tells whether it is connected. Mosquitto's does so with its will, and does not connect without. */
const bridgeState = /^\$SYS\/broker\/connection\/[^/]+\/state$/;

/** `$SYS` is the broker's own voice: clients may not publish there, but for the state of a bridge. */
export function isReservedTopic(topic: string): boolean {
  return (topic.startsWith('$SYS/') && !bridgeState.test(topic)) || topic === '$SYS';
}

/** One message on its way to one session at QoS 1 or 2: queued or in flight. */
export class Delivery implements StoredDelivery {
  readonly serial: number;
  readonly message: Message;
  readonly qos: Qos;
  readonly retain: boolean;
  readonly subscriptionIdentifiers: readonly number[];
  /** The shared subscription by which it came; empty = none. */
  readonly share: string;
  /** Generation of the access rules under which the session was found to be allowed to read it; -1 = never asked. */
  generation: number;
  readonly isUrgent: boolean;
  /** When it was queued, in milliseconds; 0 = not known. */
  readonly queuedAt: number;
  /** Of its message's memory, to be released when the client has it; `null` = the message is kept. */
  lease: FrameLease | null = null;

  constructor(
    serial: number,
    message: Message,
    qos: Qos,
    retain: boolean,
    subscriptionIdentifiers: readonly number[],
    share: string,
    generation: number,
    isUrgent = false,
    queuedAt = 0,
  ) {
    this.serial = serial;
    this.message = message;
    this.qos = qos;
    this.retain = retain;
    this.subscriptionIdentifiers = subscriptionIdentifiers;
    this.share = share;
    this.generation = generation;
    this.isUrgent = isUrgent;
    this.queuedAt = queuedAt;
  }

  /** Bytes that it holds in memory, roughly: what queue bounds count. */
  get size(): number {
    return this.message.size;
  }
}
