import type { TlsFilesConfig, TlsVersion } from './config.ts';
import { optionalField } from './optional-field.ts';
import type { Section } from './section.ts';

/** The TLS of a `[[listener]]`. */
export function listenerTlsOf(listener: Section): TlsFilesConfig {
  return {
    ...tlsOf(listener),
    ...optionalField('dhParametersFile', listener.textOrNull('dh_parameters_file')),
    ...optionalField('crlFile', listener.textOrNull('crl_file')),
    ...(listener.boolean('ignore_certificate_dates') ? { ignoresDates: true } : {}),
  };
}

/** The TLS of a `[[bridge]]`. */
export function bridgeTlsOf(bridge: Section): TlsFilesConfig {
  const file = bridge.textOrNull('psk_file');
  const identity = bridge.textOrNull('psk_identity') ?? '';
  return {
    ...tlsOf(bridge),
    ...optionalField('trustsSystem', bridge.booleanOrNull('trust_system')),
    ...(bridge.boolean('insecure') ? { isInsecure: true } : {}),
    ...optionalField('psk', file === null ? null : { identity, file }),
  };
}

/** What both ends have. */
function tlsOf(section: Section): TlsFilesConfig {
  const alpn = section.texts('alpn');
  return {
    caFile: section.textOrNull('ca_file'),
    certificateFile: section.textOrNull('certificate_file'),
    keyFile: section.textOrNull('key_file'),
    ...optionalField('caFolder', section.textOrNull('ca_folder')),
    ...optionalField('minimumVersion', versionOf(section, 'tls_minimum_version')),
    ...optionalField('maximumVersion', versionOf(section, 'tls_maximum_version')),
    ...optionalField('ciphers', section.textOrNull('ciphers')),
    ...optionalField('ciphersTls13', section.textOrNull('ciphers_tls13')),
    ...optionalField('curves', section.textOrNull('curves')),
    ...optionalField('alpn', alpn.length === 0 ? null : alpn),
  };
}

function versionOf(section: Section, key: string): TlsVersion | null {
  if (!section.has(key)) return null;
  return section.text(key) === '1.3' ? 'TLSv1.3' : 'TLSv1.2';
}
