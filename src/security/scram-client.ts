import { timingSafeEqual } from 'node:crypto';
import { DavylampError } from '#base';
import type { ClientAuthentication, ClientExchange } from '#client';
import {
  bytesOfBase64,
  createNonce,
  deriveKeys,
  escapeName,
  hmacSha256,
  iterationsOf,
  prepareText,
  saltPassword,
  scramMethod,
  textOf,
  xor,
} from './scram-sha-256.ts';

export interface ScramClientOptions {
  readonly username: string;
  readonly password: string;
  /** The client's part of the nonce; for tests. */
  readonly nonce?: () => string;
}

/** `n,,`: no channel binding, nobody else's rights. */
const header = 'n,,';

/**
 * SCRAM-SHA-256 (RFC 5802, RFC 7677) for an MQTT client: the broker never sees the password, and has to prove that it
 * knows it. Throws `USAGE` for a name or password that is empty or holds control characters.
 */
export function scramSha256(options: ScramClientOptions): ClientAuthentication {
  const username = prepareText(options.username) ?? '';
  const password = prepareText(options.password) ?? '';
  if (username === '' || password === '')
    throw new DavylampError('USAGE', 'SCRAM needs a user name and a password without control characters');
  const { nonce = createNonce } = options;
  return {
    method: scramMethod,
    begin: () => new ScramClientExchange(username, password, nonce()),
  };
}

class ScramClientExchange implements ClientExchange {
  readonly #password: string;
  readonly #ownNonce: string;
  readonly #bare: string;
  /** What the broker has to say at the end; `null` until we have said who we are. */
  #signature: Buffer | null = null;

  constructor(username: string, password: string, ownNonce: string) {
    this.#password = password;
    this.#ownNonce = ownNonce;
    this.#bare = `n=${escapeName(username)},r=${ownNonce}`;
  }

  first(): Buffer {
    return Buffer.from(header + this.#bare);
  }

  /** `r=<nonce>,s=<salt>,i=<iterations>`. Too few rounds would give the password away, too many keep us busy. */
  async answer(data: Buffer | undefined): Promise<Buffer> {
    const challenge = data === undefined ? undefined : textOf(data);
    const [, nonce = '', saltText = '', iterationsText = ''] =
      /^r=([!-+\--~]+),s=([^,]+),i=(\d+)(?:,.*)?$/s.exec(challenge ?? '') ?? [];
    const salt = bytesOfBase64(saltText);
    const iterations = iterationsOf(iterationsText);
    const isOurs = nonce.startsWith(this.#ownNonce) && nonce.length > this.#ownNonce.length;
    if (this.#signature !== null || salt === undefined || iterations === undefined || !isOurs)
      throw new DavylampError('PROTOCOL', 'SCRAM: the challenge is malformed or out of bounds');
    const { clientKey, storedKey, serverKey } = deriveKeys(
      await saltPassword(this.#password, salt, iterations),
    );
    const withoutProof = `c=${Buffer.from(header).toString('base64')},r=${nonce}`;
    const message = `${this.#bare},${challenge},${withoutProof}`;
    this.#signature = hmacSha256(serverKey, message);
    const proof = xor(clientKey, hmacSha256(storedKey, message));
    return Buffer.from(`${withoutProof},p=${proof.toString('base64')}`);
  }

  /** `v=<signature>`: only who knows our keys can make it. */
  isProven(data: Buffer | undefined): boolean {
    const [, text = ''] = /^v=([^,]+)(?:,.*)?$/s.exec(data?.toString('latin1') ?? '') ?? [];
    const signature = bytesOfBase64(text);
    return (
      this.#signature !== null && signature?.length === 32 && timingSafeEqual(signature, this.#signature)
    );
  }
}
