import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { UserProperty } from '#mqtt';
import { isLater, readStamp } from './stamp.ts';

const good: readonly UserProperty[] = [
  ['davy-site', 'north'],
  ['davy-received', '1700000000000'],
  ['davy-id', 'lz4k2-1f'],
];

function changed(name: string, value: string): readonly UserProperty[] {
  return good.map(([key, old]) => [key, key === name ? value : old]);
}

test('a stamp is read, whatever stands beside it', () => {
  const stamp = { site: 'north', receivedAt: 1_700_000_000_000, id: 'lz4k2-1f' };
  assert.deepEqual(readStamp(good), stamp);
  assert.deepEqual(readStamp([['traceparent', 'x'], ...good, ['traceparent', 'y']]), stamp);
});

describe('nonsense is no stamp', () => {
  const cases: readonly (readonly [name: string, properties: readonly UserProperty[] | undefined])[] = [
    ['nothing', undefined],
    ['an empty list', []],
    ['one property missing', good.slice(0, 2)],
    ['two sites', [...good, ['davy-site', 'south']]],
    ['two times', [...good, ['davy-received', '1700000000000']]],
    ['two ids', [...good, ['davy-id', 'lz4k2-1f']]],
    ['too many properties', [...good, ...Array.from({ length: 62 }, (): UserProperty => ['x', 'y'])]],
    ['a site with a slash', changed('davy-site', 'a/b')],
    ['an empty site', changed('davy-site', '')],
    ['a time of 0', changed('davy-received', '0')],
    ['a negative time', changed('davy-received', '-1')],
    ['a time with an exponent', changed('davy-received', '1e12')],
    ['a time beyond all dates', changed('davy-received', '9000000000000000')],
    ['a time of 17 digits', changed('davy-received', '00001700000000000')],
    ['an id without a dash', changed('davy-id', 'lz4k2')],
    ['an id of two dashes', changed('davy-id', 'a-1-2')],
    ['an id without a start', changed('davy-id', '-1')],
    ['an id without a count', changed('davy-id', 'a-')],
    ['an id in upper case', changed('davy-id', 'A-1')],
    ['a count with leading zeros', changed('davy-id', 'a-01')],
    ['an id too long', changed('davy-id', `${'a'.repeat(17)}-1`)],
  ];
  for (const [name, properties] of cases) test(name, () => assert.equal(readStamp(properties), undefined));
});

test('the order of reception is the count of the same start of the broker, else the time', () => {
  assert.equal(isLater('a-z', 5, 'a-10', 9), false);
  assert.equal(isLater('a-10', 5, 'a-z', 9), true, 'the clock was set back in between');
  assert.equal(isLater('a-b', 5, 'a-b', 5), false);
  assert.equal(isLater('b-1', 10, 'a-zz', 9), true);
  assert.equal(isLater('b-1', 9, 'a-zz', 10), false);
  assert.equal(isLater('', 10, '', 9), true);
  assert.equal(isLater('', 9, '', 9), false);
});
