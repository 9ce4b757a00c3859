import assert from 'node:assert/strict';
import { test } from 'node:test';
import { deviceHash, parseRoute } from './route.ts';

test('addresses of pages are read; whatever else is the overview', () => {
  assert.deepEqual(parseRoute(''), { view: 'overview' });
  assert.deepEqual(parseRoute('#/'), { view: 'overview' });
  assert.deepEqual(parseRoute('#/alarms'), { view: 'alarms' });
  assert.deepEqual(parseRoute('#/devices/'), { view: 'overview' });
  assert.deepEqual(parseRoute('#/devices/%E0%A4%A'), { view: 'overview' });
});

test('a device is found again by its address, whatever its id holds', () => {
  for (const id of ['5ccf7f1418ad', 'north.host', 'a/b c%20#?']) {
    assert.deepEqual(parseRoute(deviceHash(id)), { view: 'device', id });
  }
});
