import type { KeySpec, TableSpec } from './key-type.ts';
import { clientLimitKeys } from './schema-client-limits.ts';
import { listenerTlsKeys } from './schema-tls.ts';

/** A bound of `[broker]` that holds for the clients of one listener alone. */
function ownLimit(spec: KeySpec): KeySpec {
  return {
    ...spec,
    default: null,
    defaultText: 'that of `[broker]`',
    description: 'As in `[broker]`, for this listener.',
  };
}

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
      default: null,
      defaultText:
        '`"127.0.0.1"`, with `ip_version = 6` `"::1"`, with `network_interface` all addresses of it',
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
      key: 'network_interface',
      type: { kind: 'text' },
      default: null,
      reload: 'restart',
      description: 'Listen on the addresses of this network interface only, such as `eth0`.',
    },
    {
      key: 'ip_version',
      type: { kind: 'choice', values: [4, 6] },
      default: null,
      defaultText: 'both',
      reload: 'restart',
      description: 'Listen on addresses of this version of IP only.',
    },
    {
      key: 'optional',
      type: { kind: 'boolean' },
      default: false,
      reload: 'restart',
      description: 'Do without this listener where the machine does not have its address.',
    },
    {
      key: 'proxy_protocol',
      type: { kind: 'choice', values: [1, 2] },
      default: null,
      defaultText: 'none: a header is not understood',
      reload: 'live',
      description:
        'A load balancer stands before this listener and says who the client is, by a PROXY protocol header of this version. A connection without one is refused, so only the load balancer may reach this port. By version 2 it tells the common name of a client certificate too.',
    },
    {
      key: 'proxy_requires_tls',
      type: { kind: 'boolean' },
      default: false,
      reload: 'live',
      description: 'Refuse clients that came to the load balancer without TLS; with `proxy_protocol = 2`.',
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
      key: 'http_folder',
      type: { kind: 'path' },
      default: null,
      reload: 'live',
      description:
        'For `ws` and `wss`: web browsers get the files of this folder, so that a page and its broker have one address. Everybody who reaches the listener can read them, without signing in.',
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
    ...listenerTlsKeys,
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
      description: 'The name in the certificate is the user name of a client that gives none.',
    },
    {
      key: 'certificate_identity',
      type: { kind: 'choice', values: ['common-name', 'subject'] },
      default: 'common-name',
      reload: 'live',
      description:
        'What of the certificate `identity_from_certificate` takes: the common name, or the whole subject (`CN=tank-7,O=Acme`).',
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
    {
      key: 'maximum_connections',
      type: { kind: 'integer', minimum: 1, maximum: 10_000_000 },
      default: null,
      defaultText: 'that of `[broker]`',
      reload: 'live',
      description: 'Connections of this listener at once.',
    },
    ...clientLimitKeys.map(ownLimit),
  ],
};
