import assert from 'node:assert/strict';
import { test } from 'node:test';
import { assemble, wireCases } from '../wire-case.test.ts';
import {
  decodePublish,
  encodePacket,
  packetIdOffset,
  publishLength,
  PublishRecord,
  utf8Length,
  writePublish,
  type PublishPacket,
  type PublishProperties,
} from '../index.ts';

const old = [3, 4] as const;
const v5 = [5] as const;
const plain: PublishPacket = {
  type: 3,
  topic: 'a/b',
  payload: Buffer.from('hi'),
  qos: 0,
  retain: false,
  dup: false,
  packetId: 0,
  properties: null,
};
const all: PublishProperties = {
  payloadFormat: 1,
  messageExpiry: 4_294_967_295,
  topicAlias: 7,
  responseTopic: 'r',
  correlationData: Buffer.from([1, 2]),
  contentType: 'c',
  userProperties: [
    ['n', 'v'],
    ['n', ''],
  ],
  subscriptionIdentifiers: [1, 268_435_455],
};
const none: PublishProperties = {
  payloadFormat: undefined,
  messageExpiry: undefined,
  topicAlias: undefined,
  responseTopic: undefined,
  correlationData: undefined,
  contentType: undefined,
  userProperties: [],
  subscriptionIdentifiers: [],
};

wireCases([
  { name: 'PUBLISH at QoS 0', wire: '30 * "a/b" 68 69', versions: old, packet: plain },
  { name: 'PUBLISH at QoS 0', wire: '30 * "a/b" {} 68 69', versions: v5, packet: plain },
  {
    name: 'PUBLISH at QoS 1, retained',
    wire: '33 * "a/b" 00 01 68 69',
    versions: old,
    packet: { ...plain, qos: 1, retain: true, packetId: 1 },
  },
  {
    name: 'PUBLISH at QoS 2, again',
    wire: '3c * "a/b" ff ff {} 68 69',
    versions: v5,
    packet: { ...plain, qos: 2, dup: true, packetId: 65_535 },
  },
  {
    name: 'PUBLISH without payload',
    wire: '30 * "a/b"',
    versions: old,
    packet: { ...plain, payload: Buffer.alloc(0) },
  },
  {
    name: 'PUBLISH with an empty topic is left to the caller',
    wire: '30 * "" {23 00 07} 68 69',
    versions: v5,
    packet: { ...plain, topic: '', properties: { ...none, topicAlias: 7 } },
  },
  {
    name: 'PUBLISH with every property [MQTT-3.3.2-18]',
    wire: '30 * "a/b" {01 01 02 ff ff ff ff 03 "c" 08 "r" 09 00 02 01 02 0b 01 0b ff ff ff 7f 23 00 07 26 "n" "v" 26 "n" ""} 68 69',
    versions: v5,
    packet: { ...plain, properties: all },
  },
  {
    name: 'PUBLISH keeps a byte order mark [MQTT-1.5.4-3] [MQTT-1.5.3-3]',
    wire: '30 * 00 04 ef bb bf 61',
    versions: old,
    packet: { ...plain, topic: '\uFEFFa', payload: Buffer.alloc(0) },
  },
  {
    name: 'PUBLISH with a non-character in the topic',
    wire: '30 * 00 03 ef bf bf',
    versions: old,
    packet: { ...plain, topic: '\uFFFF', payload: Buffer.alloc(0) },
  },
  {
    name: 'PUBLISH with four-byte characters in the topic',
    wire: '30 * "😀/é"',
    versions: old,
    packet: { ...plain, topic: '😀/é', payload: Buffer.alloc(0) },
  },
  {
    name: 'PUBLISH with a padded remaining length is read',
    wire: '30 87 00 "a/b" 68 69',
    versions: old,
    packet: plain,
    canonical: false,
  },
]);

wireCases([
  { name: 'PUBLISH at QoS 3 [MQTT-3.3.1-4]', wire: '36 * "a/b" 00 01 00', fault: 'MalformedPacket' },
  { name: 'PUBLISH again at QoS 0 [MQTT-3.3.1-2]', wire: '38 * "a/b" 00', fault: 'MalformedPacket' },
  {
    name: 'PUBLISH with packet identifier 0 [MQTT-2.2.1-3] [MQTT-2.3.1-1]',
    wire: '32 * "a/b" 00 00 00',
    fault: 'ProtocolError',
  },
  { name: 'PUBLISH whose packet identifier is cut short', wire: '32 * "a/b" 01', fault: 'MalformedPacket' },
  { name: 'PUBLISH whose topic runs over the packet', wire: '30 * 00 04 61 2f 62', fault: 'MalformedPacket' },
  { name: 'PUBLISH without a topic length', wire: '30 01 00', fault: 'MalformedPacket' },
  { name: 'PUBLISH without anything', wire: '30 00', fault: 'MalformedPacket' },
  { name: 'PUBLISH without properties in 5', wire: '30 * "a/b"', versions: v5, fault: 'MalformedPacket' },
  {
    name: 'PUBLISH whose topic is not UTF-8 [MQTT-3.3.2-1] [MQTT-1.5.4-1]',
    wire: '30 * 00 02 61 80 00',
    fault: 'MalformedPacket',
  },
  {
    name: 'PUBLISH whose topic is an overlong form [MQTT-1.5.4-1] [MQTT-1.5.3-1]',
    wire: '30 * 00 02 c0 af 00',
    fault: 'MalformedPacket',
  },
  {
    name: 'PUBLISH whose topic has a surrogate [MQTT-1.5.4-1] [MQTT-1.5.3-1]',
    wire: '30 * 00 03 ed a0 80 00',
    fault: 'MalformedPacket',
  },
  {
    name: 'PUBLISH whose topic has U+0000 [MQTT-1.5.4-2] [MQTT-1.5.3-2]',
    wire: '30 * 00 03 61 00 62 00',
    fault: 'MalformedPacket',
  },
  {
    name: 'PUBLISH with topic alias 0 [MQTT-3.3.2-8]',
    wire: '30 * "a/b" {23 00 00}',
    versions: v5,
    fault: 'TopicAliasInvalid',
  },
  {
    name: 'PUBLISH with topic alias twice',
    wire: '30 * "a/b" {23 00 01 23 00 01}',
    versions: v5,
    fault: 'ProtocolError',
  },
  {
    name: 'PUBLISH with subscription identifier 0',
    wire: '30 * "a/b" {0b 00}',
    versions: v5,
    fault: 'ProtocolError',
  },
  {
    name: 'PUBLISH with a padded subscription identifier [MQTT-1.5.5-1]',
    wire: '30 * "a/b" {0b 81 00}',
    versions: v5,
    fault: 'MalformedPacket',
  },
  { name: 'PUBLISH with payload format 2', wire: '30 * "a/b" {01 02}', versions: v5, fault: 'ProtocolError' },
  {
    name: 'PUBLISH with message expiry twice',
    wire: '30 * "a/b" {02 00 00 00 01 02 00 00 00 01}',
    versions: v5,
    fault: 'ProtocolError',
  },
  {
    name: 'PUBLISH with content type twice',
    wire: '30 * "a/b" {03 "" 03 ""}',
    versions: v5,
    fault: 'ProtocolError',
  },
  {
    name: 'PUBLISH with response topic twice',
    wire: '30 * "a/b" {08 "a" 08 "a"}',
    versions: v5,
    fault: 'ProtocolError',
  },
  {
    name: 'PUBLISH with correlation data twice',
    wire: '30 * "a/b" {09 "" 09 ""}',
    versions: v5,
    fault: 'ProtocolError',
  },
  {
    name: 'PUBLISH with payload format twice',
    wire: '30 * "a/b" {01 00 01 00}',
    versions: v5,
    fault: 'ProtocolError',
  },
  {
    name: 'PUBLISH with a will delay',
    wire: '30 * "a/b" {18 00 00 00 01}',
    versions: v5,
    fault: 'MalformedPacket',
  },
  {
    name: 'PUBLISH with a property of CONNECT',
    wire: '30 * "a/b" {11 00 00 00 01}',
    versions: v5,
    fault: 'MalformedPacket',
  },
  {
    name: 'PUBLISH with an unknown property',
    wire: '30 * "a/b" {04 00}',
    versions: v5,
    fault: 'MalformedPacket',
  },
  {
    name: 'PUBLISH with properties that run over the packet',
    wire: '30 * "a/b" 05 01 01',
    versions: v5,
    fault: 'MalformedPacket',
  },
  {
    name: 'PUBLISH whose response topic is not UTF-8 [MQTT-3.3.2-13]',
    wire: '30 * "a/b" {08 00 01 ff}',
    versions: v5,
    fault: 'MalformedPacket',
  },
  {
    name: 'PUBLISH whose content type is not UTF-8 [MQTT-3.3.2-19]',
    wire: '30 * "a/b" {03 00 01 ff}',
    versions: v5,
    fault: 'MalformedPacket',
  },
  {
    name: 'PUBLISH whose user property is not UTF-8 [MQTT-1.5.7-1]',
    wire: '30 * "a/b" {26 "a" 00 01 ff}',
    versions: v5,
    fault: 'MalformedPacket',
  },
  {
    name: 'PUBLISH with a padded remaining length [MQTT-1.5.5-1]',
    wire: '30 88 00 "a/b" {} 68 69',
    versions: v5,
    fault: 'MalformedPacket',
  },
]);

test('one record takes packet after packet, and keeps nothing of the one before', () => {
  const record = new PublishRecord();
  const first = assemble('35 * "a/b" 00 09 {23 00 07} 68 69');
  assert.equal(decodePublish(first, 0, 2, first.length, 5, record), 0);
  assert.deepEqual(record.toPacket(), {
    ...plain,
    qos: 2,
    retain: true,
    packetId: 9,
    properties: { ...none, topicAlias: 7 },
  });
  const second = assemble('30 * "a/b" {} 68 69');
  assert.equal(decodePublish(second, 0, 2, second.length, 5, record), 0);
  assert.deepEqual(record.toPacket(), plain);
  record.payload = Buffer.from('another');
  assert.equal(record.isOriginal, false);
  assert.equal(record.payloadLength, 7);
  assert.equal(decodePublish(second, 0, 2, second.length, 5, record), 0);
  assert.equal(record.isOriginal, true);
  assert.deepEqual(record.toPacket(), plain);
});

test('the payload is a view of the chunk, the correlation data is a copy', () => {
  const frame = assemble('30 * "a/b" {09 00 01 07} 68 69');
  const record = new PublishRecord();
  decodePublish(frame, 0, 2, frame.length, 5, record);
  frame.fill(0x2a);
  assert.equal(record.payload.toString(), '**');
  assert.deepEqual(record.properties?.correlationData, Buffer.from([7]));
});

test('a PUBLISH is written where it is wanted, as long as it was said to be, and its packet id can be patched', () => {
  for (const version of [4, 5] as const) {
    for (const topic of ['a/b', 'é/😀', 'x'.repeat(200)]) {
      const topicLength = utf8Length(topic);
      const properties = version === 5 ? all : null;
      const payload = Buffer.alloc(300, 1);
      const length = publishLength(topicLength, payload.length, 1, properties, version);
      const into = Buffer.alloc(length + 20, 0xee);
      const end = writePublish(into, 10, topic, topicLength, payload, 1, true, false, 1, properties, version);
      assert.equal(end, 10 + length);
      assert.deepEqual(into.subarray(0, 10), Buffer.alloc(10, 0xee));
      assert.deepEqual(into.subarray(end), Buffer.alloc(10, 0xee));
      const frame = into.subarray(10, end);
      frame.writeUInt16BE(0x1234, packetIdOffset(frame));
      const patched: PublishPacket = {
        ...plain,
        topic,
        payload,
        qos: 1,
        retain: true,
        packetId: 0x1234,
        properties,
      };
      assert.deepEqual(frame, encodePacket(patched, version));
    }
  }
});

test('a decoded record keeps its shape, and makes packets of one shape: the same fields in the same order', () => {
  const frame = assemble('30 * "a/b" {01 01} 68 69');
  const record = new PublishRecord();
  const keys = Object.keys(record);
  decodePublish(frame, 0, 2, frame.length, 5, record);
  assert.deepEqual(Object.keys(record), keys);
  assert.deepEqual(Object.keys(record.toPacket()), Object.keys(plain));
  assert.deepEqual(Object.keys(record.properties ?? {}), Object.keys(none));
});

test('a topic that is expected is used where it is the one, and changes nothing where it is not', () => {
  const topics = ['a/b', 'a/c', 'a/b/', 'b', 'é/b', 'ab', ''];
  for (const topic of topics) {
    const frame = encodePacket({ ...plain, topic }, 4);
    for (const known of topics) {
      const record = new PublishRecord();
      assert.equal(decodePublish(frame, 0, 2, frame.length, 4, record, known), 0);
      assert.equal(record.topic, topic);
      assert.equal(record.payload.toString(), 'hi');
    }
  }
  // Bytes of Latin-1 are no UTF-8, also where the text that is expected has the same numbers.
  const latin = Buffer.from([0x30, 4, 0, 2, 0xe9, 0x62]);
  assert.equal(decodePublish(latin, 0, 2, latin.length, 4, new PublishRecord(), '\u00e9b'), 0x81);
  const nul = Buffer.from([0x30, 4, 0, 2, 0, 0x62]);
  assert.equal(decodePublish(nul, 0, 2, nul.length, 4, new PublishRecord(), 'ab'), 0x81);
});
