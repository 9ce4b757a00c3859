import { PacketType, ReasonCode, type ProtocolVersion } from '#mqtt';
import type { Connection } from '../connection.ts';
import { InflightState } from '../sessions/inflight.ts';
import type { Session } from '../sessions/session.ts';
import { finish } from './puback.ts';

/** The first version in which PUBREL has a reason code. */
const v5: ProtocolVersion = 5;

/**
 * The client has taken a message at QoS 2: from now on only PUBREL is repeated [MQTT-4.3.3-4] [MQTT-4.3.3-6]. With a
 * reason code of 0x80 or above the exchange ends here [MQTT-4.3.3-4] [MQTT-4.8.2-6].
 */
export function onPubrec(
  connection: Connection,
  session: Session,
  packetId: number,
  reasonCode: number,
): ReasonCode {
  const state = session.inflight.stateOf(packetId);
  if (state === InflightState.Free || state === InflightState.AwaitingPuback) {
    connection.throttle?.charge(1);
    const answer = connection.version === v5 ? ReasonCode.PacketIdentifierNotFound : ReasonCode.Success;
    connection.writeAckNow(PacketType.Pubrel, packetId, answer);
    return ReasonCode.Success;
  }
  if (reasonCode >= 0x80) {
    finish(connection, session, packetId);
    return ReasonCode.Success;
  }
  if (state === InflightState.AwaitingPubrec) {
    session.inflight.markReceived(packetId);
    const delivery = session.inflight.deliveryOf(packetId);
    if (delivery !== null && session.isPersistent) {
      connection.core.journal.recordDeliveryReceived(session.clientId, delivery.serial);
    }
  }
  connection.deferSend(PacketType.Pubrel, packetId); // [MQTT-4.3.3-5]
  return ReasonCode.Success;
}
