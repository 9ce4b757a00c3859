import type { BridgeTopicConfig } from '#config';
import { matches } from '#topics';

/** Topics whose other name is remembered; detectors use the same few thousand again and again. */
const maximumCached = 10_000;

interface Mapping {
  /** What the topic of a message must match. */
  readonly filter: string;
  readonly strip: string;
  readonly add: string;
}

/** How topics are called on the other side of a bridge, for one direction: one prefix is taken off, another put on. */
export class TopicMap {
  readonly #mappings: readonly Mapping[];
  readonly #cache = new Map<string, string | null>();
  #lastTopic = '';
  #lastName: string | null = null;

  constructor(topics: readonly BridgeTopicConfig[], direction: 'in' | 'out') {
    this.#mappings = topics
      .filter((topic) => topic.direction === direction || topic.direction === 'both')
      .map(({ filter, localPrefix, remotePrefix }) => {
        const [strip, add] = direction === 'out' ? [localPrefix, remotePrefix] : [remotePrefix, localPrefix];
        return { filter: strip + filter, strip, add };
      });
  }

  /** The topic's name on the other side; `null`: this direction does not carry it. The first mapping that fits counts. */
  rename(topic: string): string | null {
    if (topic === this.#lastTopic) return this.#lastName;
    let name = this.#cache.get(topic);
    if (name === undefined) {
      name = this.#find(topic);
      if (this.#cache.size >= maximumCached) this.#cache.clear();
      this.#cache.set(topic, name);
    }
    this.#lastTopic = topic;
    this.#lastName = name;
    return name;
  }

  #find(topic: string): string | null {
    for (const { filter, strip, add } of this.#mappings) {
      if (!matches(filter, topic)) continue;
      const name = add + topic.slice(strip.length);
      // `#` matches its parent too, so the prefix alone may be left: no topic.
      if (topic.startsWith(strip) && name !== '') return name;
    }
    return null;
  }
}
