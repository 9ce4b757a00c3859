import { DEFAULT_CIPHERS, type SecureContextOptions } from 'node:tls';
import { DavylampError } from '#base';
import type { TlsFilesConfig } from '#config';
import { checkWithTls, type TlsMaterial } from './tls-files.ts';

/**
 * Classic curves only: the post-quantum share of Node's default adds 2.3 KB to each handshake, dear on metered links. The
 * last two are for clients that have no other.
 */
const curves = 'X25519:P-256:P-384:P-521';

/** Node's own list, which names both versions in one. */
const [ciphersTls13, ciphers] = [true, false].map((isTls13) =>
  DEFAULT_CIPHERS.split(':')
    .filter((name) => name.startsWith('TLS_') === isTls13)
    .join(':'),
) as [string, string];

/** Keys shared beforehand: with an ephemeral exchange first. */
const pskCiphers =
  'ECDHE-PSK-CHACHA20-POLY1305:ECDHE-PSK-AES256-CBC-SHA384:ECDHE-PSK-AES128-CBC-SHA256:DHE-PSK-AES256-GCM-SHA384:DHE-PSK-AES128-GCM-SHA256:PSK+HIGH:PSK+AES';

/** A key of TLS-PSK goes with SHA-256 alone (RFC 8446, 4.2.11): another suite would be tried in vain. */
const pskCiphersTls13 = 'TLS_AES_128_GCM_SHA256:TLS_CHACHA20_POLY1305_SHA256:TLS_AES_256_GCM_SHA384';

/** What a secure context is made of, for either end. `withPsk`: keys that are shared beforehand are taken, or given. */
export function secureSettings(
  tls: TlsFilesConfig,
  material: TlsMaterial,
  options: { readonly owner: string; readonly withPsk: boolean },
): SecureContextOptions {
  const { ca, cert, key, dhparam } = material;
  const { owner, withPsk } = options;
  const minVersion = tls.minimumVersion ?? 'TLSv1.2';
  const maxVersion = tls.maximumVersion ?? 'TLSv1.3';
  if (minVersion > maxVersion) {
    const message = `${owner}: TLS from ${minVersion} to ${maxVersion} is nothing; give the lower version first`;
    throw new DavylampError('TLS_INVALID', message);
  }
  const suites = tls.ciphersTls13 ?? (withPsk ? pskCiphersTls13 : ciphersTls13);
  const list = tls.ciphers ?? (withPsk ? pskListOf(cert !== undefined) : ciphers);
  if (tls.ciphers !== undefined)
    checkWithTls({ ciphers: `${ciphersTls13}:${tls.ciphers}` }, `${owner}: ciphers ${tls.ciphers}`);
  if (tls.ciphersTls13 !== undefined)
    checkWithTls({ ciphers: tls.ciphersTls13 }, `${owner}: ciphers of TLS 1.3 ${tls.ciphersTls13}`);
  if (tls.curves !== undefined) checkWithTls({ ecdhCurve: tls.curves }, `${owner}: curves ${tls.curves}`);
  return {
    minVersion,
    maxVersion,
    ciphers: `${suites}:${list}`,
    ecdhCurve: tls.curves ?? curves,
    ...(ca === undefined ? {} : { ca: [...ca] }),
    ...(cert === undefined ? {} : { cert, key }),
    ...(dhparam === undefined ? {} : { dhparam }),
  };
}

/** `!PSK` in the list for certificates would take out what stands before it. */
function pskListOf(hasCertificate: boolean): string {
  return hasCertificate ? `${pskCiphers}:${ciphers.replace(':!PSK', '')}` : pskCiphers;
}
