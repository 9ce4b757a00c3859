import { argon2, createHash, pbkdf2, randomBytes, timingSafeEqual } from 'node:crypto';
import { promisify } from 'node:util';

const pbkdf2Async = promisify(pbkdf2);
const argon2Async = promisify(argon2);

/**
 * Rounds of a new hash. The tokens that Davylamp makes have 128 bits and more, and need no stretching; what a person
 * chooses does. 10,000 rounds are a hundred times mosquitto_passwd's 101 and take about 4 ms here, so that a thousand
 * detectors that come back at once on a small machine are in again within seconds.
 */
const iterationsOfNewHashes = 10_000;

// A mistyped line must not be able to stop the broker for minutes, or take its memory.
const maximumIterations = 10_000_000;
const maximumMemoryKiB = 1_048_576;
const maximumPasses = 100;
const maximumParallelism = 16;

/** One stored hash, taken apart. */
export type PasswordHash =
  | { readonly kind: 'sha512'; readonly salt: Buffer; readonly digest: Buffer }
  | {
      readonly kind: 'pbkdf2-sha512';
      readonly iterations: number;
      readonly salt: Buffer;
      readonly digest: Buffer;
    }
  | {
      readonly kind: 'argon2id';
      readonly memory: number;
      readonly passes: number;
      readonly parallelism: number;
      readonly salt: Buffer;
      readonly digest: Buffer;
    };

/** Reads `$6$…`, `$7$…` or `$argon2id$v=19$…`. A string says what is wrong with it. */
export function parsePasswordHash(text: string): PasswordHash | string {
  const [before, scheme, ...parts] = text.split('$');
  if (before !== '' || scheme === undefined)
    return 'the password is not hashed; hash it with davylamp passwd';
  if (scheme === '6' && parts.length === 2) return sha512Hash(parts[0], parts[1]);
  if (scheme === '7' && parts.length === 3) return pbkdf2Hash(parts[0], parts[1], parts[2]);
  if (scheme === 'argon2id' && parts.length === 4) return argon2Hash(parts);
  return 'the hash is of no known kind ($6$, $7$ or $argon2id$); set the password again with davylamp passwd';
}

/** True when the password is the one that was hashed. Compares in constant time; runs in the system's thread pool. */
export async function verifyPassword(hash: PasswordHash, password: Buffer): Promise<boolean> {
  const digest = await digestOf(hash, password);
  return digest.length === hash.digest.length && timingSafeEqual(digest, hash.digest);
}

/** Hashes a password as mosquitto_passwd writes it: `$7$<iterations>$<salt>$<digest>` (PBKDF2 with SHA-512). */
export async function hashPassword(
  password: string,
  iterations: number = iterationsOfNewHashes,
): Promise<string> {
  const salt = randomBytes(12); // Mosquitto 2.0 takes no other length
  const digest = await pbkdf2Async(password, salt, iterations, 64, 'sha512');
  return `$7$${iterations}$${salt.toString('base64')}$${digest.toString('base64')}`;
}

/** A random password of 144 bits in 24 characters that need no quoting in a URL, a shell or a file. */
export function generatePassword(): string {
  for (;;) {
    const password = randomBytes(18).toString('base64url');
    // A leading dash looks like an option to every command line.
    if (!password.startsWith('-')) return password;
  }
}

function digestOf(hash: PasswordHash, password: Buffer): Buffer | Promise<Buffer> {
  if (hash.kind === 'sha512') return createHash('sha512').update(password).update(hash.salt).digest();
  if (hash.kind === 'pbkdf2-sha512') {
    return pbkdf2Async(password, hash.salt, hash.iterations, hash.digest.length, 'sha512');
  }
  const { memory, passes, parallelism, salt, digest } = hash;
  return argon2Async('argon2id', {
    message: password,
    nonce: salt,
    memory,
    passes,
    parallelism,
    tagLength: digest.length,
  });
}

function sha512Hash(saltText = '', digestText = ''): PasswordHash | string {
  const salt = fromBase64(saltText);
  const digest = fromBase64(digestText);
  if (salt === undefined || digest?.length !== 64)
    return 'the $6$ hash is damaged; set the password again with davylamp passwd';
  return { kind: 'sha512', salt, digest };
}

function pbkdf2Hash(iterationsText = '', saltText = '', digestText = ''): PasswordHash | string {
  const iterations = numberOf(iterationsText, 1, maximumIterations);
  const salt = fromBase64(saltText);
  const digest = fromBase64(digestText);
  if (iterations === undefined || salt === undefined || digest?.length !== 64) {
    return 'the $7$ hash is damaged; set the password again with davylamp passwd';
  }
  return { kind: 'pbkdf2-sha512', iterations, salt, digest };
}

function argon2Hash(parts: readonly string[]): PasswordHash | string {
  const [version = '', costs = '', saltText = '', digestText = ''] = parts;
  const cost = /^m=(\d+),t=(\d+),p=(\d+)$/.exec(costs);
  const parallelism = numberOf(cost?.[3], 1, maximumParallelism);
  const memory = numberOf(cost?.[1], 8 * (parallelism ?? 1), maximumMemoryKiB);
  const passes = numberOf(cost?.[2], 1, maximumPasses);
  const salt = fromBase64(saltText);
  const digest = fromBase64(digestText);
  const isWhole = memory !== undefined && passes !== undefined && parallelism !== undefined;
  if (
    version !== 'v=19' ||
    !isWhole ||
    salt === undefined ||
    salt.length < 8 ||
    digest === undefined ||
    digest.length < 16
  ) {
    return 'the $argon2id$ hash is damaged or beyond what is allowed (m 1048576, t 100, p 16); set the password again';
  }
  return { kind: 'argon2id', memory, passes, parallelism, salt, digest };
}

function numberOf(text: string | undefined, minimum: number, maximum: number): number | undefined {
  if (text === undefined || !/^\d{1,9}$/.test(text)) return undefined;
  const value = Number(text);
  return value >= minimum && value <= maximum ? value : undefined;
}

/** Node reads any text as base64; a damaged hash must be told from a whole one. */
function fromBase64(text: string): Buffer | undefined {
  return /^[A-Za-z0-9+/]+={0,2}$/.test(text) ? Buffer.from(text, 'base64') : undefined;
}
