import type { TlsFilesConfig } from './config.ts';
import { fault, type Desk } from './findings.ts';

/** The longest name of an application protocol (RFC 7301, 3.1). */
const longestProtocolName = 255;

/** Versions, cipher suites and protocol names that contradict each other, at either end. */
export function checkTlsChoice(tls: TlsFilesConfig, desk: Desk): void {
  const { minimumVersion = 'TLSv1.2', maximumVersion = 'TLSv1.3' } = tls;
  if (minimumVersion > maximumVersion)
    fault(desk, 'tls_minimum_version', 'tls_minimum_version is above tls_maximum_version; lower it');
  const leftOut: readonly (readonly [key: string, version: string, isLeftOut: boolean])[] = [
    ['ciphers', '1.2', minimumVersion === 'TLSv1.3'],
    ['dh_parameters_file', '1.2', minimumVersion === 'TLSv1.3'],
    ['ciphers_tls13', '1.3', maximumVersion === 'TLSv1.2'],
  ];
  for (const [key, version, isLeftOut] of leftOut) {
    if (isLeftOut && desk.section.has(key))
      fault(desk, key, `${key} is for TLS ${version}, which is not spoken here; remove the line`);
  }
  for (const name of tls.alpn ?? []) {
    if (Buffer.byteLength(name) > longestProtocolName)
      fault(desk, 'alpn', `the name of a protocol has at most ${longestProtocolName} bytes; shorten it`);
  }
}
