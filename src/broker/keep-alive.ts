import { ReasonCode } from '#mqtt';
import type { Connection } from './connection.ts';
import { Phase } from './phase.ts';
import type { BrokerCore } from './core.ts';
import { checkAuthenticationTime } from './handlers/auth.ts';
import { turnAway } from './handlers/refuse.ts';

/** A client that takes its bytes too slowly for so long is disconnected. */
const slowMs = 30_000;

/**
 * One sweep per second over all connections: keep-alive, sign-in time and slow clients. So no packet sets a timer.
 */
export function sweepConnections(core: BrokerCore): void {
  const now = core.clock.monotonic();
  // Looked at before anything ends here: the wills of who ends lie in outboxes that no socket has been offered yet.
  const slow: Connection[] = [];
  for (const connection of core.connections) if (isSlow(connection, now)) slow.push(connection);
  for (const connection of core.connections) {
    if (connection.authentication !== null) checkAuthenticationTime(connection, now);
    if (connection.isEnding) continue;
    if (connection.phase !== Phase.Connected) checkSignIn(core, connection, now);
    else if (isSilent(connection, now)) {
      // [MQTT-3.1.2-22]; 3.1.1: [MQTT-3.1.2-24]
      core.statistics.keepAliveTimeouts++;
      connection.disconnect(ReasonCode.KeepAliveTimeout, 'keep alive timeout');
    }
  }
  for (const connection of slow) if (!connection.isEnding) endSlow(core, connection);
}

function isSilent(connection: Connection, now: number): boolean {
  const { keepAliveMs, lastSeen, isRead } = connection;
  return keepAliveMs > 0 && isRead && now - lastSeen > keepAliveMs;
}

function checkSignIn(core: BrokerCore, connection: Connection, now: number): void {
  if (now - connection.acceptedAt < connection.limits.connectTimeoutMs) return;
  if (connection.phase === Phase.Authenticating) {
    // It has said everything; we have not come to an answer.
    core.statistics.reached['sign-ins']++;
    turnAway(connection, ReasonCode.ServerBusy);
    return;
  }
  core.statistics.connectionsRefused++;
  core.statistics.reached['connect-time']++;
  const reasonCode = ReasonCode.KeepAliveTimeout;
  connection.close('discard will', { kind: 'broker', reasonCode, detail: 'no CONNECT in time' });
}

function isSlow({ phase, outbox }: Connection, now: number): boolean {
  if (phase !== Phase.Connected) return false;
  return outbox.isHopeless || (outbox.congestedSince !== 0 && now - outbox.congestedSince >= slowMs);
}

/** 0x97: the bound that it passed is ours (an implementation or administrative limit). */
function endSlow(core: BrokerCore, connection: Connection): void {
  core.statistics.slowClientsClosed++;
  const fields = { pending_bytes: connection.outbox.waiting, address: connection.transport.peer.address };
  const what = 'does not take its messages; it is disconnected';
  core.sparing.warning(`client ${connection.clientId} ${what}`, fields, `a client ${what}`);
  connection.disconnect(ReasonCode.QuotaExceeded, 'the client does not take its messages');
}
