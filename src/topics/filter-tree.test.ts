import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FilterTree } from './filter-tree.ts';
import { hashOfLevel } from './level-hash.ts';
import { LevelText } from './level-text.ts';

const key = { low: 0, high: 0 };
const text = new LevelText();

function hashOf(name: string, parent: number): number {
  text.put(name);
  return hashOfLevel(text, 0, text.length, parent, key);
}

/** The first two numbers for which the function gives the same. */
function firstThatMeet(hash: (i: number) => number): [number, number] {
  const seen = new Map<number, number>();
  for (let i = 1; ; i++) {
    const before = seen.get(hash(i));
    if (before !== undefined) return [before, i];
    seen.set(hash(i), i);
  }
}

function put(tree: FilterTree<string>, filter: string): void {
  tree.setValues(tree.reach(filter), filter);
}

function found(tree: FilterTree<string>, topic: string): string[] {
  const values: string[] = [];
  tree.collect(topic, values);
  return values;
}

test('two names of one hash under one branch stay two', () => {
  // The first branch that is made has number 1.
  const [a, b] = firstThatMeet((i) => hashOf(`name${i}`, 1)).map((i) => `x/name${i}`) as [string, string];
  const tree = new FilterTree<string>(key);
  put(tree, 'x/other');
  put(tree, a);
  assert.equal(tree.find(b), -1);
  assert.equal(tree.hasMatch(b), false);
  put(tree, b);
  assert.deepEqual(found(tree, a), [a]);
  assert.deepEqual(found(tree, b), [b]);
  tree.setValues(tree.find(a), null);
  assert.deepEqual(found(tree, a), []);
  assert.deepEqual(found(tree, b), [b]);
});

test('one name of one hash under two branches belongs to each', () => {
  const [a, b] = firstThatMeet((parent) => hashOf('name', parent));
  const tree = new FilterTree<string>(key);
  for (let parent = 1; parent <= b; parent++) put(tree, `p${parent}`);
  for (const parent of [a, b]) put(tree, `p${parent}/other`);
  put(tree, `p${a}/name`);
  assert.deepEqual(found(tree, `p${b}/name`), []);
  put(tree, `p${b}/name`);
  tree.setValues(tree.find(`p${a}/name`), null);
  assert.deepEqual(found(tree, `p${a}/name`), []);
  assert.deepEqual(found(tree, `p${b}/name`), [`p${b}/name`]);
});

test('a place knows its filter', () => {
  const tree = new FilterTree<string>();
  const long = 'long'.repeat(20);
  const filters = ['a', 'a/b', '+', '+/b/#', '#', '/', '//+', `${long}/日本/#`, 'é/+/ü', `a/${long}`];
  for (const filter of filters) put(tree, filter);
  for (const filter of filters) assert.equal(tree.filterAt(tree.find(filter)), filter);
  const all: string[] = [];
  for (let place = 0; place < tree.endOfPlaces; place++)
    if (tree.valuesAt(place) !== null) all.push(tree.filterAt(place));
  assert.deepEqual(all.toSorted(), filters.toSorted());
});
