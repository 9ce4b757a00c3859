import assert from 'node:assert/strict';
import { test } from 'node:test';
import { benches, formatCatalogue, groups, scriptBenches } from './catalogue.ts';

const all = [...benches, ...scriptBenches()];

test('every name is there once and none is that of a group, so that an argument means one thing', () => {
  const names = all.map(({ name }) => name);
  const others = [...groups.keys()].filter((group) => group !== 'chain');
  const taken = [...names, ...others];
  assert.deepEqual(
    taken.filter((name, index) => taken.indexOf(name) !== index),
    [],
  );
});

test('every benchmark is in a group that the list explains, and says what it measures', () => {
  for (const { name, group, description } of all) {
    assert.ok(groups.has(group), `${name} is in group ${group}`);
    assert.ok(description.length > 10, `${name}: ${description}`);
  }
  for (const group of groups.keys()) {
    assert.ok(
      all.some((one) => one.group === group),
      `group ${group} is empty`,
    );
  }
});

test('our broker stands first, and goals speak of contestants and figures that are there', () => {
  for (const { name, contestants, columns, comparison, goals } of benches) {
    assert.equal(contestants[0]?.broker.name, 'davylamp', name);
    const labels = contestants.map(({ label }) => label);
    assert.equal(new Set(labels).size, labels.length, name);
    const keys = new Set(columns.map(({ key }) => key));
    assert.ok(keys.has(comparison.key), name);
    for (const { label, against, key } of goals) {
      assert.ok(labels.includes(label) && (against === undefined || labels.includes(against)), name);
      assert.ok(keys.has(key), name);
    }
  }
});

test('the list names the million subscriptions', () => {
  assert.match(formatCatalogue(), /^ +topic-match +.*a million$/m);
});
