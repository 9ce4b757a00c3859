import { ProtocolVersion, type Qos } from '../constants.ts';
import { PacketType } from '../constants.ts';
import type { Cursor } from '../cursor.ts';
import type { ConnectPacket, ConnectProperties, Will } from '../packets.ts';
import { readProperties, willPlace, writeProperties } from '../properties.ts';
import { ReasonCode } from '../reason-code.ts';
import { Writer } from '../writer.ts';
import { readPublishProperties } from './publish-properties.ts';

const Flag = {
  Reserved: 0x01,
  CleanStart: 0x02,
  Will: 0x04,
  WillQos: 0x18,
  WillRetain: 0x20,
  Password: 0x40,
  Username: 0x80,
} as const;

/** Set in the protocol level by bridges, to say what they are. */
const bridgeBit = 0x80;

/** Reads a CONNECT (MQTT 5, 3.1; 3.1.1, 3.1). The version is the packet's own. */
export function readConnect(cursor: Cursor): ConnectPacket {
  const name = cursor.string('protocol name');
  const level = cursor.byte('protocol level');
  const version = readVersion(cursor, name, level);
  const flags = cursor.byte('connect flags');
  checkFlags(cursor, flags, version);
  const keepAlive = cursor.uint16('keep alive');
  const properties = version === ProtocolVersion.V5 ? readConnectProperties(cursor) : {};
  const clientId = cursor.string('client identifier'); // [MQTT-3.1.3-4]
  const will = (flags & Flag.Will) === 0 ? null : readWill(cursor, flags, version);
  // 3.1: the remaining length takes precedence over the flags of user name and password.
  const mayEnd = version === ProtocolVersion.V31;
  const hasUsername = (flags & Flag.Username) !== 0 && !(mayEnd && cursor.remaining === 0);
  const username = hasUsername ? cursor.string('user name') : undefined;
  const hasPassword = (flags & Flag.Password) !== 0 && !(mayEnd && cursor.remaining === 0);
  const password = hasPassword ? cursor.binary('password') : undefined;
  return {
    type: PacketType.Connect,
    version,
    bridge: (level & bridgeBit) !== 0,
    clientId,
    cleanStart: (flags & Flag.CleanStart) !== 0,
    keepAlive,
    username,
    password,
    will,
    properties,
  };
}

/** The level says how the answer must look, so it is kept even where it is not supported ([MQTT-3.1.2-2]). */
function readVersion(cursor: Cursor, name: string, level: number): ProtocolVersion {
  if (cursor.code !== ReasonCode.Success) return ProtocolVersion.V311;
  const version = level & ~bridgeBit;
  cursor.protocolLevel = version;
  if (name === 'MQTT' && (version === ProtocolVersion.V311 || version === ProtocolVersion.V5)) return version;
  if (name === 'MQIsdp' && version === ProtocolVersion.V31) return version;
  const known = name === 'MQTT' || name === 'MQIsdp';
  // [MQTT-3.1.2-1]; the name is the peer's text and stays out of the log.
  const detail = known ? `protocol ${name} level ${version} is not supported` : 'protocol name is not MQTT';
  cursor.fail(ReasonCode.UnsupportedProtocolVersion, detail);
  return ProtocolVersion.V311;
}

function checkFlags(cursor: Cursor, flags: number, version: ProtocolVersion): void {
  const malformed = ReasonCode.MalformedPacket;
  if ((flags & Flag.Reserved) !== 0) cursor.fail(malformed, 'reserved connect flag is set'); // [MQTT-3.1.2-3]
  if ((flags & Flag.WillQos) === Flag.WillQos) cursor.fail(malformed, 'will QoS is 3'); // [MQTT-3.1.2-12]
  if ((flags & Flag.Will) === 0) {
    if ((flags & Flag.WillQos) !== 0) cursor.fail(malformed, 'will QoS without a will'); // [MQTT-3.1.2-11]
    if ((flags & Flag.WillRetain) !== 0) cursor.fail(malformed, 'will retain without a will'); // [MQTT-3.1.2-13]
  }
  if (version !== ProtocolVersion.V5 && (flags & Flag.Password) !== 0 && (flags & Flag.Username) === 0) {
    cursor.fail(malformed, 'password without a user name'); // 3.1.1: [MQTT-3.1.2-22]
  }
}

function readConnectProperties(cursor: Cursor): ConnectProperties {
  const properties: ConnectProperties = readProperties(cursor, PacketType.Connect);
  checkAuthentication(cursor, properties);
  return properties;
}

/** Data without a method breaks the protocol (MQTT 5, 3.1.2.11.10). */
export function checkAuthentication(
  cursor: Cursor,
  properties: { readonly authenticationMethod?: string; readonly authenticationData?: Buffer },
): void {
  if (properties.authenticationData !== undefined && properties.authenticationMethod === undefined) {
    cursor.fail(ReasonCode.ProtocolError, 'authentication data without a method');
  }
}

function readWill(cursor: Cursor, flags: number, version: ProtocolVersion): Will {
  const delay: { delay: number | undefined } = { delay: undefined };
  const properties = version === ProtocolVersion.V5 ? readPublishProperties(cursor, willPlace, delay) : null;
  return {
    topic: cursor.string('will topic'), // [MQTT-3.1.3-11]
    payload: cursor.binary('will payload'),
    qos: ((flags & Flag.WillQos) >> 3) as Qos,
    retain: (flags & Flag.WillRetain) !== 0,
    delay: delay.delay ?? 0,
    properties,
  };
}

/** Encodes a CONNECT for the version that it names itself. */
export function encodeConnect(packet: ConnectPacket): Buffer {
  const { version, will, username, password } = packet;
  const writer = new Writer();
  writer.string(version === ProtocolVersion.V31 ? 'MQIsdp' : 'MQTT');
  writer.byte(version | (packet.bridge ? bridgeBit : 0));
  let flags = packet.cleanStart ? Flag.CleanStart : 0;
  if (will !== null) flags |= Flag.Will | (will.qos << 3) | (will.retain ? Flag.WillRetain : 0);
  if (password !== undefined) flags |= Flag.Password;
  if (username !== undefined) flags |= Flag.Username;
  writer.byte(flags);
  writer.uint16(packet.keepAlive);
  if (version === ProtocolVersion.V5) writeProperties(writer, PacketType.Connect, packet.properties);
  writer.string(packet.clientId);
  if (will !== null) {
    if (version === ProtocolVersion.V5) writeWillProperties(writer, will);
    writer.string(will.topic);
    writer.binary(will.payload);
  }
  if (username !== undefined) writer.string(username);
  if (password !== undefined) writer.binary(password);
  return writer.finish(PacketType.Connect << 4);
}

function writeWillProperties(writer: Writer, will: Will): void {
  const delay = will.delay === 0 ? undefined : will.delay;
  writeProperties(writer, willPlace, { ...will.properties, delay });
}
