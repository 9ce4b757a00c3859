import { DavylampError } from '#base';

/** Identity → key, of TLS-PSK. */
export type PskKeys = ReadonlyMap<string, Buffer>;

/** What a TLS peer may send and OpenSSL takes (RFC 4279, 5.3, asks for 128 bytes at least). */
const longestIdentity = 255;
const longestKey = 256;

/**
 * Reads `identity:hexadecimal key` lines, as Mosquitto's `psk_file` has them; empty lines and those that begin with `#`
 * are left out. Throws `CREDENTIALS_INVALID` with file and line, and without the key.
 */
export function parsePskFile(text: string, file: string): PskKeys {
  const keys = new Map<string, Buffer>();
  for (const [index, raw] of text.split('\n').entries()) {
    const line = raw.trimEnd();
    if (line === '' || line.startsWith('#')) continue;
    const fault = (why: string): DavylampError =>
      new DavylampError('CREDENTIALS_INVALID', `${file}:${index + 1}: ${why}`);
    const colon = line.indexOf(':');
    if (colon <= 0) throw fault('a line is identity:key, the key in hexadecimal');
    const identity = line.slice(0, colon);
    if (Buffer.byteLength(identity) > longestIdentity)
      throw fault(`the identity is longer than ${longestIdentity} bytes`);
    const key = pskKeyOf(line.slice(colon + 1));
    if (key === null) throw fault(`the key must be 1 to ${longestKey} bytes in hexadecimal`);
    if (keys.has(identity)) throw fault(`${identity} has a key already; remove one of the two lines`);
    keys.set(identity, key);
  }
  return keys;
}

/** The bytes of a key in hexadecimal; `null` for what is none. */
export function pskKeyOf(hex: string): Buffer | null {
  if (!/^[0-9a-fA-F]+$/.test(hex) || hex.length > 2 * longestKey) return null;
  // A number, as Mosquitto reads it: `abc` is 0a bc.
  return Buffer.from(hex.length % 2 === 0 ? hex : `0${hex}`, 'hex');
}
