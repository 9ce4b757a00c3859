import type { Will } from '#mqtt';
import type { Connection } from '../connection.ts';
import type { Authorizer, Identity } from '../ports.ts';
import type { Subscription } from '../subscriptions/subscription.ts';
import { Inflight } from './inflight.ts';
import { MessageQueue } from './message-queue.ts';
import { PacketIdSet } from './packet-id-set.ts';

/** Session expiry that means never (MQTT 5, 3.1.2.11.2). */
export const neverExpires = 0xffff_ffff;

export interface SessionLimits {
  readonly maximumInflight: number;
  readonly maximumQueuedMessages: number;
  readonly maximumQueuedBytes: number;
}

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
  /** Site that its will is stamped with; `null` = none. */
  stampSite: string | null = null;
  connection: Connection | null = null;
  readonly subscriptions = new Map<string, Subscription>();
  readonly queue: MessageQueue;
  readonly inflight: Inflight;
  /** QoS 2 packet ids that the client published and has not released. */
  readonly incoming = new PacketIdSet();
  /** Packet ids that a resumed connection still has to send again, in order. */
  resend: number[] = [];
  resendFirst = 0;
  /** Messages at QoS 1 and 2 sent over this connection and not finished: bounded by its receive maximum. */
  unacknowledged = 0;
  expirySeconds = 0;
  /** Wall time at which it ends; 0 = not while it is connected, or never. */
  expiresAt = 0;
  delayedWill: DelayedWill | null = null;
  /** Connections that publish into this session's queue and wait until it empties. */
  readonly holding = new Set<Connection>();
  /** Monotonic time of the last acknowledgement. */
  lastProgress = 0;
  /**
   * It acknowledges nothing: nobody waits for it any more, its queue drops by its bounds. Stands until it acknowledges
   * something, also over a new connection: by those it could hold its publishers up again and again.
   */
  isStalled = false;
  /** When a full queue was last logged; once a minute is enough. */
  lastDropLogged = 0;
  dropsSinceLogged = 0;
  #serial = 0;

  constructor(identity: Identity, authorizer: Authorizer, limits: SessionLimits) {
    this.clientId = identity.clientId;
    this.owner = identity.name;
    this.identity = identity;
    this.authorizer = authorizer;
    this.queue = new MessageQueue(limits.maximumQueuedMessages, limits.maximumQueuedBytes);
    this.inflight = new Inflight(limits.maximumInflight);
  }

  /** It outlives its connection, so the journal keeps it. */
  get isPersistent(): boolean {
    return this.expirySeconds > 0;
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
