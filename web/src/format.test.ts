import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  faviconPath,
  formatCountdown,
  formatInterval,
  formatSpan,
  formatTime,
  formatUtc,
  formatValue,
  metricLabel,
  pageTitle,
  reverseMac,
} from './format.ts';

const minute = 60_000;
const hour = 60 * minute;

test('spans are told in the unit that matters', () => {
  const cases: [number, string][] = [
    [-5000, '0 s'],
    [0, '0 s'],
    [59_999, '59 s'],
    [minute, '1 min'],
    [hour - 1, '59 min'],
    [2 * hour + 5 * minute, '2 h 05 min'],
    [48 * hour, '2 d'],
  ];
  for (const [span, text] of cases) assert.equal(formatSpan(span), text);
});

test('a countdown is rounded up and never below zero', () => {
  assert.equal(formatCountdown(124_001), '2:05');
  assert.equal(formatCountdown(-1), '0:00');
});

test('intervals far below a second keep their digits', () => {
  assert.equal(formatInterval(10), '0.01 s');
  assert.equal(formatInterval(2500), '2.5 s');
  assert.equal(formatInterval(5 * minute), '5 min');
});

test('values are written as people write them', () => {
  const cases: [string, number, string, string][] = [
    ['gas', 0, '1', '0 no gas'],
    ['gas', 1, '', '1 gas'],
    ['gas', 4400, 'ppm', '4,400 ppm'],
    ['cpu_load', 0.314, '1', '31 %'],
    ['temperature', 48.24, 'Cel', '48.2 °C'],
    ['memory_used', 3 * 1024 ** 3, 'By', '3 GiB'],
    ['memory_used', 512, 'By', '512 B'],
    ['ratio_of_nothing', 1.234, '', '1.23 '],
  ];
  for (const [metric, value, unit, text] of cases) {
    const made = formatValue(metric, value, unit);
    assert.equal(`${made.number} ${made.unit}`, text);
  }
});

test('a metric that nobody knows still has a name', () => {
  assert.equal(metricLabel('cpu_load'), 'CPU load');
  assert.equal(metricLabel('soil.moisture'), 'Soil moisture');
});

test('the bytes of a MAC are reversed as the legacy firmware prints them', () => {
  assert.equal(reverseMac('5C:CF:7F:14:18:AD'), 'AD:18:14:7F:CF:5C');
});

test('times of another day name the day; tooltips are in UTC', () => {
  const at = Date.UTC(2026, 10, 20, 12, 3, 9);
  assert.match(formatTime(at, at + 1000), /^\d\d:\d\d:\d\d$/);
  assert.match(formatTime(at, at + 72 * hour), /2026.* \d\d:\d\d:\d\d$/);
  assert.equal(formatUtc(at), '2026-11-20 12:03:09 UTC');
});

test('title and icon say what matters first', () => {
  assert.equal(pageTitle(2, 3, false), '(2) ALARM · Davylamp');
  assert.equal(pageTitle(0, 1, false), '1 alarm · Davylamp');
  assert.equal(pageTitle(0, 0, false), 'Davylamp');
  assert.equal(pageTitle(2, 3, true), 'STALE · Davylamp');
  assert.equal(faviconPath(9, false), '/icons/alarm-9.svg');
  assert.equal(faviconPath(10, false), '/icons/alarm-many.svg');
  assert.equal(faviconPath(3, true), '/icons/stale.svg');
  assert.equal(faviconPath(0, false), '/icons/quiet.svg');
});
