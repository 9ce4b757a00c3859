import type { Statistics } from '../statistics.ts';
import type { Session } from './session.ts';

/** All sessions by client id, and those without a connection, which the sweep looks at. */
export class SessionTable {
  readonly #byId = new Map<string, Session>();
  readonly #offline = new Set<Session>();
  readonly #statistics: Statistics;

  constructor(statistics: Statistics) {
    this.#statistics = statistics;
  }

  get size(): number {
    return this.#byId.size;
  }

  /** Sessions that wait for their client. */
  get offline(): ReadonlySet<Session> {
    return this.#offline;
  }

  get(clientId: string): Session | undefined {
    return this.#byId.get(clientId);
  }

  all(): IterableIterator<Session> {
    return this.#byId.values();
  }

  add(session: Session): void {
    this.#byId.set(session.clientId, session);
    this.#statistics.sessions = this.#byId.size;
  }

  markOffline(session: Session): void {
    this.#offline.add(session);
  }

  markOnline(session: Session): void {
    this.#offline.delete(session);
  }

  delete(session: Session): void {
    this.#offline.delete(session);
    if (this.#byId.get(session.clientId) === session) this.#byId.delete(session.clientId);
    this.#statistics.sessions = this.#byId.size;
  }
}
