import assert from 'node:assert/strict';
import { test } from 'node:test';
import { covers, matches, overlaps } from './index.ts';
import { filters, naiveMatches, topics } from './naive-oracle.ts';

// One level more than the filters have: `#` must be seen to reach below them.
const allTopics = topics(4);
const allFilters = filters(3);

test('matches agrees with the naive matcher on every short filter and topic [MQTT-4.7.2-1]', () => {
  for (const filter of allFilters) {
    for (const topic of allTopics) {
      if (matches(filter, topic) !== naiveMatches(filter, topic)) assert.fail(`${filter} against ${topic}`);
    }
  }
});

test('covers and overlaps agree with brute force over every pair of short filters', () => {
  const matched = allFilters.map((filter) => bitsOf(filter));
  for (const [i, filter] of allFilters.entries()) {
    for (const [j, other] of allFilters.entries()) {
      const a = matched[i] as bigint;
      const b = matched[j] as bigint;
      if (covers(filter, other) !== ((a & b) === b)) assert.fail(`covers ${filter} ${other}`);
      if (overlaps(filter, other) !== ((a & b) !== 0n)) assert.fail(`overlaps ${filter} ${other}`);
    }
  }
});

/** One bit for each topic that the filter matches. */
function bitsOf(filter: string): bigint {
  let text = '0b';
  for (const topic of allTopics) text += naiveMatches(filter, topic) ? '1' : '0';
  return BigInt(text);
}
