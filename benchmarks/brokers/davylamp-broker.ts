/** The broker alone, for anonymous clients on a TCP port of loopback: `node --conditions=source davylamp-broker.ts PORT`. */
import process from 'node:process';
import { LineLogger, SystemClock } from '#base';
import { Broker, type ListenerProfile } from '#broker';
import type { LimitsConfig, ListenerConfig } from '#config';
import { MemoryJournal } from '#journal';
import { createListener } from '#listeners';

/** Wide enough that what is measured is the work, not a limit; bounded all the same. */
const limits: LimitsConfig = {
  maximumPacketSize: 16 * 1024 * 1024,
  maximumPacketSizeBeforeConnect: 16 * 1024,
  connectTimeoutMs: 10_000,
  maximumConnections: 200_000,
  receiveMaximumStrict: false,
  receiveMaximum: 1000,
  maximumInflight: 1000,
  maximumQueuedMessages: 100_000,
  maximumQueuedBytes: 64 * 1024 * 1024,
  maximumSubscriptionsPerClient: 1000,
  maximumTopicLevels: 128,
  maximumTopicLength: 4096,
  maximumRetainedMessages: 100_000,
  maximumRetainedBytes: 64 * 1024 * 1024,
  topicAliasMaximum: 10,
  maximumKeepAliveSeconds: 65_535,
  maximumSessionExpirySeconds: 3600,
  maximumPendingBytes: 8 * 1024 * 1024,
  maximumUserProperties: 64,
};

const listenerConfig: ListenerConfig = {
  name: 'benchmark',
  protocol: 'tcp',
  address: '127.0.0.1',
  port: Number(process.argv[2]),
  path: '',
  webSocket: null,
  tls: null,
  requireCertificate: false,
  passwordFile: null,
  scramFile: null,
  requirePassword: false,
  allowAnonymous: true,
  identityFromCertificate: false,
  accessFile: null,
  stamp: false,
  minimumQos: 0,
  sharedClientIds: [],
};

const profile: ListenerProfile = {
  name: 'benchmark',
  authenticator: { authenticate: () => ({ reasonCode: 0, name: null }) },
  authorizer: { generation: 0, mayPublish: () => true, mayRead: () => true, maySubscribe: () => 'all' },
  stampSite: null,
  minimumQos: 0,
  sharedClientIds: new Set(),
};

const clock = new SystemClock();
const log = new LineLogger({ clock, level: 'warning', write: (line) => process.stderr.write(line) });
const broker = new Broker({
  clock,
  log,
  limits,
  journal: new MemoryJournal(),
  name: 'benchmark',
  version: '0',
});
broker.start();
const listener = createListener(listenerConfig, (transport) => broker.accept(transport, profile), {
  log,
  clock,
  maximumConnections: limits.maximumConnections,
});
await listener.start();
process.once('SIGTERM', () => process.exit(0));
