/**
 * Topic names to values, asked by filter: the mirror image of the subscription tree.
 *
 *   set('a/b', 1)   set('a', 2)
 *
 *   root ── 'a' (topic 'a', value 2) ── 'b' (topic 'a/b', value 1)
 *
 * Invariant: every node but the root has a value or children; maps are never empty.
 */
import { TopicSearch } from './topic-search.ts';

/** One level of a topic; `value` is `undefined` where no topic ends. */
export class StoreNode<T> {
  children: Map<string, StoreNode<T>> | null = null;
  value: T | undefined = undefined;
  /** The whole name, where a value is. */
  topic = '';
}

/**
 * Holds one value for each topic name (retained messages). Names have passed `topicNameFault`. A value is never
 * `undefined`.
 */
export class TopicStore<T> {
  readonly #root = new StoreNode<T>();
  #size = 0;
  #nodes = 0;

  /** Levels of all topics, those that topics share once: each takes memory of its own. */
  get nodes(): number {
    return this.#nodes;
  }

  /** Topics that have a value. */
  get size(): number {
    return this.#size;
  }

  /** Puts a value and returns the one that was there. */
  set(topic: string, value: T): T | undefined {
    let node = this.#root;
    for (let start = 0; start >= 0;) {
      const end = topic.indexOf('/', start);
      const level = end === -1 ? topic.slice(start) : topic.slice(start, end);
      node.children ??= new Map();
      let child = node.children.get(level);
      if (child === undefined) {
        child = new StoreNode<T>();
        node.children.set(level, child);
        this.#nodes++;
      }
      node = child;
      start = end === -1 ? -1 : end + 1;
    }
    const before = node.value;
    if (before === undefined) {
      this.#size++;
      node.topic = topic;
    }
    node.value = value;
    return before;
  }

  get(topic: string): T | undefined {
    let node: StoreNode<T> | undefined = this.#root;
    for (let start = 0; node !== undefined && start >= 0;) {
      const end = topic.indexOf('/', start);
      node = node.children?.get(end === -1 ? topic.slice(start) : topic.slice(start, end));
      start = end === -1 ? -1 : end + 1;
    }
    return node?.value;
  }

  /** Forgets a topic and returns the value it had. */
  delete(topic: string): T | undefined {
    const levels = topic.split('/');
    const path: StoreNode<T>[] = [this.#root];
    for (const level of levels) {
      const next = path.at(-1)?.children?.get(level);
      if (next === undefined) return undefined;
      path.push(next);
    }
    const node = path.at(-1) as StoreNode<T>;
    const before = node.value;
    if (before === undefined) return undefined;
    node.value = undefined;
    node.topic = '';
    this.#size--;
    for (let depth = levels.length; depth > 0; depth--) {
      const { value, children } = path[depth] as StoreNode<T>;
      if (value !== undefined || children !== null) break;
      const parent = path[depth - 1] as StoreNode<T>;
      parent.children?.delete(levels[depth - 1] as string);
      this.#nodes--;
      if (parent.children?.size === 0) parent.children = null;
    }
    return before;
  }

  /** A cursor over the topics that a filter matches; the filter has passed `topicFilterFault`. */
  search(filter: string): TopicSearch<T> {
    return new TopicSearch<T>(this.#root, filter);
  }
}
