/** Random valid packets for the property tests. */
import * as fc from 'fast-check';
import type {
  AckPacket,
  AuthPacket,
  ConnackPacket,
  ConnectPacket,
  DisconnectPacket,
  Packet,
  ProtocolVersion,
  PublishPacket,
  PublishProperties,
  SubackPacket,
  SubscribePacket,
  UnsubackPacket,
  UnsubscribePacket,
  UserProperty,
  Will,
} from './index.ts';

/** Text that MQTT can carry: whole characters, no U+0000. */
export const text = fc
  .oneof(
    fc.string({ unit: 'grapheme-ascii', maxLength: 200, size: 'max' }),
    fc.string({ unit: 'grapheme', maxLength: 20 }),
    fc.string({ unit: 'binary', maxLength: 40 }),
  )
  .filter((value) => !value.includes('\0'));
const someText = text.filter((value) => value !== '');
const bytes = fc.uint8Array({ maxLength: 60 }).map((value) => Buffer.from(value));
const uint16 = fc.integer({ min: 0, max: 0xffff });
const uint32 = fc.integer({ min: 0, max: 0xffffffff });
const varint = fc.oneof(fc.integer({ min: 1, max: 300 }), fc.integer({ min: 1, max: 268_435_455 }));
const packetId = fc.integer({ min: 1, max: 0xffff });
const qos = fc.constantFrom(0 as const, 1 as const, 2 as const);
const bit = fc.constantFrom(0 as const, 1 as const);

/**
 * Names are told apart by a prefix and values are never empty: the oracle keeps user properties in an object, in
 * which numeric names move to the front and an empty first value is lost.
 */
const userProperties: fc.Arbitrary<UserProperty[]> = fc
  .uniqueArray(fc.tuple(text, fc.array(someText, { minLength: 1, maxLength: 2 })), {
    selector: ([name]) => name,
    maxLength: 3,
  })
  .map((groups) =>
    groups.flatMap(([name, values]) => values.map((value): UserProperty => [`p:${name}`, value])),
  );
const someUserProperties = userProperties.filter((list) => list.length > 0);

/** `fc.record` of plain objects, as the codec makes them. */
function record<T>(fields: { [K in keyof T]: fc.Arbitrary<T[K]> }): fc.Arbitrary<T> {
  return fc.record(fields, { noNullPrototype: true }) as fc.Arbitrary<T>;
}

/** Any of the fields, each present or not, never `undefined`. */
function some<T extends object>(fields: {
  [K in keyof Required<T>]: fc.Arbitrary<Required<T>[K]>;
}): fc.Arbitrary<T> {
  return fc.record(fields, { requiredKeys: [], noNullPrototype: true }) as fc.Arbitrary<T>;
}

/** Data is dropped where there is no method. */
function withMethod<
  T extends { readonly authenticationMethod?: string; readonly authenticationData?: Buffer },
>(value: T): T {
  if (value.authenticationMethod !== undefined) return value;
  const { authenticationData: _, ...rest } = value;
  return rest as T;
}

function withoutLonePassword(packet: ConnectPacket): ConnectPacket {
  return packet.username === undefined ? { ...packet, password: undefined } : packet;
}

function withoutSessionOnRefusal(packet: ConnackPacket): ConnackPacket {
  return packet.reasonCode === 0 ? packet : { ...packet, sessionPresent: false };
}

function withoutIdAtQos0(packet: PublishPacket): PublishPacket {
  return packet.qos === 0 ? { ...packet, dup: false, packetId: 0 } : packet;
}

const optional = <T>(value: fc.Arbitrary<T>): fc.Arbitrary<T | undefined> =>
  fc.option(value, { nil: undefined });

function messageProperties(place: 'publish' | 'will'): fc.Arbitrary<PublishProperties | null> {
  return record({
    payloadFormat: optional(bit),
    messageExpiry: optional(uint32),
    topicAlias: place === 'publish' ? optional(packetId) : fc.constant(undefined),
    responseTopic: optional(text),
    correlationData: optional(bytes),
    contentType: optional(text),
    userProperties,
    subscriptionIdentifiers: place === 'publish' ? fc.uniqueArray(varint, { maxLength: 3 }) : fc.constant([]),
  }).map((value) =>
    Object.values(value).every((field) => field === undefined || (Array.isArray(field) && field.length === 0))
      ? null
      : value,
  );
}

function will(version: ProtocolVersion): fc.Arbitrary<Will> {
  return record({
    topic: someText,
    payload: bytes,
    qos: qos,
    retain: fc.boolean(),
    delay: version === 5 ? uint32 : fc.constant(0),
    properties: version === 5 ? messageProperties('will') : fc.constant(null),
  });
}

function connect(version: ProtocolVersion): fc.Arbitrary<ConnectPacket> {
  return record({
    type: fc.constant(1 as const),
    version: fc.constant(version),
    bridge: version === 5 ? fc.constant(false) : fc.boolean(),
    clientId: someText,
    cleanStart: fc.boolean(),
    keepAlive: uint16,
    username: optional(text),
    password: optional(bytes),
    will: fc.option(will(version)),
    properties: version === 5 ? connectProperties : fc.constant({}),
  }).map(withoutLonePassword);
}

const connectProperties = some<ConnectPacket['properties']>({
  sessionExpiry: uint32,
  receiveMaximum: packetId,
  maximumPacketSize: uint32.map((value) => value || 1),
  topicAliasMaximum: uint16,
  requestResponseInformation: fc.boolean(),
  requestProblemInformation: fc.boolean(),
  userProperties: someUserProperties,
  authenticationMethod: text,
  authenticationData: bytes,
}).map(withMethod);

const connackProperties = some<ConnackPacket['properties']>({
  sessionExpiry: uint32,
  receiveMaximum: packetId,
  maximumQos: bit,
  retainAvailable: fc.boolean(),
  maximumPacketSize: uint32.map((value) => value || 1),
  assignedClientIdentifier: text,
  topicAliasMaximum: uint16,
  reasonString: text,
  userProperties: someUserProperties,
  wildcardSubscriptionAvailable: fc.boolean(),
  subscriptionIdentifiersAvailable: fc.boolean(),
  sharedSubscriptionAvailable: fc.boolean(),
  serverKeepAlive: uint16,
  responseInformation: text,
  serverReference: text,
  authenticationMethod: text,
  authenticationData: bytes,
}).map(withMethod);

function connack(version: ProtocolVersion): fc.Arbitrary<ConnackPacket> {
  return record({
    type: fc.constant(2 as const),
    sessionPresent: fc.boolean(),
    reasonCode: version === 5 ? fc.constantFrom(0, 0x80, 0x84, 0x87, 0x9f) : fc.integer({ min: 0, max: 5 }),
    properties: version === 5 ? connackProperties : fc.constant({}),
  }).map(withoutSessionOnRefusal);
}

function publish(version: ProtocolVersion): fc.Arbitrary<PublishPacket> {
  return record({
    type: fc.constant(3 as const),
    topic: text,
    payload: fc.uint8Array({ maxLength: 300 }).map((value) => Buffer.from(value)),
    qos: qos,
    retain: fc.boolean(),
    dup: fc.boolean(),
    packetId,
    properties: version === 5 ? messageProperties('publish') : fc.constant(null),
  }).map(withoutIdAtQos0);
}

const ackProperties = some<AckPacket['properties']>({
  reasonString: text,
  userProperties: someUserProperties,
});

function ack(version: ProtocolVersion): fc.Arbitrary<AckPacket> {
  const kinds: readonly (readonly [AckPacket['type'], readonly number[]])[] = [
    [4, [0, 0x10, 0x80, 0x99]],
    [5, [0, 0x87, 0x97]],
    [6, [0, 0x92]],
    [7, [0, 0x92]],
  ];
  return fc.oneof(
    ...kinds.map(([type, codes]) =>
      record({
        type: fc.constant(type),
        packetId,
        reasonCode: version === 5 ? fc.constantFrom(...codes) : fc.constant(0),
        properties: version === 5 ? ackProperties : fc.constant({}),
      }),
    ),
  );
}

function subscribe(version: ProtocolVersion): fc.Arbitrary<SubscribePacket> {
  const yes = version === 5 ? fc.boolean() : fc.constant(false);
  const subscription = record({
    filter: text,
    qos: qos,
    noLocal: yes,
    retainAsPublished: yes,
    retainHandling: version === 5 ? qos : fc.constant(0 as const),
  });
  return record({
    type: fc.constant(8 as const),
    packetId,
    subscriptions: fc.array(subscription, { minLength: 1, maxLength: 4 }),
    properties:
      version === 5
        ? some<SubscribePacket['properties']>({
            subscriptionIdentifier: varint,
            userProperties: someUserProperties,
          })
        : fc.constant({}),
  });
}

function suback(version: ProtocolVersion): fc.Arbitrary<SubackPacket> {
  const code = version === 5 ? fc.constantFrom(0, 1, 2, 0x80, 0x8f, 0xa2) : fc.constantFrom(0, 1, 2, 0x80);
  return record({
    type: fc.constant(9 as const),
    packetId,
    reasonCodes: fc.array(code, { minLength: 1, maxLength: 4 }),
    properties: version === 5 ? ackProperties : fc.constant({}),
  });
}

function unsubscribe(version: ProtocolVersion): fc.Arbitrary<UnsubscribePacket> {
  return record({
    type: fc.constant(10 as const),
    packetId,
    filters: fc.array(text, { minLength: 1, maxLength: 4 }),
    properties:
      version === 5
        ? some<UnsubscribePacket['properties']>({ userProperties: someUserProperties })
        : fc.constant({}),
  });
}

function unsuback(version: ProtocolVersion): fc.Arbitrary<UnsubackPacket> {
  return record({
    type: fc.constant(11 as const),
    packetId,
    reasonCodes:
      version === 5
        ? fc.array(fc.constantFrom(0, 0x11, 0x87), { minLength: 1, maxLength: 4 })
        : fc.constant([]),
    properties: version === 5 ? ackProperties : fc.constant({}),
  });
}

function disconnect(version: ProtocolVersion): fc.Arbitrary<DisconnectPacket> {
  return record({
    type: fc.constant(14 as const),
    reasonCode: version === 5 ? fc.constantFrom(0, 4, 0x81, 0x8e, 0xa2) : fc.constant(0),
    properties:
      version === 5
        ? some<DisconnectPacket['properties']>({
            sessionExpiry: uint32,
            reasonString: text,
            userProperties: someUserProperties,
            serverReference: text,
          })
        : fc.constant({}),
  });
}

const auth: fc.Arbitrary<AuthPacket> = record({
  type: fc.constant(15 as const),
  reasonCode: fc.constantFrom(0, 0x18, 0x19),
  properties: fc.record(
    {
      authenticationMethod: text,
      authenticationData: bytes,
      reasonString: text,
      userProperties: someUserProperties,
    },
    { requiredKeys: ['authenticationMethod'], noNullPrototype: true },
  ),
});

/** Any packet that may exist in `version`. */
export function anyPacket(version: ProtocolVersion): fc.Arbitrary<Packet> {
  const kinds: fc.Arbitrary<Packet>[] = [
    connect(version),
    connack(version),
    publish(version),
    ack(version),
    subscribe(version),
    suback(version),
    unsubscribe(version),
    unsuback(version),
    fc.constant({ type: 12 }),
    fc.constant({ type: 13 }),
    disconnect(version),
  ];
  if (version === 5) kinds.push(auth);
  return fc.oneof(...kinds);
}
