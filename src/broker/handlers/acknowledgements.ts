import { decodeAck, PacketType, ReasonCode } from '#mqtt';
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
  const { packetId, reasonCode } = record;
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
