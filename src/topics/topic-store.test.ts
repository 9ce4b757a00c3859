import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { TopicStore } from './index.ts';
import { filters, naiveMatches, topics } from './naive-oracle.ts';

const someFilter = fc.constantFrom(...filters(3));
const someTopic = fc.constantFrom(...topics(3));
const step = fc.record({ set: fc.boolean(), topic: someTopic, value: fc.nat() });
type Step = { readonly set: boolean; readonly topic: string; readonly value: number };

function found(store: TopicStore<number>, filter: string, limit = 1000): [string, number][] {
  const all: [string, number][] = [];
  const search = store.search(filter);
  while (search.next(limit, (value, topic) => all.push([topic, value]))) {
    // goes on until nothing is left
  }
  return all.toSorted(([a], [b]) => (a < b ? -1 : 1));
}

function apply(store: TopicStore<number>, model: Map<string, number>, { set, topic, value }: Step): void {
  assert.equal(store.get(topic), model.get(topic));
  if (set) {
    assert.equal(store.set(topic, value), model.get(topic));
    model.set(topic, value);
  } else {
    assert.equal(store.delete(topic), model.get(topic));
    model.delete(topic);
  }
}

test('any sequence of set and delete leaves what a Map would hold, and a search finds what a filter matches', () => {
  fc.assert(
    fc.property(
      fc.array(step, { maxLength: 80, size: 'max' }),
      fc.array(someFilter, { minLength: 5, maxLength: 15 }),
      fc.integer({ min: 1, max: 9 }),
      (steps, asked, limit) => {
        const store = new TopicStore<number>();
        const model = new Map<string, number>();
        for (const one of steps) apply(store, model, one);
        assert.equal(store.size, model.size);
        for (const filter of asked) {
          const expected = [...model]
            .filter(([topic]) => naiveMatches(filter, topic))
            .toSorted(([a], [b]) => (a < b ? -1 : 1));
          assert.deepEqual(found(store, filter, limit), expected, filter);
        }
      },
    ),
    { numRuns: 300 },
  );
});

test('a search that is interrupted by changes visits what stays, once, and nothing that was gone before it began', () => {
  fc.assert(
    fc.property(
      fc.array(step, { maxLength: 60, size: 'max' }),
      fc.array(step, { maxLength: 60, size: 'max' }),
      someFilter,
      (before, meanwhile, filter) => {
        const store = new TopicStore<number>();
        const model = new Map<string, number>();
        for (const one of before) apply(store, model, one);
        const staying = new Set(model.keys());
        const search = store.search(filter);
        const visits = new Map<string, number>();
        const changes = meanwhile.values();
        const ever = new Set(model.keys());
        for (let more = true; more;) {
          more = search.next(1, (value, topic) => {
            assert.equal(value, model.get(topic), 'a visited value is the present one');
            visits.set(topic, (visits.get(topic) ?? 0) + 1);
          });
          const change = changes.next().value;
          if (change === undefined) continue;
          apply(store, model, change);
          if (change.set) ever.add(change.topic);
          else staying.delete(change.topic);
        }
        for (const topic of staying)
          assert.equal(visits.get(topic) ?? 0, naiveMatches(filter, topic) ? 1 : 0, topic);
        for (const topic of visits.keys()) assert.ok(ever.has(topic) && naiveMatches(filter, topic), topic);
      },
    ),
    { numRuns: 300 },
  );
});

test('a slice is bounded by what it looks at, not only by what it finds', () => {
  const store = new TopicStore<number>();
  for (let i = 0; i < 1000; i++) store.set(`a/${i}/x`, i);
  store.set('a/last/y', -1);
  const search = store.search('a/+/y');
  let slices = 1;
  const values: number[] = [];
  while (search.next(1, (value) => values.push(value))) slices++;
  assert.deepEqual(values, [-1]);
  assert.ok(slices > 10, `${slices} slices`);
});

test('$ topics are found only by their name [MQTT-4.7.2-1]', () => {
  const store = new TopicStore<number>();
  store.set('$SYS/uptime', 1);
  store.set('a/$x', 2);
  assert.deepEqual(found(store, '#'), [['a/$x', 2]]);
  assert.deepEqual(found(store, '+/+'), [['a/$x', 2]]);
  assert.deepEqual(found(store, '$SYS/#'), [['$SYS/uptime', 1]]);
});

test('topics named like what every object has are topics like any other', () => {
  const store = new TopicStore<number>();
  assert.equal(store.get('__proto__'), undefined);
  assert.equal(store.delete('constructor'), undefined);
  store.set('__proto__/toString', 1);
  assert.deepEqual(found(store, '#'), [['__proto__/toString', 1]]);
});
