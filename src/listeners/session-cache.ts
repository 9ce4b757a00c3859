/** Sessions kept at most; each is 1 to 2 KB. */
const maximumSessions = 4096;

/** TLS sessions by id, for clients without tickets. Drops the oldest at its bound; TLS itself checks their age. */
export class SessionCache {
  readonly #sessions = new Map<string, Buffer>();

  get(id: Buffer): Buffer | null {
    return this.#sessions.get(id.toString('hex')) ?? null;
  }

  set(id: Buffer, session: Buffer): void {
    const key = id.toString('hex');
    this.#sessions.delete(key);
    this.#sessions.set(key, session);
    if (this.#sessions.size <= maximumSessions) return;
    const oldest = this.#sessions.keys().next();
    if (oldest.done !== true) this.#sessions.delete(oldest.value);
  }
}
