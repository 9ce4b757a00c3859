import type { Statistics } from '../statistics.ts';
import type { Session } from './session.ts';

/** What stands under a client id; empty when its session has ended. */
interface Slot {
  session: Session | undefined;
}

/** All sessions by client id, and those without a connection, which the sweep looks at. */
export class SessionTable {
  /** In slots that are emptied: what has stood in a map can outlive its deletion there (see `Roster`). */
  readonly #byId = new Map<string, Slot>();
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
    return this.#byId.get(clientId)?.session;
  }

  *all(): Generator<Session, void> {
    for (const { session } of this.#byId.values()) if (session !== undefined) yield session;
  }

  add(session: Session): void {
    this.#byId.set(session.clientId, { session });
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
    const slot = this.#byId.get(session.clientId);
    if (slot?.session === session) {
      slot.session = undefined;
      this.#byId.delete(session.clientId);
    }
    this.#statistics.sessions = this.#byId.size;
  }
}
