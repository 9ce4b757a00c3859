import { PacketType } from '../constants.ts';
import type { Cursor } from '../cursor.ts';
import type { PublishProperties, UserProperty } from '../packets.ts';
import { beginProperties, endProperties, readBit, type willPlace } from '../properties.ts';
import { ReasonCode } from '../reason-code.ts';
import { utf8Length, writeText } from '../utf8.ts';
import { varintLength, writeVarint } from '../writer.ts';

/**
 * The properties of PUBLISH and of a will, which ride on the hot path: a reader and a writer of their own instead of
 * the generic ones. A test holds them to the table in `../properties.ts`.
 */
const Id = {
  PayloadFormat: 0x01,
  MessageExpiry: 0x02,
  ContentType: 0x03,
  ResponseTopic: 0x08,
  CorrelationData: 0x09,
  SubscriptionIdentifier: 0x0b,
  WillDelay: 0x18,
  TopicAlias: 0x23,
  UserProperty: 0x26,
} as const;

/** All fields absent; the lists are new. */
function createPublishProperties(): PublishProperties {
  return {
    payloadFormat: undefined,
    messageExpiry: undefined,
    topicAlias: undefined,
    responseTopic: undefined,
    correlationData: undefined,
    contentType: undefined,
    userProperties: [],
    subscriptionIdentifiers: [],
  };
}

interface WillDelay {
  /** Seconds; `undefined` until one was read. */
  delay: number | undefined;
}

/**
 * Reads property length and properties (MQTT 5, 3.3.2.3; of a will: 3.1.3.2). `null` where there is none. The will's
 * delay goes to `will`.
 */
export function readPublishProperties(
  cursor: Cursor,
  place: typeof PacketType.Publish | typeof willPlace,
  will: WillDelay | null = null,
): PublishProperties | null {
  const outerEnd = beginProperties(cursor);
  let properties: PublishProperties | null = null;
  while (cursor.at < cursor.end) {
    const id = cursor.varint('property identifier');
    if (id === Id.WillDelay && will !== null) {
      if (will.delay !== undefined) failTwice(cursor, 'will delay');
      will.delay = cursor.uint32('will delay');
      continue;
    }
    properties ??= createPublishProperties();
    if (place === PacketType.Publish && readPublishOnly(cursor, id, properties)) continue;
    readMessageProperty(cursor, id, properties);
  }
  endProperties(cursor, outerEnd);
  return properties;
}

/** What a PUBLISH may have and a will may not; false where `id` is none of these. */
function readPublishOnly(cursor: Cursor, id: number, into: PublishProperties): boolean {
  if (id === Id.TopicAlias) {
    if (into.topicAlias !== undefined) failTwice(cursor, 'topic alias');
    into.topicAlias = cursor.uint16('topic alias');
    if (into.topicAlias === 0) cursor.fail(ReasonCode.TopicAliasInvalid, 'topic alias is 0'); // [MQTT-3.3.2-8]
    return true;
  }
  if (id === Id.SubscriptionIdentifier) {
    const identifier = cursor.varint('subscription identifier');
    if (identifier === 0) cursor.fail(ReasonCode.ProtocolError, 'subscription identifier is 0');
    (into.subscriptionIdentifiers as number[]).push(identifier);
    return true;
  }
  return false;
}

function readMessageProperty(cursor: Cursor, id: number, into: PublishProperties): void {
  switch (id) {
    case Id.UserProperty:
      (into.userProperties as UserProperty[]).push([
        cursor.string('user property name'),
        cursor.string('user property value'),
      ]);
      break;
    case Id.PayloadFormat:
      if (into.payloadFormat !== undefined) failTwice(cursor, 'payload format');
      into.payloadFormat = readBit(cursor, 'payload format');
      break;
    case Id.MessageExpiry:
      if (into.messageExpiry !== undefined) failTwice(cursor, 'message expiry');
      into.messageExpiry = cursor.uint32('message expiry');
      break;
    case Id.ContentType:
      if (into.contentType !== undefined) failTwice(cursor, 'content type');
      into.contentType = cursor.string('content type');
      break;
    case Id.ResponseTopic:
      if (into.responseTopic !== undefined) failTwice(cursor, 'response topic');
      into.responseTopic = cursor.string('response topic');
      break;
    case Id.CorrelationData:
      if (into.correlationData !== undefined) failTwice(cursor, 'correlation data');
      into.correlationData = cursor.binary('correlation data');
      break;
    default:
      cursor.fail(
        ReasonCode.MalformedPacket,
        `property 0x${id.toString(16).padStart(2, '0')} does not belong here`,
      );
  }
}

function failTwice(cursor: Cursor, name: string): void {
  cursor.fail(ReasonCode.ProtocolError, `property ${name} stands twice`);
}

/** The size in bytes of what `writePublishProperties` writes. */
export function publishPropertiesLength(properties: PublishProperties): number {
  let length = 0;
  if (properties.payloadFormat !== undefined) length += 2;
  if (properties.messageExpiry !== undefined) length += 5;
  if (properties.topicAlias !== undefined) length += 3;
  if (properties.responseTopic !== undefined) length += 3 + utf8Length(properties.responseTopic);
  if (properties.correlationData !== undefined) length += 3 + properties.correlationData.length;
  if (properties.contentType !== undefined) length += 3 + utf8Length(properties.contentType);
  const { userProperties, subscriptionIdentifiers } = properties;
  for (let i = 0; i < userProperties.length; i++) {
    const pair = userProperties[i]!;
    length += 5 + utf8Length(pair[0]) + utf8Length(pair[1]);
  }
  for (let i = 0; i < subscriptionIdentifiers.length; i++)
    length += 1 + varintLength(subscriptionIdentifiers[i]!);
  return length;
}

/** Writes the properties, without their length in front, in the order of their identifiers; gives back the end. */
export function writePublishProperties(into: Buffer, offset: number, properties: PublishProperties): number {
  const { userProperties, subscriptionIdentifiers, correlationData } = properties;
  let at = offset;
  if (properties.payloadFormat !== undefined) {
    into[at] = Id.PayloadFormat;
    into[at + 1] = properties.payloadFormat;
    at += 2;
  }
  if (properties.messageExpiry !== undefined) {
    into[at] = Id.MessageExpiry;
    at = into.writeUInt32BE(properties.messageExpiry, at + 1);
  }
  if (properties.contentType !== undefined)
    at = writeTextProperty(into, at, Id.ContentType, properties.contentType);
  if (properties.responseTopic !== undefined)
    at = writeTextProperty(into, at, Id.ResponseTopic, properties.responseTopic);
  if (correlationData !== undefined) {
    into[at] = Id.CorrelationData;
    at = into.writeUInt16BE(correlationData.length, at + 1);
    into.set(correlationData, at);
    at += correlationData.length;
  }
  for (let i = 0; i < subscriptionIdentifiers.length; i++) {
    into[at] = Id.SubscriptionIdentifier;
    at = writeVarint(into, at + 1, subscriptionIdentifiers[i]!);
  }
  if (properties.topicAlias !== undefined) {
    into[at] = Id.TopicAlias;
    at = into.writeUInt16BE(properties.topicAlias, at + 1);
  }
  for (let i = 0; i < userProperties.length; i++) {
    const pair = userProperties[i]!;
    at = writeTextProperty(into, at, Id.UserProperty, pair[0]);
    at = writeSizedText(into, at, pair[1]);
  }
  return at;
}

function writeTextProperty(into: Buffer, offset: number, id: number, text: string): number {
  into[offset] = id;
  return writeSizedText(into, offset + 1, text);
}

function writeSizedText(into: Buffer, offset: number, text: string): number {
  const length = utf8Length(text);
  into[offset] = length >> 8;
  into[offset + 1] = length;
  return writeText(into, offset + 2, text, length);
}
