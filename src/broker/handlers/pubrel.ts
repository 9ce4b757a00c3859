import { PacketType, ReasonCode } from '#mqtt';
import type { Connection } from '../connection.ts';
import type { Session } from '../sessions/session.ts';

/** The client has stored that we own the message: its id is free again [MQTT-4.3.3-11] [MQTT-4.3.3-12]. */
export function onPubrel(connection: Connection, session: Session, packetId: number): ReasonCode {
  const isKnown = session.incoming.delete(packetId);
  if (isKnown && session.isPersistent) {
    connection.core.journal.recordIncomingReleased(session.clientId, packetId);
  }
  if (!isKnown) connection.throttle?.charge(1);
  // After a cut the first PUBCOMP may have been lost: to a client that goes on, the id is done, not unknown (2.4, 0x92).
  const reason = isKnown || connection.isResumed ? ReasonCode.Success : ReasonCode.PacketIdentifierNotFound;
  connection.answer(PacketType.Pubcomp, packetId, reason);
  return ReasonCode.Success;
}
