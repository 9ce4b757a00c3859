import { PacketType, ProtocolVersion, ReasonCode, reasonName, type ConnackProperties } from '#mqtt';
import type { Connection } from '../connection.ts';
import { ended } from '../phase.ts';
import type { Redirect } from '../ports.ts';

/** Says in the log who is refused and why, then does it. */
export function refuse(
  connection: Connection,
  reasonCode: ReasonCode,
  detail: string,
  redirect: Redirect | null = null,
): ReasonCode {
  const fields = {
    listener: connection.profile.name,
    address: connection.transport.peer.address,
    reason: reasonName(reasonCode),
  };
  connection.core.sparing.notice(
    `a client is refused: ${detail}`,
    fields,
    `a client is refused: ${fields.reason}`,
  );
  return turnAway(connection, reasonCode, redirect);
}

/** CONNACK with the reason, as far as the version knows it, then the end [MQTT-3.2.2-6] [MQTT-3.2.2-7]. */
export function turnAway(
  connection: Connection,
  reasonCode: ReasonCode,
  redirect: Redirect | null = null,
): ReasonCode {
  connection.core.statistics.connectionsRefused++;
  const isV5 = connection.version === ProtocolVersion.V5;
  const code = isV5 ? reasonCode : returnCode(reasonCode);
  if (code !== 0) {
    // The detail stays in the log: it may be more than a stranger should know.
    const properties: ConnackProperties = {
      ...(isV5 ? { reasonString: reasonName(reasonCode) } : {}),
      ...(redirect === null ? {} : { serverReference: redirect.serverReference }),
    };
    connection.send({ type: PacketType.Connack, sessionPresent: false, reasonCode: code, properties });
  }
  connection.close('discard will', { kind: 'broker', reasonCode, detail: reasonName(reasonCode) });
  return ended;
}

/** The return code of CONNACK before MQTT 5 (3.1.1, table 3.1); 0 = there is none, the connection just ends. */
function returnCode(reasonCode: ReasonCode): number {
  switch (reasonCode) {
    case ReasonCode.UnsupportedProtocolVersion:
      return 1;
    case ReasonCode.ClientIdentifierNotValid:
      return 2;
    case ReasonCode.ServerUnavailable:
    case ReasonCode.ServerBusy:
    case ReasonCode.ServerShuttingDown:
    case ReasonCode.UseAnotherServer:
    case ReasonCode.ServerMoved:
      return 3;
    case ReasonCode.BadUserNameOrPassword:
      return 4;
    case ReasonCode.NotAuthorized:
    case ReasonCode.Banned:
    case ReasonCode.BadAuthenticationMethod:
      return 5;
    default:
      return 0;
  }
}
