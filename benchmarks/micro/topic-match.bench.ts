/**
 * Nanoseconds for one look-up in the subscription tree, from a thousand filters to a million.
 *
 * Beside them what a look into memory of the tree's size costs that nothing foresees: no walk through a large tree can
 * do without some of them.
 * Run: node --conditions=source benchmarks/micro/topic-match.bench.ts
 */
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { RouteCache, TopicTree } from '#topics';
import { filterOf, topicsOf } from './bench-topics.ts';
import { measure } from './measure.ts';

const lookups = 500_000;
const askedTopics = 20_000;
/** About what a tree takes. */
const bytesPerFilter = 200;

setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc') as () => void;

function bytesInUse(): number {
  collectGarbage();
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}

function measureTopics(name: string, topics: readonly string[], look: (topic: string) => number): number {
  return measure(name, lookups, (count) => {
    let sum = 0;
    for (let i = 0; i < count; i++) sum += look(topics[i % topics.length]!);
    return sum;
  });
}

/** Words in a line of the processor's cache. */
const lineWords = 16;
/** Lines that a walk comes to and the walks of other topics do not. */
const linesPerTopic = 5;

/**
 * From line to line, each naming the next by chance, over as many bytes: as many lines as the topics' walks come to,
 * spread over all.
 */
function measureMiss(name: string, bytes: number): number {
  const lines = Math.floor(bytes / 4 / lineWords);
  const memory = new Int32Array(lines * lineWords).fill(-1);
  const visited = Math.min(lines, askedTopics * linesPerTopic);
  let first = 0;
  for (let count = 0, last = -1; count < visited;) {
    const line = Math.floor(Math.random() * lines) * lineWords;
    if (memory[line] !== -1) {
      if (visited * 2 < lines) continue;
      break; // a small memory: most of its lines are enough
    }
    if (last === -1) first = line;
    else memory[last] = line;
    memory[line] = first;
    last = line;
    count++;
  }
  return measure(name, lookups, (count) => {
    let at = first;
    for (let i = 0; i < count; i++) at = memory[at]!;
    return at;
  });
}

const results: { collect: number; miss: number }[] = [];
for (const count of [1_000, 10_000, 100_000, 1_000_000]) {
  const size = `${count.toLocaleString('en')} filters`;
  const before = bytesInUse();
  const tree = new TopicTree<number>();
  const start = performance.now();
  for (let i = 0; i < count; i++) tree.add(filterOf(i), i);
  const added = (performance.now() - start).toFixed(0);
  // The first ones are not told: what V8 compiled meanwhile would count for them.
  const bytes = count >= 100_000 ? `, ${((bytesInUse() - before) / count).toFixed(0)} bytes each` : '';
  console.log(`${size} added in ${added} ms${bytes}`);
  const topics = topicsOf(count, askedTopics);
  const into: number[] = [];
  const collect = measureTopics(`collect, ${size}`, topics, (topic) => {
    into.length = 0;
    tree.collect(topic, into);
    return into.length;
  });
  measureTopics(`hasMatch, ${size}`, topics, (topic) => (tree.hasMatch(topic) ? 1 : 0));
  const cache = new RouteCache<number>(100_000);
  for (const topic of topics) cache.set(topic, tree.generation, 1);
  measureTopics(`route cache, ${size}`, topics, (topic) => cache.get(topic, tree.generation) ?? 0);
  const miss = measureMiss(`a look into as much memory, ${size}`, count * bytesPerFilter);
  results.push({ collect, miss });
}

const [few, many] = [results[0]!, results.at(-1)!];
const ratio = (many.collect / few.collect).toFixed(1);
const misses = ((many.collect - few.collect) / (many.miss - few.miss)).toFixed(1);
console.log(`a million ÷ a thousand: ${ratio}; the difference is ${misses} looks into memory`);
