import { argon2, createHash, randomBytes } from 'node:crypto';
import { promisify } from 'node:util';
import { hashPassword, parsePasswordHash } from './password-hash.ts';
import { parseScramKeys } from './scram-sha-256.ts';

const argon2Async = promisify(argon2);

/** What a password file may hold, by the names of mosquitto_passwd. */
export const passwordHashKinds = ['sha512-pbkdf2', 'argon2id', 'sha512'] as const;
export type PasswordHashKind = (typeof passwordHashKinds)[number];

/** 19 MiB, two passes, one lane: the least that is recommended today (OWASP), for brokers on small machines. */
const argon2Cost = { memory: 19_456, passes: 2, parallelism: 1 } as const;

/** Hashes a password as mosquitto_passwd does with `-H`. `iterations` are of sha512-pbkdf2; the others have none. */
export async function hashPasswordAs(
  kind: PasswordHashKind,
  password: string,
  iterations?: number,
): Promise<string> {
  if (kind === 'sha512-pbkdf2') return hashPassword(password, iterations);
  if (kind === 'sha512') {
    const salt = randomBytes(12); // Mosquitto takes no other length
    const digest = createHash('sha512').update(password).update(salt).digest();
    return `$6$${salt.toString('base64')}$${digest.toString('base64')}`;
  }
  const nonce = randomBytes(16);
  const { memory, passes, parallelism } = argon2Cost;
  const digest = await argon2Async('argon2id', { message: password, nonce, ...argon2Cost, tagLength: 32 });
  const [saltText, digestText] = [nonce, digest].map((bytes) => bytes.toString('base64').replaceAll('=', ''));
  return `$argon2id$v=19$m=${memory},t=${passes},p=${parallelism}$${saltText}$${digestText}`;
}

/** True for what stands behind a name in a password file or a SCRAM file, false for a plain password. */
export function isHashedPassword(text: string): boolean {
  return typeof parsePasswordHash(text) !== 'string' || typeof parseScramKeys(text) !== 'string';
}
