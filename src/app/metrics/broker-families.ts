import { boundNames, dropPolicies, type Statistics } from '#broker';
import { counter, familiesOf, gauge, type MetricFamily, type Shown } from './metric-family.ts';

/** Every number of `Statistics`: a new one does not compile until it has a name here. */
type BrokerNumber = Exclude<
  { [K in keyof Statistics]: Statistics[K] extends number ? K : never }[keyof Statistics],
  'messagesDropped'
>;

const numbers: Readonly<Record<BrokerNumber, Shown>> = {
  clientsConnected: gauge('clients_connected', 'Clients that are connected.'),
  clientsMaximum: gauge('clients_connected_maximum', 'Most clients that were connected at once.'),
  sessions: gauge('sessions', 'Sessions, of connected and absent clients.'),
  sessionsExpired: counter('sessions_expired', 'Sessions that came to the end of their time.'),
  subscriptions: gauge('subscriptions', 'Subscriptions.'),
  sharedSubscriptions: gauge('shared_subscriptions', 'Of the subscriptions, shared ones.'),
  retainedMessages: gauge('retained_messages', 'Retained messages, those below $SYS among them.'),
  retainedBytes: gauge('retained_bytes', 'Bytes of the retained messages.'),
  queuedMessages: gauge('queued_messages', 'Messages that wait for a client, of all sessions.'),
  queuedBytes: gauge('queued_bytes', 'Bytes of the messages that wait for a client.'),
  bytesReceived: counter('received_bytes', 'Bytes that came over MQTT connections.'),
  bytesSent: counter('sent_bytes', 'Bytes that went out over MQTT connections.'),
  packetsReceived: counter('packets_received', 'MQTT packets of every type that came.'),
  packetsSent: counter('packets_sent', 'MQTT packets of every type that went out.'),
  publishReceived: counter('publish_received', 'PUBLISH packets that came.'),
  publishSent: counter('publish_sent', 'PUBLISH packets that went out.'),
  publishBytesReceived: counter('publish_received_bytes', 'Payloads of PUBLISH packets that came.'),
  publishBytesSent: counter('publish_sent_bytes', 'Payloads of PUBLISH packets that went out.'),
  publishRefused: counter('publish_refused', 'PUBLISH packets that were answered with a refusal.'),
  connectionsAccepted: counter('connections_accepted', 'Connections that were accepted.'),
  connectionsRefused: counter('connections_refused', 'Connections and clients that were turned away.'),
  connectionsClosed: counter('connections_closed', 'Connections that have ended.'),
  connectsReceived: counter('connects_received', 'CONNECT packets, also of those who are refused.'),
  protocolErrors: counter('protocol_errors', 'Packets that ended their connection.'),
  keepAliveTimeouts: counter('keep_alive_timeouts', 'Clients that were silent for too long.'),
  slowClientsClosed: counter('slow_clients_closed', 'Clients that did not take their messages.'),
  takeovers: counter('takeovers', 'Connections that another one with the same client id ended.'),
  clientIdFights: counter('client_id_fights', 'Client ids that two devices fought over.'),
  publishersHeld: counter('publishers_held', 'Times that a publisher had to wait for a subscriber.'),
  clientsBanned: counter('clients_banned', 'Clients refused for a while: they connected too often.'),
  bugs: counter('bugs', 'Things that happened and must not: please report them.'),
};

/** What the broker counts. */
export const brokerFamilies: readonly MetricFamily[] = [
  {
    name: 'davylamp_info',
    help: 'Always 1; the labels say what runs here.',
    kind: 'gauge',
    labelNames: ['role', 'name', 'version'],
    samples: ({ role, name, version }) => [{ labels: { role, name, version }, value: 1 }],
  },
  ...familiesOf('davylamp_', [], numbers, ({ statistics }) => [{ labels: {}, numbers: statistics }]),
  {
    name: 'davylamp_messages_dropped_total',
    help: 'Messages that were not delivered, by the reason.',
    kind: 'counter',
    labelNames: ['policy'],
    samples: ({ statistics }) =>
      dropPolicies.map((policy) => ({ labels: { policy }, value: statistics.dropped[policy] })),
  },
  {
    name: 'davylamp_bounds_reached_total',
    help: 'How often each bound was reached.',
    kind: 'counter',
    labelNames: ['bound'],
    samples: ({ statistics }) =>
      boundNames.map((bound) => ({ labels: { bound }, value: statistics.reached[bound] })),
  },
];
