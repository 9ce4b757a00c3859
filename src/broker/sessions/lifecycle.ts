import { reasonName, type ConnectPacket, ReasonCode, utf8Length } from '#mqtt';
import { localAddress } from '../bounds/admission.ts';
import type { Connection } from '../connection.ts';
import type { Fate } from '../phase.ts';
import type { BrokerCore } from '../core.ts';
import type { ConnectionEnd } from '../events.ts';
import { callHooks, type ClientInfo } from '../hooks.ts';
import type { Delivery } from '../message.ts';
import type { Authorizer, Identity } from '../ports.ts';
import { neverDecided, Subscription } from '../subscriptions/subscription.ts';
import { neverExpires, Session } from './session.ts';

/** The beginning, change of hands and end of sessions (MQTT 5, 3.1.2.4, 3.1.2.11.2 and 4.1). */
export class Lifecycle {
  readonly #core: BrokerCore;

  constructor(core: BrokerCore) {
    this.#core = core;
  }

  /** Another identity's session is not given away. */
  mayTake(identity: Identity): boolean {
    const session = this.#core.sessions.get(identity.clientId);
    return session === undefined || session.owner === identity.name;
  }

  /** Gives the connection its session, new or resumed; the former connection ends [MQTT-3.1.4-3]. */
  attach(connection: Connection, identity: Identity, packet: ConnectPacket, expirySeconds: number): boolean {
    const core = this.#core;
    this.#endFormerConnection(connection, identity.clientId);
    let session = core.sessions.get(identity.clientId);
    if (session !== undefined && (packet.cleanStart || !session.isOf(connection.mountPoint))) {
      this.end(session); // [MQTT-3.1.2-4]; below another mount point it is another world
      session = undefined;
    }
    const isResumed = session !== undefined; // [MQTT-3.1.2-5] [MQTT-3.1.2-6]
    if (session === undefined) {
      session = new Session(identity, connection.profile.authorizer, connection.limits);
      core.sessions.add(session);
    } else {
      core.sessions.markOnline(session);
      session.changeLimits(connection.limits);
      if (session.delayedWill !== null) core.wills.cancel(session); // [MQTT-3.1.3-9]
    }
    session.identity = identity;
    if (session.authorizer !== connection.profile.authorizer) {
      this.#changeRules(session, connection.profile.authorizer);
    }
    session.mountPoint = connection.mountPoint;
    session.mountLength = utf8Length(connection.mountPoint);
    session.stampSite = connection.profile.stampSite;
    session.changeQueueRules(connection.profile.queue ?? null);
    if ((session.queueRules?.maximumAgeMs ?? 0) > 0) core.aging.add(session);
    else core.aging.delete(session);
    session.connection = connection;
    session.isLocal = connection.transport.peer.address === localAddress;
    const wasPersistent = session.isPersistent;
    session.expirySeconds = expirySeconds;
    session.staysRecorded = expirySeconds === 0 && wasPersistent && session.queue.spilledCount > 0;
    this.#letSpill(session);
    session.queue.isAway = false;
    session.expiresAt = 0;
    session.unacknowledged = 0;
    session.unacknowledgedBytes = 0;
    session.resend = isResumed ? session.inflight.inOrder() : [];
    session.resendFirst = 0;
    connection.session = session;
    if (session.isPersistent) {
      core.journal.recordSessionOpened(session.clientId, session.owner, expirySeconds);
    } else if (wasPersistent) core.journal.recordSessionEnded(session.clientId); // it ends with this connection
    return isResumed;
  }

  /** A client that is about to be told that it is connected. */
  tellConnected(connection: Connection, packet: ConnectPacket): void {
    const client = clientInfo(connection);
    const { cleanStart, keepAlive, bridge, will } = packet;
    this.#core.tell(
      {
        kind: 'client-connected',
        client,
        isBridge: bridge,
        cleanStart,
        keepAliveSeconds: keepAlive,
        will:
          will === null
            ? null
            : { topic: will.topic, bytes: will.payload.length, qos: will.qos, retain: will.retain },
      },
      connection.profile,
    );
  }

  /** A connected client: counted and told. */
  announce(connection: Connection): void {
    const { statistics, hooks, sparing, traffic } = this.#core;
    statistics.clientsConnected++;
    statistics.clientsMaximum = Math.max(statistics.clientsMaximum, statistics.clientsConnected);
    const client = clientInfo(connection);
    const fields = {
      listener: client.listener,
      address: client.peer.address,
      user: client.name ?? undefined,
      version: client.version,
    };
    traffic.info(`client ${client.clientId} connected`, fields, 'a client connected');
    callHooks(hooks.onClientConnected, sparing, client);
  }

  /** The connection of a signed-in client is over. */
  detach(connection: Connection, fate: Fate, end: ConnectionEnd): void {
    const { statistics, hooks, sparing, traffic } = this.#core;
    statistics.clientsConnected--;
    statistics.connectionsClosed++;
    const { session, will } = connection;
    connection.will = null;
    if (session !== null && session.connection === connection) {
      session.connection = null;
      this.#core.pressure.release(session);
      const delay = fate === 'publish will' && will !== null ? will.delay : 0;
      const waits = delay > 0 && session.expirySeconds > 0;
      if (will !== null && fate === 'publish will') {
        if (waits) this.#core.wills.delay(session, will, delay);
        else this.#core.wills.publish(session, will);
      }
      this.#leaveSession(session);
    }
    const client = clientInfo(connection);
    const detail = wordsOf(end);
    const text = `client ${client.clientId} disconnected: ${detail}`;
    traffic.info(text, { address: client.peer.address }, 'a client disconnected');
    callHooks(hooks.onClientDisconnected, sparing, client, detail);
  }

  /** DISCONNECT gave another expiry. */
  changeExpiry(session: Session, expirySeconds: number): void {
    const longest = (session.connection ?? this.#core).limits.maximumSessionExpirySeconds;
    session.expirySeconds = Math.min(expirySeconds, longest);
    if (session.expirySeconds === 0) this.#core.journal.recordSessionEnded(session.clientId);
  }

  /** Ends a session and forgets what it held; a will that waits is due now [MQTT-3.1.3-9]. */
  end(session: Session): void {
    const core = this.#core;
    if (session.delayedWill !== null) core.wills.publishDelayed(session);
    core.pressure.end(session);
    core.router.removeSession(session);
    const left = session.queue.length;
    core.statistics.dropped['session-ended'] += left - core.deliverer.redistribute(session);
    core.countQueued(-left, -session.queue.bytes);
    session.queue.clear();
    core.aging.delete(session);
    core.sessions.delete(session);
    if (session.isPersistent) core.journal.recordSessionEnded(session.clientId);
  }

  /** Ends what is over; called each second. */
  sweep(now: number): void {
    for (const session of this.#core.sessions.offline) {
      if (session.delayedWill !== null && session.delayedWill.dueAt <= now)
        this.#core.wills.publishDelayed(session);
      if (session.expiresAt === 0 || session.expiresAt > now) continue;
      this.#core.statistics.sessionsExpired++;
      this.#core.tell({ kind: 'session-expired', clientId: session.clientId });
      this.end(session);
    }
  }

  /** Without a connection the session stays for its expiry, or ends at once. */
  #leaveSession(session: Session): void {
    const core = this.#core;
    if (session.expirySeconds === 0) {
      this.end(session);
      return;
    }
    const now = core.timeNow();
    session.expiresAt = session.expirySeconds === neverExpires ? 0 : now + session.expirySeconds * 1000;
    core.sessions.markOffline(session);
    // What drops its oldest message must have that at hand.
    if (session.queueRules?.whenFull !== 'drop-oldest') {
      session.queue.isAway = true;
      session.queue.leaveOnDisk();
    }
    // By the clock on the wall: a start after this one knows no other.
    core.journal.recordSessionClosed(session.clientId, session.expirySeconds, core.clock.now());
  }

  /** What waits for shared subscriptions must be at hand for their other members. */
  #letSpill(session: Session): void {
    const { journal } = this.#core;
    session.queue.canSpill =
      session.isPersistent && journal.readDeliveries !== undefined && !session.hasShares;
  }

  /** The client came by a listener with other rules, or after a restart: nothing that was decided before counts. */
  #changeRules(session: Session, authorizer: Authorizer): void {
    session.authorizer = authorizer;
    session.queue.forEach(forgetDecision);
    for (const packetId of session.inflight.inOrder()) {
      const delivery = session.inflight.deliveryOf(packetId);
      if (delivery !== null) forgetDecision(delivery);
    }
    for (const { options } of session.subscriptions.values()) {
      // A new object under the filter: so every cached route is built again.
      this.#core.router.subscribe(new Subscription(session, options, neverDecided, true));
    }
  }

  #endFormerConnection(connection: Connection, clientId: string): void {
    const former = this.#core.sessions.get(clientId)?.connection ?? null;
    if (former === null) return;
    this.#core.statistics.takeovers++;
    this.#core.tell({ kind: 'taken-over', clientId }, connection.profile);
    this.#core.takeovers.record(clientId, former.transport.peer.address, connection.transport.peer.address);
    former.disconnect(ReasonCode.SessionTakenOver, reasonName(ReasonCode.SessionTakenOver));
  }
}

/** How a connection ended, in words for people. */
function wordsOf(end: ConnectionEnd): string {
  if (end.kind === 'broker') return end.detail;
  if (end.kind === 'client') return 'client disconnected';
  return end.error === null ? 'connection closed' : end.error.message;
}

function forgetDecision(delivery: Delivery): void {
  delivery.generation = neverDecided;
}

/** What hooks are told about the client of a connection. */
export function clientInfo(connection: Connection): ClientInfo {
  return {
    clientId: connection.clientId,
    name: connection.identity?.name ?? null,
    peer: connection.transport.peer,
    listener: connection.profile.name,
    version: connection.version,
  };
}
