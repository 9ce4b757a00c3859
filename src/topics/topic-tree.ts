/**
 * Filters to values, asked by topic name.
 *
 *   add('a/+/c', 1)   add('a/#', 2)   add('a/b', 3)
 *
 *   root ── 'a' ─┬─ 'b'              here: 3
 *                ├─ plus ── 'c'      here: 1
 *                └─ hash: 2
 *
 * One branch for each level. `here` holds the values whose filter ends at the branch, `hash` those whose filter goes on
 * with `#` (so `a/#` is found at `a` as well: its parent level).
 * A single child hangs at the branch itself (`only`), the second makes a map of them (`children`): most branches of a
 * real tree have one, and a map for each would cost a quarter more time and memory.
 * Invariant: every branch but the root leads to a value; `only` and `children` are never both set; maps are never
 * empty; a value alone stands without a bag.
 */
import { countOf, pushValues, withoutValue, withValue, type Values } from './value-bag.ts';

const dollar = 0x24;

/** The names that come first are shared: those that all filters have (`command`) are among them. */
const maximumSharedNames = 4096;

class Branch<T> {
  /** Its name under its parent. */
  readonly level: string;
  only: Branch<T> | null = null;
  children: Map<string, Branch<T>> | null = null;
  plus: Branch<T> | null = null;
  here: Values<T> | null = null;
  hash: Values<T> | null = null;

  constructor(level: string) {
    this.level = level;
  }

  /** The child of a plain level. */
  child(level: string): Branch<T> | undefined {
    const { only } = this;
    if (only !== null) return only.level === level ? only : undefined;
    return this.children?.get(level);
  }

  /** The child of the plain level `topic[start, end)`. Makes a string of it only where there are several children. */
  childAt(topic: string, start: number, end: number): Branch<T> | undefined {
    const { only } = this;
    if (only === null) return this.children?.get(topic.slice(start, end));
    const { level } = only;
    return level.length === end - start && topic.startsWith(level, start) ? only : undefined;
  }

  /** The branch of a level, made where there is none. */
  grow(level: string): Branch<T> {
    if (level === '+') return (this.plus ??= new Branch<T>(level));
    const known = this.child(level);
    if (known !== undefined) return known;
    const child = new Branch<T>(level);
    if (this.children !== null) this.children.set(level, child);
    else if (this.only === null) this.only = child;
    else {
      this.children = new Map([
        [this.only.level, this.only],
        [level, child],
      ]);
      this.only = null;
    }
    return child;
  }

  cut(level: string): void {
    if (level === '+') this.plus = null;
    else if (this.children === null) this.only = null;
    else {
      this.children.delete(level);
      if (this.children.size === 0) this.children = null;
    }
  }

  isEmpty(): boolean {
    return (
      this.here === null &&
      this.hash === null &&
      this.plus === null &&
      this.only === null &&
      this.children === null
    );
  }
}

/**
 * The subscription tree. Filters have passed `topicFilterFault` (shares: the filter inside), topics `topicNameFault`,
 * so recursion is bounded by the level limit.
 */
export class TopicTree<T> {
  readonly #root = new Branch<T>('');
  #size = 0;
  #generation = 0;
  /** Names of levels that many branches have, each one string: a walk finds it in the processor's cache. */
  readonly #names = new Map<string, string>();

  /** Values under filters: the same value under two filters counts twice. */
  get size(): number {
    return this.#size;
  }

  /** One more with each change: whatever was computed from the tree is valid for one generation. */
  get generation(): number {
    return this.#generation;
  }

  /** Puts a value, which is not `null`, under a filter. The same value is held once under one filter. */
  add(filter: string, value: T): void {
    let branch = this.#root;
    let isHash = false;
    for (let start = 0; start <= filter.length;) {
      const end = endOfLevel(filter, start);
      const level = filter.slice(start, end);
      isHash = level === '#' && end === filter.length;
      if (!isHash) branch = branch.grow(this.#share(level));
      start = end + 1;
    }
    const before = isHash ? branch.hash : branch.here;
    const count = countOf(before);
    const after = withValue(before, value);
    if (isHash) branch.hash = after;
    else branch.here = after;
    if (countOf(after) === count) return;
    this.#size++;
    this.#generation++;
  }

  #share(level: string): string {
    const known = this.#names.get(level);
    if (known !== undefined) return known;
    if (this.#names.size < maximumSharedNames) this.#names.set(level, level);
    return level;
  }

  /** Takes a value from under a filter; false when it was not there. Branches that became empty go with it. */
  remove(filter: string, value: T): boolean {
    const levels = filter.split('/');
    const last = levels.at(-1) === '#' ? levels.pop() : undefined;
    const path: Branch<T>[] = [this.#root];
    for (const level of levels) {
      const branch = path.at(-1) as Branch<T>;
      const next = level === '+' ? branch.plus : branch.child(level);
      if (next === null || next === undefined) return false;
      path.push(next);
    }
    const branch = path.at(-1) as Branch<T>;
    const before = last === '#' ? branch.hash : branch.here;
    if (before === null) return false;
    const count = countOf(before);
    const after = withoutValue(before, value);
    if (countOf(after) === count) return false;
    if (last === '#') branch.hash = after;
    else branch.here = after;
    if (after === null) prune(path, levels);
    this.#size--;
    this.#generation++;
    return true;
  }

  /** Calls back for every value whose filter matches; a value under several matching filters comes several times. */
  match(topic: string, visit: (value: T) => void): void {
    const found: T[] = [];
    this.collect(topic, found); // collected first: the callback may ask or change the tree
    for (const value of found) visit(value);
  }

  /** As `match`, into an array that the caller keeps: the walk allocates nothing but the levels that it looks up. */
  collect(topic: string, into: T[]): void {
    walk(this.#root, topic, 0, into);
  }

  /** True when some filter matches the topic. */
  hasMatch(topic: string): boolean {
    return any(this.#root, topic, 0);
  }
}

/**
 * Goes down from a branch that the topic has been followed to; its next level begins at `start`, and there is none when
 * `start` is beyond the end. Levels are not split beforehand: to store each in an array that lives long costs more (the
 * collector's write barrier) than the rest of the walk.
 */
function walk<T>(branch: Branch<T>, topic: string, start: number, into: T[]): void {
  const wildcards = allowsWildcard(topic, start);
  if (branch.hash !== null && wildcards) pushValues(branch.hash, into);
  if (start > topic.length) {
    if (branch.here !== null) pushValues(branch.here, into);
    return;
  }
  const end = endOfLevel(topic, start);
  const child = branch.childAt(topic, start, end);
  if (child !== undefined) walk(child, topic, end + 1, into);
  if (branch.plus !== null && wildcards) walk(branch.plus, topic, end + 1, into);
}

function any<T>(branch: Branch<T>, topic: string, start: number): boolean {
  const wildcards = allowsWildcard(topic, start);
  if (branch.hash !== null && wildcards) return true;
  if (start > topic.length) return branch.here !== null;
  const end = endOfLevel(topic, start);
  const child = branch.childAt(topic, start, end);
  if (child !== undefined && any(child, topic, end + 1)) return true;
  return branch.plus !== null && wildcards && any(branch.plus, topic, end + 1);
}

/** A leading wildcard never matches a topic that begins with `$` [MQTT-4.7.2-1]. */
function allowsWildcard(topic: string, start: number): boolean {
  return start > 0 || topic.charCodeAt(0) !== dollar;
}

function endOfLevel(topic: string, start: number): number {
  const end = topic.indexOf('/', start);
  return end === -1 ? topic.length : end;
}

/** Cuts empty branches off, from the end of the path towards the root. */
function prune<T>(path: readonly Branch<T>[], levels: readonly string[]): void {
  for (let depth = levels.length; depth > 0; depth--) {
    if (!(path[depth] as Branch<T>).isEmpty()) return;
    const parent = path[depth - 1] as Branch<T>;
    parent.cut(levels[depth - 1] as string);
  }
}
