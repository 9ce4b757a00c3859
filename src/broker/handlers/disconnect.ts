import { ReasonCode, type DisconnectPacket } from '#mqtt';
import type { Connection } from '../connection.ts';
import { ended } from '../phase.ts';

/**
 * The client leaves. Its will is discarded [MQTT-3.14.4-3] unless it asks for it (0x04) or gives another reason than 0;
 * it may change the session's expiry, but not make one out of none [MQTT-3.14.2-2].
 */
export function onDisconnect(connection: Connection, packet: DisconnectPacket): ReasonCode {
  const { sessionExpiry } = packet.properties;
  if (sessionExpiry !== undefined && connection.session !== null) {
    if (connection.connectExpirySeconds === 0 && sessionExpiry !== 0) return ReasonCode.ProtocolError;
    connection.core.lifecycle.changeExpiry(connection.session, sessionExpiry);
  }
  const isOrderly = packet.reasonCode === ReasonCode.Success;
  connection.close(isOrderly ? 'discard will' : 'publish will', { kind: 'client' });
  return ended;
}
