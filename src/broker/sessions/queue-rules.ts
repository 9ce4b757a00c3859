import { matches } from '#topics';
import type { QueueRules } from '../ports.ts';

/** Topics whose urgency is remembered; detectors use the same few thousand again and again. */
const maximumCached = 10_000;

/** Which messages of a session overtake the others. */
export class Urgency {
  readonly #filters: readonly string[];
  readonly #cache = new Map<string, boolean>();

  constructor({ urgentTopics }: QueueRules) {
    this.#filters = urgentTopics;
  }

  isUrgent(topic: string): boolean {
    let isUrgent = this.#cache.get(topic);
    if (isUrgent === undefined) {
      isUrgent = this.#filters.some((filter) => matches(filter, topic));
      if (this.#cache.size >= maximumCached) this.#cache.clear();
      this.#cache.set(topic, isUrgent);
    }
    return isUrgent;
  }
}
