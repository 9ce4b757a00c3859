import assert from 'node:assert/strict';
import { test } from 'node:test';
import { byPriority, countDevices, groupDevices, matchesFilter, summaryText } from './overview.ts';
import { alarmView, deviceView } from './test-views.ts';

test('the summary counts every state, and new devices beside their state', () => {
  const devices = [
    deviceView({ id: 'a', state: 'silent' }),
    deviceView({ id: 'b', state: 'warming-up', registration: 'new' }),
    deviceView({ id: 'c', state: 'gas' }),
    deviceView({ id: 'd' }),
  ];
  assert.equal(summaryText(countDevices(devices)), '4 devices: 1 gas, 1 silent, 1 warming up, 1 new');
  assert.equal(
    summaryText(countDevices(devices.slice(0, 1))),
    '1 device: 0 gas, 1 silent, 0 warming up, 0 new',
  );
});

test('within a site the urgent come first, then names in the order that people count in', () => {
  const groups = groupDevices(
    [
      deviceView({ id: '1', name: 'd10' }),
      deviceView({ id: '2', name: 'd2' }),
      deviceView({ id: '3', name: 'd3', state: 'warming-up' }),
      deviceView({ id: '4', name: 'd4', registration: 'new' }),
      deviceView({ id: '5', name: 'd5', state: 'silent' }),
      deviceView({ id: '6', name: 'd6', state: 'gas' }),
      deviceView({ id: '7', name: 'd1', site: 'alpha' }),
    ],
    '',
  );
  assert.deepEqual(
    groups.map((group) => [group.site, group.ids.join('')]),
    [
      ['alpha', '7'],
      ['north', '653421'],
    ],
  );
});

test('a filter hides devices but not the count of their site', () => {
  const groups = groupDevices(
    [deviceView({ id: '1', name: 'kitchen' }), deviceView({ id: '2', name: 'cellar', state: 'gas' })],
    'KITCH north',
  );
  assert.deepEqual(groups[0]?.ids, ['1']);
  assert.equal(groups[0]?.counts.gas, 1);
});

test('the filter finds what the screen shows: state and MAC too', () => {
  const device = deviceView({ id: '1', state: 'warming-up', mac: '5C:CF:7F:14:18:AD' });
  assert.equal(matchesFilter(device, 'warming'), true);
  assert.equal(matchesFilter(device, '5c:cf'), true);
  assert.equal(matchesFilter(device, 'silent'), false);
});

test('the banner goes by priority, then by what nobody has seen, then by time', () => {
  const sorted = [
    alarmView({ id: 'late low', priority: 4, raisedAt: 9 }),
    alarmView({ id: 'seen', state: 'acknowledged', raisedAt: 8 }),
    alarmView({ id: 'older', raisedAt: 1 }),
    alarmView({ id: 'newer', raisedAt: 2 }),
  ].sort(byPriority);
  assert.deepEqual(
    sorted.map((alarm) => alarm.id),
    ['newer', 'older', 'seen', 'late low'],
  );
});
