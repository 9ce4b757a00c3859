import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { TopicTree } from './index.ts';
import { filters, naiveMatches, topics } from './naive-oracle.ts';

const someFilter = fc.constantFrom(...filters(3));
const someTopic = fc.constantFrom(...topics(4));
const someValue = fc.nat({ max: 40 });

function matchOf(tree: TopicTree<number>, topic: string): number[] {
  const found: number[] = [];
  tree.collect(topic, found);
  return found.toSorted((a, b) => a - b);
}

/** What the tree stands for: filter and value, in a list. */
class Model {
  readonly entries = new Map<string, Set<number>>();

  add(filter: string, value: number): boolean {
    const values = this.entries.get(filter) ?? new Set();
    this.entries.set(filter, values);
    const isNew = !values.has(value);
    values.add(value);
    return isNew;
  }

  remove(filter: string, value: number): boolean {
    return this.entries.get(filter)?.delete(value) ?? false;
  }

  match(topic: string): number[] {
    const found: number[] = [];
    for (const [filter, values] of this.entries) if (naiveMatches(filter, topic)) found.push(...values);
    return found.toSorted((a, b) => a - b);
  }

  get size(): number {
    let size = 0;
    for (const values of this.entries.values()) size += values.size;
    return size;
  }
}

test('any sequence of add and remove leaves what a plain list would hold', () => {
  const step = fc.record({ add: fc.boolean(), filter: someFilter, value: someValue });
  fc.assert(
    fc.property(
      fc.array(step, { maxLength: 60, size: 'max' }),
      fc.array(someTopic, { minLength: 5, maxLength: 20 }),
      (steps, names) => {
        const tree = new TopicTree<number>();
        const model = new Model();
        for (const { add, filter, value } of steps) {
          const before = tree.generation;
          let changed: boolean;
          if (add) {
            changed = model.add(filter, value);
            tree.add(filter, value);
          } else {
            changed = model.remove(filter, value);
            assert.equal(tree.remove(filter, value), changed);
          }
          assert.equal(tree.generation, before + (changed ? 1 : 0));
        }
        assert.equal(tree.size, model.size);
        for (const topic of names) {
          assert.deepEqual(matchOf(tree, topic), model.match(topic), topic);
          assert.equal(tree.hasMatch(topic), model.match(topic).length > 0, topic);
        }
      },
    ),
    { numRuns: 400 },
  );
});

test('one filter with many values: each once, whatever is taken out of the middle', () => {
  fc.assert(
    fc.property(
      fc.array(fc.record({ add: fc.boolean(), value: someValue }), { maxLength: 200, size: 'max' }),
      (steps) => {
        const tree = new TopicTree<number>();
        const model = new Set<number>();
        for (const { add, value } of steps) {
          if (add) {
            tree.add('a', value);
            model.add(value);
          } else assert.equal(tree.remove('a', value), model.delete(value));
        }
        assert.deepEqual(
          matchOf(tree, 'a'),
          [...model].toSorted((a, b) => a - b),
        );
      },
    ),
  );
});

test('levels named like what every object has are levels like any other', () => {
  const tree = new TopicTree<string>();
  for (const name of ['__proto__', 'constructor', 'toString', 'hasOwnProperty'])
    assert.equal(tree.hasMatch(`${name}/x`), false);
  tree.add('__proto__/+', 'p');
  tree.add('constructor', 'c');
  const found: string[] = [];
  tree.match('__proto__/constructor', (value) => found.push(value));
  tree.match('constructor', (value) => found.push(value));
  assert.deepEqual(found, ['p', 'c']);
});

test('empty levels are levels', () => {
  const tree = new TopicTree<number>();
  tree.add('/a//b', 1);
  tree.add('/+//+', 2);
  tree.add('//#', 3);
  assert.deepEqual(matchOf(tree, '/a//b'), [1, 2]);
  assert.deepEqual(matchOf(tree, 'a//b'), []);
  assert.deepEqual(matchOf(tree, '//'), [3]);
  assert.deepEqual(matchOf(tree, '/'), [3], 'the parent of //#');
});

test('a visitor may change and ask the tree that it is called from', () => {
  const tree = new TopicTree<number>();
  for (const value of [1, 2, 3]) tree.add('a/+', value);
  tree.add('b', 9);
  const seen: number[] = [];
  tree.match('a/x', (value) => {
    seen.push(value);
    tree.remove('a/+', value);
    assert.equal(tree.hasMatch('b'), true);
  });
  assert.deepEqual(seen, [1, 2, 3]);
  assert.equal(tree.hasMatch('a/x'), false);
  assert.equal(tree.size, 1);
});
