/**
 * Nanoseconds for one look-up in the subscription tree, from a thousand filters to a million.
 * Run: node --conditions=source benchmarks/micro/topic-match.bench.ts
 */
import { RouteCache, TopicTree } from '#topics';
import { filterOf, topicsOf } from './bench-topics.ts';
import { measure } from './measure.ts';

const lookups = 500_000;

function measureTopics(name: string, topics: readonly string[], look: (topic: string) => number): void {
  measure(name, lookups, (count) => {
    let sum = 0;
    for (let i = 0; i < count; i++) sum += look(topics[i % topics.length]!);
    return sum;
  });
}

for (const count of [1_000, 10_000, 100_000, 1_000_000]) {
  const size = `${count.toLocaleString('en')} filters`;
  const tree = new TopicTree<number>();
  const start = performance.now();
  for (let i = 0; i < count; i++) tree.add(filterOf(i), i);
  console.log(`${size} added in ${(performance.now() - start).toFixed(0)} ms`);
  const topics = topicsOf(count, 20_000);
  const into: number[] = [];
  measureTopics(`collect, ${size}`, topics, (topic) => {
    into.length = 0;
    tree.collect(topic, into);
    return into.length;
  });
  measureTopics(`hasMatch, ${size}`, topics, (topic) => (tree.hasMatch(topic) ? 1 : 0));
  const cache = new RouteCache<number>(100_000);
  for (const topic of topics) cache.set(topic, tree.generation, 1);
  measureTopics(`route cache, ${size}`, topics, (topic) => cache.get(topic, tree.generation) ?? 0);
}
