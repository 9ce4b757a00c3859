import {
  PacketType,
  ProtocolVersion,
  ReasonCode,
  reasonName,
  type AckProperties,
  type SubscribePacket,
  type SubscriptionRequest,
} from '#mqtt';
import { parseShare } from '#topics';
import { localAddress } from '../bounds/admission.ts';
import { packetsOfAFilter } from '../bounds/fair-share.ts';
import { clientFilterFault } from '../bounds/topic-bounds.ts';
import type { Connection } from '../connection.ts';
import { callHooks } from '../hooks.ts';
import { mountedFilter } from '../mount.ts';
import { clientInfo } from '../sessions/lifecycle.ts';
import type { Session } from '../sessions/session.ts';
import { Subscription } from '../subscriptions/subscription.ts';
import { narrowBlindWindow } from './blind-window.ts';

interface Granted {
  readonly subscription: Subscription;
  readonly sendsRetained: boolean;
}

/** Answers SUBSCRIBE filter by filter, as if each had come alone [MQTT-3.8.4-5]; then sends what is retained. */
export function onSubscribe(connection: Connection, packet: SubscribePacket): ReasonCode {
  const { session } = connection;
  if (session === null) return ReasonCode.ProtocolError;
  const reasonCodes: number[] = [];
  const granted: Granted[] = [];
  const identifier = packet.properties.subscriptionIdentifier ?? 0;
  const { maximumQos = 2 } = connection.limits;
  chargeFilters(connection, packet.subscriptions.length);
  for (const asked of packet.subscriptions) {
    // [MQTT-3.8.3-4]: no-local has no meaning in a group.
    if (asked.noLocal && asked.filter.startsWith('$share/')) return ReasonCode.ProtocolError;
    const qos = asked.qos > maximumQos ? maximumQos : asked.qos; // [MQTT-3.2.2-10]
    const filter = mountedFilter(connection.mountPoint, asked.filter);
    const request = { ...asked, qos, filter };
    const reason = checkSubscription(connection, session, request, asked.filter);
    if (reason === ReasonCode.Success) {
      granted.push(addSubscription(connection, session, request, identifier));
      connection.core.tell(
        { kind: 'subscribed', clientId: session.clientId, filter, qos },
        connection.profile,
      );
    }
    reasonCodes.push(answerCode(connection, reason, request));
  }
  // [MQTT-3.8.4-1] [MQTT-3.8.4-2] [MQTT-3.8.4-6]
  const properties = wordsFor(reasonCodes);
  connection.sendDurably({ type: PacketType.Suback, packetId: packet.packetId, reasonCodes, properties });
  const { hooks, sparing } = connection.core;
  for (const { subscription, sendsRetained } of granted) {
    if (hooks.onSubscribed.length > 0) {
      const { filter, qos } = subscription.options;
      callHooks(hooks.onSubscribed, sparing, clientInfo(connection), filter, qos);
    }
    if (sendsRetained) connection.core.replays.start(connection, subscription);
  }
  return ReasonCode.Success;
}

/** A packet may hold a quarter of a million filters: they cost more than one packet does. */
export function chargeFilters(connection: Connection, filters: number): void {
  connection.throttle?.charge(filters - 1);
  connection.stretch -= filters * packetsOfAFilter;
}

/** Says in words what was refused: each reason once, in the order of the filters. */
export function wordsFor(reasonCodes: readonly number[]): AckProperties {
  const refusals = new Set(reasonCodes.filter((code) => code >= 0x80).map(reasonName));
  return refusals.size === 0 ? {} : { reasonString: [...refusals].join(', ') };
}

function checkSubscription(
  connection: Connection,
  session: Session,
  request: SubscriptionRequest,
  asked: string,
): ReasonCode {
  const { limits } = connection;
  const { memory, statistics } = connection.core;
  const { filter } = request;
  let fault = clientFilterFault(connection, asked);
  if (fault === ReasonCode.Success && connection.mountPoint !== '')
    fault = clientFilterFault(connection, filter);
  if (fault !== ReasonCode.Success) return fault;
  const isNew = !session.subscriptions.has(filter);
  if (isNew && session.subscriptions.size >= limits.maximumSubscriptionsPerClient) {
    statistics.reached.subscriptions++;
    return ReasonCode.QuotaExceeded;
  }
  const isRefused = memory.isFull || (memory.isKeptFull && session.isPersistent);
  if (isNew && isRefused && connection.transport.peer.address !== localAddress) {
    statistics.reached[memory.isFull ? 'memory' : 'memory-kept']++;
    return ReasonCode.QuotaExceeded;
  }
  const access = session.authorizer.maySubscribe(session.identity, parseShare(filter)?.filter ?? filter);
  return access === 'none' ? ReasonCode.NotAuthorized : ReasonCode.Success;
}

function addSubscription(
  connection: Connection,
  session: Session,
  request: SubscriptionRequest,
  subscriptionIdentifier: number,
): Granted {
  const { core } = connection;
  const { filter, qos, retainHandling } = request;
  const share = parseShare(filter);
  if (share !== null) session.queue.canSpill = false; // see Lifecycle
  // A bridge before MQTT 5 cannot ask for these two, and needs both.
  const noLocal = request.noLocal || (connection.isBridge && share === null);
  const retainAsPublished = request.retainAsPublished || connection.isBridge;
  const options = { filter, qos, noLocal, retainAsPublished, retainHandling, subscriptionIdentifier };
  const { authorizer } = session;
  const access = authorizer.maySubscribe(session.identity, share?.filter ?? filter);
  const subscription = new Subscription(session, options, authorizer.generation, access !== 'all');
  const isNew = core.router.subscribe(subscription);
  narrowBlindWindow(connection, qos);
  if (session.isPersistent) core.journal.recordSubscription(session.clientId, options);
  // [MQTT-3.3.1-9] [MQTT-3.3.1-10] [MQTT-3.3.1-11]; a group gets none (MQTT 5, 4.8.2).
  const sendsRetained = share === null && (retainHandling === 0 || (retainHandling === 1 && isNew));
  return { subscription, sendsRetained };
}

function answerCode(connection: Connection, reason: ReasonCode, request: SubscriptionRequest): number {
  if (reason === ReasonCode.Success) return request.qos; // [MQTT-3.8.4-7]
  return connection.version === ProtocolVersion.V5 ? reason : ReasonCode.UnspecifiedError; // 3.1.1: [MQTT-3.9.3-2]
}
