import type { KeySpec } from './key-type.ts';

type Reload = KeySpec['reload'];

/** Where TLS looks for authorities, and which of its versions and algorithms it takes: the same at both ends. */
function tlsKeys(reload: Reload): readonly KeySpec[] {
  return [
    {
      key: 'ca_folder',
      type: { kind: 'path' },
      default: null,
      reload,
      description: 'Folder with more authorities, each in a file of its own (PEM).',
    },
    {
      key: 'tls_minimum_version',
      type: { kind: 'choice', values: ['1.2', '1.3'] },
      default: '1.2',
      reload,
      description: 'Lowest version of TLS.',
    },
    {
      key: 'tls_maximum_version',
      type: { kind: 'choice', values: ['1.2', '1.3'] },
      default: '1.3',
      reload,
      description: 'Highest version of TLS.',
    },
    {
      key: 'ciphers',
      type: { kind: 'text' },
      default: null,
      defaultText: "Node's list; with a shared key, those for it",
      reload,
      description: "Cipher suites of TLS 1.2, best first, by OpenSSL's names with `:` between.",
    },
    {
      key: 'ciphers_tls13',
      type: { kind: 'text' },
      default: null,
      defaultText: "Node's list; with a shared key, SHA-256 first",
      reload,
      description: 'Cipher suites of TLS 1.3: `TLS_AES_128_GCM_SHA256:TLS_CHACHA20_POLY1305_SHA256`.',
    },
    {
      key: 'curves',
      type: { kind: 'text' },
      default: null,
      defaultText: '`X25519:P-256:P-384:P-521`',
      reload,
      description: 'Curves of the key exchange, best first.',
    },
  ];
}

/** What only a server asks of its TLS clients. */
export const listenerTlsKeys: readonly KeySpec[] = [
  ...tlsKeys('live'),
  {
    key: 'dh_parameters_file',
    type: { kind: 'path' },
    default: null,
    defaultText: 'none: key exchange by curves only',
    reload: 'live',
    description: 'Diffie-Hellman parameters (PEM) for clients of TLS 1.2 that know no curve.',
  },
  {
    key: 'crl_file',
    type: { kind: 'path' },
    default: null,
    reload: 'live',
    description:
      'Lists of withdrawn client certificates (PEM). The authority of each client must have one in it.',
  },
  {
    key: 'ignore_certificate_dates',
    type: { kind: 'boolean' },
    default: false,
    reload: 'live',
    description: 'Take client certificates that have expired or are not valid yet: devices without a clock.',
  },
  {
    key: 'alpn',
    type: { kind: 'list', of: { kind: 'text' } },
    default: [],
    reload: 'live',
    description:
      'Application protocols (ALPN) that are taken, best first: `["mqtt"]`. A client that offers only others is refused, one that offers none is let in. Empty = it does not matter.',
  },
  {
    key: 'psk_file',
    type: { kind: 'path' },
    default: null,
    reload: 'live',
    description:
      'Keys shared with clients beforehand (TLS-PSK), instead of certificates or beside them: lines `identity:key`, the key in hexadecimal.',
  },
  {
    key: 'psk_hint',
    type: { kind: 'text' },
    default: null,
    reload: 'live',
    description: 'What TLS 1.2 tells clients that ask which identity is wanted.',
  },
  {
    key: 'identity_from_psk',
    type: { kind: 'boolean' },
    default: false,
    reload: 'live',
    description: 'The identity whose key a client has proved to know is its user name, where it gives none.',
  },
];

/** What only a client asks of its TLS server. */
export const bridgeTlsKeys: readonly KeySpec[] = [
  ...tlsKeys('reconnect'),
  {
    key: 'trust_system',
    type: { kind: 'boolean' },
    default: null,
    defaultText: 'true where there is neither `ca_file` nor `ca_folder`',
    reload: 'reconnect',
    description: "The system's authorities are trusted as well.",
  },
  {
    key: 'alpn',
    type: { kind: 'list', of: { kind: 'text' } },
    default: [],
    reload: 'reconnect',
    description: 'Application protocols (ALPN) to offer: some brokers want `["mqtt"]` on port 443.',
  },
  {
    key: 'psk_file',
    type: { kind: 'path' },
    default: null,
    reload: 'reconnect',
    description:
      'Key shared with the other broker beforehand (TLS-PSK), instead of certificates: a line `identity:key`, the key in hexadecimal.',
  },
  {
    key: 'psk_identity',
    type: { kind: 'text' },
    default: null,
    reload: 'reconnect',
    description: 'The identity in `psk_file` by which this bridge is known.',
  },
  {
    key: 'insecure',
    type: { kind: 'boolean' },
    default: false,
    reload: 'reconnect',
    description: 'For tests: take any certificate of a trusted authority, whatever host it names.',
  },
];
