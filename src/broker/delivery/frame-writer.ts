import {
  PacketType,
  ProtocolVersion,
  publishLength,
  utf8Length,
  writePublishHead,
  type PublishProperties,
  type Qos,
} from '#mqtt';
import type { BrokerCore } from '../core.ts';
import type { Connection } from '../connection.ts';
import { callHook } from '../hooks.ts';
import type { Message } from '../message.ts';
import { unmounted } from '../mount.ts';

/** Payloads of this size and above are handed to every receiver's socket where they stand; only what is before them is written. */
const largePayload = 16 * 1024;

const noIdentifiers: readonly number[] = [];

/**
 * Writes PUBLISH frames into outboxes. Within one fan-out a frame is encoded once per layout; the other receivers get
 * a copy with their packet id patched in.
 *
 *   layout = (version 5 ? 8 : 0) | qos << 1 | retain       #sources[layout] [#starts, #ends): where its bytes stand
 *
 * Invariant: a layout is valid while `#serials[layout]` is the number of the fan-out that goes on. Its source is the
 * publisher's chunk or an outbox's slab (slabs go back to the pool only between fan-outs). Frames with a large payload
 * have no source: each receiver gets a head of its own, and the one payload by reference.
 */
export class FrameWriter {
  readonly #core: BrokerCore;
  #current = 0;
  #last = 0;
  #offered = -1;
  readonly #serials = new Float64Array(16);
  readonly #sources: Buffer[] = Array.from({ length: 16 }, () => Buffer.alloc(0));
  readonly #starts = new Int32Array(16);
  readonly #ends = new Int32Array(16);
  /** Properties as one receiver gets them; filled anew for each frame. */
  readonly #own: PublishProperties = {
    payloadFormat: undefined,
    messageExpiry: undefined,
    topicAlias: undefined,
    responseTopic: undefined,
    correlationData: undefined,
    contentType: undefined,
    userProperties: [],
    subscriptionIdentifiers: noIdentifiers,
  };

  constructor(core: BrokerCore) {
    this.#core = core;
  }

  /** The bytes in which the next message came. Used as they are where they equal what we would encode. */
  offerFrame(
    version: ProtocolVersion,
    qos: Qos,
    bytes: Buffer,
    start: number,
    bodyStart: number,
    end: number,
  ): void {
    this.#offered = -1;
    if ((bytes[start]! & 0x0f) !== qos << 1) return; // DUP and RETAIN belong to the connection it came on
    if (bodyStart - start > 2 && bytes[bodyStart - 1] === 0) return; // a padded length is not passed on
    if (end - start >= largePayload) return; // large ones outlive the chunk
    const layout = (version === ProtocolVersion.V5 ? 8 : 0) | (qos << 1);
    this.#sources[layout] = bytes;
    this.#starts[layout] = start;
    this.#ends[layout] = end;
    this.#offered = layout;
  }

  /** A fan-out begins; gives the one it interrupts (a hook may publish), for `finish`. */
  begin(): number {
    const outer = this.#current;
    this.#current = ++this.#last;
    if (this.#offered >= 0) this.#serials[this.#offered] = this.#current;
    this.#offered = -1;
    return outer;
  }

  finish(outer: number): void {
    this.#current = outer;
  }

  /** A frame of the fan-out that goes on: copied from its layout where it has been encoded before. */
  writeShared(
    connection: Connection,
    message: Message,
    qos: Qos,
    retain: boolean,
    packetId: number,
    identifiers: readonly number[],
  ): void {
    const isV5 = connection.version === ProtocolVersion.V5;
    const isApart = identifiers.length > 0 || connection.aliases !== null || connection.limitsPacketSize;
    const isLarge = message.payloadLength >= largePayload;
    if ((isV5 && isApart) || isLarge || connection.mountPoint !== '') {
      this.writeOwn(connection, message, qos, retain, false, packetId, identifiers);
      return;
    }
    const layout = (isV5 ? 8 : 0) | (qos << 1) | (retain ? 1 : 0);
    if (this.#serials[layout] !== this.#current)
      this.#encode(connection, message, qos, retain, packetId, layout);
    else this.#copy(connection, message, qos, packetId, layout);
    this.#count(connection, message, qos);
    if (this.#core.trace !== null) this.#tell(connection, message, qos, retain, false, packetId);
  }

  /** A frame for this receiver alone: with its alias, its subscription identifiers, and the expiry that is left. */
  writeOwn(
    connection: Connection,
    message: Message,
    qos: Qos,
    retain: boolean,
    dup: boolean,
    packetId: number,
    identifiers: readonly number[],
  ): void {
    const isV5 = connection.version === ProtocolVersion.V5;
    const properties = isV5 ? this.#ownProperties(message, identifiers, connection) : null;
    let { topic, topicLength } = message;
    if (connection.mountPoint !== '') {
      topic = unmounted(connection.mountPoint, topic);
      topicLength = utf8Length(topic);
    }
    if (isV5 && connection.limitsPacketSize) {
      const whole = publishLength(topicLength, message.payloadLength, qos, properties, connection.version);
      if (whole > connection.maximumPacketSize) {
        this.#core.drop('too-large', connection.clientId, topic); // [MQTT-3.1.2-24]
        return;
      }
    }
    if (properties !== null && connection.aliases !== null) {
      const known = connection.aliases.find(topic);
      properties.topicAlias = known === 0 ? connection.aliases.assign(topic) : known;
      if (known !== 0) {
        topic = '';
        topicLength = 0;
      }
    }
    const { payloadLength } = message;
    const { outbox, version } = connection;
    const length = publishLength(topicLength, payloadLength, qos, properties, version);
    const isLarge = payloadLength >= largePayload;
    const offset = outbox.room(isLarge ? length - payloadLength : length);
    const at = writePublishHead(
      outbox.slab,
      offset,
      topic,
      topicLength,
      payloadLength,
      qos,
      retain,
      dup,
      packetId,
      properties,
      version,
    );
    if (isLarge) outbox.append(message.shared(), message.lease);
    else message.copyPayload(outbox.slab, at);
    this.#count(connection, message, qos);
    if (this.#core.trace !== null) this.#tell(connection, message, qos, retain, dup, packetId);
  }

  /** The frame would be larger than the client takes. */
  isTooLarge(connection: Connection, message: Message, qos: Qos, identifiers: readonly number[]): boolean {
    const properties = this.#ownProperties(message, identifiers, connection);
    const { topic, payloadLength, topicLength } = message;
    const { mountPoint, version } = connection;
    const length = mountPoint === '' ? topicLength : utf8Length(unmounted(mountPoint, topic));
    return publishLength(length, payloadLength, qos, properties, version) > connection.maximumPacketSize;
  }

  #encode(
    connection: Connection,
    message: Message,
    qos: Qos,
    retain: boolean,
    packetId: number,
    layout: number,
  ): void {
    const { topic, topicLength, payloadLength, properties } = message;
    const { outbox, version } = connection;
    const length = publishLength(topicLength, payloadLength, qos, properties, version);
    const offset = outbox.room(length);
    const into = outbox.slab;
    const at = writePublishHead(
      into,
      offset,
      topic,
      topicLength,
      payloadLength,
      qos,
      retain,
      false,
      packetId,
      properties,
      version,
    );
    message.copyPayload(into, at);
    this.#serials[layout] = this.#current;
    this.#sources[layout] = into;
    this.#starts[layout] = offset;
    this.#ends[layout] = offset + length;
  }

  #copy(connection: Connection, message: Message, qos: Qos, packetId: number, layout: number): void {
    const start = this.#starts[layout]!;
    const end = this.#ends[layout]!;
    const { outbox } = connection;
    const offset = outbox.room(end - start);
    const into = outbox.slab;
    this.#sources[layout]!.copy(into, offset, start, end);
    if (qos > 0) patch(into, offset, message.topicLength, packetId);
  }

  /** `null` where the packet has none. What is returned is valid until the next call. */
  #ownProperties(
    message: Message,
    identifiers: readonly number[],
    { aliases, mountPoint }: Connection,
  ): PublishProperties | null {
    const from = message.properties;
    const hasAlias = aliases !== null;
    if (from === null && identifiers.length === 0 && !hasAlias) return null;
    const own = this.#own;
    own.payloadFormat = from?.payloadFormat;
    // [MQTT-3.3.2-6]: what is left of it, in whole seconds begun.
    own.messageExpiry = remainingExpiry(message, this.#core.now);
    own.topicAlias = hasAlias ? 1 : undefined; // any number: its place is what counts until it is known
    const responseTopic = from?.responseTopic;
    own.responseTopic =
      responseTopic === undefined || mountPoint === '' ? responseTopic : unmounted(mountPoint, responseTopic);
    own.correlationData = from?.correlationData;
    own.contentType = from?.contentType;
    own.userProperties = from?.userProperties ?? [];
    own.subscriptionIdentifiers = identifiers;
    return own;
  }

  /** For the debug log. */
  #tell(
    { clientId }: Connection,
    { topic, payload, properties }: Message,
    qos: Qos,
    retain: boolean,
    dup: boolean,
    packetId: number,
  ): void {
    const { trace } = this.#core;
    trace?.sent(clientId, {
      type: PacketType.Publish,
      topic,
      payload,
      qos,
      retain,
      dup,
      packetId,
      properties,
    });
  }

  #count(connection: Connection, message: Message, qos: Qos): void {
    const { statistics, hooks } = this.#core;
    statistics.publishSent++;
    statistics.publishBytesSent += message.payloadLength;
    if (hooks.delivered !== null)
      callHook(hooks.delivered, this.#core.sparing, message, connection.clientId, qos);
  }
}

/** Bytes before the body. */
function headerLength(bytes: Buffer, start: number): number {
  let at = start + 1;
  while (bytes[at]! > 127) at++;
  return at + 1 - start;
}

function patch(bytes: Buffer, offset: number, topicLength: number, packetId: number): void {
  const at = offset + headerLength(bytes, offset) + 2 + topicLength;
  bytes[at] = packetId >> 8;
  bytes[at + 1] = packetId & 0xff;
}

/** Seconds; never more than its publisher gave, even where the clock was set back meanwhile. */
function remainingExpiry({ properties, expiresAt }: Message, now: number): number | undefined {
  const given = properties?.messageExpiry;
  if (given === undefined) return undefined;
  return Math.min(given, Math.max(1, Math.ceil((expiresAt - now) / 1000)));
}
