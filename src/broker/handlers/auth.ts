import { ReasonCode, type AuthPacket } from '#mqtt';
import type { Connection } from '../connection.ts';

/** No authentication method is in use, so AUTH has no place [MQTT-4.12.0-6]. */
export function onAuth(_connection: Connection, _packet: AuthPacket): ReasonCode {
  return ReasonCode.ProtocolError;
}
