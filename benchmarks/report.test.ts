import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Bench, Column, Comparison } from './bench.ts';
import {
  checkGoals,
  formatBench,
  formatTable,
  jsonOfBench,
  ratioOf,
  spreadOf,
  type Result,
} from './report.ts';

const columns: readonly Column[] = [
  { key: 'rate', title: 'messages/s', digits: 0, form: 'spread' },
  { key: 'cpu', title: 'CPU µs', digits: 2, form: 'median' },
  { key: 'lost', title: 'lost', digits: 0, form: 'sum' },
];
const comparison: Comparison = { key: 'cpu', title: 'ours ÷ this', of: 'first by other' };

const ours: Result = {
  label: 'ours',
  rounds: [
    { rate: 3_000_000, cpu: 1, lost: 0 },
    { rate: 1_000_000, cpu: 3, lost: 0 },
    { rate: 2_000_000, cpu: 2, lost: 0 },
  ],
};
const theirs: Result = {
  label: 'theirs',
  rounds: [{ rate: 1000, cpu: 4, lost: 7 }, { rate: 1000, cpu: 4, lost: 5 }, undefined],
};

test('the median of an odd and of an even number of rounds, with lowest and highest', () => {
  assert.deepEqual(spreadOf(ours.rounds, 'cpu'), { median: 2, minimum: 1, maximum: 3 });
  assert.deepEqual(spreadOf([...ours.rounds, { cpu: 4 }], 'cpu'), { median: 2.5, minimum: 1, maximum: 4 });
  assert.equal(spreadOf([undefined, {}], 'cpu'), undefined);
});

test('a ratio is the median of those of each round, not that of the medians', () => {
  const slowing: Result = { label: 'slowing', rounds: [{ cpu: 1 }, { cpu: 10 }, { cpu: 100 }] };
  const steadily: Result = { label: 'steadily', rounds: [{ cpu: 2 }, { cpu: 2 }, { cpu: 2 }] };
  assert.equal(ratioOf(slowing, steadily, 'cpu'), 5);
  // Only the two rounds that both have count: 1/4 and 3/4.
  assert.equal(ratioOf(ours, theirs, 'cpu'), 0.5);
  assert.equal(ratioOf(ours, { label: 'idle', rounds: [{ cpu: 0 }] }, 'cpu'), undefined);
});

test('the table is Markdown, compares with the first, and shows what was lost', () => {
  const [header, rule, first, second] = formatTable([ours, theirs], columns, comparison).split('\n');
  assert.match(header ?? '', /^\| +\| +messages\/s \(min–max\) \| CPU µs \| +lost \| ours ÷ this \|$/);
  assert.match(rule ?? '', /^\| -+ \| -+: \| -+: \| -+: \| -+: \|$/);
  assert.match(first ?? '', /^\| ours +\| 2,000,000 \(1,000,000–3,000,000\) \| +2\.00 \| +0 \| +\|$/);
  assert.match(second ?? '', /^\| theirs +\| +1,000 \(1,000–1,000\) \| +4\.00 \| +12 \| +0\.50× \|$/);
});

test('a contestant that failed in every round has no row, and a table of none says so', () => {
  const failed: Result = { label: 'failed', rounds: [undefined] };
  assert.doesNotMatch(formatTable([ours, failed], columns, comparison), /failed/);
  assert.equal(formatTable([failed], columns, comparison), '(nothing was measured)');
});

test('a comparison the other way round', () => {
  const table = formatTable([ours, theirs], columns, { ...comparison, of: 'other by first' });
  // 4 by 1 and 4 by 3.
  assert.match(table, / 2\.67× \|$/);
});

test('goals: reached, missed, and not judged where a contestant is missing', () => {
  const against = { label: 'ours', against: 'theirs', key: 'cpu', text: 'CPU' };
  assert.deepEqual(
    checkGoals(
      [ours, theirs],
      [
        { ...against, atMost: 0.5 },
        { ...against, atMost: 0.4 },
        { ...against, against: 'nobody', atMost: 1 },
        { label: 'ours', key: 'cpu', atMost: 2, text: 'CPU alone' },
      ],
    ).map(({ text, value, isReached }) => [text, value, isReached]),
    [
      ['CPU', 0.5, true],
      ['CPU', 0.5, false],
      ['CPU alone', 2, true],
    ],
  );
});

test('a bench as text and as a line of JSON', () => {
  const bench: Bench = {
    name: 'pair',
    group: 'main',
    description: 'a pair',
    contestants: [],
    columns,
    comparison,
    goals: [{ label: 'ours', against: 'theirs', key: 'cpu', atMost: 0.4, text: 'CPU against theirs' }],
    measure: () => Promise.reject(new Error('not here')),
  };
  const text = formatBench(bench, [ours, theirs]);
  assert.match(text, /^\n### pair: a pair\n\n\| /);
  assert.match(text, /\n\n- CPU against theirs: 0\.5, at most 0\.4 wanted: NOT REACHED$/);
  const parsed = JSON.parse(jsonOfBench(bench, [ours, theirs])) as {
    results: { label: string; cpu: unknown; rounds: unknown[] }[];
    goals: { isReached: boolean }[];
  };
  assert.deepEqual(
    parsed.results.map(({ label, cpu, rounds }) => [label, cpu, rounds.length]),
    [
      ['ours', { median: 2, minimum: 1, maximum: 3 }, 3],
      ['theirs', { median: 4, minimum: 4, maximum: 4 }, 2],
    ],
  );
  assert.equal(parsed.goals[0]?.isReached, false);
});
