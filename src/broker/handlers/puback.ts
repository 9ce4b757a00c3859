import { ReasonCode } from '#mqtt';
import type { Connection } from '../connection.ts';
import { InflightState } from '../sessions/inflight.ts';
import { drainOf } from '../delivery/back-pressure.ts';
import type { Session } from '../sessions/session.ts';

/**
 * The client has taken a message at QoS 1 [MQTT-4.3.2-4]. Also when its reason code is an error: the message counts as
 * delivered, nobody else gets it [MQTT-4.8.2-6]. An id that is not in flight is ignored: it may be late.
 */
export function onPuback(connection: Connection, session: Session, packetId: number): ReasonCode {
  if (session.inflight.stateOf(packetId) === InflightState.AwaitingPuback)
    finish(connection, session, packetId);
  else connection.throttle?.charge(1);
  return ReasonCode.Success;
}

/** Ends what is in flight under this id and sends what its end makes room for. */
export function finish(connection: Connection, session: Session, packetId: number): void {
  const { core } = connection;
  const delivery = session.inflight.deliveryOf(packetId);
  session.inflight.close(packetId);
  if (session.unacknowledged > 0) session.unacknowledged--;
  const bytes = delivery === null ? 0 : delivery.message.payloadLength;
  if (delivery !== null)
    session.unacknowledgedBytes = Math.max(0, session.unacknowledgedBytes - delivery.size);
  session.drained += drainOf(bytes);
  if (delivery !== null && session.isPersistent)
    core.journal.recordDeliveryDone(session.clientId, delivery.serial);
  delivery?.lease?.release();
  core.deliverer.pump(session);
}
