import { PacketType } from './constants.ts';
import type { Cursor } from './cursor.ts';
import { ReasonCode } from './reason-code.ts';
import type { UserProperty } from './packets.ts';
import { Writer } from './writer.ts';

/** Where properties may stand: a packet type, or the will inside a CONNECT. */
export type PropertyPlace = PacketType | typeof willPlace;

/** Stands for "will" where a packet type is asked for: 0 is no packet type. */
export const willPlace = 0;

/** How a property is written. `bit` is a byte 0 or 1, `flag` the same as a boolean, `pair` a name and a value. */
type PropertyKind = 'bit' | 'flag' | 'uint16' | 'uint32' | 'varint' | 'string' | 'binary' | 'pair';

export interface PropertyDefinition {
  readonly id: number;
  /** The field of the packet's `properties`. */
  readonly name: string;
  readonly kind: PropertyKind;
  readonly places: readonly PropertyPlace[];
  /** Where it may stand more than once; nowhere if absent. */
  readonly repeats?: readonly PropertyPlace[];
  /** The reason code that the value 0 is answered with; 0 is a value like any other if absent. */
  readonly zero?: ReasonCode;
}

const P = PacketType;
const acknowledgements = [P.Puback, P.Pubrec, P.Pubrel, P.Pubcomp, P.Suback, P.Unsuback] as const;
const everywhere = [
  P.Connect,
  P.Connack,
  P.Publish,
  willPlace,
  ...acknowledgements,
  P.Subscribe,
  P.Unsubscribe,
  P.Disconnect,
  P.Auth,
] as const;

/** The properties of MQTT 5 (2.2.2.2, table 2-4), in the order of their identifiers. */
export const propertyTable: readonly PropertyDefinition[] = [
  { id: 0x01, name: 'payloadFormat', kind: 'bit', places: [P.Publish, willPlace] },
  { id: 0x02, name: 'messageExpiry', kind: 'uint32', places: [P.Publish, willPlace] },
  { id: 0x03, name: 'contentType', kind: 'string', places: [P.Publish, willPlace] },
  { id: 0x08, name: 'responseTopic', kind: 'string', places: [P.Publish, willPlace] },
  { id: 0x09, name: 'correlationData', kind: 'binary', places: [P.Publish, willPlace] },
  {
    id: 0x0b,
    name: 'subscriptionIdentifier',
    kind: 'varint',
    places: [P.Publish, P.Subscribe],
    repeats: [P.Publish],
    zero: ReasonCode.ProtocolError,
  },
  { id: 0x11, name: 'sessionExpiry', kind: 'uint32', places: [P.Connect, P.Connack, P.Disconnect] },
  { id: 0x12, name: 'assignedClientIdentifier', kind: 'string', places: [P.Connack] },
  { id: 0x13, name: 'serverKeepAlive', kind: 'uint16', places: [P.Connack] },
  { id: 0x15, name: 'authenticationMethod', kind: 'string', places: [P.Connect, P.Connack, P.Auth] },
  { id: 0x16, name: 'authenticationData', kind: 'binary', places: [P.Connect, P.Connack, P.Auth] },
  { id: 0x17, name: 'requestProblemInformation', kind: 'flag', places: [P.Connect] },
  { id: 0x18, name: 'delay', kind: 'uint32', places: [willPlace] },
  { id: 0x19, name: 'requestResponseInformation', kind: 'flag', places: [P.Connect] },
  { id: 0x1a, name: 'responseInformation', kind: 'string', places: [P.Connack] },
  { id: 0x1c, name: 'serverReference', kind: 'string', places: [P.Connack, P.Disconnect] },
  {
    id: 0x1f,
    name: 'reasonString',
    kind: 'string',
    places: [P.Connack, ...acknowledgements, P.Disconnect, P.Auth],
  },
  {
    id: 0x21,
    name: 'receiveMaximum',
    kind: 'uint16',
    places: [P.Connect, P.Connack],
    zero: ReasonCode.ProtocolError,
  },
  { id: 0x22, name: 'topicAliasMaximum', kind: 'uint16', places: [P.Connect, P.Connack] },
  { id: 0x23, name: 'topicAlias', kind: 'uint16', places: [P.Publish], zero: ReasonCode.TopicAliasInvalid },
  { id: 0x24, name: 'maximumQos', kind: 'bit', places: [P.Connack] },
  { id: 0x25, name: 'retainAvailable', kind: 'flag', places: [P.Connack] },
  { id: 0x26, name: 'userProperties', kind: 'pair', places: everywhere, repeats: everywhere },
  {
    id: 0x27,
    name: 'maximumPacketSize',
    kind: 'uint32',
    places: [P.Connect, P.Connack],
    zero: ReasonCode.ProtocolError,
  },
  { id: 0x28, name: 'wildcardSubscriptionAvailable', kind: 'flag', places: [P.Connack] },
  { id: 0x29, name: 'subscriptionIdentifiersAvailable', kind: 'flag', places: [P.Connack] },
  { id: 0x2a, name: 'sharedSubscriptionAvailable', kind: 'flag', places: [P.Connack] },
];

const byId: readonly (PropertyDefinition | undefined)[] = Array.from({ length: 0x2b }, (_, id) =>
  propertyTable.find((definition) => definition.id === id),
);

type PropertyValue = number | boolean | string | Buffer | UserProperty[] | number[];

/** What the generic reader makes: only the fields that stood there; those that may repeat as lists. */
export type PropertyRecord = Record<string, PropertyValue | undefined>;

/**
 * Reads the property length and the properties of a packet other than PUBLISH. An identifier that is unknown or not
 * of this packet is malformed (2.2.2.2); one that repeats where it must not, or has a value out of range, breaks the
 * protocol (or is what the table says).
 */
export function readProperties(cursor: Cursor, place: PropertyPlace): PropertyRecord {
  const record: PropertyRecord = {};
  const outerEnd = beginProperties(cursor);
  while (cursor.at < cursor.end) {
    const definition = readDefinition(cursor, place);
    if (definition === undefined) break;
    const { name } = definition;
    if (definition.repeats?.includes(place) === true) {
      const list = (record[name] ??= []) as PropertyValue[];
      list.push(readValue(cursor, definition) as PropertyValue);
    } else if (record[name] === undefined) {
      record[name] = readValue(cursor, definition) as PropertyValue;
    } else {
      cursor.fail(ReasonCode.ProtocolError, `property ${name} stands twice`);
    }
  }
  endProperties(cursor, outerEnd);
  return record;
}

/** Narrows the cursor to the properties that follow; gives back the packet's end for `endProperties`. */
export function beginProperties(cursor: Cursor): number {
  const outerEnd = cursor.end;
  const length = cursor.varint('property length');
  if (length > cursor.remaining) cursor.fail(ReasonCode.MalformedPacket, 'properties are cut short');
  else cursor.end = cursor.at + length;
  return outerEnd;
}

/** Widens the cursor again, unless a fault has ended the reading. */
export function endProperties(cursor: Cursor, outerEnd: number): void {
  cursor.end = outerEnd;
  if (cursor.code !== ReasonCode.Success) cursor.at = outerEnd;
}

function readDefinition(cursor: Cursor, place: PropertyPlace): PropertyDefinition | undefined {
  const id = cursor.varint('property identifier');
  const definition = byId[id];
  if (definition !== undefined && definition.places.includes(place)) return definition;
  const name = definition?.name ?? `0x${id.toString(16).padStart(2, '0')}`;
  cursor.fail(ReasonCode.MalformedPacket, `property ${name} does not belong here`);
  return undefined;
}

type SingleValue = number | boolean | string | Buffer | UserProperty;

function readValue(cursor: Cursor, definition: PropertyDefinition): SingleValue {
  const { name, kind } = definition;
  switch (kind) {
    case 'string':
      return cursor.string(name);
    case 'binary':
      return cursor.binary(name);
    case 'pair':
      return [cursor.string('user property name'), cursor.string('user property value')];
    case 'flag':
      return readBit(cursor, name) === 1;
    case 'bit':
      return readBit(cursor, name);
    default:
      return readNumber(cursor, definition, kind);
  }
}

function readNumber(
  cursor: Cursor,
  definition: PropertyDefinition,
  kind: 'uint16' | 'uint32' | 'varint',
): number {
  const value = cursor[kind](definition.name);
  if (value === 0 && definition.zero !== undefined)
    cursor.fail(definition.zero, `property ${definition.name} is 0`);
  return value;
}

/** A byte that is 0 or 1; anything else breaks the protocol. */
export function readBit(cursor: Cursor, name: string): 0 | 1 {
  const value = cursor.byte(name);
  if (value > 1) cursor.fail(ReasonCode.ProtocolError, `property ${name} is ${value}, not 0 or 1`);
  return value === 1 ? 1 : 0;
}

/** Writes the property length and those properties of the table that `record` has; fields it does not know are left out. */
export function writeProperties(
  writer: Writer,
  place: PropertyPlace,
  record: object,
  order: readonly PropertyDefinition[] = propertyTable,
): void {
  const inner = new Writer();
  for (const definition of order) {
    if (!definition.places.includes(place)) continue;
    const value = (record as PropertyRecord)[definition.name];
    if (value === undefined) continue;
    if (definition.repeats?.includes(place) === true) {
      for (const item of value as SingleValue[]) writeValue(inner, definition, item);
    } else {
      writeValue(inner, definition, value as SingleValue);
    }
  }
  writer.varint(inner.length);
  writer.raw(inner.content());
}

/** True when a packet with these properties has any to write. */
export function hasProperties(record: object): boolean {
  for (const value of Object.values(record)) {
    if (value !== undefined && !(Array.isArray(value) && value.length === 0)) return true;
  }
  return false;
}

function writeValue(writer: Writer, definition: PropertyDefinition, value: SingleValue): void {
  writer.byte(definition.id);
  switch (definition.kind) {
    case 'string':
      return writer.string(value as string);
    case 'binary':
      return writer.binary(value as Buffer);
    case 'pair': {
      const [name, text] = value as UserProperty;
      writer.string(name);
      return writer.string(text);
    }
    case 'flag':
    case 'bit':
      return writer.byte(Number(value));
    default:
      return writer[definition.kind](value as number);
  }
}
