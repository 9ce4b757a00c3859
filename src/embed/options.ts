import type { Clock, Logger, LogLevel } from '#base';
import type {
  ClientInfo,
  Credentials,
  DropPolicy,
  EnhancedAuthenticator,
  HookMessage,
  Identity,
  Journal,
  Transformed,
} from '#broker';
import type { LimitsConfig, ListenerConfig, TlsFilesConfig, WebSocketConfig } from '#config';
import type { PublishProperties, Qos, ReasonCode } from '#mqtt';

/** What a broker in one's own program is made of. */
export interface BrokerOptions {
  /** Doors for clients; may be empty where only the program itself publishes and subscribes. */
  readonly listeners: readonly ListenerOptions[];
  readonly hooks?: BrokerHooks;
  /** Methods of enhanced authentication (MQTT 5), beside the SCRAM files of listeners. */
  readonly enhancedAuthenticator?: EnhancedAuthenticator;
  /** Bounds on what clients can make grow; what is left out has the default of the configuration file. */
  readonly limits?: Partial<LimitsConfig>;
  /** A logger, or the level of the lines that go to standard error; default `warning`. */
  readonly log?: Logger | LogLevel;
  /** For stamps and logs; default `embedded`. */
  readonly name?: string;
  /**
   * What is acknowledged survives a crash: sessions, queues, messages under way, retained messages and wills. Absent =
   * it lives as long as the process.
   */
  readonly persistence?: PersistenceOptions;
  /** A journal of the program's own, instead of `persistence`; the program closes it after the broker. */
  readonly journal?: Journal;
  /**
   * Where messages come often (4,000 turns of the event loop a second) but one by one, stop the thread for half a
   * millisecond after each turn, so that they gather: half of the CPU, and half a millisecond more until a message
   * arrives. Everything else in the thread stops with it, so: default `false`. `davylamp` itself does it.
   */
  readonly gathersMessages?: boolean;
  readonly clock?: Clock;
}

/** Where a broker keeps what must not be forgotten. */
export interface PersistenceOptions {
  /** Made when it is not there. One broker at a time may use it. */
  readonly folder: string;
  /** Disk space at whose end publishers are refused until there is room again; 0 = no bound. Default: 4 GiB. */
  readonly maximumBytes?: number;
}

/**
 * A door, as in the configuration file, with the same defaults. `protocol` follows from `tls` and `path` where it is left
 * out. Who may come in has to be said: `allowAnonymous`, `passwordFile`, `scramFile`, `requireCertificate`, or the hook
 * `authenticate`.
 */
export interface ListenerOptions extends Partial<Omit<ListenerConfig, 'tls' | 'webSocket'>> {
  readonly tls?: Partial<TlsFilesConfig>;
  readonly webSocket?: Partial<WebSocketConfig>;
}

/** A client that wants to come in. */
export interface SignIn extends Credentials {
  readonly listener: string;
  /** The name that the listener's own rules (password file, certificate) have found to be right; else `null`. */
  readonly verifiedName: string | null;
}

/**
 * `true`: let in, as its verified name or else the user name that it gives. A name: let in as that. `false`: not
 * authorized (0x87). A reason code (0x80 and above): refused with that.
 */
export type SignInDecision =
  | boolean
  | { readonly name: string | null }
  | { readonly reasonCode: ReasonCode; readonly detail?: string };

/**
 * What a program may decide, change and see. All are called on the broker's thread and must be quick; only `authenticate`
 * may return a promise. A hook that decides or changes and throws costs the client concerned its connection; one that
 * only sees and throws costs nothing. Both are logged. Without a hook its place costs nothing.
 */
export interface BrokerHooks {
  /** After the listener's own rules have said yes; alone, where the listener has none. */
  authenticate?(client: SignIn): SignInDecision | Promise<SignInDecision>;
  /**
   * Beside the listener's access file. The answer for one topic is remembered while a client goes on publishing to it:
   * it must depend on client and topic alone; after a change call `rulesChanged()`.
   */
  authorizePublish?(client: Identity, topic: string): boolean;
  /** Once for each filter; `$share/<group>/` is left out. */
  authorizeSubscribe?(client: Identity, filter: string): boolean;
  /** For each message to each receiver. Costs a call each: leave it out where `authorizeSubscribe` says enough. */
  authorizeRead?(client: Identity, topic: string): boolean;
  /** Before routing, for what clients publish and for their wills; not for `publish()`. */
  transform?(message: HookMessage, client: Identity): Transformed;
  connected?(client: ClientInfo): void;
  disconnected?(client: ClientInfo, reason: string): void;
  subscribed?(client: ClientInfo, filter: string, qos: Qos): void;
  unsubscribed?(client: ClientInfo, filter: string): void;
  /** After routing; `client` is `null` for `publish()`. */
  published?(message: HookMessage, client: Identity | null): void;
  /** Written for a client: handed over at QoS 0, not yet acknowledged at QoS 1 and 2. */
  delivered?(message: HookMessage, clientId: string, qos: Qos): void;
  dropped?(policy: DropPolicy, clientId: string, topic: string): void;
}

export interface PublishOptions {
  readonly qos?: Qos;
  readonly retain?: boolean;
  readonly properties?: Partial<PublishProperties>;
}

export interface SubscribeOptions {
  /** Default 0. */
  readonly qos?: Qos;
  /** Retained messages that are there already; default `true`. */
  readonly sendRetained?: boolean;
}

/** Called for each message; `payload` is the handler's own. At QoS 1 and 2 a promise delays the acknowledgement. */
export type MessageHandler = (message: HookMessage) => void | Promise<void>;

/** Where a listener really listens. */
export interface Listening {
  readonly name: string;
  readonly protocol: ListenerConfig['protocol'];
  /** Address, or the path of a Unix socket. */
  readonly address: string;
  /** The port that the system gave for port 0; 0 for a Unix socket. */
  readonly port: number;
  /** As clients take it: `mqtt://127.0.0.1:1883`. */
  readonly url: string;
}
