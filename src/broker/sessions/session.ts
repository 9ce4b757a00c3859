import type { LimitsConfig } from '#config';
import type { Will } from '#mqtt';
import { parseShare } from '#topics';
import type { Connection } from '../connection.ts';
import type { Message } from '../message.ts';
import type { Authorizer, Identity, QueueRules, Source } from '../ports.ts';
import type { Subscription } from '../subscriptions/subscription.ts';
import { Inflight } from './inflight.ts';
import { MessageQueue } from './message-queue.ts';
import { PacketIdSet } from './packet-id-set.ts';
import { Urgency } from './queue-rules.ts';

/** Session expiry that means never (MQTT 5, 3.1.2.11.2). */
export const neverExpires = 0xffff_ffff;

/** Of the listener that its client came by last. */
export type SessionLimits = Pick<
  LimitsConfig,
  | 'maximumInflight'
  | 'maximumInflightBytes'
  | 'maximumQueuedMessages'
  | 'maximumQueuedBytes'
  | 'queueQos0'
  | 'upgradeOutgoingQos'
  | 'minimumDrainRate'
>;

/** A will that waits for its delay (MQTT 5, 3.1.3.2.2). */
export interface DelayedWill {
  readonly will: Will;
  readonly dueAt: number;
}

/** What the broker knows of a client beyond one connection (MQTT 5, 4.1). */
export class Session {
  readonly clientId: string;
  /** Whose session it is: another identity never gets it. */
  readonly owner: string | null;
  /** Who reads, and by which rules: of the connection that is or was last. */
  identity: Identity;
  authorizer: Authorizer;
  /** Prefix of its topics that the client does not see; `null` = not known: its client has not been here since a restart. */
  mountPoint: string | null = null;
  /** Its length in bytes. */
  mountLength = 0;
  /** Bytes of unacknowledged messages over this connection at which no more are sent; `Infinity` = no bound. */
  maximumInflightBytes = Infinity;
  /** Keeps QoS 0 messages while its client is away. */
  queuesQos0 = false;
  /** Gets every message at the QoS of its subscription. */
  upgradesQos = false;
  /** Site that its will is stamped with; `null` = none. */
  stampSite: string | null = null;
  /** Its client is on this machine (a bridge, the platform): it is never ended for the room that it takes. */
  isLocal = false;
  connection: Connection | null = null;
  readonly subscriptions = new Map<string, Subscription>();
  /** Memory of its filters, about. */
  filterBytes = 0;
  readonly queue: MessageQueue;
  readonly inflight: Inflight;
  /** QoS 2 packet ids that the client published and has not released. */
  readonly incoming = new PacketIdSet();
  /** Packet ids that a resumed connection still has to send again, in order. */
  resend: number[] = [];
  resendFirst = 0;
  /** Messages at QoS 1 and 2 sent over this connection and not finished: bounded by its receive maximum. */
  unacknowledged = 0;
  /** Their bytes. */
  unacknowledgedBytes = 0;
  expirySeconds = 0;
  /** It ends with its connection now, but a part of its queue is on the disk: so it is recorded until then. */
  staysRecorded = false;
  /** How its messages wait; `null` = in one row, and at a bound the new one is dropped. */
  queueRules: QueueRules | null = null;
  urgency: Urgency | null = null;
  /** Wall time at which it ends; 0 = not while it is connected, or never. */
  expiresAt = 0;
  delayedWill: DelayedWill | null = null;
  /** Connections that publish into this session's queue and wait until it empties; `null` until the first. */
  holding: Set<Connection> | null = null;
  /** What its client has finished since `drainedSince` (monotonic), while publishers wait for it: see back-pressure.ts. */
  drained = 0;
  drainedSince = 0;
  /** So much a second it has to finish while publishers wait for it. */
  minimumDrainRate = 0;
  /**
   * It acknowledges nothing, or too slowly: nobody waits for it any more, its queue drops by its bounds. Stands until it
   * keeps up again, also over a new connection: by those it could hold its publishers up again and again.
   */
  isStalled = false;
  /** When a full queue was last logged; once a minute is enough. */
  lastDropLogged = 0;
  dropsSinceLogged = 0;
  #source: Source | null = null;
  #serial = 0;

  constructor(identity: Identity, authorizer: Authorizer, limits: SessionLimits) {
    this.clientId = identity.clientId;
    this.owner = identity.name;
    this.identity = identity;
    this.authorizer = authorizer;
    this.queue = new MessageQueue(limits.maximumQueuedMessages, limits.maximumQueuedBytes);
    this.inflight = new Inflight(limits.maximumInflight);
    this.changeLimits(limits);
  }

  /** Bounds of another listener, or changed ones. What is above them already stays. */
  changeLimits(limits: SessionLimits): void {
    const { maximumInflightBytes = 0 } = limits;
    this.queue.changeBounds(limits.maximumQueuedMessages, limits.maximumQueuedBytes);
    this.inflight.capacity = limits.maximumInflight;
    this.maximumInflightBytes = maximumInflightBytes === 0 ? Infinity : maximumInflightBytes;
    this.queuesQos0 = limits.queueQos0 ?? false;
    this.minimumDrainRate = limits.minimumDrainRate ?? 0;
    this.upgradesQos = limits.upgradeOutgoingQos ?? false;
  }

  /** It is a member of shared subscriptions. */
  get hasShares(): boolean {
    for (const filter of this.subscriptions.keys()) if (filter.startsWith('$share/')) return true;
    return false;
  }

  /** Rules of the listener that its client came by. */
  changeQueueRules(rules: QueueRules | null): void {
    this.queueRules = rules;
    this.urgency = rules === null || rules.urgentTopics.length === 0 ? null : new Urgency(rules);
  }

  /** It lives below this mount point: after a restart that shows in what it subscribed to. */
  isOf(mountPoint: string): boolean {
    if (this.mountPoint !== null) return this.mountPoint === mountPoint;
    for (const filter of this.subscriptions.keys())
      if (!(parseShare(filter)?.filter ?? filter).startsWith(mountPoint)) return false;
    return true;
  }

  /** The publisher of what it retains: an object of its own, which keeps nothing else of the session alive. */
  get source(): Source {
    const { identity, authorizer } = this;
    if (this.#source?.identity !== identity || this.#source.authorizer !== authorizer)
      this.#source = { identity, authorizer };
    return this.#source;
  }

  /** As many messages, or bytes of them, as may be are unacknowledged over this connection. */
  isWindowFull(sendWindow: number): boolean {
    return this.unacknowledged >= sendWindow || this.unacknowledgedBytes >= this.maximumInflightBytes;
  }

  /** Something of the topic is left when the mount point is taken away. */
  canSee(message: Message): boolean {
    return message.topicLength > this.mountLength;
  }

  /** It outlives its connection, so the journal keeps it. */
  get isPersistent(): boolean {
    return this.expirySeconds > 0 || this.staysRecorded;
  }

  /** The number of the next message. */
  nextSerial(): number {
    return ++this.#serial;
  }

  /** After a restore, numbers go on behind the last stored one. */
  continueSerial(last: number): void {
    this.#serial = Math.max(this.#serial, last);
  }

  get hasToResend(): boolean {
    return this.resendFirst < this.resend.length;
  }

  /** Nothing towards this client waits for its acknowledgement: it may be left unread without harm to anybody. */
  get owesNothing(): boolean {
    return this.inflight.size === 0 && this.queue.length === 0;
  }
}
