import assert from 'node:assert/strict';
import { test } from 'node:test';
import { filters, naiveMatches, topics } from './naive-oracle.ts';

test('the oracle itself agrees with the examples of the standard (4.7.1.2, 4.7.1.3, 4.7.2)', () => {
  const yes: [string, string][] = [
    ['sport/tennis/player1/#', 'sport/tennis/player1'],
    ['sport/tennis/player1/#', 'sport/tennis/player1/ranking'],
    ['sport/#', 'sport'],
    ['sport/tennis/+', 'sport/tennis/player2'],
    ['sport/+', 'sport/'],
    ['+/+', '/finance'],
    ['/+', '/finance'],
    ['$SYS/#', '$SYS/a/b'],
  ];
  const no: [string, string][] = [
    ['sport/tennis/+', 'sport/tennis/player1/ranking'],
    ['sport/+', 'sport'],
    ['+', '/finance'],
    ['#', '$SYS/a'],
    ['+/monitor/Clients', '$SYS/monitor/Clients'],
  ];
  for (const [filter, topic] of yes) assert.equal(naiveMatches(filter, topic), true, `${filter} ${topic}`);
  for (const [filter, topic] of no) assert.equal(naiveMatches(filter, topic), false, `${filter} ${topic}`);
});

test('the enumeration has no doubles', () => {
  assert.equal(new Set(topics(3)).size, topics(3).length);
  assert.equal(new Set(filters(3)).size, filters(3).length);
});
