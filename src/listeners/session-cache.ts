import { contentOf } from './der.ts';

/** Sessions kept at most; each is 1 to 2 KB. */
const maximumSessions = 4096;

/** How OpenSSL writes a session of TLS 1.3 down: the version of this form (1) first, then that of the protocol. */
const tls13 = Buffer.from('02010102020304', 'hex');

/**
 * TLS sessions by id, for clients without tickets. Drops the oldest at its bound; TLS itself checks their age. Those of
 * TLS 1.3 are not kept: their clients come back with a ticket, and there are two of them for each connection.
 */
export class SessionCache {
  readonly #sessions = new Map<string, Buffer>();

  get(id: Buffer): Buffer | null {
    return this.#sessions.get(id.toString('hex')) ?? null;
  }

  set(id: Buffer, session: Buffer): void {
    if (contentOf(session).subarray(0, tls13.length).equals(tls13)) return;
    const key = id.toString('hex');
    this.#sessions.delete(key);
    this.#sessions.set(key, session);
    if (this.#sessions.size <= maximumSessions) return;
    const oldest = this.#sessions.keys().next();
    if (oldest.done !== true) this.#sessions.delete(oldest.value);
  }
}
