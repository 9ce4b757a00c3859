import { ReasonCode } from '#mqtt';
import { TopicStore, type TopicSearch } from '#topics';
import type { BrokerCore } from '../core.ts';
import type { Message } from '../message.ts';

/** Retained messages that one sweep looks at. */
const sweepSlice = 1000;

/** The last retained message of each topic, bounded by count and bytes. */
export class RetainedStore {
  readonly #core: BrokerCore;
  readonly #store = new TopicStore<Message>();
  #sweep: TopicSearch<Message> | null = null;

  constructor(core: BrokerCore) {
    this.#core = core;
  }

  /**
   * Keeps the message in place of the topic's last [MQTT-3.3.1-5]; an empty one removes that [MQTT-3.3.1-6]
   * [MQTT-3.3.1-7]. `QuotaExceeded` at the bounds: then nothing has changed.
   */
  store(message: Message): ReasonCode {
    const { topic } = message;
    if (message.payload.length === 0) {
      this.#remove(topic);
      return ReasonCode.Success;
    }
    const former = this.#store.get(topic);
    const isFull = former === undefined && this.#core.memory.isFull;
    if (isFull || !this.#hasRoom(message, former)) {
      this.#core.drop(isFull ? 'memory' : 'retained-full', message.publisherId, topic);
      return ReasonCode.QuotaExceeded;
    }
    this.#store.set(topic, message.keepApart());
    this.#core.journal.recordRetained(message);
    this.#count(message.payload.length - (former?.payload.length ?? 0));
    return ReasonCode.Success;
  }

  /** Puts back what an earlier run kept. */
  restore(message: Message): void {
    this.#store.set(message.topic, message);
    this.#count(message.payload.length);
  }

  search(filter: string): TopicSearch<Message> {
    return this.#store.search(filter);
  }

  /** Removes some of what has expired; called each second, it comes round to every topic in time. */
  sweepExpired(now: number): void {
    this.#sweep ??= this.#store.search('#');
    const expired: string[] = [];
    const goesOn = this.#sweep.next(sweepSlice, (message, topic) => {
      if (message.hasExpired(now)) expired.push(topic);
    });
    if (!goesOn) this.#sweep = null;
    for (const topic of expired) this.#remove(topic);
  }

  #hasRoom(message: Message, former: Message | undefined): boolean {
    const { maximumRetainedMessages, maximumRetainedBytes } = this.#core.limits;
    const { retainedBytes } = this.#core.statistics;
    if (former === undefined && this.#store.size >= maximumRetainedMessages) return false;
    return retainedBytes - (former?.payload.length ?? 0) + message.payload.length <= maximumRetainedBytes;
  }

  #remove(topic: string): void {
    const former = this.#store.delete(topic);
    if (former === undefined) return;
    this.#core.journal.recordRetainedCleared(topic);
    this.#count(-former.payload.length);
  }

  #count(bytes: number): void {
    this.#core.statistics.retainedBytes += bytes;
    this.#core.statistics.retainedMessages = this.#store.size;
  }
}
