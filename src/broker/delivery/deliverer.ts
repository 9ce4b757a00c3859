import { PacketType, type ProtocolVersion, type Qos } from '#mqtt';
import type { BrokerCore } from '../core.ts';
import type { Connection } from '../connection.ts';
import { Delivery, type Message } from '../message.ts';
import { InflightState } from '../sessions/inflight.ts';
import type { Session } from '../sessions/session.ts';
import type { Route } from '../subscriptions/router.ts';
import { neverDecided, type Subscription } from '../subscriptions/subscription.ts';
import { FrameWriter } from './frame-writer.ts';
import { logFullQueue } from './log-full-queue.ts';

/** Bytes: smaller ones gather slowly enough to be noticed behind their chunk. */
const largeFanOut = 256 * 1024;

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
    // What comes behind it waits for the turn's writes: see MemoryGuard.
    const isLarge = targets.length * message.payloadLength >= largeFanOut;
    if (!isLarge || publisher === null) return;
    const { memory, turn, fairShare } = this.#core;
    if (memory.isMuchSent || turn.isBehind) fairShare.wait(publisher);
  }

  /** One retained message for a new subscription: the retain flag is set [MQTT-3.3.1-8]. */
  deliverRetained(subscription: Subscription, message: Message): void {
    const { session } = subscription;
    const connection = session.connection;
    if (connection === null) return;
    if (subscription.noLocal && session.clientId === message.publisherId) return;
    if (!session.canSee(message)) return;
    const { authorizer } = session;
    if (!authorizer.mayRead(session.identity, message.topic)) {
      this.#core.drop('not-authorized', session.clientId, message.topic);
      return;
    }
    const qos = message.qos < subscription.qos && !session.upgradesQos ? message.qos : subscription.qos;
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
      session.urgency?.isUrgent(message.topic) ?? false,
      this.#core.now,
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
    if (session.queue.wantsPage) this.#core.pages.load(session);
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

  /** Drops what has waited longer than its session's rules allow; urgent messages never do. */
  dropAged(session: Session): void {
    const { queue, clientId } = session;
    let oldest = queue.oldestOrdinary;
    while (oldest !== null && this.#isTooOld(session, oldest)) {
      queue.shiftOldest();
      this.#core.countQueued(-1, -oldest.size);
      this.#core.drop('queue-age', clientId, oldest.message.topic);
      this.#forget(session, oldest);
      oldest = queue.oldestOrdinary;
    }
    if (queue.wantsPage && queue.length > 0) this.#core.pages.load(session);
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
    // [MQTT-3.8.4-8]
    const qos = message.qos < subscription.qos && !session.upgradesQos ? message.qos : subscription.qos;
    if (session.mountLength > 0 && !session.canSee(message)) return;
    const connection = session.connection;
    if (connection === null) {
      if (qos > 0 || session.queuesQos0) this.#queueLive(subscription, message, qos, neverDecided, publisher);
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
    if (session.queuesQos0 && (connection.outbox.isCongested || session.queue.length > 0)) {
      this.#queueLive(subscription, message, qos, generation, publisher);
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
      if (session.isWindowFull(connection.sendWindow)) this.#core.statistics.reached['in-flight']++;
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
    const { now } = this.#core;
    const delivery = new Delivery(serial, message, qos, retain, identifiers, share, generation, false, now);
    this.#hold(session, delivery);
    if (session.isPersistent) this.#core.journal.recordDeliveryQueued(session.clientId, delivery);
    const packetId = this.#open(session, delivery);
    if (this.#mustWait(session, qos)) connection.deferSend(PacketType.Publish, packetId);
    else this.#writer.writeShared(connection, message, qos, retain, packetId, identifiers);
  }

  /** What a session holds that outlives its connection may be asked for at any time. */
  #hold(session: Session, delivery: Delivery): void {
    if (session.isPersistent) delivery.message.keep();
    else delivery.lease = delivery.message.hold();
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
      message,
      qos,
      retain,
      subscription.identifiers,
      subscription.share,
      generation,
      session.urgency?.isUrgent(message.topic) ?? false,
      this.#core.now,
    );
    this.#hold(session, delivery);
    this.#enqueue(session, delivery, qos === 0 ? null : publisher); // nobody waits for QoS 0
  }

  /**
   * Policy at the bound: the new message is dropped, or where the listener says so the oldest. Before, publishers of a
   * connected client are made to wait.
   */
  #enqueue(session: Session, delivery: Delivery, publisher: Connection | null): void {
    const { isFull: memoryIsFull, isKeptFull } = this.#core.memory;
    const isAway = session.connection === null || (memoryIsFull && session.isStalled);
    if (isKeptFull && isAway && !session.queue.isSpilling) {
      this.#core.drop('memory', session.clientId, delivery.message.topic);
      return;
    }
    if (!session.queue.push(delivery)) {
      const dropsOldest = session.queueRules?.whenFull === 'drop-oldest';
      const isIn = dropsOldest && this.#pushOut(session, delivery);
      if (!isIn) this.#core.drop('queue-full', session.clientId, delivery.message.topic);
      logFullQueue(this.#core, session);
      if (!isIn) return;
    }
    this.#core.countQueued(1, delivery.size);
    if (session.isPersistent) this.#core.journal.recordDeliveryQueued(session.clientId, delivery);
    if (publisher === null || session.connection === null) return;
    if (memoryIsFull || session.queue.isAboveHalf) this.#core.pressure.hold(publisher, session);
  }

  /** Drops the oldest messages until the new one fits; false: it does not fit all the same. */
  #pushOut(session: Session, delivery: Delivery): boolean {
    const { queue, clientId } = session;
    for (let oldest = queue.shiftOldest(); oldest !== null; oldest = queue.shiftOldest()) {
      this.#core.countQueued(-1, -oldest.size);
      this.#core.drop('queue-full', clientId, oldest.message.topic);
      this.#forget(session, oldest);
      if (queue.push(delivery)) return true;
    }
    return false;
  }

  #canSend(session: Session, connection: Connection): boolean {
    // [MQTT-3.3.4-9]: never more unacknowledged than the client's receive maximum.
    if (session.isWindowFull(connection.sendWindow) || connection.outbox.isCongested) return false;
    if (session.unacknowledgedBytes > this.#core.unacknowledgedBound) return false;
    return session.hasToResend || !session.inflight.isFull;
  }

  #open(session: Session, delivery: Delivery): number {
    const packetId = session.inflight.open(delivery);
    session.unacknowledged++;
    session.unacknowledgedBytes += delivery.size;
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
    if (qos === 0) {
      this.#writer.writeOwn(connection, message, 0, retain, false, 0, subscriptionIdentifiers);
      this.#forget(session, delivery);
      return;
    }
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
    session.unacknowledgedBytes += delivery.size;
    // DUP tells a repeat [MQTT-3.3.1-1].
    this.#writer.writeOwn(connection, message, qos, retain, true, packetId, subscriptionIdentifiers);
  }

  #isStillWanted(session: Session, connection: Connection, delivery: Delivery): boolean {
    const { message } = delivery;
    if (message.hasExpired(this.#core.now)) {
      this.#core.drop('expired', session.clientId, message.topic); // [MQTT-3.3.2-5]
      return false;
    }
    if (this.#isTooOld(session, delivery)) {
      this.#core.drop('queue-age', session.clientId, message.topic);
      return false;
    }
    if (!session.canSee(message)) return false;
    return this.#mayStillRead(session, delivery) && this.#fits(session, connection, delivery);
  }

  #isTooOld({ queueRules }: Session, { queuedAt, isUrgent }: Delivery): boolean {
    if (queueRules === null || isUrgent || queueRules.maximumAgeMs === 0 || queuedAt === 0) return false;
    return this.#core.now - queuedAt > queueRules.maximumAgeMs;
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
}
