import { utf8Length } from '#mqtt';
import type { BrokerCore } from './core.ts';
import { Delivery, Message } from './message.ts';
import type { Authorizer, StoredMessage, StoredSession } from './ports.ts';
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
  const end = stored.disconnectedAt === 0 ? core.clock.now() : stored.disconnectedAt;
  session.expirySeconds = stored.expirySeconds;
  session.expiresAt = stored.expirySeconds === neverExpires ? 0 : end + stored.expirySeconds * 1000;
  session.delayedWill = stored.will;
  for (const options of stored.subscriptions) {
    core.router.subscribe(new Subscription(session, options, neverDecided, true));
  }
  for (const packetId of stored.incomingPacketIds) session.incoming.add(packetId);
  restoreDeliveries(core, session, stored);
  core.sessions.add(session);
  core.sessions.markOffline(session);
}

function restoreDeliveries(core: BrokerCore, session: Session, stored: StoredSession): void {
  for (const one of stored.deliveries) {
    const message = restoredMessage(one.message, one.retain);
    const { serial, qos, retain, subscriptionIdentifiers, packetId, received } = one;
    const delivery = new Delivery(
      serial,
      message,
      qos,
      retain,
      subscriptionIdentifiers,
      one.share ?? '',
      neverDecided,
    );
    session.continueSerial(serial);
    if (packetId !== 0) session.inflight.restore(packetId, delivery, received);
    else if (session.queue.push(delivery)) core.countQueued(1, delivery.size);
    else core.drop('queue-full', session.clientId, message.topic);
  }
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
