import { decodePacket, PacketType, ReasonCode, type Packet } from '#mqtt';
import type { Connection } from '../connection.ts';
import { Phase } from '../phase.ts';
import { mountedPacket } from '../mount.ts';
import { onAck } from './acknowledgements.ts';
import { onAuth, onEarlyAuth } from './auth.ts';
import { onConnect, onUnreadableConnect } from './connect.ts';
import { onDisconnect } from './disconnect.ts';
import { onPingreq } from './pingreq.ts';
import { onPublish } from './publish.ts';
import { onSubscribe } from './subscribe.ts';
import { onUnsubscribe } from './unsubscribe.ts';

/** Hands one packet of a connected client to its handler. 0 = go on, else the connection ends with that reason. */
export function onFrame(
  connection: Connection,
  bytes: Buffer,
  start: number,
  bodyStart: number,
  end: number,
): ReasonCode {
  switch (bytes[start]! >> 4) {
    case PacketType.Publish:
      return onPublish(connection, bytes, start, bodyStart, end);
    case PacketType.Puback:
    case PacketType.Pubrec:
    case PacketType.Pubrel:
    case PacketType.Pubcomp:
      return onAck(connection, bytes, start, bodyStart, end);
    case PacketType.Connect: // a second one [MQTT-3.1.0-2], or what only a server sends
    case PacketType.Connack:
    case PacketType.Suback:
    case PacketType.Unsuback:
    case PacketType.Pingresp:
      return ReasonCode.ProtocolError; // unread: DISCONNECT cannot name the faults that they may have inside
    default: {
      const packet = decodePacket(bytes, start, bodyStart, end, connection.version);
      if (packet.type !== 0) return onPacket(connection, packet);
      connection.core.log.debug(`client ${connection.clientId}: ${packet.detail}`);
      return packet.reasonCode;
    }
  }
}

/**
 * A packet of a client that is not signed in: the first must be CONNECT [MQTT-3.1.0-1]; then, where that named an
 * authentication method, only AUTH or DISCONNECT until CONNACK [MQTT-3.1.2-30].
 */
export function onEarlyFrame(
  connection: Connection,
  bytes: Buffer,
  start: number,
  bodyStart: number,
  end: number,
): ReasonCode {
  const type = bytes[start]! >> 4;
  if (connection.phase === Phase.Authenticating) {
    if (type !== PacketType.Auth && type !== PacketType.Disconnect) return ReasonCode.ProtocolError;
    const packet = decodePacket(bytes, start, bodyStart, end, connection.version);
    if (packet.type === 0) return packet.reasonCode;
    connection.core.trace?.received(connection.clientId, packet);
    if (packet.type === PacketType.Disconnect) return onDisconnect(connection, packet);
    return packet.type === PacketType.Auth ? onEarlyAuth(connection, packet) : ReasonCode.ProtocolError;
  }
  if (connection.phase !== Phase.AwaitingConnect || type !== PacketType.Connect) {
    const { peer } = connection.transport;
    connection.core.tell({ kind: 'not-connect', peer, firstByte: bytes[start]! }, connection.profile);
    return ReasonCode.ProtocolError;
  }
  const packet = decodePacket(bytes, start, bodyStart, end, connection.version);
  if (packet.type === 0) return onUnreadableConnect(connection, packet);
  return packet.type === PacketType.Connect ? onConnect(connection, packet) : ReasonCode.ProtocolError;
}

function onPacket(connection: Connection, packet: Packet): ReasonCode {
  const { trace } = connection.core;
  if (trace !== null) trace.received(connection.clientId, mountedPacket(connection.mountPoint, packet));
  if ('properties' in packet && !connection.mayHaveUserProperties(packet.properties?.userProperties))
    return ReasonCode.QuotaExceeded;
  switch (packet.type) {
    case PacketType.Subscribe:
      return onSubscribe(connection, packet);
    case PacketType.Unsubscribe:
      return onUnsubscribe(connection, packet);
    case PacketType.Pingreq:
      return onPingreq(connection);
    case PacketType.Disconnect:
      return onDisconnect(connection, packet);
    case PacketType.Auth:
      return onAuth(connection, packet);
    default:
      return ReasonCode.ProtocolError;
  }
}
