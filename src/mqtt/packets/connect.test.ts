import { wireCases } from '../wire-case.test.ts';
import type { ConnectPacket, PublishProperties } from '../index.ts';

const plain: ConnectPacket = {
  type: 1,
  version: 4,
  bridge: false,
  clientId: 'a',
  cleanStart: true,
  keepAlive: 60,
  username: undefined,
  password: undefined,
  will: null,
  properties: {},
};

const noProperties: PublishProperties = {
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
  { name: 'CONNECT of 3.1.1', wire: '10 * "MQTT" 04 02 00 3c "a"', packet: plain },
  { name: 'CONNECT of 3.1', wire: '10 * "MQIsdp" 03 02 00 3c "a"', packet: { ...plain, version: 3 } },
  {
    name: 'CONNECT of 5 without properties',
    wire: '10 * "MQTT" 05 02 00 3c {} "a"',
    packet: { ...plain, version: 5 },
  },
  {
    name: 'CONNECT with an empty client id [MQTT-3.1.3-6]',
    wire: '10 * "MQTT" 04 02 00 00 ""',
    packet: { ...plain, clientId: '', keepAlive: 0 },
  },
  {
    name: 'CONNECT without clean session',
    wire: '10 * "MQTT" 04 00 ff ff "a"',
    packet: { ...plain, cleanStart: false, keepAlive: 65_535 },
  },
  {
    name: 'CONNECT of a bridge, 3.1',
    wire: '10 * "MQIsdp" 83 02 00 3c "a"',
    packet: { ...plain, version: 3, bridge: true },
  },
  {
    name: 'CONNECT of a bridge, 3.1.1',
    wire: '10 * "MQTT" 84 02 00 3c "a"',
    packet: { ...plain, bridge: true },
  },
  {
    name: 'CONNECT of a bridge, 5',
    wire: '10 * "MQTT" 85 02 00 3c {} "a"',
    packet: { ...plain, version: 5, bridge: true },
  },
  {
    name: 'CONNECT with will, user name and password, 3.1.1 [MQTT-3.1.3-1]',
    wire: '10 * "MQTT" 04 f6 00 3c "a" "w" 00 02 00 ff "ü" 00 01 00',
    packet: {
      ...plain,
      username: 'ü',
      password: Buffer.from([0]),
      will: { topic: 'w', payload: Buffer.from([0, 255]), qos: 2, retain: true, delay: 0, properties: null },
    },
  },
  {
    name: 'CONNECT with every property, 5',
    wire: '10 * "MQTT" 05 02 00 3c {11 00 00 00 0a 15 "m" 16 00 01 09 17 00 19 01 21 00 14 22 00 05 26 "n" "v" 26 "n" "w" 27 00 00 10 00} "a"',
    packet: {
      ...plain,
      version: 5,
      properties: {
        sessionExpiry: 10,
        authenticationMethod: 'm',
        authenticationData: Buffer.from([9]),
        requestProblemInformation: false,
        requestResponseInformation: true,
        receiveMaximum: 20,
        topicAliasMaximum: 5,
        userProperties: [
          ['n', 'v'],
          ['n', 'w'],
        ],
        maximumPacketSize: 4096,
      },
    },
  },
  {
    name: 'CONNECT with every will property, 5 [MQTT-3.1.3-10]',
    wire: '10 * "MQTT" 05 0e 00 3c {} "a" {01 01 02 00 00 00 05 03 "c" 08 "r" 09 00 01 07 18 00 00 00 1e 26 "n" "v"} "w" ""',
    packet: {
      ...plain,
      version: 5,
      will: {
        topic: 'w',
        payload: Buffer.alloc(0),
        qos: 1,
        retain: false,
        delay: 30,
        properties: {
          ...noProperties,
          payloadFormat: 1,
          messageExpiry: 5,
          contentType: 'c',
          responseTopic: 'r',
          correlationData: Buffer.from([7]),
          userProperties: [['n', 'v']],
        },
      },
    },
  },
  {
    name: 'CONNECT with a will delay alone has no message properties, 5',
    wire: '10 * "MQTT" 05 06 00 3c {} "a" {18 00 00 00 01} "w" ""',
    packet: {
      ...plain,
      version: 5,
      will: { topic: 'w', payload: Buffer.alloc(0), qos: 0, retain: false, delay: 1, properties: null },
    },
  },
  {
    name: 'CONNECT with a password alone is allowed in 5',
    wire: '10 * "MQTT" 05 42 00 3c {} "a" "p"',
    packet: { ...plain, version: 5, password: Buffer.from('p') },
  },
  {
    name: 'CONNECT of 3.1 whose user name is missing is taken without',
    wire: '10 * "MQIsdp" 03 c2 00 3c "a"',
    packet: { ...plain, version: 3 },
    canonical: false,
  },
]);

wireCases([
  {
    name: 'CONNECT with another protocol name [MQTT-3.1.2-1]',
    wire: '10 * "MQTX" 04 02 00 3c "a"',
    fault: 'UnsupportedProtocolVersion',
    protocolLevel: 4,
  },
  {
    name: 'CONNECT with an unknown level [MQTT-3.1.2-2]',
    wire: '10 * "MQTT" 06 02 00 3c "a"',
    fault: 'UnsupportedProtocolVersion',
    protocolLevel: 6,
  },
  {
    name: 'CONNECT with the name of 3.1 and the level of 3.1.1 [MQTT-3.1.2-2]',
    wire: '10 * "MQIsdp" 04 02 00 3c "a"',
    fault: 'UnsupportedProtocolVersion',
    protocolLevel: 4,
  },
  {
    name: 'CONNECT with the name of 5 and the level of 3.1 [MQTT-3.1.2-2]',
    wire: '10 * "MQTT" 03 02 00 3c "a"',
    fault: 'UnsupportedProtocolVersion',
    protocolLevel: 3,
  },
  {
    name: 'CONNECT with nothing after an unknown level',
    wire: '10 * "MQTT" 09',
    fault: 'UnsupportedProtocolVersion',
    protocolLevel: 9,
  },
  {
    name: 'CONNECT with wrong header flags [MQTT-2.1.3-1] [MQTT-2.2.2-2]',
    wire: '11 * "MQTT" 04 02 00 3c "a"',
    fault: 'MalformedPacket',
  },
  {
    name: 'CONNECT with the reserved flag, 3.1.1 [MQTT-3.1.2-3]',
    wire: '10 * "MQTT" 04 03 00 3c "a"',
    fault: 'MalformedPacket',
    protocolLevel: 4,
  },
  {
    name: 'CONNECT with the reserved flag, 5 [MQTT-3.1.2-3]',
    wire: '10 * "MQTT" 05 03 00 3c {} "a"',
    fault: 'MalformedPacket',
    protocolLevel: 5,
  },
  {
    name: 'CONNECT with will QoS 3 [MQTT-3.1.2-12] [MQTT-3.1.2-14]',
    wire: '10 * "MQTT" 05 1e 00 3c {} "a" {} "w" ""',
    fault: 'MalformedPacket',
    detail: /will QoS is 3/,
  },
  {
    name: 'CONNECT with a will QoS without will [MQTT-3.1.2-11] [MQTT-3.1.2-13]',
    wire: '10 * "MQTT" 04 0a 00 3c "a"',
    fault: 'MalformedPacket',
  },
  {
    name: 'CONNECT with will retain without will [MQTT-3.1.2-13] [MQTT-3.1.2-15]',
    wire: '10 * "MQTT" 04 22 00 3c "a"',
    fault: 'MalformedPacket',
  },
  {
    name: 'CONNECT with a password without user name, 3.1.1 [MQTT-3.1.2-22]',
    wire: '10 * "MQTT" 04 42 00 3c "a" "p"',
    fault: 'MalformedPacket',
  },
  {
    name: 'CONNECT with bytes after its end',
    wire: '10 * "MQTT" 04 02 00 3c "a" 00',
    fault: 'MalformedPacket',
    detail: /1 bytes too many/,
  },
  {
    name: 'CONNECT whose user name is missing [MQTT-3.1.2-17]',
    wire: '10 * "MQTT" 04 82 00 3c "a"',
    fault: 'MalformedPacket',
  },
  {
    name: 'CONNECT whose will is cut short [MQTT-3.1.2-9]',
    wire: '10 * "MQTT" 04 06 00 3c "a" "w" 00 05 01',
    fault: 'MalformedPacket',
  },
  { name: 'CONNECT without properties in 5', wire: '10 * "MQTT" 05 02 00 3c', fault: 'MalformedPacket' },
  {
    name: 'CONNECT whose client id is not UTF-8 [MQTT-3.1.3-4] [MQTT-1.5.4-1]',
    wire: '10 * "MQTT" 04 02 00 3c 00 01 ff',
    fault: 'MalformedPacket',
  },
  {
    name: 'CONNECT whose client id has U+0000 [MQTT-1.5.4-2] [MQTT-1.5.3-2]',
    wire: '10 * "MQTT" 04 02 00 3c 00 01 00',
    fault: 'MalformedPacket',
  },
  {
    name: 'CONNECT whose user name is not UTF-8 [MQTT-3.1.3-12]',
    wire: '10 * "MQTT" 04 82 00 3c "a" 00 01 c3',
    fault: 'MalformedPacket',
  },
  {
    name: 'CONNECT whose will topic is not UTF-8 [MQTT-3.1.3-11]',
    wire: '10 * "MQTT" 04 06 00 3c "a" 00 03 ed a0 80 ""',
    fault: 'MalformedPacket',
  },
  {
    name: 'CONNECT with receive maximum 0',
    wire: '10 * "MQTT" 05 02 00 3c {21 00 00} "a"',
    fault: 'ProtocolError',
  },
  {
    name: 'CONNECT with maximum packet size 0',
    wire: '10 * "MQTT" 05 02 00 3c {27 00 00 00 00} "a"',
    fault: 'ProtocolError',
  },
  {
    name: 'CONNECT with request problem information 2',
    wire: '10 * "MQTT" 05 02 00 3c {17 02} "a"',
    fault: 'ProtocolError',
  },
  {
    name: 'CONNECT with request response information 2',
    wire: '10 * "MQTT" 05 02 00 3c {19 02} "a"',
    fault: 'ProtocolError',
  },
  {
    name: 'CONNECT with authentication data without a method',
    wire: '10 * "MQTT" 05 02 00 3c {16 00 01 09} "a"',
    fault: 'ProtocolError',
    protocolLevel: 5,
  },
  {
    name: 'CONNECT with session expiry twice',
    wire: '10 * "MQTT" 05 02 00 3c {11 00 00 00 00 11 00 00 00 00} "a"',
    fault: 'ProtocolError',
    detail: /twice/,
  },
  {
    name: 'CONNECT with a property of PUBLISH',
    wire: '10 * "MQTT" 05 02 00 3c {23 00 01} "a"',
    fault: 'MalformedPacket',
    detail: /topicAlias does not belong/,
  },
  {
    name: 'CONNECT with an unknown property',
    wire: '10 * "MQTT" 05 02 00 3c {7e 00} "a"',
    fault: 'MalformedPacket',
  },
  {
    name: 'CONNECT with a property that runs over the properties',
    wire: '10 * "MQTT" 05 02 00 3c 03 11 00 00 00 0a "a"',
    fault: 'MalformedPacket',
  },
  {
    name: 'CONNECT with properties that run over the packet',
    wire: '10 * "MQTT" 05 02 00 3c 20 "a"',
    fault: 'MalformedPacket',
  },
  {
    name: 'CONNECT with a topic alias in the will',
    wire: '10 * "MQTT" 05 06 00 3c {} "a" {23 00 01} "w" ""',
    fault: 'MalformedPacket',
  },
  {
    name: 'CONNECT with a subscription identifier in the will',
    wire: '10 * "MQTT" 05 06 00 3c {} "a" {0b 01} "w" ""',
    fault: 'MalformedPacket',
  },
  {
    name: 'CONNECT with a will delay twice',
    wire: '10 * "MQTT" 05 06 00 3c {} "a" {18 00 00 00 01 18 00 00 00 01} "w" ""',
    fault: 'ProtocolError',
  },
  {
    name: 'CONNECT with a will delay outside of the will',
    wire: '10 * "MQTT" 05 02 00 3c {18 00 00 00 01} "a"',
    fault: 'MalformedPacket',
  },
  {
    name: 'CONNECT whose property length is padded [MQTT-1.5.5-1]',
    wire: '10 * "MQTT" 05 02 00 3c 80 00 "a"',
    fault: 'MalformedPacket',
  },
  {
    name: 'CONNECT whose property length has five bytes',
    wire: '10 * "MQTT" 05 02 00 3c 80 80 80 80 01 "a"',
    fault: 'MalformedPacket',
  },
  {
    name: 'CONNECT of 5 whose remaining length is padded [MQTT-1.5.5-1]',
    wire: '10 8e 00 "MQTT" 05 02 00 3c {} "a"',
    fault: 'MalformedPacket',
  },
  { name: 'CONNECT without anything', wire: '10 00', fault: 'MalformedPacket', protocolLevel: 0 },
]);

wireCases([
  {
    name: 'CONNECT of 3.1.1 with a padded remaining length is read',
    wire: '10 8d 00 "MQTT" 04 02 00 3c "a"',
    packet: plain,
    canonical: false,
  },
]);
