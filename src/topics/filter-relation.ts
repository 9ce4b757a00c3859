/**
 * How a filter relates to a topic or to another filter. All arguments have passed `topicNameFault` or
 * `topicFilterFault` (shares: the filter inside). Nothing here allocates more than the levels it compares.
 */

/** True when the filter matches the topic name. A leading wildcard never matches a `$` topic [MQTT-4.7.2-1]. */
export function matches(filter: string, topic: string): boolean {
  if (topic.startsWith('$') && startsWithWildcard(filter)) return false;
  let f = 0;
  let t = 0;
  for (;;) {
    if (filter[f] === '#') return true;
    const filterEnd = levelEnd(filter, f);
    const topicEnd = levelEnd(topic, t);
    if (filter[f] !== '+' && !sameLevel(filter, f, filterEnd, topic, t, topicEnd)) return false;
    f = filterEnd + 1;
    t = topicEnd + 1;
    if (t > topic.length) return f > filter.length || filter[f] === '#'; // `a/#` matches its parent `a` too
    if (f > filter.length) return false;
  }
}

/** True when every topic that `other` matches is matched by `filter` too. */
export function covers(filter: string, other: string): boolean {
  if (other.startsWith('$') && startsWithWildcard(filter)) return false;
  return coversLevels(filter, withoutEmptyTopic(other));
}

function coversLevels(filter: string, other: string): boolean {
  let f = 0;
  let o = 0;
  for (;;) {
    if (filter[f] === '#') return true;
    if (other[o] === '#') return false;
    const filterEnd = levelEnd(filter, f);
    const otherEnd = levelEnd(other, o);
    if (filter[f] !== '+' && !sameLevel(filter, f, filterEnd, other, o, otherEnd)) return false;
    f = filterEnd + 1;
    o = otherEnd + 1;
    if (o > other.length) return f > filter.length || filter[f] === '#';
    if (f > filter.length) return false;
  }
}

/** True when some topic is matched by both filters. */
export function overlaps(a: string, b: string): boolean {
  if (a.startsWith('$') ? startsWithWildcard(b) : b.startsWith('$') && startsWithWildcard(a)) return false;
  return overlapLevels(withoutEmptyTopic(a), withoutEmptyTopic(b));
}

function overlapLevels(a: string, b: string): boolean {
  let i = 0;
  let j = 0;
  for (;;) {
    if (a[i] === '#' || b[j] === '#') return true;
    const aEnd = levelEnd(a, i);
    const bEnd = levelEnd(b, j);
    if (a[i] !== '+' && b[j] !== '+' && !sameLevel(a, i, aEnd, b, j, bEnd)) return false;
    i = aEnd + 1;
    j = bEnd + 1;
    if (i > a.length) return j > b.length || b[j] === '#';
    if (j > b.length) return a[i] === '#';
  }
}

/**
 * The same filter in a form that does not match the empty name by its parent level: there is no topic of that name
 * [MQTT-4.7.3-1], so `#` says no more than `+/#`, and `/#` no more than `/+/#`.
 */
function withoutEmptyTopic(filter: string): string {
  return filter === '#' || filter === '/#' ? `${filter.slice(0, -1)}+/#` : filter;
}

function startsWithWildcard(filter: string): boolean {
  return filter.startsWith('#') || filter.startsWith('+');
}

function levelEnd(text: string, start: number): number {
  const end = text.indexOf('/', start);
  return end === -1 ? text.length : end;
}

function sameLevel(
  a: string,
  aStart: number,
  aEnd: number,
  b: string,
  bStart: number,
  bEnd: number,
): boolean {
  if (aEnd - aStart !== bEnd - bStart) return false;
  for (let i = aStart, j = bStart; i < aEnd; i++, j++) {
    if (a.charCodeAt(i) !== b.charCodeAt(j)) return false;
  }
  return true;
}
