import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { configReference } from '#config';
import { BrokerHarness } from '../../../test/helpers/broker-harness.ts';
import { boundNames } from '../statistics.ts';

const root = new URL('../../../', import.meta.url);
const page = readFileSync(new URL('docs/reference/limits.md', root), 'utf8');
const rows = [
  ...page.matchAll(/^\| [^|]+ \| `(\w+)` \| `([^`]+)` \|[^|]*\| `([^`]+)` \| `([^`]+)`: (.+) \|$/gm),
].map(([, key, value, counter, file, title]) => ({
  key: key!,
  value: value!,
  counter: counter!,
  file: file!,
  title: title!,
}));

/** Keys of a table and their defaults. */
function keysOf(title: string): Map<string, string> {
  const [, rest = ''] = configReference().split(`## \`${title}\``);
  const table = rest.split('\n## ')[0] ?? '';
  return new Map(
    [...table.matchAll(/^\| `(\w+)` \| .*? \| `([^`|]+)` \| /gm)].map(([, key, value]) => [key!, value!]),
  );
}

test('every row of docs/reference/limits.md is read', () => {
  assert.equal(rows.length, [...page.matchAll(/^\| (?!bound \|)[^|-]/gm)].length);
});

test('every key and default of the page is one of the configuration, and no bound is missing', () => {
  const keys = keysOf('[broker]');
  const others = new Map([...keysOf('[[bridge]]'), ...keysOf('[persistence]')]);
  for (const { key, value } of rows) assert.equal(keys.get(key) ?? others.get(key), value, key);
  const bounds = [...keys.keys()].filter((key) => /maximum|timeout|flapping/.test(key));
  const named = new Set(rows.map(({ key }) => key));
  // None lets anything grow: how long a silent client is believed, whether a window is enforced, and the highest QoS.
  const harmless = new Set(['maximum_keep_alive', 'receive_maximum_strict', 'maximum_qos']);
  assert.deepEqual(
    bounds.filter((key) => !named.has(key) && !harmless.has(key)),
    [],
  );
});

test('every counter of the page is published under $SYS, and every bound that is counted is on it', () => {
  const harness = new BrokerHarness();
  const reader = harness.connect('r');
  reader.subscribe('$SYS/broker/#', { qos: 0 });
  const topics = new Set(reader.takeAll().map((line) => line.split('=')[0]));
  for (const { counter } of rows) assert.ok(topics.has(`$SYS/broker/${counter}`), counter);
  const counters = new Set(rows.map(({ counter }) => counter));
  for (const bound of boundNames) assert.ok(counters.has(`davylamp/bounds/${bound}`), bound);
});

test('every test of the page exists', () => {
  for (const { file, title } of rows) {
    const source = readFileSync(new URL(file, root), 'utf8');
    assert.ok(
      ["'", '"', '`'].some((quote) => source.includes(`${quote}${title}`)),
      `${file}: ${title}`,
    );
  }
});
