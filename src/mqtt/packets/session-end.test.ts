import { wireCases } from '../wire-case.test.ts';

const old = [3, 4] as const;
const v5 = [5] as const;

wireCases([
  { name: 'PINGREQ', wire: 'c0 00', packet: { type: 12 } },
  { name: 'PINGRESP', wire: 'd0 00', packet: { type: 13 } },
  { name: 'PINGREQ with a body', wire: 'c0 01 00', fault: 'MalformedPacket' },
  { name: 'PINGRESP with a body', wire: 'd0 01 00', fault: 'MalformedPacket' },
  { name: 'PINGREQ with wrong header flags [MQTT-2.1.3-1]', wire: 'c1 00', fault: 'MalformedPacket' },
  {
    name: 'PINGREQ with a padded remaining length [MQTT-1.5.5-1]',
    wire: 'c0 80 00',
    versions: v5,
    fault: 'MalformedPacket',
  },
  { name: 'type 0', wire: '00 00', fault: 'MalformedPacket', detail: /reserved/ },
]);

wireCases([
  { name: 'DISCONNECT', wire: 'e0 00', packet: { type: 14, reasonCode: 0, properties: {} } },
  {
    name: 'DISCONNECT with a reason code',
    wire: 'e0 01 04',
    versions: v5,
    packet: { type: 14, reasonCode: 4, properties: {} },
  },
  {
    name: 'DISCONNECT with success spelled out',
    wire: 'e0 02 00 00',
    versions: v5,
    packet: { type: 14, reasonCode: 0, properties: {} },
    canonical: false,
  },
  {
    name: 'DISCONNECT with every property',
    wire: 'e0 * 9d {11 00 00 00 05 1c "s" 1f "why" 26 "n" "v"}',
    versions: v5,
    packet: {
      type: 14,
      reasonCode: 0x9d,
      properties: {
        sessionExpiry: 5,
        serverReference: 's',
        reasonString: 'why',
        userProperties: [['n', 'v']],
      },
    },
  },
  { name: 'DISCONNECT with wrong header flags [MQTT-3.14.1-1]', wire: 'e1 00', fault: 'MalformedPacket' },
  { name: 'DISCONNECT with a body', wire: 'e0 01 00', versions: old, fault: 'MalformedPacket' },
  {
    name: 'DISCONNECT with a reason code that is not its own [MQTT-3.14.2-1]',
    wire: 'e0 01 92',
    versions: v5,
    fault: 'ProtocolError',
  },
  {
    name: 'DISCONNECT with session expiry twice',
    wire: 'e0 * 00 {11 00 00 00 05 11 00 00 00 05}',
    versions: v5,
    fault: 'ProtocolError',
  },
  {
    name: 'DISCONNECT with bytes after its end',
    wire: 'e0 03 00 00 00',
    versions: v5,
    fault: 'MalformedPacket',
  },
  {
    name: 'DISCONNECT with a topic alias',
    wire: 'e0 * 00 {23 00 01}',
    versions: v5,
    fault: 'MalformedPacket',
  },
]);

wireCases([
  { name: 'AUTH', wire: 'f0 00', versions: v5, packet: { type: 15, reasonCode: 0, properties: {} } },
  {
    name: 'AUTH with every property',
    wire: 'f0 * 18 {15 "m" 16 00 01 09 1f "why" 26 "n" "v"}',
    versions: v5,
    packet: {
      type: 15,
      reasonCode: 0x18,
      properties: {
        authenticationMethod: 'm',
        authenticationData: Buffer.from([9]),
        reasonString: 'why',
        userProperties: [['n', 'v']],
      },
    },
  },
  { name: 'AUTH before MQTT 5', wire: 'f0 00', versions: old, fault: 'ProtocolError' },
  {
    name: 'AUTH with wrong header flags [MQTT-3.15.1-1]',
    wire: 'f1 00',
    versions: v5,
    fault: 'MalformedPacket',
  },
  {
    name: 'AUTH with a reason code that is not its own [MQTT-3.15.2-1]',
    wire: 'f0 * 80 {15 "m"}',
    versions: v5,
    fault: 'ProtocolError',
  },
  { name: 'AUTH without a method', wire: 'f0 * 18 {}', versions: v5, fault: 'ProtocolError' },
  {
    name: 'AUTH with data without a method',
    wire: 'f0 * 00 {16 00 01 09}',
    versions: v5,
    fault: 'ProtocolError',
  },
  { name: 'AUTH without properties', wire: 'f0 01 18', versions: v5, fault: 'MalformedPacket' },
  {
    name: 'AUTH with bytes after its end',
    wire: 'f0 * 18 {15 "m"} 00',
    versions: v5,
    fault: 'MalformedPacket',
  },
]);
