/** For tests: the slowest and plainest matcher, and every short topic and filter over a small alphabet. */

/** Matches level by level on split text, as the standard says it (MQTT 5, 4.7). */
export function naiveMatches(filter: string, topic: string): boolean {
  if (topic.startsWith('$') && /^[#+]/.test(filter)) return false;
  return matchLevels(filter.split('/'), topic.split('/'));
}

function matchLevels(filter: readonly string[], topic: readonly string[]): boolean {
  const [level, ...rest] = filter;
  if (level === '#') return true;
  const [name, ...names] = topic;
  if (level === undefined || name === undefined) return level === name;
  return (level === '+' || level === name) && matchLevels(rest, names);
}

const levelNames = ['', 'a', 'b', '$', '__proto__'] as const;

/** Every topic of up to `depth` levels over a small alphabet. */
export function topics(depth: number): string[] {
  return combinations(depth, levelNames).filter((topic) => topic !== '');
}

/** Every filter of up to `depth` levels over the same alphabet and the wildcards. */
export function filters(depth: number): string[] {
  const plain = combinations(depth, [...levelNames, '+']);
  const withHash = combinations(depth - 1, [...levelNames, '+']).map((filter) => `${filter}/#`);
  return [...plain.filter((filter) => filter !== ''), '#', ...withHash];
}

function combinations(depth: number, names: readonly string[]): string[] {
  let last = [...names];
  const all = [...last];
  for (let i = 1; i < depth; i++) {
    last = last.flatMap((head) => names.map((name) => `${head}/${name}`));
    all.push(...last);
  }
  return all;
}
