import type { BridgeTopicConfig } from '#config';
import { utf8Length } from '#mqtt';
import { matches, topicNameFault } from '#topics';
import type { MessageBounds } from './bridge-options.ts';

/** Topics whose other name is remembered; detectors use the same few thousand again and again. */
const maximumCached = 10_000;

/** What a topic is called on the other side; `null`: this direction does not carry it. */
export interface TopicName {
  readonly name: string | null;
  /** Its messages are not held back. */
  readonly isUrgent: boolean;
}

const unmapped: TopicName = { name: null, isUrgent: false };

interface Mapping {
  /** What the topic of a message must match. */
  readonly filter: string;
  readonly strip: string;
  readonly add: string;
}

/** How topics are called on the other side of a bridge, for one direction: one prefix is taken off, another put on. */
export class TopicMap {
  readonly #isOut: boolean;
  readonly #mappings: readonly Mapping[];
  readonly #urgent: readonly string[];
  readonly #bounds: MessageBounds | null;
  readonly #cache = new Map<string, TopicName>();
  #lastTopic = '';
  #last: TopicName = unmapped;

  /** `urgent`: filters over local topics. `bounds`: what the receiver takes. */
  constructor(
    topics: readonly BridgeTopicConfig[],
    direction: 'in' | 'out',
    urgent: readonly string[] = [],
    bounds: MessageBounds | null = null,
  ) {
    this.#isOut = direction === 'out';
    this.#urgent = urgent;
    this.#bounds = bounds;
    this.#mappings = topics
      .filter((topic) => topic.direction === direction || topic.direction === 'both')
      .map(({ filter, localPrefix, remotePrefix }) => {
        const [strip, add] = direction === 'out' ? [localPrefix, remotePrefix] : [remotePrefix, localPrefix];
        return { filter: strip + filter, strip, add };
      });
  }

  /** The first mapping that fits counts. */
  find(topic: string): TopicName {
    if (topic === this.#lastTopic) return this.#last;
    let found = this.#cache.get(topic);
    if (found === undefined) {
      found = this.#look(topic);
      if (this.#cache.size >= maximumCached) this.#cache.clear();
      this.#cache.set(topic, found);
    }
    this.#lastTopic = topic;
    this.#last = found;
    return found;
  }

  #look(topic: string): TopicName {
    for (const { filter, strip, add } of this.#mappings) {
      if (!matches(filter, topic)) continue;
      const name = add + topic.slice(strip.length);
      // `#` matches its parent too, so the prefix alone may be left: no topic.
      if (!topic.startsWith(strip) || name === '' || !this.#isWithin(name)) continue;
      const local = this.#isOut ? topic : name;
      return { name, isUrgent: this.#urgent.some((urgent) => matches(urgent, local)) };
    }
    return unmapped;
  }
  #isWithin(name: string): boolean {
    if (this.#bounds === null) return true;
    const { maximumTopicLevels, maximumTopicLength } = this.#bounds;
    return utf8Length(name) <= maximumTopicLength && topicNameFault(name, maximumTopicLevels) === 0;
  }
}
