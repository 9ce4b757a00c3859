import type { TlsFilesConfig } from './config.ts';
import type { Section } from './section.ts';

/** The certificates of a listener or a bridge. */
export function tlsFilesOf(section: Section): TlsFilesConfig {
  return {
    caFile: section.textOrNull('ca_file'),
    certificateFile: section.textOrNull('certificate_file'),
    keyFile: section.textOrNull('key_file'),
  };
}
