/** Why a message was not delivered. Every drop has one of these names, in `$SYS`, logs and hooks. */
export const dropPolicies = [
  'slow-client',
  'queue-full',
  'expired',
  'too-large',
  'not-authorized',
  'retained-full',
  'session-ended',
  'queue-age',
  'journal-full',
  'unreadable',
  'hook',
  'memory',
] as const;
export type DropPolicy = (typeof dropPolicies)[number];

/** Bounds that are reached without a message being dropped; how often each was stands in `$SYS`. */
export const boundNames = [
  'connections',
  'connections-per-address',
  'connections-per-user',
  'connect-time',
  'sign-ins',
  'packet-size',
  'receive-window',
  'in-flight',
  'subscriptions',
  'topic-levels',
  'topic-length',
  'topic-aliases',
  'user-properties',
  'sessions',
  'memory',
  'memory-clients',
  'memory-kept',
  'memory-sessions',
  'rate',
  'flapping',
  'drain-rate',
  'journal',
] as const;
export type BoundName = (typeof boundNames)[number];

/** Counters since the start of the broker; numbers only, so that counting costs an addition. */
export class Statistics {
  bytesReceived = 0;
  bytesSent = 0;
  /** Control packets of every type. */
  packetsReceived = 0;
  packetsSent = 0;
  publishReceived = 0;
  publishSent = 0;
  publishBytesReceived = 0;
  publishBytesSent = 0;
  /** PUBLISH packets that were answered with a reason code of 0x80 or above. */
  publishRefused = 0;
  connectionsAccepted = 0;
  /** CONNECT packets, also of those who are refused. */
  connectsReceived = 0;
  connectionsRefused = 0;
  connectionsClosed = 0;
  clientsConnected = 0;
  clientsMaximum = 0;
  sessions = 0;
  sessionsExpired = 0;
  subscriptions = 0;
  sharedSubscriptions = 0;
  retainedMessages = 0;
  retainedBytes = 0;
  queuedMessages = 0;
  queuedBytes = 0;
  protocolErrors = 0;
  keepAliveTimeouts = 0;
  slowClientsClosed = 0;
  takeovers = 0;
  clientIdFights = 0;
  publishersHeld = 0;
  /** Clients that were refused for a while because they connected too often. */
  clientsBanned = 0;
  bugs = 0;
  readonly dropped: Record<DropPolicy, number> = {
    'slow-client': 0,
    'queue-full': 0,
    expired: 0,
    'too-large': 0,
    'not-authorized': 0,
    'retained-full': 0,
    'session-ended': 0,
    'queue-age': 0,
    'journal-full': 0,
    unreadable: 0,
    hook: 0,
    memory: 0,
  };
  /** How often each bound was reached. */
  readonly reached: Record<BoundName, number> = {
    connections: 0,
    'connections-per-address': 0,
    'connections-per-user': 0,
    'connect-time': 0,
    'sign-ins': 0,
    'packet-size': 0,
    'receive-window': 0,
    'in-flight': 0,
    subscriptions: 0,
    'topic-levels': 0,
    'topic-length': 0,
    'topic-aliases': 0,
    'user-properties': 0,
    sessions: 0,
    memory: 0,
    'memory-clients': 0,
    'memory-kept': 0,
    'memory-sessions': 0,
    rate: 0,
    flapping: 0,
    'drain-rate': 0,
    journal: 0,
  };

  /** Messages dropped for any reason. */
  get messagesDropped(): number {
    let sum = 0;
    for (const policy of dropPolicies) sum += this.dropped[policy];
    return sum;
  }
}
