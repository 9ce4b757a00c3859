import type { TopicSearch } from '#topics';
import type { Connection } from '../connection.ts';
import type { BrokerCore } from '../core.ts';
import type { Message } from '../message.ts';
import type { Subscription } from '../subscriptions/subscription.ts';

/** Retained messages that one subscription gets in one turn of the event loop. */
const slice = 100;

/** Subscriptions that get theirs in one turn; the others follow in the next. */
const replaysInATurn = 10;

interface Replay {
  readonly connection: Connection;
  readonly subscription: Subscription;
  readonly search: TopicSearch<Message>;
}

/**
 * Sends retained messages to new subscriptions, a few slices per turn, so that neither a million of them nor a thousand
 * subscriptions that match them all stop the loop. A client that does not keep up gets the next slice when it does:
 * nothing is dropped on the way.
 * The store is read as it goes: a topic that changes meanwhile is sent as it is then, never older than what was sent.
 */
export class Replays {
  readonly #core: BrokerCore;
  /** In the order of their next slices. */
  readonly #ready = new Set<Replay>();
  /** Those whose client does not keep up; looked at again each second. */
  #waiting: Replay[] = [];
  #isDue = false;
  /** Slices until the next turn. */
  #left = replaysInATurn;
  readonly #step = (): boolean => this.#goOn();

  constructor(core: BrokerCore) {
    this.#core = core;
  }

  /** Begins after SUBACK: before what comes behind the SUBSCRIBE, unless many have begun in this turn. */
  start(connection: Connection, subscription: Subscription): void {
    const search = this.#core.retained.search(subscription.options.filter);
    const replay = { connection, subscription, search };
    this.#request();
    if (this.#left === 0 || this.#take(replay)) this.#ready.add(replay);
  }

  /** Called each second. */
  sweep(): void {
    for (const replay of this.#waiting) this.#ready.add(replay);
    this.#waiting = [];
    if (this.#ready.size > 0) this.#request();
  }

  #request(): void {
    if (this.#isDue) return;
    this.#isDue = true;
    this.#core.turn.addTask(this.#step);
  }

  /** True = there is more. */
  #goOn(): boolean {
    this.#left = replaysInATurn;
    const again: Replay[] = [];
    for (const replay of this.#ready) {
      if (this.#left === 0) break;
      this.#ready.delete(replay);
      if (this.#take(replay)) again.push(replay);
    }
    for (const replay of again) this.#ready.add(replay);
    this.#isDue = this.#ready.size > 0;
    return this.#isDue;
  }

  /** Sends one slice, if its client takes it. True = there is more. */
  #take(replay: Replay): boolean {
    if (isOver(replay)) return false;
    this.#left--;
    if (keepsUp(replay)) return this.#send(replay);
    this.#waiting.push(replay);
    return false;
  }

  #send({ search, subscription }: Replay): boolean {
    const { deliverer, now, retained } = this.#core;
    return search.next(slice, (message) => {
      if (retained.isValid(message, now)) deliverer.deliverRetained(subscription, message);
    });
  }
}

/** Its client is gone, or has subscribed to this filter anew, or no more. */
function isOver({ connection, subscription }: Replay): boolean {
  const { options, session } = subscription;
  return connection.isEnding || session.subscriptions.get(options.filter) !== subscription;
}

function keepsUp({ connection, subscription }: Replay): boolean {
  return !connection.outbox.isCongested && !subscription.session.queue.isAboveHalf;
}
