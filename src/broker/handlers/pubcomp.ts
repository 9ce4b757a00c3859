import { ReasonCode } from '#mqtt';
import type { Connection } from '../connection.ts';
import { InflightState } from '../sessions/inflight.ts';
import type { Session } from '../sessions/session.ts';
import { finish } from './puback.ts';

/** The exchange at QoS 2 is complete. An id that is not in flight is ignored: it may be late. */
export function onPubcomp(connection: Connection, session: Session, packetId: number): ReasonCode {
  if (session.inflight.stateOf(packetId) === InflightState.AwaitingPubcomp)
    finish(connection, session, packetId);
  else connection.throttle?.charge(1);
  return ReasonCode.Success;
}
