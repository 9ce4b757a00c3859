import { decodeAck, PacketType, ReasonCode, type AckPacket } from '#mqtt';
import type { Connection } from '../connection.ts';
import { onPuback } from './puback.ts';
import { onPubcomp } from './pubcomp.ts';
import { onPubrec } from './pubrec.ts';
import { onPubrel } from './pubrel.ts';

/** PUBACK, PUBREC, PUBREL and PUBCOMP: decoded into the shared record, then each to its handler. */
export function onAck(
  connection: Connection,
  bytes: Buffer,
  start: number,
  bodyStart: number,
  end: number,
): ReasonCode {
  const record = connection.core.ackRecord;
  const fault = decodeAck(bytes, start, bodyStart, end, connection.version, record);
  const { session } = connection;
  if (fault !== ReasonCode.Success || session === null) return fault;
  const { packetId, reasonCode, properties } = record;
  if (properties !== null && !connection.mayHaveUserProperties(properties.userProperties))
    return ReasonCode.QuotaExceeded;
  const { trace } = connection.core;
  if (trace !== null) {
    const type = record.type as AckPacket['type'];
    trace.received(connection.clientId, { type, packetId, reasonCode, properties: {} });
  }
  switch (record.type) {
    case PacketType.Puback:
      return onPuback(connection, session, packetId);
    case PacketType.Pubrec:
      return onPubrec(connection, session, packetId, reasonCode);
    case PacketType.Pubrel:
      return onPubrel(connection, session, packetId);
    default:
      return onPubcomp(connection, session, packetId);
  }
}

/** The client's send quota grows by one with this answer (MQTT 5, 4.9). */
export function isFinalAnswer(type: number, reasonCode: number): boolean {
  if (type === PacketType.Pubcomp) return reasonCode === ReasonCode.Success;
  return type === PacketType.Puback || (type === PacketType.Pubrec && reasonCode >= 0x80);
}
