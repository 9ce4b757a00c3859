import { utf8Length } from '#mqtt';
import type { BrokerCore } from './core.ts';
import { Delivery, Message } from './message.ts';
import type { Authorizer, StoredDeliveryState, StoredMessage, StoredSession } from './ports.ts';
import { neverExpires, Session } from './sessions/session.ts';
import { neverDecided, Subscription } from './subscriptions/subscription.ts';

/**
 * Until its client is back, nobody knows what it may read, so it reads nothing; its will was authorised when it was
 * given.
 */
const absentee: Authorizer = {
  generation: neverDecided,
  mayPublish: () => true,
  mayRead: () => false,
  maySubscribe: () => 'some',
};

/** Takes over what an earlier run left in the journal. */
export function restore(core: BrokerCore): void {
  const state = core.journal.load();
  for (const stored of state.retained) core.retained.restore(restoredMessage(stored, true));
  for (const stored of state.sessions) restoreSession(core, stored);
}

function restoreSession(core: BrokerCore, stored: StoredSession): void {
  const session = new Session({ name: stored.owner, clientId: stored.clientId }, absentee, core.limits);
  const end = stored.disconnectedAt === 0 ? core.timeNow() : stored.disconnectedAt;
  session.expirySeconds = stored.expirySeconds;
  session.expiresAt = stored.expirySeconds === neverExpires ? 0 : end + stored.expirySeconds * 1000;
  session.delayedWill = stored.will;
  for (const options of stored.subscriptions) {
    core.router.subscribe(new Subscription(session, options, neverDecided, true));
  }
  for (const packetId of stored.incomingPacketIds) session.incoming.add(packetId);
  session.queue.canSpill = core.journal.readDeliveries !== undefined && !session.hasShares;
  session.queue.isAway = true;
  restoreDeliveries(core, session, stored);
  core.sessions.add(session);
  core.sessions.markOffline(session);
}

function restoreDeliveries(core: BrokerCore, session: Session, stored: StoredSession): void {
  const { queue } = stored;
  if (queue !== undefined) {
    session.continueSerial(queue.lastSerial);
    session.queue.restoreSpilled(queue.messages, queue.bytes);
    core.countQueued(queue.messages, queue.bytes);
  }
  const inMemory = queue === undefined ? [...stored.deliveries] : [...queue.inflight, ...queue.urgent];
  session.inflight.startAfter(lastPacketId(stored, inMemory));
  for (const one of inMemory) {
    const delivery = restoredDelivery(one);
    session.continueSerial(delivery.serial);
    if (one.packetId !== 0) {
      session.inflight.restore(one.packetId, delivery, one.received);
      session.unacknowledgedBytes += delivery.size;
    } else if (session.queue.push(delivery)) core.countQueued(1, delivery.size);
    else core.drop('queue-full', session.clientId, delivery.message.topic);
  }
}

/** Packet ids go on behind those in use; where none is, behind as many as messages have been sent, as far as is known. */
function lastPacketId({ queue }: StoredSession, inMemory: readonly StoredDeliveryState[]): number {
  const inUse = inMemory.map(({ packetId }) => packetId).filter((packetId) => packetId !== 0);
  if (inUse.length > 0) return inUse.reduce((least, packetId) => Math.min(least, packetId)) - 1;
  if (queue === undefined) return (inMemory[0]?.serial ?? 1) - 1;
  return Math.max(0, queue.lastSerial - queue.messages - queue.urgent.length);
}

/** A delivery as the journal kept it; nobody has decided yet whether its client may read it. */
export function restoredDelivery(stored: StoredDeliveryState): Delivery {
  const { serial, qos, retain, subscriptionIdentifiers, share = '', isUrgent, queuedAt } = stored;
  const message = restoredMessage(stored.message, retain);
  return new Delivery(
    serial,
    message,
    qos,
    retain,
    subscriptionIdentifiers,
    share,
    neverDecided,
    isUrgent,
    queuedAt,
  );
}

function restoredMessage(stored: StoredMessage, retain: boolean): Message {
  const { topic, payload, qos, properties, publisherId, expiresAt } = stored;
  const message = new Message(
    topic,
    utf8Length(topic),
    payload,
    qos,
    retain,
    properties,
    publisherId,
    expiresAt,
  );
  message.journalId = stored.journalId;
  return message;
}
