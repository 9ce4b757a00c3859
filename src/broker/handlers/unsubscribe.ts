import { PacketType, ProtocolVersion, ReasonCode, type UnsubscribePacket } from '#mqtt';
import { topicFilterFault } from '#topics';
import type { Connection } from '../connection.ts';
import { callHooks } from '../hooks.ts';
import { mountedFilter } from '../mount.ts';
import { clientInfo } from '../sessions/lifecycle.ts';
import { chargeFilters, wordsFor } from './subscribe.ts';

/** Answers UNSUBSCRIBE. Filters are compared character by character [MQTT-3.10.4-1]; always answered [MQTT-3.10.4-5]. */
export function onUnsubscribe(connection: Connection, packet: UnsubscribePacket): ReasonCode {
  const { core, session } = connection;
  if (session === null) return ReasonCode.ProtocolError;
  const reasonCodes: number[] = [];
  chargeFilters(connection, packet.filters.length);
  for (const asked of packet.filters) {
    const filter = mountedFilter(connection.mountPoint, asked);
    if (core.router.unsubscribe(session, filter)) {
      if (session.isPersistent) core.journal.recordUnsubscription(session.clientId, filter);
      reasonCodes.push(ReasonCode.Success);
      core.tell({ kind: 'unsubscribed', clientId: session.clientId, filter }, connection.profile);
      const { onUnsubscribed } = core.hooks;
      if (onUnsubscribed.length > 0) callHooks(onUnsubscribed, core.sparing, clientInfo(connection), filter);
      continue;
    }
    const fault = topicFilterFault(asked, connection.limits.maximumTopicLevels);
    reasonCodes.push(fault === ReasonCode.Success ? ReasonCode.NoSubscriptionExisted : fault);
  }
  connection.sendDurably({
    type: PacketType.Unsuback,
    packetId: packet.packetId,
    reasonCodes: connection.version === ProtocolVersion.V5 ? reasonCodes : [],
    properties: wordsFor(reasonCodes),
  });
  return ReasonCode.Success;
}
