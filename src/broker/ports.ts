import type { PublishProperties, Qos, ReasonCode, Will } from '#mqtt';
import type { LimitsConfig } from '#config';
import type { PeerInfo } from '#base';

/** Who a connection is, once authenticated. */
export interface Identity {
  /** User name or certificate name; `null` for an anonymous client. */
  readonly name: string | null;
  readonly clientId: string;
}

export interface Credentials {
  readonly clientId: string;
  readonly username: string | undefined;
  readonly password: Buffer | undefined;
  readonly peer: PeerInfo;
  /** False when the client is gone, or its time to sign in is over: nobody has to be verified for it any more. */
  readonly isWaiting?: () => boolean;
}

/** What a listener is: its trust rules, given with each connection it accepts. */
export interface ListenerProfile {
  readonly name: string;
  readonly authenticator: Authenticator;
  readonly authorizer: Authorizer;
  /** Methods of enhanced authentication (MQTT 5, 4.12); absent = none is known here. */
  readonly enhancedAuthenticator?: EnhancedAuthenticator | null;
  /** Site name to stamp messages with; `null` = leave them as they are. */
  readonly stampSite: string | null;
  /** What comes in below this QoS is carried on at it; 0 = as the standard says. */
  readonly minimumQos: 0 | 1;
  /** Client ids that are made unique by the peer's address. */
  readonly sharedClientIds: ReadonlySet<string>;
  /** Bounds for its clients, complete; absent = the broker's. Those of the broker as a whole are never taken from here. */
  readonly limits?: LimitsConfig;
  /** Its clients live below this prefix and do not see it: `site1/`. Access rules are asked about the whole topic. */
  readonly mountPoint?: string;
  /** How messages wait for its clients; absent = in one row, and at a bound the new one is dropped. */
  readonly queue?: QueueRules;
  /** Parts of this program come in here, bridges among them: `BrokerEvents` leaves them out. */
  readonly isInside?: boolean;
  /** For the log: its port, or the path of its socket. */
  readonly port?: number | string;
}

/** How messages at QoS 1 and 2 wait for a client. */
export interface QueueRules {
  /** Messages of topics that match one of these filters overtake all others that wait. */
  readonly urgentTopics: readonly string[];
  /** What is dropped at a bound: the message that comes, or the one that has waited longest. */
  readonly whenFull: 'drop-new' | 'drop-oldest';
  /** Milliseconds after which a message that waits is dropped; 0 = never. */
  readonly maximumAgeMs: number;
}

/** What a part beside the broker tells of itself: names under `$SYS/broker/davylamp/`, and values. */
export type StateSource = () => Iterable<readonly [name: string, value: string | number]>;

/** What waits for a client. */
export interface QueueView {
  /** Not sent. */
  readonly messages: number;
  /** Of their topics and payloads. */
  readonly bytes: number;
  /** Sent, not acknowledged. */
  readonly inflight: number;
  /** How long the oldest of all has waited, in milliseconds, as far as that is known; 0 = nothing waits. */
  readonly oldestMs: number;
}

/** What a listener counts, for `$SYS`. */
export interface DoorStatistics {
  accepted: number;
  /** Closed at once: too many, or the broker would not have them. */
  refused: number;
  /** Of these: too many handshakes were under way. */
  handshakesRefused: number;
  /** TLS and WebSocket handshakes that failed. */
  handshakeFailures: number;
  /** Connections without the PROXY protocol header that is asked for, or with a bad one. */
  proxyFailures: number;
}

/** Decides at CONNECT. A named async border: the connection stops reading meanwhile. */
export interface Authenticator {
  /** `identity` on success, else why not (`BadUserNameOrPassword`, `NotAuthorized`, …). */
  authenticate(credentials: Credentials): AuthenticationResult | Promise<AuthenticationResult>;
  /**
   * After a reload: may a client stay that came in by `ticket`, which its sign-in gave? Not asked about clients without
   * one. Absent = every client may.
   */
  isStillWelcome?(identity: Identity, ticket: string): boolean;
}

export type AuthenticationResult =
  | { readonly reasonCode: 0; readonly name: string | null; readonly ticket?: string }
  | { readonly reasonCode: ReasonCode; readonly detail: string };

/** The authentication methods of a listener (MQTT 5, 4.12). */
export interface EnhancedAuthenticator {
  /** Their names as they stand in CONNECT, such as `SCRAM-SHA-256`. */
  readonly methods: readonly string[];
  /** A new run with one client: at CONNECT, and at each re-authentication. */
  begin(method: string, credentials: Credentials): AuthenticationExchange;
}

/** One run of a method with one client. */
export interface AuthenticationExchange {
  /**
   * Takes what the client sent (`undefined` = it sent no data) and says what comes next. While a promise is waited for,
   * a client that is not signed in is not read. What it throws is logged and refuses the client.
   */
  step(data: Buffer | undefined): AuthenticationStep | Promise<AuthenticationStep>;
}

export type AuthenticationStep =
  | { readonly kind: 'continue'; readonly data: Buffer | undefined }
  | {
      readonly kind: 'success';
      readonly name: string | null;
      readonly data: Buffer | undefined;
      readonly ticket?: string;
    }
  | { readonly kind: 'failure'; readonly reasonCode: ReasonCode; readonly detail: string };

/**
 * Decides what an identity may do. Synchronous and cheap; the broker caches nothing across `generation`: when it
 * changes (a reload), what is queued and subscribed is checked again.
 */
export interface Authorizer {
  readonly generation: number;
  mayPublish(identity: Identity, topic: string): boolean;
  /** At delivery: may this identity read a message of this topic? */
  mayRead(identity: Identity, topic: string): boolean;
  /**
   * At SUBSCRIBE, on the filter inside `$share/…`: `all` = every topic it matches may be read, so no check is needed
   * at delivery; `some` = check each message; `none` = refuse.
   */
  maySubscribe(identity: Identity, filter: string): 'all' | 'some' | 'none';
}

/** Who published something, and by which rules. */
export interface Source {
  readonly identity: Identity;
  readonly authorizer: Authorizer;
}

/** Where else a client is to go (MQTT 5, 4.11). */
export interface Redirect {
  /** `host`, `host:port`, or several of them with a space between. */
  readonly serverReference: string;
  /** True: for good (0x9D); false: for now (0x9C). */
  readonly isPermanent: boolean;
}

/** One entry of the journal's session record. */
export interface StoredSubscription {
  readonly filter: string;
  readonly qos: Qos;
  readonly noLocal: boolean;
  readonly retainAsPublished: boolean;
  readonly retainHandling: 0 | 1 | 2;
  readonly subscriptionIdentifier: number;
}

/** A message as the journal keeps it. `journalId` is the journal's own mark on it: 0 until it has stored it. */
export interface StoredMessage {
  readonly topic: string;
  readonly payload: Buffer;
  readonly qos: Qos;
  readonly properties: PublishProperties | null;
  /** Client that published it; empty for the broker itself. */
  readonly publisherId: string;
  /** Wall time in milliseconds; 0 = never. */
  readonly expiresAt: number;
  journalId: number;
}

/** One message on its way to one session. */
export interface StoredDelivery {
  /** Rises by one with each message of the session: the order of delivery. */
  readonly serial: number;
  readonly message: StoredMessage;
  readonly qos: Qos;
  readonly retain: boolean;
  readonly subscriptionIdentifiers: readonly number[];
  /** The shared subscription by which it came, `$share/…`; empty or absent = none. */
  readonly share?: string;
  /** It overtakes everything else that waits in its session. */
  readonly isUrgent?: boolean;
  /** When it was queued, in milliseconds; 0 or absent = not known. */
  readonly queuedAt?: number;
}

export interface StoredDeliveryState extends StoredDelivery {
  /** 0 = queued, not yet sent. */
  readonly packetId: number;
  /** QoS 2: PUBREC has come, the message itself is not sent again. */
  readonly received: boolean;
}

export interface StoredWill {
  readonly will: Will;
  /** Wall time in milliseconds at which it is published. */
  readonly dueAt: number;
}

export interface StoredSession {
  readonly clientId: string;
  readonly owner: string | null;
  readonly expirySeconds: number;
  /** Wall time in milliseconds; 0 = was connected when the broker stopped. */
  readonly disconnectedAt: number;
  readonly subscriptions: readonly StoredSubscription[];
  /** In the order of `serial`. */
  readonly deliveries: Iterable<StoredDeliveryState>;
  /** The same, where most of it can stay where it is; absent = it cannot. */
  readonly queue?: StoredQueue;
  /** QoS 2 packet ids taken from the client that wait for PUBREL. */
  readonly incomingPacketIds: readonly number[];
  readonly will: StoredWill | null;
}

/** A session's deliveries, most of them left where they are. */
export interface StoredQueue {
  /** Sent and not finished, in the order of `serial`. */
  readonly inflight: readonly StoredDeliveryState[];
  /** Not sent, and urgent. */
  readonly urgent: readonly StoredDeliveryState[];
  /** Not sent, and not urgent: how many, and their bytes of topics and payloads. */
  readonly messages: number;
  readonly bytes: number;
  /** The highest `serial`; 0 = none. */
  readonly lastSerial: number;
}

export interface StoredState {
  readonly sessions: Iterable<StoredSession>;
  readonly retained: Iterable<StoredMessage>;
}

/**
 * Whether a journal takes new messages. `full`: there is no room; `failed`: the disk does not do what it should. Either
 * way it goes on trying, and takes what makes room.
 */
export type JournalState = 'ok' | 'full' | 'failed';

/**
 * What must not be forgotten. Every `record…` is synchronous and returns before it is durable; an acknowledgement
 * leaves when `durableSequence` has reached the `sequence` that its packet ended with. Only sessions that outlive
 * their connection are recorded.
 */
export interface Journal {
  /** Number of the last record. */
  readonly sequence: number;
  /** Number of the last record that survives a crash. */
  readonly durableSequence: number;
  /** Sets who is called whenever `durableSequence` has risen. */
  onDurable(callback: () => void): void;
  readonly state: JournalState;
  /** Sets who is called whenever `state` has changed. */
  onState(callback: (state: JournalState) => void): void;
  /**
   * Reads queued deliveries of a session back: those behind `afterSerial` that were not sent and are not urgent, in
   * their order, at most `maximumCount` and about `maximumBytes`, but one at least. Empty = there are none. Absent where
   * nothing can be read back.
   */
  readDeliveries?(
    clientId: string,
    afterSerial: number,
    maximumCount: number,
    maximumBytes: number,
  ): Promise<readonly StoredDeliveryState[]>;
  /** What an earlier run left behind. Called once, before any record. */
  load(): StoredState;
  /** A client is connected to this session, which is new or goes on. */
  recordSessionOpened(clientId: string, owner: string | null, expirySeconds: number): void;
  /** The connection ended; the session stays until it expires. */
  recordSessionClosed(clientId: string, expirySeconds: number, disconnectedAt: number): void;
  /** The session expired or was discarded, with everything it held. */
  recordSessionEnded(clientId: string): void;
  recordSubscription(clientId: string, subscription: StoredSubscription): void;
  recordUnsubscription(clientId: string, filter: string): void;
  recordDeliveryQueued(clientId: string, delivery: StoredDelivery): void;
  recordDeliverySent(clientId: string, serial: number, packetId: number): void;
  /** PUBREC came. */
  recordDeliveryReceived(clientId: string, serial: number): void;
  /** Acknowledged, expired or dropped. */
  recordDeliveryDone(clientId: string, serial: number): void;
  recordIncoming(clientId: string, packetId: number): void;
  recordIncomingReleased(clientId: string, packetId: number): void;
  recordRetained(message: StoredMessage): void;
  recordRetainedCleared(topic: string): void;
  recordWill(clientId: string, will: StoredWill): void;
  recordWillCleared(clientId: string): void;
}

/** Runs a callback soon, after the input that is ready now has been handled: `setImmediate`, or a test's own. */
export type Scheduler = (callback: () => void) => void;
