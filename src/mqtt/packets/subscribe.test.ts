import { wireCases } from '../wire-case.test.ts';

const old = [3, 4] as const;
const v5 = [5] as const;
const plain = { filter: 'a/#', qos: 0, noLocal: false, retainAsPublished: false, retainHandling: 0 } as const;

wireCases([
  {
    name: 'SUBSCRIBE',
    wire: '82 * 00 01 "a/#" 00 "b" 02',
    versions: old,
    packet: {
      type: 8,
      packetId: 1,
      subscriptions: [plain, { ...plain, filter: 'b', qos: 2 }],
      properties: {},
    },
  },
  {
    name: 'SUBSCRIBE with every option and property',
    wire: '82 * 00 01 {0b 80 01 26 "n" "v"} "a/#" 2d "b" 12',
    versions: v5,
    packet: {
      type: 8,
      packetId: 1,
      subscriptions: [
        { filter: 'a/#', qos: 1, noLocal: true, retainAsPublished: true, retainHandling: 2 },
        { ...plain, filter: 'b', qos: 2, retainHandling: 1 },
      ],
      properties: { subscriptionIdentifier: 128, userProperties: [['n', 'v']] },
    },
  },
  {
    name: 'SUBSCRIBE without a subscription [MQTT-3.8.3-3]',
    wire: '82 * 00 01',
    versions: old,
    fault: 'ProtocolError',
  },
  {
    name: 'SUBSCRIBE without a subscription [MQTT-3.8.3-2]',
    wire: '82 * 00 01 {}',
    versions: v5,
    fault: 'ProtocolError',
  },
  {
    name: 'SUBSCRIBE with wrong header flags [MQTT-3.8.1-1]',
    wire: '80 * 00 01 "a" 00',
    fault: 'MalformedPacket',
  },
  {
    name: 'SUBSCRIBE with packet identifier 0 [MQTT-2.2.1-3] [MQTT-2.3.1-1]',
    wire: '82 * 00 00 "a" 00',
    fault: 'ProtocolError',
  },
  { name: 'SUBSCRIBE with QoS 3', wire: '82 * 00 01 "a" 03', versions: old, fault: 'MalformedPacket' },
  { name: 'SUBSCRIBE with QoS 3', wire: '82 * 00 01 {} "a" 03', versions: v5, fault: 'ProtocolError' },
  {
    name: 'SUBSCRIBE with options of MQTT 5',
    wire: '82 * 00 01 "a" 04',
    versions: old,
    fault: 'MalformedPacket',
  },
  {
    name: 'SUBSCRIBE with reserved options [MQTT-3.8.3-5]',
    wire: '82 * 00 01 {} "a" 40',
    versions: v5,
    fault: 'MalformedPacket',
  },
  {
    name: 'SUBSCRIBE with retain handling 3',
    wire: '82 * 00 01 {} "a" 30',
    versions: v5,
    fault: 'ProtocolError',
  },
  {
    name: 'SUBSCRIBE with subscription identifier 0',
    wire: '82 * 00 01 {0b 00} "a" 00',
    versions: v5,
    fault: 'ProtocolError',
  },
  {
    name: 'SUBSCRIBE with subscription identifier twice',
    wire: '82 * 00 01 {0b 01 0b 01} "a" 00',
    versions: v5,
    fault: 'ProtocolError',
  },
  {
    name: 'SUBSCRIBE with a reason string',
    wire: '82 * 00 01 {1f "x"} "a" 00',
    versions: v5,
    fault: 'MalformedPacket',
  },
  { name: 'SUBSCRIBE without options', wire: '82 * 00 01 "a"', versions: old, fault: 'MalformedPacket' },
  {
    name: 'SUBSCRIBE whose second filter is cut short',
    wire: '82 * 00 01 "a" 00 00 05 61',
    versions: old,
    fault: 'MalformedPacket',
  },
  {
    name: 'SUBSCRIBE whose filter is not UTF-8 [MQTT-3.8.3-1]',
    wire: '82 * 00 01 00 01 ff 00',
    versions: old,
    fault: 'MalformedPacket',
  },
  { name: 'SUBSCRIBE without anything', wire: '82 00', fault: 'MalformedPacket' },
  {
    name: 'SUBSCRIBE with a padded remaining length [MQTT-1.5.5-1]',
    wire: '82 87 00 00 01 {} "a" 00',
    versions: v5,
    fault: 'MalformedPacket',
  },
]);

wireCases([
  {
    name: 'UNSUBSCRIBE',
    wire: 'a2 * 00 01 "a/#" "b"',
    versions: old,
    packet: { type: 10, packetId: 1, filters: ['a/#', 'b'], properties: {} },
  },
  {
    name: 'UNSUBSCRIBE',
    wire: 'a2 * 00 01 {26 "n" "v"} "a"',
    versions: v5,
    packet: { type: 10, packetId: 1, filters: ['a'], properties: { userProperties: [['n', 'v']] } },
  },
  {
    name: 'UNSUBSCRIBE without a filter [MQTT-3.10.3-2]',
    wire: 'a2 * 00 01',
    versions: old,
    fault: 'ProtocolError',
  },
  {
    name: 'UNSUBSCRIBE without a filter [MQTT-3.10.3-2]',
    wire: 'a2 * 00 01 {}',
    versions: v5,
    fault: 'ProtocolError',
  },
  {
    name: 'UNSUBSCRIBE with wrong header flags [MQTT-3.10.1-1]',
    wire: 'a0 * 00 01 "a"',
    fault: 'MalformedPacket',
  },
  {
    name: 'UNSUBSCRIBE with packet identifier 0 [MQTT-2.2.1-3] [MQTT-2.3.1-1]',
    wire: 'a2 * 00 00 "a"',
    fault: 'ProtocolError',
  },
  {
    name: 'UNSUBSCRIBE whose filter is not UTF-8 [MQTT-3.10.3-1]',
    wire: 'a2 * 00 01 00 01 ff',
    versions: old,
    fault: 'MalformedPacket',
  },
  {
    name: 'UNSUBSCRIBE whose filter is cut short',
    wire: 'a2 * 00 01 00 02 61',
    versions: old,
    fault: 'MalformedPacket',
  },
  {
    name: 'UNSUBSCRIBE with a subscription identifier',
    wire: 'a2 * 00 01 {0b 01} "a"',
    versions: v5,
    fault: 'MalformedPacket',
  },
]);

wireCases([
  {
    name: 'SUBACK',
    wire: '90 * 00 01 00 01 02 80',
    versions: old,
    packet: { type: 9, packetId: 1, reasonCodes: [0, 1, 2, 0x80], properties: {} },
  },
  {
    name: 'SUBACK with every property',
    wire: '90 * 00 01 {1f "why" 26 "n" "v"} 00 8f a2',
    versions: v5,
    packet: {
      type: 9,
      packetId: 1,
      reasonCodes: [0, 0x8f, 0xa2],
      properties: { reasonString: 'why', userProperties: [['n', 'v']] },
    },
  },
  {
    name: 'SUBACK with a code that does not exist [MQTT-3.9.3-2]',
    wire: '90 * 00 01 03',
    versions: old,
    fault: 'ProtocolError',
  },
  {
    name: 'SUBACK with a code that is not its own [MQTT-3.9.3-2]',
    wire: '90 * 00 01 {} 11',
    versions: v5,
    fault: 'ProtocolError',
  },
  { name: 'SUBACK without a code', wire: '90 * 00 01', versions: old, fault: 'ProtocolError' },
  { name: 'SUBACK without a code', wire: '90 * 00 01 {}', versions: v5, fault: 'ProtocolError' },
  { name: 'SUBACK with packet identifier 0', wire: '90 * 00 00 00', versions: old, fault: 'ProtocolError' },
  {
    name: 'SUBACK with wrong header flags [MQTT-2.1.3-1]',
    wire: '92 * 00 01 00',
    versions: old,
    fault: 'MalformedPacket',
  },
  {
    name: 'UNSUBACK',
    wire: 'b0 02 00 01',
    versions: old,
    packet: { type: 11, packetId: 1, reasonCodes: [], properties: {} },
  },
  {
    name: 'UNSUBACK',
    wire: 'b0 * 00 01 {1f "why"} 00 11',
    versions: v5,
    packet: { type: 11, packetId: 1, reasonCodes: [0, 0x11], properties: { reasonString: 'why' } },
  },
  {
    name: 'UNSUBACK with bytes after its end',
    wire: 'b0 03 00 01 00',
    versions: old,
    fault: 'MalformedPacket',
  },
  { name: 'UNSUBACK without a code', wire: 'b0 * 00 01 {}', versions: v5, fault: 'ProtocolError' },
  {
    name: 'UNSUBACK with a code that is not its own [MQTT-3.11.3-2]',
    wire: 'b0 * 00 01 {} 01',
    versions: v5,
    fault: 'ProtocolError',
  },
  { name: 'UNSUBACK with packet identifier 0', wire: 'b0 02 00 00', versions: old, fault: 'ProtocolError' },
]);
