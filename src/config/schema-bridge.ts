import { hour, second, type TableSpec } from './key-type.ts';
import { bridgeLinkKeys, bridgeQueueKeys } from './schema-bridge-queue.ts';
import { bridgeTlsKeys } from './schema-tls.ts';

const topicTable: TableSpec = {
  key: 'topic',
  form: 'many',
  description:
    "What the bridge before it carries. The local topic is `local_prefix` + the filter's match, the remote one `remote_prefix` + the same.",
  tables: [],
  keys: [
    {
      key: 'filter',
      type: { kind: 'filter' },
      default: undefined,
      reload: 'reconnect',
      description: 'Topics, without the prefixes.',
    },
    {
      key: 'direction',
      type: { kind: 'choice', values: ['in', 'out', 'both'] },
      default: 'out',
      reload: 'reconnect',
      description: '`out`: from here to the other broker.',
    },
    {
      key: 'qos',
      type: { kind: 'choice', values: [0, 1, 2] },
      default: 1,
      reload: 'reconnect',
      description: 'Highest quality of service on the way.',
    },
    {
      key: 'local_prefix',
      type: { kind: 'prefix' },
      default: '',
      reload: 'reconnect',
      description: 'Stands before the topic here.',
    },
    {
      key: 'remote_prefix',
      type: { kind: 'prefix' },
      default: '',
      reload: 'reconnect',
      description: 'Stands before the topic there.',
    },
  ],
};

/** This broker as a client of another. */
export const bridgeTable: TableSpec = {
  key: 'bridge',
  form: 'many',
  description:
    'This broker as a client of another. What it cannot deliver waits: with `[persistence]` on the disk.',
  tables: [topicTable],
  keys: [
    {
      key: 'name',
      type: { kind: 'name' },
      default: undefined,
      reload: 'reconnect',
      description: 'Name in logs and errors; unique.',
    },
    {
      key: 'host',
      type: { kind: 'text' },
      default: undefined,
      reload: 'reconnect',
      description: 'The other broker: a name or an address.',
    },
    {
      key: 'port',
      type: { kind: 'integer', minimum: 1, maximum: 65_535 },
      default: null,
      defaultText: '1883, with TLS 8883',
      reload: 'reconnect',
      description: 'Its port.',
    },
    {
      key: 'tls',
      type: { kind: 'boolean' },
      default: null,
      defaultText: 'true where `ca_file`, `ca_folder`, `certificate_file` or `psk_file` is given',
      reload: 'reconnect',
      description: 'Speak TLS.',
    },
    {
      key: 'ca_file',
      type: { kind: 'path' },
      default: null,
      defaultText: "the system's authorities",
      reload: 'reconnect',
      description: "Authorities that the other broker's certificate must be of (PEM).",
    },
    {
      key: 'certificate_file',
      type: { kind: 'path' },
      default: null,
      reload: 'reconnect',
      description: 'Client certificate to show (PEM).',
    },
    {
      key: 'key_file',
      type: { kind: 'path' },
      default: null,
      reload: 'reconnect',
      description: 'The private key of the certificate (PEM).',
    },
    ...bridgeTlsKeys,
    {
      key: 'protocol_version',
      type: { kind: 'choice', values: [4, 5] },
      default: 5,
      reload: 'reconnect',
      description: '5 for MQTT 5, 4 for MQTT 3.1.1.',
    },
    {
      key: 'client_id',
      type: { kind: 'text' },
      default: null,
      defaultText: '`davylamp-<name of this machine>-<name of the bridge>`',
      reload: 'reconnect',
      description: 'Client id at the other broker.',
    },
    {
      key: 'username',
      type: { kind: 'text' },
      default: null,
      reload: 'reconnect',
      description: 'User name at the other broker.',
    },
    {
      key: 'password_file',
      type: { kind: 'path' },
      default: null,
      reload: 'reconnect',
      description: 'File whose first line is the password.',
    },
    {
      key: 'keep_alive',
      type: { kind: 'duration', unit: 's', minimum: 5, maximum: 65_535 },
      default: 30,
      reload: 'reconnect',
      description: 'A link that says nothing for longer is tested, and given up when it does not answer.',
    },
    {
      key: 'clean_start',
      type: { kind: 'boolean' },
      default: false,
      reload: 'reconnect',
      description: 'Forget what waited on the other side at each connection.',
    },
    {
      key: 'session_expiry',
      type: { kind: 'duration', unit: 's', minimum: 0, maximum: 4_294_967_294 },
      default: 604_800,
      reload: 'reconnect',
      description: 'How long the other side keeps what waits for this one.',
    },
    {
      key: 'retry_minimum',
      type: { kind: 'duration', unit: 'ms', minimum: 10, maximum: hour },
      default: second,
      reload: 'live',
      description: 'Shortest pause between two tries.',
    },
    {
      key: 'retry_maximum',
      type: { kind: 'duration', unit: 'ms', minimum: 10, maximum: 24 * hour },
      default: 30 * second,
      reload: 'live',
      description: 'Longest pause between two tries.',
    },
    ...bridgeLinkKeys,
    ...bridgeQueueKeys,
  ],
};
