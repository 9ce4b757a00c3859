import type { StoreNode } from './topic-store.ts';

/** Nodes looked at for each match that a slice may visit: a filter that matches little must not stop the event loop. */
const stepsPerMatch = 16;

/** A node whose children are being gone through. `depth`: the filter's level that they must satisfy. */
interface Frame<T> {
  readonly children: MapIterator<[string, StoreNode<T>]>;
  readonly depth: number;
  readonly skipsDollar: boolean;
}

/**
 * Goes through the topics of a `TopicStore` that a filter matches, a slice at a time.
 *
 * The store may change between slices: a topic that is there all the while is visited exactly once, one that comes or
 * goes meanwhile may or may not be (and one that goes and comes again may be visited twice). The cursor holds a Map
 * iterator for each level, which is what JavaScript keeps valid across changes; a branch that was cut off is empty.
 */
export class TopicSearch<T> {
  readonly #levels: readonly string[];
  readonly #frames: Frame<T>[];

  constructor(root: StoreNode<T>, filter: string) {
    this.#levels = filter.split('/');
    // A frame above the root, so that the first step is like every other.
    const above = new Map([['', root]]);
    this.#frames = [{ children: above.entries(), depth: 0, skipsDollar: false }];
  }

  /**
   * Visits at most `limit` matches (fewer where the filter matches little of what it looks at). True = there may be
   * more. The callback may change the store.
   */
  next(limit: number, visit: (value: T, topic: string) => void): boolean {
    let matches = 0;
    let steps = limit * stepsPerMatch;
    while (this.#frames.length > 0) {
      if (matches >= limit || steps <= 0) return true;
      steps--;
      const node = this.#step();
      if (node?.value === undefined) continue;
      matches++;
      visit(node.value, node.topic);
    }
    return false;
  }

  /** Goes one node further; returns it if the filter matches it. */
  #step(): StoreNode<T> | null {
    const frame = this.#frames.at(-1) as Frame<T>;
    const next = frame.children.next();
    if (next.done === true) {
      this.#frames.pop();
      return null;
    }
    const [level, node] = next.value;
    if (frame.skipsDollar && level.startsWith('$')) return null; // [MQTT-4.7.2-1]
    return this.#enter(node, frame.depth);
  }

  /** Follows plain levels at once, and stops to branch at a wildcard. */
  #enter(from: StoreNode<T>, fromDepth: number): StoreNode<T> | null {
    let node = from;
    for (let depth = fromDepth; depth < this.#levels.length; depth++) {
      const level = this.#levels[depth] as string;
      if (level === '#' || level === '+') {
        const isHash = level === '#';
        if (node.children !== null) {
          // `depth` 0 is the root: its children are first levels.
          this.#frames.push({
            children: node.children.entries(),
            depth: isHash ? depth : depth + 1,
            skipsDollar: depth === 0 && this.#frames.length === 1,
          });
        }
        return isHash ? node : null; // `#` matches its parent level too
      }
      const child = node.children?.get(level);
      if (child === undefined) return null;
      node = child;
    }
    return node;
  }
}
