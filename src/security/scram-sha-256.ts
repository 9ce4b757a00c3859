import { createHash, createHmac, pbkdf2, randomBytes } from 'node:crypto';
import { promisify } from 'node:util';
import { DavylampError } from '#base';

const pbkdf2Async = promisify(pbkdf2);

/** The method's name in MQTT and everywhere else (RFC 7677). */
export const scramMethod = 'SCRAM-SHA-256';

/** Fewer rounds than RFC 7677 asks for make a stolen file cheap; more are a trap for the client that has to do them. */
const minimumIterations = 4096;
const maximumIterations = 1_000_000;
/** As for `hashPassword`: what machines use has 128 bits and more, and it is the client that pays for the rounds. */
const iterationsOfNewKeys = 10_000;

/** What the server keeps of a password (RFC 5802, 3): enough to check a proof, not enough to make one. */
export interface ScramKeys {
  readonly iterations: number;
  readonly salt: Buffer;
  readonly storedKey: Buffer;
  readonly serverKey: Buffer;
}

/** `Hi` of RFC 5802: the password, stretched. Runs in the system's thread pool. `password` is prepared already. */
export function saltPassword(password: string, salt: Buffer, iterations: number): Promise<Buffer> {
  return pbkdf2Async(password, salt, iterations, 32, 'sha256');
}

/** The keys that follow from a stretched password (RFC 5802, 3). */
export function deriveKeys(saltedPassword: Buffer): {
  readonly clientKey: Buffer;
  readonly storedKey: Buffer;
  readonly serverKey: Buffer;
} {
  const clientKey = hmacSha256(saltedPassword, 'Client Key');
  return { clientKey, storedKey: sha256(clientKey), serverKey: hmacSha256(saltedPassword, 'Server Key') };
}

/**
 * Makes what stands behind the name in a SCRAM file: `SCRAM-SHA-256$<iterations>:<salt>$<storedKey>:<serverKey>`, as
 * PostgreSQL keeps it. Throws `USAGE` for a password with characters that SASLprep forbids, and for too few iterations.
 */
export async function hashScram(password: string, iterations: number = iterationsOfNewKeys): Promise<string> {
  const prepared = prepareText(password);
  if (prepared === undefined || prepared === '')
    throw new DavylampError('USAGE', 'the password is empty or holds control characters; choose another');
  if (!(iterations >= minimumIterations && iterations <= maximumIterations)) {
    throw new DavylampError(
      'USAGE',
      `${iterations} iterations are too few or too many; choose ${minimumIterations} to ${maximumIterations}`,
    );
  }
  const salt = randomBytes(16);
  const { storedKey, serverKey } = deriveKeys(await saltPassword(prepared, salt, iterations));
  const [saltText, storedText, serverText] = [salt, storedKey, serverKey].map((key) =>
    key.toString('base64'),
  );
  return `${scramMethod}$${iterations}:${saltText}$${storedText}:${serverText}`;
}

/** Reads what `hashScram` makes. A string says what is wrong with it. */
export function parseScramKeys(text: string): ScramKeys | string {
  const [method, first = '', second = '', ...rest] = text.split('$');
  if (method !== scramMethod) return 'the password is not hashed for SCRAM-SHA-256';
  const [iterationsText = '', saltText = ''] = first.split(':');
  const [storedText = '', serverText = '', ...more] = second.split(':');
  const iterations = iterationsOf(iterationsText);
  const [salt, storedKey, serverKey] = [saltText, storedText, serverText].map(bytesOfBase64);
  if (
    rest.length + more.length > 0 ||
    salt === undefined ||
    salt.length < 8 ||
    storedKey?.length !== 32 ||
    serverKey?.length !== 32
  )
    return 'the SCRAM-SHA-256 keys are damaged; hash the password again';
  if (iterations === undefined)
    return `the iterations must be ${minimumIterations} to ${maximumIterations}; hash the password again`;
  return { iterations, salt, storedKey, serverKey };
}

/** An iteration count within our bounds. */
export function iterationsOf(text: string): number | undefined {
  if (!/^[1-9]\d{0,8}$/.test(text)) return undefined;
  const value = Number(text);
  return value >= minimumIterations && value <= maximumIterations ? value : undefined;
}

/** Strict: Node reads any text as base64. */
export function bytesOfBase64(text: string): Buffer | undefined {
  const isBase64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/.test(text);
  return isBase64 && text !== '' ? Buffer.from(text, 'base64') : undefined;
}

/** A name as it stands in a message: `,` and `=` are written `=2C` and `=3D` (RFC 5802, 5.1). */
export function escapeName(name: string): string {
  return name.replaceAll('=', '=3D').replaceAll(',', '=2C');
}

/** The name that was escaped; `undefined` where it is empty or `=` stands for anything else. */
export function unescapeName(text: string): string | undefined {
  if (text === '' || /=(?!2C|3D)|,/.test(text)) return undefined;
  return text.replaceAll('=2C', ',').replaceAll('=3D', '=');
}

/**
 * SASLprep (RFC 4013) without its rules for text that runs both ways: odd spaces become spaces, invisible characters go,
 * compatibility forms become plain ones. `undefined` where a forbidden character is left.
 */
export function prepareText(text: string): string | undefined {
  if (/^[\u0020-\u007e]*$/.test(text)) return text;
  if (!text.isWellFormed()) return undefined;
  const mapped = text
    .replaceAll(/[\u00a0\u1680\u2000-\u200b\u202f\u205f\u3000]/g, ' ')
    .replaceAll(/\p{Variation_Selector}|\u00ad|\u034f|\u1806|\u200c|\u200d|\u2060|\ufeff/gu, '')
    .normalize('NFKC');
  const forbidden =
    // oxlint-disable-next-line no-control-regex -- control characters are what is forbidden
    /[\u0000-\u001f\u007f-\u009f\u06dd\u070f\u180e\u2028\u2029\u200e\u200f\u202a-\u202e\u2061-\u2063\u206a-\u206f\u2ff0-\u2ffb\ufff9-\uffff]|[\u{1d173}-\u{1d17a}]|[\u{e0001}-\u{e007f}]|\p{Co}|\p{Noncharacter_Code_Point}/u;
  return forbidden.test(mapped) ? undefined : mapped;
}

/** Text of a message; `undefined` where it is no UTF-8. */
export function textOf(data: Buffer): string | undefined {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(data);
  } catch {
    return undefined;
  }
}

/** A nonce of 144 bits without commas. */
export function createNonce(): string {
  return randomBytes(18).toString('base64');
}

/** HMAC of RFC 5802. */
export function hmacSha256(key: Buffer, text: string): Buffer {
  return createHmac('sha256', key).update(text).digest();
}

/** H of RFC 5802. */
export function sha256(data: Buffer): Buffer {
  return createHash('sha256').update(data).digest();
}

/** Byte by byte; both are 32 bytes long. */
export function xor(one: Buffer, other: Buffer): Buffer {
  return Buffer.from(one.map((byte, at) => byte ^ (other[at] ?? 0)));
}
