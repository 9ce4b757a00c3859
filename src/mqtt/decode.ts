import { PacketType, ProtocolVersion } from './constants.ts';
import { Cursor } from './cursor.ts';
import type { AckPacket, Packet } from './packets.ts';
import { createAckRecord, decodeAck } from './packets/ack.ts';
import { readAuth } from './packets/auth.ts';
import { readConnack } from './packets/connack.ts';
import { readConnect } from './packets/connect.ts';
import { readDisconnect } from './packets/disconnect.ts';
import { readPingreq, readPingresp } from './packets/ping.ts';
import { decodePublish, PublishRecord } from './packets/publish.ts';
import { readSuback } from './packets/suback.ts';
import { readSubscribe } from './packets/subscribe.ts';
import { readUnsuback } from './packets/unsuback.ts';
import { readUnsubscribe } from './packets/unsubscribe.ts';
import { ReasonCode, reasonName } from './reason-code.ts';

/** Why a packet cannot be accepted. */
export interface DecodeFault {
  /** No packet type: tells a fault from a packet. */
  readonly type: 0;
  readonly reasonCode: ReasonCode;
  /** For the log: the packet and what is wrong with it. Holds nothing of the peer's own text. */
  readonly detail: string;
  /** The protocol level that a CONNECT named, without the bridge bit; 0 where it is not known. */
  readonly protocolLevel: number;
}

const packetNames = new Map<number, string>(
  Object.entries(PacketType).map(([name, type]) => [type, name.toUpperCase()]),
);

/**
 * Decodes any packet in `bytes[start, end)`; a CONNECT says its version itself. Never throws and never reads outside
 * of the packet. Texts, passwords and will are copies; the payload of a PUBLISH is a view.
 */
export function decodePacket(
  bytes: Buffer,
  start: number,
  bodyStart: number,
  end: number,
  version: ProtocolVersion,
): Packet | DecodeFault {
  const type = bytes[start]! >> 4;
  switch (type) {
    case PacketType.Publish: {
      const record = new PublishRecord();
      const code = decodePublish(bytes, start, bodyStart, end, version, record);
      return code === ReasonCode.Success ? record.toPacket() : fault(type, code, reasonName(code), 0);
    }
    case PacketType.Puback:
    case PacketType.Pubrec:
    case PacketType.Pubrel:
    case PacketType.Pubcomp:
      return decodeAnyAck(bytes, start, bodyStart, end, version, type);
    default:
      return decodeOther(bytes, start, bodyStart, end, version, type);
  }
}

function fault(type: number, reasonCode: ReasonCode, detail: string, protocolLevel: number): DecodeFault {
  return { type: 0, reasonCode, detail: `${packetNames.get(type) ?? 'packet'}: ${detail}`, protocolLevel };
}

function decodeAnyAck(
  bytes: Buffer,
  start: number,
  bodyStart: number,
  end: number,
  version: ProtocolVersion,
  type: AckPacket['type'],
): AckPacket | DecodeFault {
  const record = createAckRecord();
  const code = decodeAck(bytes, start, bodyStart, end, version, record);
  if (code !== ReasonCode.Success) return fault(type, code, reasonName(code), 0);
  return {
    type,
    packetId: record.packetId,
    reasonCode: record.reasonCode,
    properties: record.properties ?? {},
  };
}

function decodeOther(
  bytes: Buffer,
  start: number,
  bodyStart: number,
  end: number,
  version: ProtocolVersion,
  type: number,
): Packet | DecodeFault {
  const cursor = new Cursor(bytes, bodyStart, end);
  checkFlags(cursor, bytes[start]! & 0x0f, type);
  const packet = readBody(cursor, type, version);
  if (cursor.code === ReasonCode.Success && packet !== undefined) {
    const spoken = packet.type === PacketType.Connect ? packet.version : version;
    checkLength(cursor, bodyStart - start, spoken);
    if (cursor.remaining > 0) cursor.fail(ReasonCode.MalformedPacket, `${cursor.remaining} bytes too many`);
  }
  if (cursor.code === ReasonCode.Success && packet !== undefined) return packet;
  return fault(type, cursor.code, cursor.detail, cursor.protocolLevel);
}

/** The low bits of the first byte are fixed for all but PUBLISH ([MQTT-2.1.3-1]; 3.1.1: [MQTT-2.2.2-1]). */
function checkFlags(cursor: Cursor, flags: number, type: number): void {
  const wanted = type === PacketType.Subscribe || type === PacketType.Unsubscribe ? 2 : 0;
  if (flags !== wanted) cursor.fail(ReasonCode.MalformedPacket, 'reserved flags of the first byte are wrong');
}

/** MQTT 5 wants the length in as few bytes as it needs [MQTT-1.5.5-1]; older senders may pad it. */
function checkLength(cursor: Cursor, headerLength: number, version: ProtocolVersion): void {
  if (version === ProtocolVersion.V5 && headerLength > 2 && cursor.bytes[cursor.start - 1] === 0) {
    cursor.fail(ReasonCode.MalformedPacket, 'remaining length is longer than it needs to be');
  }
}

/** `undefined` only for type 0, which is reserved. */
function readBody(cursor: Cursor, type: number, version: ProtocolVersion): Packet | undefined {
  switch (type) {
    case PacketType.Connect:
      return readConnect(cursor);
    case PacketType.Connack:
      return readConnack(cursor, version);
    case PacketType.Subscribe:
      return readSubscribe(cursor, version);
    case PacketType.Suback:
      return readSuback(cursor, version);
    case PacketType.Unsubscribe:
      return readUnsubscribe(cursor, version);
    case PacketType.Unsuback:
      return readUnsuback(cursor, version);
    case PacketType.Pingreq:
      return readPingreq();
    case PacketType.Pingresp:
      return readPingresp();
    case PacketType.Disconnect:
      return readDisconnect(cursor, version);
    case PacketType.Auth:
      return readAuth(cursor, version);
    default:
      cursor.fail(ReasonCode.MalformedPacket, 'type 0 is reserved');
      return undefined;
  }
}
