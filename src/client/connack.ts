import { ReasonCode, reasonName, type ConnackPacket, type ConnectPacket, type ProtocolVersion } from '#mqtt';

/** The return codes before MQTT 5 (MQTT 3.1.1, 3.2.2.3), in words. */
const returnCodeNames: readonly string[] = [
  'accepted',
  'unacceptable protocol version',
  'client identifier not valid',
  'server unavailable',
  'bad user name or password',
  'not authorized',
];

/** Why a broker refused the connection, in its own words where it gave some. */
export function refusalOf(connack: ConnackPacket, version: ProtocolVersion): string {
  if (version !== 5) return returnCodeNames[connack.reasonCode] ?? `return code ${connack.reasonCode}`;
  const words = connack.properties.reasonString;
  return words === undefined
    ? reasonName(connack.reasonCode)
    : `${reasonName(connack.reasonCode)} (${words})`;
}

/** Is a CONNACK that accepts the connection one that this CONNECT may get? 0 = yes. */
export function connackFault(connack: ConnackPacket, connect: ConnectPacket): ReasonCode {
  // A clean start has no session to find. [MQTT-3.2.2-2]
  if (connack.sessionPresent && connect.cleanStart) return ReasonCode.ProtocolError;
  // The method of CONNECT, or none where there was none [MQTT-4.12.0-5] [MQTT-4.12.0-6].
  if (connack.properties.authenticationMethod !== connect.properties.authenticationMethod)
    return ReasonCode.ProtocolError;
  return ReasonCode.Success;
}
