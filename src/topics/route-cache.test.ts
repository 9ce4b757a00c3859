import assert from 'node:assert/strict';
import { test } from 'node:test';
import { RouteCache } from './index.ts';

test('a route is valid for the generation it was computed in', () => {
  const cache = new RouteCache<string>(10);
  cache.set('a', 1, 'route');
  assert.equal(cache.get('a', 1), 'route');
  assert.equal(cache.get('a', 2), undefined);
  cache.set('b', 2, 'other');
  assert.equal(cache.get('a', 2), undefined, 'a new generation forgets the old one');
  assert.equal(cache.get('b', 2), 'other');
});

test('the cache never holds more than it may', () => {
  const cache = new RouteCache<number>(3);
  for (let i = 0; i < 100; i++) {
    cache.set(`topic/${i}`, 0, i);
    assert.ok(cache.size <= 3);
    assert.equal(cache.get(`topic/${i}`, 0), i);
  }
});

test('a topic named __proto__ has no route until it gets one', () => {
  assert.equal(new RouteCache<number>(3).get('__proto__', 0), undefined);
});
