import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
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

test('names of every length and alphabet, few and many under one level', () => {
  const letters = 'abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyz';
  // The ends of words and of what a branch holds itself (36 bytes), and their neighbours that differ in one place.
  const names = [1, 3, 4, 5, 8, 35, 36, 37, 40, 52].flatMap((length) => {
    const name = letters.slice(0, length);
    return [name, `${name.slice(0, -1)}-`, `-${name.slice(1)}`];
  });
  names.push('', '/'.slice(1), 'é', 'e', 'ė', '日本', '日木', '😀', 'ÿ', '\u012f', '$x', '\u0001', 'a\u0001');
  const level = fc.constantFrom(...names);
  const filter = fc
    .tuple(fc.array(fc.oneof(level, fc.constant('+')), { minLength: 1, maxLength: 4 }), fc.boolean())
    .map(([levels, hash]) => [...levels, ...(hash ? ['#'] : [])].join('/'))
    .filter((text) => text !== '');
  const topic = fc
    .array(level, { minLength: 1, maxLength: 4 })
    .map((levels) => levels.join('/'))
    .filter((text) => text !== '');
  fc.assert(
    fc.property(
      fc.array(filter, { minLength: 1, maxLength: 120, size: 'max' }),
      fc.array(topic, { minLength: 5, maxLength: 30 }),
      fc.nat(),
      (added, asked, seed) => {
        const tree = new TopicTree<number>();
        const model = new Model();
        for (const [value, one] of added.entries()) {
          tree.add(one, value);
          model.add(one, value);
        }
        const names = [...asked, ...added.filter((one) => !/[+#]/.test(one))];
        for (const one of names) assert.deepEqual(matchOf(tree, one), model.match(one), one);
        for (const [value, one] of added.entries()) {
          if ((value ^ seed) % 3 !== 0) assert.equal(tree.remove(one, value), model.remove(one, value));
        }
        for (const one of names) assert.deepEqual(matchOf(tree, one), model.match(one), one);
      },
    ),
    { numRuns: 200 },
  );
});

test('a filter of a thousand levels, plain and with wildcards', () => {
  const tree = new TopicTree<number>();
  const topic = Array.from({ length: 1000 }, (_, level) => String(level)).join('/');
  tree.add(topic, 1);
  tree.add(Array.from({ length: 1000 }, () => '+').join('/'), 2);
  tree.add(`${Array.from({ length: 999 }, () => '+').join('/')}/#`, 3);
  assert.deepEqual(matchOf(tree, topic), [1, 2, 3]);
  assert.deepEqual(matchOf(tree, `${topic}/more`), [3]);
});

test('a topic as long as a packet can carry', () => {
  const tree = new TopicTree<number>();
  const name = '日'.repeat(21_845);
  tree.add(name, 1);
  tree.add('+', 2);
  assert.deepEqual(matchOf(tree, name), [1, 2]);
  assert.deepEqual(matchOf(tree, `${name.slice(1)}本`), [2]);
  assert.equal(tree.remove(name, 1), true);
  assert.deepEqual(matchOf(tree, name), [2]);
});

/** A filter of a large tree: some of it hangs under few branches, some under many. */
function numbered(i: number): string {
  if (i % 50 === 0) return `wide/${i}/#`;
  return i % 50 === 1 ? `wide/+/${i}` : `wide/group${i % 97}/device${i}/+`;
}

/** Collects garbage until not more than this many bytes of typed arrays are in use; how many are. */
async function arrayBytes(atMost: number): Promise<number> {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  for (let turn = 0; turn < 100; turn++) {
    collect();
    if (process.memoryUsage().arrayBuffers <= atMost) break;
    await new Promise((resolve) => setImmediate(resolve)); // memory is given back behind the collector's back
  }
  return process.memoryUsage().arrayBuffers;
}

test('a tree that loses nearly all its filters finds the others all the while, and gives the memory back', async () => {
  const count = 60_000;
  const tree = new TopicTree<number>();
  const before = await arrayBytes(0);
  for (let i = 0; i < count; i++) tree.add(numbered(i), i);
  const full = process.memoryUsage().arrayBuffers;
  const staysFrom = count - 300;
  const check = (place: number): void => {
    const value = staysFrom + (place % 300);
    const topic = numbered(value).replace('/#', '/x').replace('+', 'y');
    assert.ok(matchOf(tree, topic).includes(value), `${topic} at ${place}`);
    assert.equal(tree.hasMatch(topic), true);
    const generation = tree.generation;
    tree.add(numbered(value), value);
    assert.equal(tree.generation, generation, 'it is there, wherever it is now');
    assert.equal(tree.remove(numbered(value), -1), false);
  };
  for (let place = 0; place < staysFrom; place++) {
    const value = (place * 7919) % staysFrom; // a prime that does not divide it: each once
    assert.equal(tree.remove(numbered(value), value), true);
    assert.equal(tree.hasMatch(numbered(value).replace('/#', '/x').replace('+', 'y')), false);
    if (place % 200 === 0) check(place);
  }
  assert.equal(tree.size, 300);
  for (let place = 0; place < 300; place++) check(place);
  const allowed = before + (full - before) / 4;
  assert.ok((await arrayBytes(allowed)) <= allowed);
  assert.equal(tree.size, 300);
});

test('long names are forgotten with their filters', async () => {
  const tree = new TopicTree<number>();
  tree.add('stays', 1);
  const before = await arrayBytes(0);
  const filterOf = (i: number): string => `${'long'.repeat(250)}${i}`;
  for (let i = 0; i < 2000; i++) tree.add(filterOf(i), i);
  for (let i = 0; i < 2000; i++) assert.equal(tree.remove(filterOf(i), i), true);
  const allowed = before + 500_000;
  assert.ok((await arrayBytes(allowed)) <= allowed);
  assert.equal(tree.hasMatch('stays'), true);
});
