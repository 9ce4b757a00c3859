import type { AlarmRule } from '#model';
import type { Qos } from '#mqtt';
import type { LogLevel } from '#base';

/** What a process is: a place in the chain with its own file form (TOML), or a broker alone (mosquitto.conf). */
export type Role = 'site' | 'relay' | 'cloud' | 'broker';

/** The one typed configuration that every reader (TOML, mosquitto.conf) makes. Paths are absolute. */
export interface Config {
  readonly role: Role;
  /** Name of this site, relay or cloud: a topic level. */
  readonly name: string;
  readonly tenant: string;
  readonly logLevel: LogLevel;
  readonly limits: LimitsConfig;
  readonly listeners: readonly ListenerConfig[];
  readonly bridges: readonly BridgeConfig[];
  /** Readings into a database, alarms, API and screen; `null` where this role does not do that. */
  readonly platform: PlatformConfig | null;
  /** Lets commands from outside reach the detectors of this site; `null` = none is let in. */
  readonly commands: CommandGateConfig | null;
  /** What is kept over a restart; `null` = nothing: sessions and retained messages live as long as the process. */
  readonly persistence?: PersistenceConfig | null;
  /** Log in Mosquitto's form; absent = Davylamp's own lines on standard error. */
  readonly mosquittoLog?: MosquittoLogConfig;
  /** Holds the number of the process while it runs; absent = none. */
  readonly pidFile?: string;
  /** The user to become after the listeners are open, when started as root; absent = stay. */
  readonly runAs?: string;
  /** Seconds between two rounds of `$SYS`; 0 = none. Default: 10. */
  readonly sysIntervalSeconds?: number;
  /** The thread may rest a moment where messages come one by one; absent = yes. */
  readonly gathersMessages?: boolean;
  /** Where Prometheus and health probes ask; absent = nowhere. */
  readonly metrics?: MetricsConfig;
}

/** The HTTP endpoint for monitoring. */
export interface MetricsConfig {
  readonly address: string;
  /** 0 = any free one. */
  readonly port: number;
  /** Holds the bearer token; `null` = none is asked for. */
  readonly tokenFile: string | null;
}

/** The journal of a broker. */
export interface PersistenceConfig {
  readonly folder: string;
  /** Bytes of disk that the journal may take; 0 = no bound. */
  readonly maximumBytes: number;
}

/** The types of Mosquitto's `log_type`. */
export const mosquittoLogTypes = [
  'error',
  'warning',
  'notice',
  'information',
  'subscribe',
  'unsubscribe',
  'websockets',
  'internal',
  'debug',
] as const;
export type MosquittoLogType = (typeof mosquittoLogTypes)[number];

/** One `log_dest`. */
export type MosquittoLogDestination =
  | { readonly kind: 'stdout' | 'stderr' | 'syslog' | 'topic' }
  | { readonly kind: 'file'; readonly path: string };

/** `log_…` of mosquitto.conf. */
export interface MosquittoLogConfig {
  readonly destinations: readonly MosquittoLogDestination[];
  readonly types: ReadonlySet<MosquittoLogType>;
  /** Lines about clients that come and go. */
  readonly connectionMessages: boolean;
  readonly timestamp: boolean;
  /** For strftime(3); `null` = seconds since 1970. */
  readonly timestampFormat: string | null;
  /** Of syslog, by its own numbers: 3 = daemon, 16 to 23 = local0 to local7. */
  readonly facility: number;
}

/** Bounds on what a peer can make grow. Sizes in bytes. */
export interface LimitsConfig {
  readonly maximumPacketSize: number;
  readonly maximumPacketSizeBeforeConnect: number;
  readonly connectTimeoutMs: number;
  readonly maximumConnections: number;
  readonly receiveMaximum: number;
  /** A client that sends more ahead than `receiveMaximum` is disconnected; else only one that sends more than there are packet ids. */
  readonly receiveMaximumStrict: boolean;
  /** In-flight messages towards a client that asks for more. */
  readonly maximumInflight: number;
  readonly maximumQueuedMessages: number;
  readonly maximumQueuedBytes: number;
  readonly maximumSubscriptionsPerClient: number;
  readonly maximumTopicLevels: number;
  readonly maximumTopicLength: number;
  readonly maximumRetainedMessages: number;
  readonly maximumRetainedBytes: number;
  readonly topicAliasMaximum: number;
  readonly maximumKeepAliveSeconds: number;
  /** A client before MQTT 5, which cannot be told a shorter one, is refused (2) where it asks for more or none. Default: no. */
  readonly refusesLongKeepAlive?: boolean;
  /** A client whose will it may not publish: refused at once, or let in and the will dropped at its end. Default: refused. */
  readonly forbiddenWill?: 'refuse' | 'drop';
  readonly maximumSessionExpirySeconds: number;
  /** Bytes that wait in memory for a client's socket before the client's policy applies. */
  readonly maximumPendingBytes: number;
  readonly maximumUserProperties: number;
  /** From one IPv4 address or IPv6 network (/64). This and those below: 0 or absent = no bound. */
  readonly maximumConnectionsPerAddress?: number;
  readonly maximumConnectionsPerUser?: number;
  /** TLS and WebSocket handshakes under way on one listener. */
  readonly maximumHandshakes?: number;
  /** Of connected and absent clients; beyond, no new one that outlives its connection. */
  readonly maximumSessions?: number;
  /** Bytes of heap and buffers. */
  readonly maximumMemory?: number;
  /** Packets a second from one client, acknowledgements apart. */
  readonly maximumMessageRate?: number;
  readonly maximumByteRate?: number;
  /** Connects of one client id from one address in `flappingWindowMs`, before it is refused for `flappingBanMs`. */
  readonly flappingConnects?: number;
  readonly flappingWindowMs?: number;
  readonly flappingBanMs?: number;
  /** What a client gets whose subscriptions overlap: one copy, or one for each of them. Default: one. */
  readonly overlappingCopies?: 'one' | 'each';
  /** Refuse a message whose payload is said to be UTF-8 and is not. Default: it is passed on. */
  readonly checkPayloadFormat?: boolean;
  /** Clients that ask are told to be answered under `<prefix>/<client id>`; default: nothing is said. */
  readonly responsePrefix?: string | null;
  /**
   * Messages a second (one more for each KiB) that a subscriber has to acknowledge while its publishers wait for it; else
   * they wait no longer and its queue drops by its bounds. 0 or absent = anything in ten seconds is enough.
   */
  readonly minimumDrainRate?: number;
  /** Bytes of unacknowledged messages towards one client; 0 or absent = no bound of their own. */
  readonly maximumInflightBytes?: number;
  /** Keep QoS 0 messages for absent clients too. Default: no. */
  readonly queueQos0?: boolean;
  /** Deliver at the QoS of the subscription even where the message came with a lower one. Default: no. */
  readonly upgradeOutgoingQos?: boolean;
  /** Default: true. False: a retained message is refused (0x9A). */
  readonly retainAvailable?: boolean;
  /** Age at which a retained message without an expiry of its own is dropped; 0 or absent = never. */
  readonly retainExpirySeconds?: number;
  /** Bytes of one message's payload; a larger message is refused (0x83) and goes nowhere. 0 or absent = no bound of its own. */
  readonly maximumPayloadSize?: number;
  /** Aliases that the broker uses towards a client that takes them; absent = as many as it takes, within `topicAliasMaximum`. */
  readonly topicAliasMaximumOutgoing?: number;
  /** A retained message goes out only while its publisher may still publish there. Default: false. */
  readonly checkRetainSource?: boolean;
  /** Client ids must begin with one of these; absent or empty = any. */
  readonly clientIdPrefixes?: readonly string[];
  /** The highest QoS that is taken from clients (Maximum QoS). Default: 2. */
  readonly maximumQos?: Qos;
  /** Protocol levels that are taken: 3 = MQTT 3.1, 4 = 3.1.1, 5. Default: all. */
  readonly acceptedVersions?: readonly (3 | 4 | 5)[];
  /** A client without an id is given one (with a clean session). Default: true. */
  readonly allowEmptyClientId?: boolean;
  /** What an id that the broker gives begins with. */
  readonly assignedClientIdPrefix?: string;
  /** A user's name is its client id. Default: false. */
  readonly usernameAsClientId?: boolean;
}

export interface ListenerConfig {
  readonly name: string;
  readonly protocol: 'tcp' | 'tls' | 'unix' | 'ws' | 'wss';
  /** Everything but Unix. Empty: all addresses of both versions of IP. */
  readonly address: string;
  readonly port: number;
  /** Unix. */
  readonly path: string;
  /** `null` where the protocol is neither `ws` nor `wss`. */
  readonly webSocket: WebSocketConfig | null;
  /** `tls` and `wss`. */
  readonly tls: TlsFilesConfig | null;
  readonly requireCertificate: boolean;
  /** Password file (mosquitto_passwd format); `null` = passwords are not asked for. */
  readonly passwordFile: string | null;
  /** Users and keys for SCRAM-SHA-256 (MQTT 5); `null` = the method is not known here. */
  readonly scramFile: string | null;
  readonly requirePassword: boolean;
  readonly allowAnonymous: boolean;
  /** The certificate's common name becomes the user name. */
  readonly identityFromCertificate: boolean;
  /** Access list (mosquitto ACL format); `null` = everything is allowed to who has signed in. */
  readonly accessFile: string | null;
  /** Put site, reception time and an id on what comes in here (and remove them where a client sends them). */
  readonly stamp: boolean;
  /** What comes in below this QoS is carried on at it (the standard says: at its own), so that it is stored and forwarded. */
  readonly minimumQos: 0 | 1;
  /** Client ids that many devices share by their firmware's fault: made unique by the device's address. */
  readonly sharedClientIds: readonly string[];
  /** Bounds for the clients of this listener, laid over the broker's. */
  readonly limits?: Partial<LimitsConfig>;
  /** Open connections of this listener; absent = as many as the broker takes. */
  readonly maximumConnections?: number;
  /** Its clients live below this prefix and do not see it: `site1/`. */
  readonly mountPoint?: string;
  /** A PROXY protocol header of this version comes before everything else. */
  readonly proxyProtocol?: 1 | 2;
  /** PROXY protocol 2: refuse connections that did not come to the proxy by TLS. */
  readonly proxyRequiresTls?: boolean;
  /** Who a client certificate makes its bearer; wins over `identityFromCertificate`. */
  readonly certificateIdentity?: 'common-name' | 'subject';
  /** Listen on the addresses of this network interface only. */
  readonly networkInterface?: string;
  readonly ipVersion?: 4 | 6;
  /** Do without it where its address does not exist on this machine: `::1` without IPv6. Default: false. */
  readonly isOptional?: boolean;
  /** Identities and keys of TLS-PSK (`identity:hexadecimal key` per line); absent = none. */
  readonly pskFile?: string;
  /** What is told to PSK clients that ask which identity is wanted. */
  readonly pskHint?: string;
  /** The PSK identity becomes the user name. */
  readonly identityFromPsk?: boolean;
  /** Files under this folder are served to web browsers at this listener (`ws` and `wss`). */
  readonly httpFolder?: string;
}

/** Which HTTP requests become MQTT. */
export interface WebSocketConfig {
  /** Begins with `/`, or `*` = any. A client that names no path (`/`) is let in as well. */
  readonly path: string;
  /** Web pages of other hosts that may connect, as their origin (`https://screen.example`); `*` = all. */
  readonly allowedOrigins: readonly string[];
}

export interface TlsFilesConfig {
  readonly caFile: string | null;
  readonly certificateFile: string | null;
  readonly keyFile: string | null;
  /** Folder with certificates of authorities, a file each. */
  readonly caFolder?: string;
  /** Certificates that are withdrawn (PEM). */
  readonly crlFile?: string;
  /** OpenSSL's names, `:` between: for TLS 1.2, and for TLS 1.3. */
  readonly ciphers?: string;
  readonly ciphersTls13?: string;
  /** Default: 1.2. */
  readonly minimumVersion?: TlsVersion;
  /** Default: 1.3. */
  readonly maximumVersion?: TlsVersion;
  /** Protocol names to offer (a client) or to take (a server). */
  readonly alpn?: readonly string[];
  /** Curves, best first, by OpenSSL's names, `:` between. */
  readonly curves?: string;
  readonly dhParametersFile?: string;
  /** Do not look at the dates of clients' certificates: devices whose clock is wrong. Default: false. */
  readonly ignoresDates?: boolean;
  /** A client does not check the server's name. For tests; a warning says so. Default: false. */
  readonly isInsecure?: boolean;
  /** A client: the system's authorities are trusted as well. Default: only where there is no CA file. */
  readonly trustsSystem?: boolean;
  /** A client without a certificate: TLS-PSK. The key itself, or a file with a line `identity:key`. */
  readonly psk?: PreSharedKey;
}

/** A key that both ends know beforehand, in hexadecimal. */
export type PreSharedKey =
  | { readonly identity: string; readonly keyHex: string }
  | { readonly identity: string; readonly file: string };

export type TlsVersion = 'TLSv1.2' | 'TLSv1.3';

export interface BridgeConfig {
  readonly name: string;
  readonly host: string;
  readonly port: number;
  readonly tls: TlsFilesConfig | null;
  readonly protocolVersion: 4 | 5;
  readonly clientId: string;
  readonly username: string | null;
  readonly passwordFile: string | null;
  readonly keepAliveSeconds: number;
  readonly cleanStart: boolean;
  readonly sessionExpirySeconds: number;
  /** Back-off between tries: at least and at most. */
  readonly retryMinimumMs: number;
  readonly retryMaximumMs: number;
  readonly topics: readonly BridgeTopicConfig[];
  /** More places where the other broker is; the first is `host` and `port`. */
  readonly moreAddresses?: readonly { readonly host: string; readonly port: number }[];
  /** Take the addresses in turn; else go back to the first as soon as it answers. Default: false. */
  readonly roundRobin?: boolean;
  /** Default: `automatic`. `lazy`: connect when `lazyThreshold` messages wait, part after `lazyIdleMs`. `once`: no second try. */
  readonly startType?: 'automatic' | 'lazy' | 'once';
  readonly lazyThreshold?: number;
  readonly lazyIdleMs?: number;
  /** Tell the state (`1`, `0`, retained) of the link. Default: false. */
  readonly notifications?: boolean;
  /** Only on our own side. */
  readonly notificationsLocalOnly?: boolean;
  /** Default: `$SYS/broker/connection/<client id>/state`. */
  readonly notificationTopic?: string;
  /** Say to the other broker that this is a bridge (bit 7 of the protocol level; 3.1.1). Default: true where `protocolVersion` is 4. */
  readonly tryPrivate?: boolean;
  /** Session, user and password on our own broker. */
  readonly localClientId?: string;
  readonly localUsername?: string;
  readonly localPassword?: string;
  readonly localCleanStart?: boolean;
  /** The password itself, where the configuration holds it (mosquitto.conf); never logged. */
  readonly password?: string;
  /** On connecting, unsubscribe from what this bridge only sends. Default: true. */
  readonly attemptUnsubscribe?: boolean;
  /** Default: true. False: nothing goes out with the retain flag. */
  readonly outgoingRetain?: boolean;
  readonly maximumPacketSize?: number;
  readonly topicAliasMaximum?: number;
  readonly receiveMaximum?: number;
  readonly tcpKeepAliveSeconds?: number;
  readonly localAddress?: string;
  /** Speaks WebSocket: the path of the URL. */
  readonly webSocketPath?: string;
  /** Bounds of the queue on our side; absent = the broker's. */
  readonly maximumQueuedMessages?: number;
  readonly maximumQueuedBytes?: number;
  readonly maximumQueuedAgeSeconds?: number;
  /** What goes first when the queue is full. Default: the new message. */
  readonly queueFullPolicy?: 'drop-new' | 'drop-oldest';
  /** Messages of these topics overtake everything else that waits. */
  readonly urgentTopics?: readonly string[];
  /** Small messages wait this long for company; urgent ones never. Absent: 0. */
  readonly flushMs?: number;
  /** At a reload: part at once, or when the link is lost the next time. Default: `immediate`. */
  readonly reloadType?: 'immediate' | 'lazy';
}

export interface BridgeTopicConfig {
  readonly filter: string;
  readonly direction: 'in' | 'out' | 'both';
  readonly qos: 0 | 1 | 2;
  readonly localPrefix: string;
  readonly remotePrefix: string;
}

export interface PlatformConfig {
  /** SQLite file. */
  readonly storeFile: string;
  /** The Unix socket of this role's own broker; the platform signs in there. */
  readonly brokerSocket: string;
  readonly api: { readonly address: string; readonly port: number };
  /** Site address of legacy topics (`23.17.224.11`) → site name, for messages without a stamp. */
  readonly siteAddresses: ReadonlyMap<string, string>;
  /** Device id or MAC address → its name for people. */
  readonly deviceNames: ReadonlyMap<string, string>;
  /** Device ids or MAC addresses that are approved from the start. */
  readonly approvedDevices: readonly string[];
  readonly warmUpMs: number;
  /** A detector that has read 0 this long after its hello is warm: a cold MQ sensor reads 1 first. */
  readonly warmProofMs: number;
  /** Silent = nothing heard for `silentAfterIntervals` × its interval, and for `silentMinimumMs` at least. */
  readonly silentAfterIntervals: number;
  readonly silentMinimumMs: number;
  readonly alarmRules: readonly AlarmRule[];
  readonly batchRows: number;
  readonly batchDelayMs: number;
  readonly quarantineRows: number;
  /** Socket of the demo's leak control; `null` outside the demo. */
  readonly demoControl: string | null;
}

export interface CommandGateConfig {
  readonly allowed: readonly ('Request' | 'Sleep')[];
  readonly sleepMinimumSeconds: number;
  readonly sleepMaximumSeconds: number;
  readonly answerTimeoutMs: number;
}

/** A notice about a configuration that can be used all the same. */
export interface ConfigWarning {
  readonly file: string;
  readonly line: number | undefined;
  readonly message: string;
}
