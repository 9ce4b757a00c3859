import assert from 'node:assert/strict';
import { test } from 'node:test';
import { gapOf, metricsOf, toPlotData } from './plot-data.ts';
import { readingView } from './state/test-views.ts';

test('one metric becomes two columns', () => {
  const readings = [
    readingView({ at: 1000 }),
    readingView({ at: 1500, metric: 'x' }),
    readingView({ at: 2000, value: 1 }),
  ];
  assert.deepEqual(toPlotData(readings, 'gas', 6000), [
    [1, 2],
    [0, 1],
  ]);
});

test('a silence breaks the line', () => {
  const [times, values] = toPlotData([readingView({ at: 0 }), readingView({ at: 60_000 })], 'gas', 6000);
  assert.deepEqual(times, [0, 2, 60]);
  assert.deepEqual(values, [0, null, 0]);
});

test('a gap is three intervals, and never so short that jitter makes one', () => {
  assert.equal(gapOf(60_000), 180_000);
  assert.equal(gapOf(10), 5000);
});

test('metrics come in the order of the device', () => {
  const value = { value: 0, unit: '', at: 0, quality: 'good' };
  const readings = [readingView({ at: 0, metric: 'b' }), readingView({ at: 0, metric: 'a' })];
  assert.deepEqual(
    metricsOf(readings, [
      { metric: 'a', ...value },
      { metric: 'none', ...value },
    ]),
    ['a', 'b'],
  );
});
