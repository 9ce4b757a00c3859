/**
 * Filters to values, asked by topic name.
 *
 *   a/+/c: 1   a/#: 2   a/b: 3
 *
 *   root ── 'a' ─┬─ 'b'              here: 3
 *                ├─ plus ── 'c'      here: 1
 *                └─ all: 2
 *
 * One branch for each level. `here` are the values whose filter ends at the branch, `all` those whose filter goes on
 * with `#` (so `a/#` is found at `a` as well: its parent level).
 * A single child is known to the branch itself (`only`); where there are more, they are found by their hash in one table
 * for the whole tree.
 * What a walk costs in a large tree is memory that is not in the processor's cache: for a level that is a record, and a
 * slot of the table where there are several children.
 * Invariant: every branch but the root leads to a value; the children of a branch are either `only` or in the table.
 */
import {
  allField,
  BranchStore,
  hereField,
  onlyField,
  plusField,
  recordOf,
  rootBranch,
} from './branch-store.ts';
import { ChildTable } from './child-table.ts';
import { createHashKey, hashOfLevel, type HashKey } from './level-hash.ts';
import { LevelText } from './level-text.ts';
import { pushValues, type Values } from './value-bag.ts';
import { ValueSlots } from './value-slots.ts';

const dollar = 0x24;
const plusSign = 0x2b;
const hashSign = 0x23;

/** One for the process: made anew for each text, and nothing is left in it between two calls. */
const text = new LevelText();
const processKey = createHashKey();

/** A tree that knows branches by number. Filters and topics have been checked. */
export class FilterTree<T> {
  readonly #branches = new BranchStore();
  readonly #values = new ValueSlots<T>();
  readonly #key: HashKey;
  #table: ChildTable | null = null;

  /** `key` is for tests: a tree whose key is known can be made slow by whoever chooses names. */
  constructor(key: HashKey = processKey) {
    this.#key = key;
  }

  /** True when most of what the tree has in memory is free. */
  get isSparse(): boolean {
    return this.#branches.isSparse;
  }

  /** Places are below this. */
  get endOfPlaces(): number {
    return this.#branches.end * 2;
  }

  /** The place of a filter, made where there is none: values have to be put there. */
  reach(filter: string): number {
    text.put(filter);
    let branch = rootBranch;
    for (let start = 0; start <= text.length;) {
      const end = text.endOfLevel(start);
      if (end === text.length && text.isByte(start, end, hashSign)) return branch * 2 + 1;
      branch = this.#childOf(branch, start, end) || this.#grow(branch, start, end);
      start = end + 1;
    }
    return branch * 2;
  }

  /** The place of a filter; -1 = there is none. */
  find(filter: string): number {
    text.put(filter);
    let branch = rootBranch;
    for (let start = 0; start <= text.length;) {
      const end = text.endOfLevel(start);
      if (end === text.length && text.isByte(start, end, hashSign)) return branch * 2 + 1;
      branch = this.#childOf(branch, start, end);
      if (branch === 0) return -1;
      start = end + 1;
    }
    return branch * 2;
  }

  /** The values at a place. */
  valuesAt(place: number): Values<T> | null {
    const slot = this.#branches.get(place >>> 1, fieldOf(place));
    return slot === 0 ? null : this.#values.at(slot);
  }

  /** Puts other values at a place; with `null` the branches that lead to nothing else go as well. */
  setValues(place: number, values: Values<T> | null): void {
    const branch = place >>> 1;
    const field = fieldOf(place);
    const slot = this.#branches.get(branch, field);
    if (values !== null) {
      this.#branches.set(branch, field, this.#values.put(slot, values));
      return;
    }
    this.#values.free(slot);
    this.#branches.set(branch, field, 0);
    this.#prune(branch);
  }

  /** The filter of a place. */
  filterAt(place: number): string {
    const levels = place % 2 === 1 ? ['#'] : [];
    for (let branch = place >>> 1; branch !== rootBranch; branch = this.#branches.parentOf(branch))
      levels.push(this.#branches.nameOf(branch));
    return levels.reverse().join('/');
  }

  /** Adds the values of all filters that match. Allocates nothing. */
  collect(topic: string, into: T[]): void {
    text.put(topic);
    this.#walk(rootBranch, 0, into);
  }

  /** True when some filter matches. */
  hasMatch(topic: string): boolean {
    text.put(topic);
    return this.#walk(rootBranch, 0, null);
  }

  /**
   * Goes down from a branch that the topic has been followed to; `at` is beyond the end when it ends there. Calls itself
   * only where the way divides. Without `into` it ends at the first value: true = there is one.
   */
  #walk(from: number, at: number, into: T[] | null): boolean {
    for (let branch = from, start = at; ;) {
      const chunk = this.#branches.chunkOf(branch);
      const record = recordOf(branch);
      const wildcards = allowsWildcard(start);
      const all = chunk[record + allField] as number;
      if (all !== 0 && wildcards) {
        if (into === null) return true;
        pushValues<T>(this.#values.at(all), into);
      }
      if (start > text.length) {
        const here = chunk[record + hereField] as number;
        if (here !== 0 && into !== null) pushValues<T>(this.#values.at(here), into);
        return here !== 0 && into === null;
      }
      const plus = chunk[record + plusField] as number;
      let child = chunk[record + onlyField] as number;
      let end = -1;
      if (child > 0) end = this.#branches.endOfName(child, text, start);
      else if (child < 0) {
        end = text.endOfLevel(start);
        child = this.#lookUp(branch, start, end);
        if (child === 0) end = -1;
      }
      if (plus === 0 || !wildcards) {
        if (end < 0) return false;
        branch = child;
        start = end + 1;
      } else {
        if (end >= 0 && this.#walk(child, end + 1, into)) return true;
        branch = plus;
        start = text.endOfLevel(start) + 1;
      }
    }
  }

  /** The child for a level of a filter; 0 = none. */
  #childOf(branch: number, start: number, end: number): number {
    if (text.isByte(start, end, plusSign)) return this.#branches.get(branch, plusField);
    const only = this.#branches.get(branch, onlyField);
    if (only > 0) return this.#branches.endOfName(only, text, start) === end ? only : 0;
    return only === 0 ? 0 : this.#lookUp(branch, start, end);
  }

  /** The child of a branch that has its children in the table; 0 = none. */
  #lookUp(branch: number, start: number, end: number): number {
    const hash = hashOfLevel(text, start, end, branch, this.#key);
    const { slots, mask } = (this.#table as ChildTable).segmentOf(hash);
    for (let slot = hash & mask; ; slot = (slot + 1) & mask) {
      const child = slots[slot * 2 + 1] as number;
      if (child === 0) return 0;
      if (slots[slot * 2] === hash && this.#isChild(child, branch, start, end)) return child;
    }
  }

  #isChild(child: number, branch: number, start: number, end: number): boolean {
    return this.#branches.parentOf(child) === branch && this.#branches.endOfName(child, text, start) === end;
  }

  #grow(branch: number, start: number, end: number): number {
    const branches = this.#branches;
    const hash = hashOfLevel(text, start, end, branch, this.#key);
    const child = branches.create(branch, hash, text, start, end);
    const only = branches.get(branch, onlyField);
    if (text.isByte(start, end, plusSign)) branches.set(branch, plusField, child);
    else if (only === 0) branches.set(branch, onlyField, child);
    else {
      const table = (this.#table ??= new ChildTable());
      if (only > 0) table.add(branches.hashOf(only), only);
      table.add(hash, child);
      branches.set(branch, onlyField, only > 0 ? -2 : only - 1);
    }
    return child;
  }

  /** Cuts empty branches off, from one towards the root. */
  #prune(from: number): void {
    const branches = this.#branches;
    for (let branch = from; branch !== rootBranch && branches.isEmpty(branch);) {
      const parent = branches.parentOf(branch);
      const only = branches.get(parent, onlyField);
      if (branches.get(parent, plusField) === branch) branches.set(parent, plusField, 0);
      else if (only === branch) branches.set(parent, onlyField, 0);
      else {
        this.#table?.remove(branches.hashOf(branch), branch);
        branches.set(parent, onlyField, only + 1);
      }
      branches.free(branch);
      branch = parent;
    }
  }
}

/** A place is a branch's number, doubled, and one more for the values of a filter that ends with `#`. */
function fieldOf(place: number): number {
  return place % 2 === 1 ? allField : hereField;
}

/** A leading wildcard never matches a topic that begins with `$` [MQTT-4.7.2-1]. */
function allowsWildcard(start: number): boolean {
  return start > 0 || text.byteAt(0) !== dollar;
}
