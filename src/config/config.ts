import type { AlarmRule } from '#model';
import type { LogLevel } from '#base';

/** The one typed configuration that every reader (TOML, later mosquitto.conf) makes. Paths are absolute. */
export interface Config {
  readonly role: 'site' | 'relay' | 'cloud';
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
}

export interface ListenerConfig {
  readonly name: string;
  readonly protocol: 'tcp' | 'tls' | 'unix' | 'ws' | 'wss';
  /** Everything but Unix. */
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
}

/** Which HTTP requests become MQTT. */
export interface WebSocketConfig {
  /** Begins with `/`. A client that names no path (`/`) is let in as well. */
  readonly path: string;
  /** Web pages of other hosts that may connect, as their origin (`https://screen.example`); `*` = all. */
  readonly allowedOrigins: readonly string[];
}

export interface TlsFilesConfig {
  readonly caFile: string | null;
  readonly certificateFile: string | null;
  readonly keyFile: string | null;
}

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
  /** Small messages wait this long for company; 0 = never. */
  readonly topics: readonly BridgeTopicConfig[];
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
