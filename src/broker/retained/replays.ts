import type { TopicSearch } from '#topics';
import type { Connection } from '../connection.ts';
import type { BrokerCore } from '../core.ts';
import type { Message } from '../message.ts';
import type { Subscription } from '../subscriptions/subscription.ts';

/** Retained messages that one subscription gets in one turn of the event loop. */
const slice = 100;

interface Replay {
  readonly connection: Connection;
  readonly subscription: Subscription;
  readonly search: TopicSearch<Message>;
}

/**
 * Sends retained messages to new subscriptions, a slice per turn, so that a million of them never stop the loop.
 * A client that does not keep up gets the next slice when it does: nothing is dropped on the way.
 * The store is read as it goes: a topic that changes meanwhile is sent as it is then, never older than what was sent.
 */
export class Replays {
  readonly #core: BrokerCore;
  /** Those whose client does not keep up; looked at again each second. */
  #waiting: Replay[] = [];

  constructor(core: BrokerCore) {
    this.#core = core;
  }

  /** Begins after SUBACK; the first slice is sent at once. */
  start(connection: Connection, subscription: Subscription): void {
    const search = this.#core.retained.search(subscription.options.filter);
    const replay = { connection, subscription, search };
    if (this.#step(replay)) this.#core.turn.addTask(() => this.#step(replay));
  }

  /** Called each second. */
  sweep(): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const replay of waiting) this.#core.turn.addTask(() => this.#step(replay));
  }

  /** True = there is more. */
  #step(replay: Replay): boolean {
    const { connection, subscription, search } = replay;
    const { session } = subscription;
    if (connection.isEnding || session.subscriptions.get(subscription.options.filter) !== subscription)
      return false;
    if (connection.outbox.isCongested || session.queue.isAboveHalf) {
      this.#waiting.push(replay);
      return false;
    }
    const { now } = this.#core;
    return search.next(slice, (message) => {
      if (this.#core.retained.isValid(message, now))
        this.#core.deliverer.deliverRetained(subscription, message);
    });
  }
}
