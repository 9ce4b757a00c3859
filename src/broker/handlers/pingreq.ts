import { PacketType, ReasonCode } from '#mqtt';
import type { Connection } from '../connection.ts';

/** Answers PINGREQ with PINGRESP [MQTT-3.12.4-1]. */
export function onPingreq(connection: Connection): ReasonCode {
  connection.send({ type: PacketType.Pingresp });
  return ReasonCode.Success;
}
