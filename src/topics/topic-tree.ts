import { FilterTree } from './filter-tree.ts';
import { countOf, withoutValue, withValue } from './value-bag.ts';

/** Places that are looked at with each change while a tree that has become sparse is left: a few microseconds. */
const placesPerChange = 32;

/**
 * The subscription tree: filters to values, asked by topic name. Filters have passed `topicFilterFault` (shares: the
 * filter inside), topics `topicNameFault`, so recursion is bounded by the level limit. Both are well-formed Unicode.
 *
 * A tree that has lost most of its filters still has the memory of its best days. It is then left for a new one, a few
 * filters with each change, so that nobody waits for it; meanwhile both are asked.
 */
export class TopicTree<T> {
  /** `null` as long as nothing was ever added: who has rules of his own has three trees, most of them empty. */
  #tree: FilterTree<T> | null = null;
  /** The tree that is being left; its filters below `#left` have moved. */
  #old: FilterTree<T> | null = null;
  #left = 0;
  #size = 0;
  #generation = 0;

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
    const tree = (this.#tree ??= new FilterTree<T>());
    this.#moveSome(tree, filter);
    const place = tree.reach(filter);
    const before = tree.valuesAt(place);
    const count = countOf(before);
    const after = withValue<T>(before, value);
    tree.setValues(place, after);
    if (countOf(after) === count) return;
    this.#size++;
    this.#generation++;
  }

  /** Takes a value from under a filter; false when it was not there. Branches that became empty go with it. */
  remove(filter: string, value: T): boolean {
    const tree = this.#tree;
    if (tree === null) return false;
    this.#moveSome(tree, filter);
    const place = tree.find(filter);
    const before = place === -1 ? null : tree.valuesAt(place);
    if (before === null) return false;
    const count = countOf(before);
    const after = withoutValue<T>(before, value);
    if (countOf(after) === count) return false;
    tree.setValues(place, after);
    this.#size--;
    this.#generation++;
    if (this.#size === 0) this.#old = null;
    if (this.#old === null && tree.isSparse) this.#leave(tree);
    return true;
  }

  #leave(tree: FilterTree<T>): void {
    if (this.#size > 0) this.#old = tree;
    this.#left = 0;
    this.#tree = new FilterTree<T>();
  }

  /** Moves a filter that is about to change, and some more. */
  #moveSome(tree: FilterTree<T>, filter: string): void {
    const old = this.#old;
    if (old === null) return;
    const place = old.find(filter);
    if (place !== -1) move(old, place, filter, tree);
    for (let i = 0; i < placesPerChange; i++) {
      if (this.#left >= old.endOfPlaces) {
        this.#old = null;
        return;
      }
      const next = this.#left++;
      if (old.valuesAt(next) !== null) move(old, next, old.filterAt(next), tree);
    }
  }

  /** Calls back for every value whose filter matches; a value under several matching filters comes several times. */
  match(topic: string, visit: (value: T) => void): void {
    const found: T[] = [];
    this.collect(topic, found); // collected first: the callback may ask or change the tree
    for (const value of found) visit(value);
  }

  /** As `match`, into an array that the caller keeps: the walk allocates nothing. */
  collect(topic: string, into: T[]): void {
    if (this.#tree !== null) this.#tree.collect(topic, into);
    if (this.#old !== null) this.#old.collect(topic, into);
  }

  /** True when some filter matches the topic. */
  hasMatch(topic: string): boolean {
    if (this.#tree !== null && this.#tree.hasMatch(topic)) return true;
    return this.#old !== null && this.#old.hasMatch(topic);
  }
}

/** Takes what is at a place of the old tree to where its filter is in the new one. */
function move<T>(old: FilterTree<T>, place: number, filter: string, tree: FilterTree<T>): void {
  const values = old.valuesAt(place);
  if (values === null) return;
  old.setValues(place, null);
  tree.setValues(tree.reach(filter), values);
}
