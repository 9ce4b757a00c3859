import type { Session } from '../sessions/session.ts';
import type { Subscription } from './subscription.ts';

/**
 * A shared subscription `$share/<name>/<filter>`: each message goes to one member (MQTT 5, 4.8.2).
 * Turn by turn among those that are connected, may read it and keep up; then to any that is connected; to a persistent
 * session without a connection only when nobody is connected.
 */
export class SharedGroup {
  readonly kind = 1;
  /** The filter inside the share. */
  readonly filter: string;
  readonly #members: Subscription[] = [];
  #next = 0;

  constructor(filter: string) {
    this.filter = filter;
  }

  get size(): number {
    return this.#members.length;
  }

  add(member: Subscription): void {
    this.#members.push(member);
  }

  remove(session: Session): void {
    const at = this.#members.findIndex((member) => member.session === session);
    if (at >= 0) this.#members.splice(at, 1);
  }

  /** The member whose turn it is for a message of this topic; `null` when the group is empty. */
  pick(topic: string): Subscription | null {
    const members = this.#members;
    let connected: Subscription | null = null;
    let any: Subscription | null = null;
    for (let i = 0; i < members.length; i++) {
      if (this.#next >= members.length) this.#next = 0;
      const member = members[this.#next++]!;
      any ??= member;
      const connection = member.session.connection;
      if (connection === null || !member.mayRead(topic)) continue;
      if (!connection.outbox.isCongested && member.session.queue.length === 0) return member;
      connected ??= member;
    }
    return connected ?? any;
  }
}
