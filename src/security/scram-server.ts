import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';
import { DavylampError } from '#base';
import type { AuthenticationExchange, AuthenticationStep, EnhancedAuthenticator } from '#broker';
import { ReasonCode } from '#mqtt';
import {
  bytesOfBase64,
  createNonce,
  hmacSha256,
  parseScramKeys,
  prepareText,
  scramMethod,
  sha256,
  textOf,
  unescapeName,
  xor,
  type ScramKeys,
} from './scram-sha-256.ts';

/** Longer than any honest nonce. */
const maximumNonceLength = 512;

/**
 * The users of a SCRAM file: `name:SCRAM-SHA-256$<iterations>:<salt>$<storedKey>:<serverKey>`, a line each; empty lines
 * and lines that begin with `#` say nothing. Whoever reads the file can make no proof from it.
 */
export class ScramFile {
  #users: ReadonlyMap<string, ScramKeys>;
  /** Makes the salts of users that do not exist, the same after a restart: it comes from the first user's keys. */
  #secret: Buffer;

  /** Throws `CREDENTIALS_INVALID` that names file and line when a line is broken. */
  constructor(text: string, file: string) {
    this.#users = parseUsers(text, file);
    this.#secret = secretOf(this.#users);
  }

  get size(): number {
    return this.#users.size;
  }

  /** Takes a changed file; throws as the constructor does, and then keeps the old one. */
  replace(text: string, file: string): void {
    this.#users = parseUsers(text, file);
    this.#secret = secretOf(this.#users);
  }

  /** What a client of this user came in by: it changes with the user's keys. */
  ticketOf(name: string): string {
    const keys = this.#users.get(name);
    return keys === undefined ? '' : `scram:${keys.storedKey.toString('base64')}`;
  }

  /** The user is there, and its keys are those that the ticket was given for. */
  isTicket(name: string | null, ticket: string): boolean {
    return ticket !== '' && name !== null && ticket === this.ticketOf(name);
  }

  /** Keys of this user; of a name that is not there, keys that look the same and fit no password. */
  keysOf(name: string): ScramKeys {
    const known = this.#users.get(name);
    if (known !== undefined) return known;
    const [first] = this.#users.values();
    return {
      iterations: first?.iterations ?? 10_000,
      salt: hmacSha256(this.#secret, name).subarray(0, Math.min(32, first?.salt.length ?? 16)),
      storedKey: randomBytes(32),
      serverKey: randomBytes(32),
    };
  }
}

export interface ScramServerOptions {
  readonly users: ScramFile;
  /** A client without a certificate is refused, whatever it proves. */
  readonly requireCertificate: boolean;
  /** The server's part of the nonce; for tests. */
  readonly nonce?: () => string;
}

/** SCRAM-SHA-256 (RFC 5802, RFC 7677) without channel binding, as a method of enhanced authentication. */
export function createScramAuthenticator(options: ScramServerOptions): EnhancedAuthenticator {
  const { users, requireCertificate, nonce = createNonce } = options;
  return {
    methods: [scramMethod],
    begin: (_method, { peer }) =>
      requireCertificate && peer.certificate === null
        ? { step: () => refused('no client certificate') }
        : new ScramServerExchange(users, nonce()),
  };
}

/** What the server said, and has to be said again. */
interface Challenge {
  readonly name: string;
  readonly keys: ScramKeys;
  readonly ticket: string;
  readonly nonce: string;
  /** The channel binding flag of the client's first message, as it must come back. */
  readonly binding: string;
  /** client-first-message-bare "," server-first-message (RFC 5802, 3). */
  readonly soFar: string;
}

class ScramServerExchange implements AuthenticationExchange {
  readonly #users: ScramFile;
  readonly #ownNonce: string;
  #challenge: Challenge | null = null;

  constructor(users: ScramFile, ownNonce: string) {
    this.#users = users;
    this.#ownNonce = ownNonce;
  }

  step(data: Buffer | undefined): AuthenticationStep {
    const text = data === undefined ? undefined : textOf(data);
    if (text === undefined) return refused('SCRAM: a message is missing or no UTF-8');
    return this.#challenge === null ? this.#onFirst(text) : onFinal(this.#challenge, text);
  }

  /** `n,,n=<name>,r=<nonce>` (RFC 5802, 7). */
  #onFirst(text: string): AuthenticationStep {
    const [, flag = '', authorization = '', bare = ''] = /^([^,]*),([^,]*),(.*)$/s.exec(text) ?? [];
    if (flag.startsWith('p=')) return refused('SCRAM: channel binding is not offered');
    if (flag !== 'n' && flag !== 'y') return refused('SCRAM: the first message is malformed');
    const [, nameText = '', clientNonce = ''] = /^n=([^,]*),r=([!-+\--~]+)(?:,.*)?$/s.exec(bare) ?? [];
    const name = unescapeName(nameText);
    if (name === undefined || clientNonce === '' || clientNonce.length > maximumNonceLength)
      return refused('SCRAM: the first message is malformed');
    if (authorization !== '' && authorization !== `a=${nameText}`)
      return refused('SCRAM: signing in for somebody else is not offered');
    const prepared = prepareText(name) ?? '';
    const keys = this.#users.keysOf(prepared);
    const nonce = clientNonce + this.#ownNonce;
    const challenge = `r=${nonce},s=${keys.salt.toString('base64')},i=${keys.iterations}`;
    this.#challenge = {
      name: prepared,
      keys,
      ticket: this.#users.ticketOf(prepared),
      nonce,
      binding: Buffer.from(`${flag},${authorization},`).toString('base64'),
      soFar: `${bare},${challenge}`,
    };
    return { kind: 'continue', data: Buffer.from(challenge) };
  }
}

/** `c=<binding>,r=<nonce>,p=<proof>`. Whether name or password was wrong is told to nobody. */
function onFinal(challenge: Challenge, text: string): AuthenticationStep {
  const { name, keys, ticket, nonce, binding, soFar } = challenge;
  const at = text.lastIndexOf(',p=');
  const withoutProof = text.slice(0, at);
  const proof = at < 0 ? undefined : bytesOfBase64(text.slice(at + 3));
  const [, sentBinding, sentNonce] = /^c=([^,]*),r=([^,]*)(?:,.*)?$/s.exec(withoutProof) ?? [];
  if (proof?.length !== 32 || sentBinding !== binding || sentNonce !== nonce)
    return refused('SCRAM: the final message is malformed or belongs to another exchange');
  const message = `${soFar},${withoutProof}`;
  const clientKey = xor(proof, hmacSha256(keys.storedKey, message));
  if (!timingSafeEqual(sha256(clientKey), keys.storedKey)) {
    return {
      kind: 'failure',
      reasonCode: ReasonCode.BadUserNameOrPassword,
      detail: 'wrong user name or password',
    };
  }
  const signature = hmacSha256(keys.serverKey, message).toString('base64');
  return { kind: 'success', name, ticket, data: Buffer.from(`v=${signature}`) };
}

function refused(detail: string): AuthenticationStep {
  return { kind: 'failure', reasonCode: ReasonCode.NotAuthorized, detail };
}

function parseUsers(text: string, file: string): Map<string, ScramKeys> {
  const users = new Map<string, ScramKeys>();
  for (const [index, raw] of text.split('\n').entries()) {
    const line = raw.replace(/\r$/, '');
    if (line.trim() === '' || line.startsWith('#')) continue;
    const fault = (why: string): DavylampError =>
      new DavylampError('CREDENTIALS_INVALID', `${file}:${index + 1}: ${why}`);
    const colon = line.indexOf(':');
    if (colon < 1) throw fault('not a line of the form name:SCRAM-SHA-256$…; write name and keys');
    const name = prepareText(line.slice(0, colon));
    if (name === undefined) throw fault('the user name holds forbidden characters; choose another');
    if (users.has(name))
      throw fault(`user ${JSON.stringify(name)} stands here a second time; remove one of the two lines`);
    const keys = parseScramKeys(line.slice(colon + 1).trimEnd());
    if (typeof keys === 'string') throw fault(`user ${JSON.stringify(name)}: ${keys}`);
    users.set(name, keys);
  }
  return users;
}

function secretOf(users: ReadonlyMap<string, ScramKeys>): Buffer {
  const [first] = users.values();
  if (first === undefined) return randomBytes(32);
  return createHash('sha256')
    .update('davylamp: salts of strangers')
    .update(first.storedKey)
    .update(first.serverKey)
    .digest();
}
