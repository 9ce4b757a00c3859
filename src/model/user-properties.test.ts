import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { UserProperty } from '#mqtt';
import { hasTooManyProperties } from './user-properties.ts';

const some = (count: number, name: string): UserProperty[] =>
  Array.from({ length: count }, () => [name, ''] as const);

test('what a publisher says counts; what brokers add on the way does not, within bounds', () => {
  assert.equal(hasTooManyProperties([], 0), false);
  assert.equal(hasTooManyProperties(some(3, 'a'), 3), false);
  assert.equal(hasTooManyProperties(some(4, 'a'), 3), true);
  assert.equal(hasTooManyProperties([...some(3, 'a'), ...some(40, 'davy-via')], 3), false);
  assert.equal(hasTooManyProperties([...some(4, 'a'), ...some(40, 'davy-via')], 3), true);
  assert.equal(hasTooManyProperties([...some(3, 'a'), ...some(41, 'davy-via')], 3), true, 'nor endlessly');
});
