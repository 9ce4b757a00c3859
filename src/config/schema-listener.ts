import type { TableSpec } from './key-type.ts';

/** Where clients come in, and what is asked of them. */
export const listenerTable: TableSpec = {
  key: 'listener',
  form: 'many',
  description:
    'A door for clients, and what is asked of them. Who is asked for nothing is let in only where `allow_anonymous` says so.',
  tables: [],
  keys: [
    {
      key: 'name',
      type: { kind: 'name' },
      default: undefined,
      reload: 'restart',
      description: 'Name in logs and errors; unique.',
    },
    {
      key: 'protocol',
      type: { kind: 'choice', values: ['tcp', 'tls', 'unix', 'ws', 'wss'] },
      default: 'tcp',
      reload: 'restart',
      description: 'What carries MQTT here; `ws` is WebSocket, `wss` WebSocket over TLS.',
    },
    {
      key: 'address',
      type: { kind: 'text' },
      default: '127.0.0.1',
      reload: 'restart',
      description: 'Address to listen on; `0.0.0.0` or `::` for all.',
    },
    {
      key: 'port',
      type: { kind: 'integer', minimum: 0, maximum: 65_535 },
      default: null,
      defaultText: '`tcp` 1883, `tls` 8883, `ws` 8083, `wss` 8084',
      reload: 'restart',
      description: 'Port; 0 takes any free one.',
    },
    {
      key: 'path',
      type: { kind: 'path' },
      default: null,
      reload: 'restart',
      description: 'Socket file, for `unix`.',
    },
    {
      key: 'websocket_path',
      type: { kind: 'text' },
      default: '/mqtt',
      reload: 'live',
      description:
        'Path of the URL, for `ws` and `wss`: `ws://host:8083/mqtt`. Clients that name no path are let in as well.',
    },
    {
      key: 'allowed_origins',
      type: { kind: 'list', of: { kind: 'text' } },
      default: [],
      reload: 'live',
      description:
        'For `ws` and `wss`: web pages of other hosts that may connect, such as `https://screen.example`; `*` for all. Pages of the same host and port, and programs that send no origin, always may.',
    },
    {
      key: 'ca_file',
      type: { kind: 'path' },
      default: null,
      reload: 'live',
      description: 'Authorities whose client certificates are trusted (PEM).',
    },
    {
      key: 'certificate_file',
      type: { kind: 'path' },
      default: null,
      reload: 'live',
      description: "This server's certificate and the chain to its authority (PEM).",
    },
    {
      key: 'key_file',
      type: { kind: 'path' },
      default: null,
      reload: 'live',
      description: 'The private key of the certificate (PEM).',
    },
    {
      key: 'require_certificate',
      type: { kind: 'boolean' },
      default: false,
      reload: 'live',
      description: 'Only clients with a certificate of `ca_file` come in.',
    },
    {
      key: 'password_file',
      type: { kind: 'path' },
      default: null,
      reload: 'live',
      description: 'Users and hashed passwords, as `davylamp passwd` and `mosquitto_passwd` write them.',
    },
    {
      key: 'scram_file',
      type: { kind: 'path' },
      default: null,
      reload: 'live',
      description:
        'Users and keys for sign-in by SCRAM-SHA-256 (MQTT 5), where the password itself never crosses the network: lines as PostgreSQL keeps them, `user:SCRAM-SHA-256$<iterations>:<salt>$<storedKey>:<serverKey>`.',
    },
    {
      key: 'require_password',
      type: { kind: 'boolean' },
      default: null,
      defaultText: 'true where there is a `password_file` or `scram_file` and no `allow_anonymous`',
      reload: 'live',
      description:
        'A user name and its password (or its proof by `scram_file`) must be given, beside whatever else is asked.',
    },
    {
      key: 'allow_anonymous',
      type: { kind: 'boolean' },
      default: false,
      reload: 'live',
      description: 'Let clients in that give no name.',
    },
    {
      key: 'identity_from_certificate',
      type: { kind: 'boolean' },
      default: false,
      reload: 'live',
      description: 'The common name of the certificate is the user name of a client that gives none.',
    },
    {
      key: 'access_file',
      type: { kind: 'path' },
      default: null,
      defaultText: 'none: who is in may do everything',
      reload: 'live',
      description: "Who may read and write which topics, in the form of mosquitto's `acl_file`.",
    },
    {
      key: 'mount_point',
      type: { kind: 'prefix' },
      default: '',
      defaultText: 'none',
      reload: 'reconnect',
      description:
        'Clients of this listener live below this prefix (`site1/`) and do not see it: their topics, filters, wills and response topics have it inside the broker and in `access_file`, never on the wire. They do not see `$SYS`.',
    },
    {
      key: 'stamp',
      type: { kind: 'boolean' },
      default: false,
      reload: 'live',
      description:
        'Put site, time of reception and an id on each message (and remove them where a client sends them).',
    },
    {
      key: 'minimum_qos',
      type: { kind: 'integer', minimum: 0, maximum: 1 },
      default: 0,
      reload: 'live',
      description:
        'Carry what comes in here at this QoS at least: with 1, what a detector sends at QoS 0 waits for a bridge that is down. The standard leaves a message its own QoS.',
    },
    {
      key: 'shared_client_ids',
      type: { kind: 'list', of: { kind: 'text' } },
      default: [],
      reload: 'live',
      description:
        "Client ids that many devices share by a fault of their firmware; made unique by the device's address.",
    },
  ],
};
