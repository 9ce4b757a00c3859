/**
 * Holds the codec against `mqtt-packet`, both ways. Where the oracle is laxer or narrower than the standard, the random
 * packets keep away from it, and the wire cases beside the packets show what is right:
 * - it refuses to write a password without a user name (allowed in MQTT 5, 3.1.2.9) and an empty will topic,
 * - it writes the level of an MQTT 5 bridge as 3 and leaves its properties out,
 * - it keeps user properties in an object: the order of different names, numeric names and an empty first value are lost,
 * - of a property that must stand once it makes a list; a boolean property of 2 is `true` to it,
 * - it reads any packet identifier 0, trailing bytes, ill-formed UTF-8 (as U+FFFD), padded lengths, a will QoS of 3, any
 *   return code of CONNACK, properties in packets that they do not belong to, a DUP at QoS 0 and an AUTH without a method.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import mqttPacket from 'mqtt-packet';
import { anyPacket } from './arbitraries.test.ts';
import {
  encodePacket,
  type Packet,
  type ProtocolVersion,
  type PublishProperties,
  type UserProperty,
} from './index.ts';
import { propertyTable } from './properties.ts';
import { decodeFrame } from './wire-case.test.ts';

const commands = [
  '',
  'connect',
  'connack',
  'publish',
  'puback',
  'pubrec',
  'pubrel',
  'pubcomp',
  'subscribe',
  'suback',
  'unsubscribe',
  'unsuback',
  'pingreq',
  'pingresp',
  'disconnect',
  'auth',
];

/** The oracle's names of our property fields, where they differ. */
const theirNames: Readonly<Record<string, string>> = {
  payloadFormat: 'payloadFormatIndicator',
  messageExpiry: 'messageExpiryInterval',
  sessionExpiry: 'sessionExpiryInterval',
  delay: 'willDelayInterval',
  maximumQos: 'maximumQoS',
};

type Fields = Record<string, unknown>;

/** Our properties as the oracle writes them down; `undefined` where there is none. */
function theirProperties(properties: object | null): Fields | undefined {
  const result: Fields = {};
  for (const [name, value] of Object.entries(properties ?? {})) {
    if (value === undefined || (Array.isArray(value) && value.length === 0)) continue;
    if (name === 'userProperties') result[name] = groupByName(value as UserProperty[]);
    else if (name === 'subscriptionIdentifiers') result['subscriptionIdentifier'] = single(value as number[]);
    else if (name === 'payloadFormat') result['payloadFormatIndicator'] = value === 1;
    else result[theirNames[name] ?? name] = value;
  }
  return Object.keys(result).length === 0 ? undefined : result;
}

function single<T>(list: readonly T[]): T | readonly T[] {
  return list.length === 1 ? (list[0] as T) : list;
}

function groupByName(pairs: readonly UserProperty[]): Fields {
  const groups = new Map<string, string[]>();
  for (const [name, value] of pairs) groups.set(name, [...(groups.get(name) ?? []), value]);
  return Object.fromEntries([...groups].map(([name, values]) => [name, single(values)]));
}

function theirPacket(packet: Packet, version: ProtocolVersion): Fields {
  const cmd = commands[packet.type]!;
  const properties = 'properties' in packet ? theirProperties(packet.properties) : undefined;
  const common: Fields = properties === undefined ? { cmd } : { cmd, properties };
  if ('packetId' in packet && packet.packetId !== 0) common['messageId'] = packet.packetId;
  const withReason: Fields =
    version === 5 && 'reasonCode' in packet ? { ...common, reasonCode: packet.reasonCode } : common;
  switch (packet.type) {
    case 1:
      return theirConnect(packet, common);
    case 2:
      return {
        ...withReason,
        sessionPresent: packet.sessionPresent,
        ...(version === 5 ? {} : { returnCode: packet.reasonCode }),
      };
    case 3:
      return {
        ...common,
        topic: packet.topic,
        payload: packet.payload,
        qos: packet.qos,
        retain: packet.retain,
        dup: packet.dup,
      };
    case 8:
      return {
        ...common,
        subscriptions: packet.subscriptions.map(
          ({ filter, qos, noLocal, retainAsPublished, retainHandling }) =>
            version === 5
              ? { topic: filter, qos, nl: noLocal, rap: retainAsPublished, rh: retainHandling }
              : { topic: filter, qos },
        ),
      };
    case 9:
      return { ...common, granted: packet.reasonCodes };
    case 11:
      return version === 5 ? { ...common, granted: packet.reasonCodes } : common;
    case 10:
      return { ...common, unsubscriptions: packet.filters };
    default:
      return withReason;
  }
}

function theirConnect(packet: Packet & { type: 1 }, common: Fields): Fields {
  const result: Fields = {
    ...common,
    protocolId: packet.version === 3 ? 'MQIsdp' : 'MQTT',
    protocolVersion: packet.version,
    clientId: packet.clientId,
    clean: packet.cleanStart,
    keepalive: packet.keepAlive,
  };
  if (packet.bridge) result['bridgeMode'] = true;
  if (packet.username !== undefined) result['username'] = packet.username;
  if (packet.password !== undefined) result['password'] = packet.password;
  if (packet.will === null) return result;
  const { topic, payload, qos, retain, delay, properties } = packet.will;
  const theirs = theirProperties({ ...properties, delay: delay === 0 ? undefined : delay });
  result['will'] =
    theirs === undefined
      ? { topic, payload, qos, retain }
      : { topic, payload, qos, retain, properties: theirs };
  return result;
}

/** What the oracle makes of `frame`, without what it adds to every packet. */
function parseTheirs(frame: Buffer, version: ProtocolVersion): Fields {
  const parser = mqttPacket.parser({ protocolVersion: version });
  const packets: Fields[] = [];
  parser.on('packet', (packet) => packets.push(packet as unknown as Fields));
  parser.on('error', (error: Error) => assert.fail(`the oracle refuses it: ${error.message}`));
  assert.equal(parser.parse(frame), 0);
  assert.equal(packets.length, 1);
  const { length: _, ...packet } = packets[0]!;
  return packet;
}

/** Only what `wanted` has, so that the oracle's own additions (`qos: 0`, `dup: false` …) do not matter. */
function narrowed(actual: Fields, wanted: Fields): Fields {
  const extra = new Set(['qos', 'dup', 'retain', 'topic', 'payload']);
  return Object.fromEntries(
    Object.entries(actual).filter(([name, value]) => name in wanted || !(extra.has(name) || value === null)),
  );
}

/** Objects and buffers of the oracle compared by content: its user properties have no prototype. */
function plain(value: unknown): unknown {
  return JSON.parse(JSON.stringify(value)) as unknown;
}

for (const version of [3, 4, 5] as const) {
  test(`what we encode, the oracle reads as the same (level ${version})`, () => {
    fc.assert(
      fc.property(anyPacket(version), (packet) => {
        const wanted = theirPacket(packet, version);
        const actual = narrowed(parseTheirs(encodePacket(packet, version), version), wanted);
        assert.deepEqual(plain(actual), plain(wanted));
      }),
      { numRuns: 1000 },
    );
  });

  test(`what the oracle encodes, we decode as the same (level ${version})`, () => {
    fc.assert(
      fc.property(anyPacket(version), (packet) => {
        const frame = mqttPacket.generate(theirPacket(packet, version) as never, {
          protocolVersion: version,
        });
        assert.deepEqual(decodeFrame(frame, version), packet);
      }),
      { numRuns: 1000 },
    );
  });

  test(`decoding and encoding again gives the same bytes (level ${version})`, () => {
    fc.assert(
      fc.property(anyPacket(version), (packet) => {
        const frame = encodePacket(packet, version);
        const decoded = decodeFrame(frame, version);
        assert.ok(decoded.type !== 0);
        assert.deepEqual(decoded, packet);
        assert.equal(encodePacket(decoded, version).toString('hex'), frame.toString('hex'));
      }),
      { numRuns: 1000 },
    );
  });
}

test('the reader of message properties takes what the table says, and nothing else', () => {
  const values = {
    bit: '01',
    flag: '01',
    uint16: '0001',
    uint32: '00000001',
    varint: '01',
    string: '000161',
    binary: '000161',
    pair: '000161000161',
  };
  const value = (id: number): Buffer => {
    const definition = propertyTable.find((candidate) => candidate.id === id);
    return Buffer.concat([
      Buffer.from([id]),
      Buffer.from(definition === undefined ? '01' : values[definition.kind], 'hex'),
    ]);
  };
  for (let id = 0; id < 0x80; id++) {
    const definition = propertyTable.find((candidate) => candidate.id === id);
    const property = value(id);
    for (const [times, place] of [1, 2].flatMap((times) => [[times, 3] as const, [times, 0] as const])) {
      const properties = Buffer.concat(Array.from({ length: times }, () => property));
      const body = Buffer.concat([
        place === 3 ? Buffer.from('000161', 'hex') : Buffer.from('00044d5154540506003c00000161', 'hex'),
        Buffer.from([properties.length]),
        properties,
        place === 3 ? Buffer.alloc(0) : Buffer.from('0001770000', 'hex'),
      ]);
      const frame = Buffer.concat([Buffer.from([place === 3 ? 0x30 : 0x10, body.length]), body]);
      const decoded = decodeFrame(frame, 5);
      const allowed = definition?.places.includes(place) === true;
      const right = allowed && (times === 1 || definition.repeats?.includes(place) === true);
      const where = `property 0x${id.toString(16)}, ${times} times, in ${place === 3 ? 'PUBLISH' : 'a will'}`;
      if (right) assert.notEqual(decoded.type, 0, where);
      else assert.equal(decoded.type === 0 && decoded.reasonCode, allowed ? 0x82 : 0x81, where);
    }
  }
});

test('properties that are all absent are written as none', () => {
  const properties: PublishProperties = {
    payloadFormat: undefined,
    messageExpiry: undefined,
    topicAlias: undefined,
    responseTopic: undefined,
    correlationData: undefined,
    contentType: undefined,
    userProperties: [],
    subscriptionIdentifiers: [],
  };
  const frame = encodePacket(
    {
      type: 3,
      topic: 'a',
      payload: Buffer.alloc(0),
      qos: 0,
      retain: false,
      dup: false,
      packetId: 0,
      properties,
    },
    5,
  );
  assert.equal(frame.toString('hex'), '300400016100');
});
