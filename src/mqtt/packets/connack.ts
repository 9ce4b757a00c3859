import { PacketType, ProtocolVersion } from '../constants.ts';
import type { Cursor } from '../cursor.ts';
import type { ConnackPacket, ConnackProperties } from '../packets.ts';
import { propertyTable, readProperties, writeProperties } from '../properties.ts';
import { ReasonCode } from '../reason-code.ts';
import { Writer } from '../writer.ts';
import { checkAuthentication } from './connect.ts';

/** Reason codes of CONNACK (MQTT 5, table 3-1). */
const reasonCodes: ReadonlySet<number> = new Set([
  0x00, 0x80, 0x81, 0x82, 0x83, 0x84, 0x85, 0x86, 0x87, 0x88, 0x89, 0x8a, 0x8c, 0x90, 0x95, 0x97, 0x99, 0x9a,
  0x9b, 0x9c, 0x9d, 0x9f,
]);

/** Return codes before MQTT 5: 0 to 5 (3.1.1, table 3.1). */
const largestReturnCode = 5;

/** What a server that does not speak MQTT 5 answers: the return code "unacceptable protocol version" of 3.1.1. */
const versionRefused = 1;

/**
 * The order in which the properties are written, which the standard leaves open: as Mosquitto 2.1 writes them, because
 * small clients have been seen to lean on it. The others stand between.
 */
const firstProperties = [
  'serverKeepAlive',
  'topicAliasMaximum',
  'assignedClientIdentifier',
  'authenticationMethod',
  'authenticationData',
];
const lastProperties = ['retainAvailable', 'maximumPacketSize', 'receiveMaximum', 'maximumQos'];
const propertyOrder = propertyTable.toSorted((a, b) => placeOf(a.name) - placeOf(b.name));

function placeOf(name: string): number {
  const first = firstProperties.indexOf(name);
  return first >= 0 ? first - firstProperties.length : lastProperties.indexOf(name) + 1;
}

/** Reads a CONNACK (MQTT 5, 3.2; 3.1.1, 3.2). */
export function readConnack(cursor: Cursor, version: ProtocolVersion): ConnackPacket {
  const flags = cursor.byte('acknowledge flags');
  if (flags > 1) cursor.fail(ReasonCode.MalformedPacket, 'reserved acknowledge flags are set'); // [MQTT-3.2.2-1]
  const sessionPresent = flags === 1;
  const reasonCode = cursor.byte('reason code');
  let properties: ConnackProperties = {};
  if (version === ProtocolVersion.V5) {
    if (cursor.remaining === 0 && reasonCode === versionRefused) {
      cursor.fail(ReasonCode.UnsupportedProtocolVersion, 'the server does not speak MQTT 5');
    }
    if (!reasonCodes.has(reasonCode)) failUnknown(cursor, reasonCode); // [MQTT-3.2.2-8]
    properties = readProperties(cursor, PacketType.Connack);
    checkAuthentication(cursor, properties);
  } else if (reasonCode > largestReturnCode) {
    failUnknown(cursor, reasonCode);
  }
  if (sessionPresent && reasonCode !== 0) {
    cursor.fail(ReasonCode.ProtocolError, 'session present with a refusal'); // [MQTT-3.2.2-6]; 3.1.1: [MQTT-3.2.2-4]
  }
  return { type: PacketType.Connack, sessionPresent, reasonCode, properties };
}

function failUnknown(cursor: Cursor, reasonCode: number): void {
  cursor.fail(ReasonCode.ProtocolError, `reason code ${reasonCode} does not exist here`);
}

/** Encodes a CONNACK; before MQTT 5 `reasonCode` is the return code 0 to 5. */
export function encodeConnack(packet: ConnackPacket, version: ProtocolVersion): Buffer {
  const writer = new Writer();
  writer.byte(packet.sessionPresent ? 1 : 0);
  writer.byte(packet.reasonCode);
  if (version === ProtocolVersion.V5)
    writeProperties(writer, PacketType.Connack, packet.properties, propertyOrder);
  return writer.finish(PacketType.Connack << 4);
}
