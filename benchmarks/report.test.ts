import assert from 'node:assert/strict';
import { test } from 'node:test';
import { formatTable, summarize, type Measurement } from './report.ts';

function round(received_per_second: number, lost = 0): Measurement {
  return { received_per_second, lost, p50_us: 10, p99_us: 20, cpu_us_per_message: 0.5, rss_kib: 2048 };
}

test('the median of an odd and of an even number of rounds, with lowest and highest', () => {
  assert.deepEqual(summarize('a', [round(3), round(1), round(2)]).messagesPerSecond, {
    median: 2,
    minimum: 1,
    maximum: 3,
  });
  assert.deepEqual(summarize('a', [round(4), round(1), round(2), round(3)]).messagesPerSecond, {
    median: 2.5,
    minimum: 1,
    maximum: 4,
  });
});

test('the table compares each broker with the first, and shows what was lost', () => {
  const table = formatTable([
    summarize('ours', [round(3_000_000)]),
    summarize('theirs', [round(1_000_000, 7), round(1_000_000, 5)]),
  ]);
  const [header, ours, theirs] = table.split('\n');
  assert.match(header ?? '', /^broker .* ours is$/);
  assert.match(ours ?? '', /^ours +3,000,000 \(3,000,000–3,000,000\)/);
  assert.match(theirs ?? '', / 12 +3\.00×$/);
});
