/** Nanoseconds for one look-up in the subscription tree, from a thousand filters to a million. Prints only. */
import { RouteCache, TopicTree } from '#topics';

const lookups = 500_000;

/** As a real network has them: mostly one filter for each device's commands, some wildcards for each site. */
function filterOf(i: number): string {
  if (i % 100 === 0) return `davy/v1/tenant/site${i}/+/reading`;
  if (i % 100 === 1) return `davy/v1/tenant/site${i}/#`;
  return `davy/v1/tenant/site${i % 1000}/device${i}/command/+`;
}

function topicOf(i: number): string {
  return `davy/v1/tenant/site${i % 1000}/device${i}/command/Request`;
}

function measure(name: string, run: (topic: string) => void, topics: readonly string[]): void {
  for (let i = 0; i < lookups / 10; i++) run(topics[i % topics.length] as string);
  let best = Infinity;
  for (let round = 0; round < 3; round++) {
    const start = performance.now();
    for (let i = 0; i < lookups; i++) run(topics[i % topics.length] as string);
    best = Math.min(best, ((performance.now() - start) * 1e6) / lookups);
  }
  console.log(`${name.padEnd(44)} ${best.toFixed(0).padStart(6)} ns`);
}

for (const count of [1_000, 10_000, 100_000, 1_000_000]) {
  const tree = new TopicTree<number>();
  const start = performance.now();
  for (let i = 0; i < count; i++) tree.add(filterOf(i), i);
  console.log(`${count.toLocaleString('en')} filters added in ${(performance.now() - start).toFixed(0)} ms`);
  // Spread over the whole tree, so that the processor's caches help no more than they would.
  const topics = Array.from({ length: 20_000 }, (_, i) => topicOf((i * 7919) % count));
  const into: number[] = [];
  measure(
    `  collect, ${count.toLocaleString('en')} filters`,
    (topic) => {
      into.length = 0;
      tree.collect(topic, into);
    },
    topics,
  );
  measure(
    `  hasMatch, ${count.toLocaleString('en')} filters`,
    (topic) => {
      tree.hasMatch(topic);
    },
    topics,
  );
  const cache = new RouteCache<number>(100_000);
  for (const topic of topics) cache.set(topic, tree.generation, 1);
  measure(
    '  route cache',
    (topic) => {
      cache.get(topic, tree.generation);
    },
    topics,
  );
}
