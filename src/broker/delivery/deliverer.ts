import { PacketType, type ProtocolVersion, type Qos } from '#mqtt';
import type { BrokerCore } from '../core.ts';
import type { Connection } from '../connection.ts';
import { Delivery, type Message } from '../message.ts';
import { InflightState } from '../sessions/inflight.ts';
import type { Session } from '../sessions/session.ts';
import type { Route } from '../subscriptions/router.ts';
import { neverDecided, type Subscription } from '../subscriptions/subscription.ts';
import { FrameWriter } from './frame-writer.ts';

const minuteMs = 60_000;

/** Brings messages to sessions: live, from their queues, and again after a reconnect. */
export class Deliverer {
  readonly #core: BrokerCore;
  readonly #writer: FrameWriter;

  constructor(core: BrokerCore) {
    this.#core = core;
    this.#writer = new FrameWriter(core);
  }

  /** The frame in which the next message came, where its bytes may be passed on as they are. */
  offerFrame(
    version: ProtocolVersion,
    qos: Qos,
    bytes: Buffer,
    start: number,
    bodyStart: number,
    end: number,
  ): void {
    this.#writer.offerFrame(version, qos, bytes, start, bodyStart, end);
  }

  /** Gives a message to everybody on its route. `publisher`: who may have to wait when a queue fills. */
  deliver(route: Route, message: Message, publisher: Connection | null): void {
    const outer = this.#writer.begin();
    const { targets, groups } = route;
    for (let i = 0; i < targets.length; i++) this.#deliverTo(targets[i]!, message, publisher);
    for (let i = 0; i < groups.length; i++) {
      const member = groups[i]!.pick(message.topic);
      if (member !== null) this.#deliverTo(member, message, publisher);
    }
    this.#writer.finish(outer);
  }

  /** One retained message for a new subscription: the retain flag is set [MQTT-3.3.1-8]. */
  deliverRetained(subscription: Subscription, message: Message): void {
    const { session } = subscription;
    const connection = session.connection;
    if (connection === null) return;
    if (subscription.noLocal && session.clientId === message.publisherId) return;
    const { authorizer } = session;
    if (!authorizer.mayRead(session.identity, message.topic)) {
      this.#core.drop('not-authorized', session.clientId, message.topic);
      return;
    }
    const qos = message.qos < subscription.qos ? message.qos : subscription.qos;
    if (qos === 0) {
      this.#writer.writeOwn(connection, message, 0, true, false, 0, subscription.identifiers);
      return;
    }
    const generation = authorizer.generation;
    const delivery = new Delivery(
      session.nextSerial(),
      message,
      qos,
      true,
      subscription.identifiers,
      '',
      generation,
    );
    this.#enqueue(session, delivery, null);
    this.pump(session);
  }

  /** Sends what waits: first what a resumed session has in flight [MQTT-4.4.0-1], then its queue. */
  pump(session: Session): void {
    const connection = session.connection;
    if (connection === null) return;
    while (this.#canSend(session, connection)) {
      if (session.hasToResend) {
        this.#resendNext(session, connection);
        continue;
      }
      const delivery = session.queue.shift();
      if (delivery === null) break;
      this.#core.countQueued(-1, -delivery.size);
      if (this.#isStillWanted(session, connection, delivery)) this.#sendLater(session, connection, delivery);
      else this.#forget(session, delivery);
    }
    this.#core.pressure.relax(session);
  }

  /**
   * Gives what a session that ends still held for shared subscriptions to their other members (MQTT 5, 4.8.2): what
   * was queued, and what was sent at QoS 1 and not acknowledged. At QoS 2 what was sent may be with its client, so
   * nobody else gets it [MQTT-4.8.2-5]. The session has left its groups. How many of the queue found a new owner.
   */
  redistribute(session: Session): number {
    for (const packetId of session.inflight.inOrder()) {
      const delivery = session.inflight.deliveryOf(packetId);
      if (delivery !== null && delivery.qos === 1) this.#handOn(delivery);
    }
    let moved = 0;
    session.queue.forEach((delivery) => {
      if (this.#handOn(delivery)) moved++;
    });
    return moved;
  }

  /** Writes an in-flight message that waited for the journal. */
  writeInflight(connection: Connection, packetId: number): void {
    const delivery = connection.session?.inflight.deliveryOf(packetId);
    if (delivery === null || delivery === undefined) return;
    const { message, qos, retain, subscriptionIdentifiers } = delivery;
    this.#writer.writeOwn(connection, message, qos, retain, false, packetId, subscriptionIdentifiers);
  }

  /** False when there is nobody to have it. */
  #handOn({ share, message }: Delivery): boolean {
    const member = share === '' ? null : (this.#core.router.group(share)?.pick(message.topic) ?? null);
    if (member === null || message.hasExpired(this.#core.now)) return false;
    const outer = this.#writer.begin();
    this.#deliverTo(member, message, null);
    this.#writer.finish(outer);
    return true;
  }

  #deliverTo(target: Subscription, message: Message, publisher: Connection | null): void {
    const { session } = target;
    let subscription = target;
    if (target.noLocal && session.clientId === message.publisherId) {
      if (target.whenLocal === null) return; // [MQTT-3.8.3-3]
      subscription = target.whenLocal;
    }
    const qos = message.qos < subscription.qos ? message.qos : subscription.qos; // [MQTT-3.8.4-8]
    const connection = session.connection;
    if (connection === null) {
      if (qos > 0) this.#queueLive(subscription, message, qos, neverDecided, publisher);
      return;
    }
    const { generation } = session.authorizer;
    if (subscription.generation !== generation) subscription.decideAccess();
    if (subscription.checksRead) {
      if (!session.authorizer.mayRead(session.identity, message.topic)) {
        this.#core.drop('not-authorized', session.clientId, message.topic);
        return;
      }
    }
    if (qos > 0) {
      this.#sendTracked(connection, subscription, message, qos, generation, publisher);
      return;
    }
    if (connection.outbox.isCongested) {
      this.#core.drop('slow-client', session.clientId, message.topic);
      return;
    }
    const retain = message.retain && subscription.retainAsPublished; // [MQTT-3.3.1-12] [MQTT-3.3.1-13]
    this.#writer.writeShared(connection, message, 0, retain, 0, subscription.identifiers);
  }

  /** QoS 1 and 2 to a client that is connected: at once when its window is open, else through its queue. */
  #sendTracked(
    connection: Connection,
    subscription: Subscription,
    message: Message,
    qos: Qos,
    generation: number,
    publisher: Connection | null,
  ): void {
    const { session } = subscription;
    if (session.queue.length > 0 || session.hasToResend || !this.#canSend(session, connection)) {
      if (session.unacknowledged >= connection.sendWindow) this.#core.statistics.reached['in-flight']++;
      this.#queueLive(subscription, message, qos, generation, publisher);
      return;
    }
    const retain = message.retain && subscription.retainAsPublished;
    const { identifiers, share } = subscription;
    if (connection.limitsPacketSize && this.#writer.isTooLarge(connection, message, qos, identifiers)) {
      this.#core.drop('too-large', session.clientId, message.topic); // [MQTT-3.1.2-24] [MQTT-3.1.2-25]
      return;
    }
    const serial = session.nextSerial();
    const delivery = new Delivery(serial, message.keep(), qos, retain, identifiers, share, generation);
    if (session.isPersistent) this.#core.journal.recordDeliveryQueued(session.clientId, delivery);
    const packetId = this.#open(session, delivery);
    if (this.#mustWait(session, qos)) connection.deferSend(PacketType.Publish, packetId);
    else this.#writer.writeShared(connection, message, qos, retain, packetId, identifiers);
  }

  #queueLive(
    subscription: Subscription,
    message: Message,
    qos: Qos,
    generation: number,
    publisher: Connection | null,
  ): void {
    const { session } = subscription;
    const retain = message.retain && subscription.retainAsPublished;
    const delivery = new Delivery(
      session.nextSerial(),
      message.keep(),
      qos,
      retain,
      subscription.identifiers,
      subscription.share,
      generation,
    );
    this.#enqueue(session, delivery, publisher);
  }

  /** Policy at the bound: the new message is dropped. Before, publishers of a connected client are made to wait. */
  #enqueue(session: Session, delivery: Delivery, publisher: Connection | null): void {
    const { isFull: memoryIsFull } = this.#core.memory;
    if (memoryIsFull && session.connection === null) {
      this.#core.drop('memory', session.clientId, delivery.message.topic);
      return;
    }
    if (!session.queue.push(delivery)) {
      this.#core.drop('queue-full', session.clientId, delivery.message.topic);
      this.#logFull(session);
      return;
    }
    this.#core.countQueued(1, delivery.size);
    if (session.isPersistent) this.#core.journal.recordDeliveryQueued(session.clientId, delivery);
    if (publisher === null || session.connection === null) return;
    if (memoryIsFull || session.queue.isAboveHalf) this.#core.pressure.hold(publisher, session);
  }

  #canSend(session: Session, connection: Connection): boolean {
    // [MQTT-3.3.4-9]: never more unacknowledged than the client's receive maximum.
    if (session.unacknowledged >= connection.sendWindow || connection.outbox.isCongested) return false;
    return session.hasToResend || !session.inflight.isFull;
  }

  #open(session: Session, delivery: Delivery): number {
    const packetId = session.inflight.open(delivery);
    session.unacknowledged++;
    // Whoever has something to acknowledge must be read: see back-pressure.ts.
    if (session.connection?.isHeldStill === true) this.#core.pressure.letRead(session.connection);
    if (session.isPersistent) {
      this.#core.journal.recordDeliverySent(session.clientId, delivery.serial, packetId);
    }
    return packetId;
  }

  /**
   * At QoS 2 the receiver knows a repeat by its packet id alone, so the id must be durable before it is used: after
   * a crash the message would go out under another one and be taken for new.
   */
  #mustWait(session: Session, qos: Qos): boolean {
    return qos === 2 && session.isPersistent && !this.#core.isDurable;
  }

  #sendLater(session: Session, connection: Connection, delivery: Delivery): void {
    const { message, qos, retain, subscriptionIdentifiers } = delivery;
    const packetId = this.#open(session, delivery);
    if (this.#mustWait(session, qos)) connection.deferSend(PacketType.Publish, packetId);
    else this.#writer.writeOwn(connection, message, qos, retain, false, packetId, subscriptionIdentifiers);
  }

  #resendNext(session: Session, connection: Connection): void {
    const packetId = session.resend[session.resendFirst++]!;
    const delivery = session.inflight.deliveryOf(packetId);
    if (delivery === null) return; // acknowledged meanwhile
    if (session.inflight.stateOf(packetId) === InflightState.AwaitingPubcomp) {
      session.unacknowledged++;
      connection.writeAckNow(PacketType.Pubrel, packetId, 0);
      return;
    }
    const { message, qos, retain, subscriptionIdentifiers } = delivery;
    if (!this.#mayStillRead(session, delivery) || !this.#fits(session, connection, delivery)) {
      session.inflight.close(packetId);
      this.#forget(session, delivery);
      return;
    }
    session.unacknowledged++;
    // DUP tells a repeat [MQTT-3.3.1-1].
    this.#writer.writeOwn(connection, message, qos, retain, true, packetId, subscriptionIdentifiers);
  }

  #isStillWanted(session: Session, connection: Connection, delivery: Delivery): boolean {
    const { message } = delivery;
    if (message.hasExpired(this.#core.now)) {
      this.#core.drop('expired', session.clientId, message.topic); // [MQTT-3.3.2-5]
      return false;
    }
    return this.#mayStillRead(session, delivery) && this.#fits(session, connection, delivery);
  }

  /** What the client does not take counts as delivered [MQTT-3.1.2-25]. */
  #fits(session: Session, connection: Connection, delivery: Delivery): boolean {
    const { message, qos, subscriptionIdentifiers } = delivery;
    if (!connection.limitsPacketSize) return true;
    if (!this.#writer.isTooLarge(connection, message, qos, subscriptionIdentifiers)) return true;
    this.#core.drop('too-large', session.clientId, message.topic);
    return false;
  }

  /** The rules may have changed while the message waited, or nobody was there to be asked about. */
  #mayStillRead(session: Session, delivery: Delivery): boolean {
    const { authorizer } = session;
    if (delivery.generation === authorizer.generation) return true;
    if (!authorizer.mayRead(session.identity, delivery.message.topic)) {
      this.#core.drop('not-authorized', session.clientId, delivery.message.topic);
      return false;
    }
    delivery.generation = authorizer.generation;
    return true;
  }

  #forget(session: Session, delivery: Delivery): void {
    if (session.isPersistent) this.#core.journal.recordDeliveryDone(session.clientId, delivery.serial);
  }

  #logFull(session: Session): void {
    session.dropsSinceLogged++;
    const { now, log } = this.#core;
    if (now - session.lastDropLogged < minuteMs) return;
    log.warning(`the queue of client ${session.clientId} is full; new messages for it are dropped`, {
      dropped: session.dropsSinceLogged,
      queued: session.queue.length,
      connected: session.connection !== null,
    });
    session.lastDropLogged = now;
    session.dropsSinceLogged = 0;
  }
}
