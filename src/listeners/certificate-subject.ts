import type { X509Certificate } from 'node:crypto';
import { subjectValues } from './certificate-fields.ts';

/** String types that can be written as text; what is of another type is written as its bytes (RFC 2253, 2.4). */
const textTags = new Set([12, 18, 19, 20, 22, 23, 24, 26, 28, 30]);

/**
 * The subject of a certificate as one line: `CN=tank-7,OU=Detectors,O=Example`, the last name first, as OpenSSL writes
 * RFC 2253 and Mosquitto's `use_subject_as_username` gives it. Empty for a certificate without a subject.
 */
export function subjectOf(certificate: X509Certificate): string {
  // Typed as always there.
  const text = certificate.subject as string | undefined;
  if (text === undefined || text === '') return '';
  const values = subjectValues(certificate);
  let index = 0;
  const names = text.split('\n').map((line) => {
    // Several values can be one name; a plus sign within a value has a backslash before it.
    const parts = line.split(' + ').map((part) => {
      const value = values[index];
      index += 1;
      return nameText(part, value);
    });
    return parts.toReversed().join('+');
  });
  return names.toReversed().join(',');
}

/** One `type=value`. Types that have no name of their own, and values that are no text, are written in hexadecimal. */
function nameText(part: string, value: Buffer | undefined): string {
  const type = part.slice(0, part.indexOf('='));
  if (value !== undefined && (/^\d/.test(type) || !textTags.has(value[0] ?? 0)))
    return `${type}=#${value.toString('hex').toUpperCase()}`;
  return part.replaceAll(/[^\0-\x7f]+/g, escapeBytes);
}

function escapeBytes(text: string): string {
  return Buffer.from(text)
    .toString('hex')
    .toUpperCase()
    .replaceAll(/../g, (byte) => `\\${byte}`);
}
