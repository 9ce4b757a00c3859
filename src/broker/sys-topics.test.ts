import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { matches } from '#topics';
import { BrokerHarness } from '../../test/helpers/broker-harness.ts';

const prefix = '$SYS/broker/';

/** Every topic below `$SYS/broker/` and its value. */
function told(harness: BrokerHarness): Map<string, string> {
  const reader = harness.connect('reader');
  reader.subscribe('$SYS/#', { qos: 0 });
  const entries = reader.takeAll().map((line): [string, string] => {
    const at = line.indexOf('=');
    return [line.slice(prefix.length, at), line.slice(at + 1)];
  });
  reader.disconnect();
  return new Map(entries);
}

test('docs/reference/sys-topics.md has every topic, and no other', () => {
  const page = readFileSync(new URL('../../docs/reference/sys-topics.md', import.meta.url), 'utf8');
  const rows = [...page.matchAll(/^\| `([^`]+)` \|/gm)].map(([, topic]) => topic!.replace(/\*$/, '#'));
  assert.ok(rows.length > 30);
  const topics = [...told(new BrokerHarness()).keys()];
  for (const topic of topics)
    assert.ok(
      rows.some((row) => matches(row, topic)),
      `${topic} is not on the page`,
    );
  for (const row of rows)
    assert.ok(
      topics.some((topic) => matches(row, topic)),
      `${row} is never told`,
    );
});

test('loads are averages per minute, weighted as Mosquitto weights them', () => {
  const harness = new BrokerHarness({ sysIntervalSeconds: 10 });
  assert.equal(told(harness).get('load/publish/received/1min'), '0.00');
  const client = harness.connect('c');
  for (let i = 0; i < 50; i++) client.publish('t', 'x');
  harness.advance(10_000);
  const first = 300 * (1 - Math.exp(-10 / 60));
  assert.equal(told(harness).get('load/publish/received/1min'), first.toFixed(2));
  assert.equal(
    told(harness).get('load/publish/received/15min'),
    (300 * (1 - Math.exp(-10 / 900))).toFixed(2),
  );
  harness.advance(10_000);
  assert.equal(told(harness).get('load/publish/received/1min'), (first * Math.exp(-10 / 60)).toFixed(2));
});

test('the interval is what it is told to be; with 0 nothing is said', () => {
  const harness = new BrokerHarness({ sysIntervalSeconds: 3 });
  harness.advance(3000);
  assert.equal(told(harness).get('uptime'), '3 seconds');
  const silent = new BrokerHarness({ sysIntervalSeconds: 0 });
  silent.advance(60_000);
  assert.deepEqual([...told(silent)], []);
});

test('what the doors count is told of all of them together', () => {
  const harness = new BrokerHarness({ sysIntervalSeconds: 1 });
  const door = { accepted: 5, refused: 4, handshakesRefused: 3, handshakeFailures: 2, proxyFailures: 1 };
  for (let doors = 0; doors < 2; doors++) harness.broker.watchDoor(door);
  harness.advance(1000);
  const values = told(harness);
  const names = ['accepted', 'refused', 'handshakes_refused', 'handshake_failures', 'proxy_failures'];
  assert.deepEqual(
    names.map((name) => values.get(`davylamp/listeners/${name}`)),
    ['10', '8', '6', '4', '2'],
  );
});

test('clients, subscriptions and messages are counted as they are', () => {
  const harness = new BrokerHarness();
  const absent = harness.connect('absent', { cleanStart: false, properties: { sessionExpiry: 1000 } });
  absent.subscribe('$share/g/t', { qos: 1 });
  absent.subscribe('t', { qos: 1 });
  absent.breakOff();
  harness.connect('present').publish('t', 'four', { qos: 1 });
  harness.advance(10_000);
  const retained = Number(told(harness).get('retained messages/count'));
  const sockets = Number(told(harness).get('connections/socket/count'));
  harness.connect('keeper').publish('kept', 'x', { retain: true });
  harness.advance(10_000);
  const values = told(harness);
  assert.equal(values.get('clients/connected'), '2');
  assert.equal(values.get('clients/disconnected'), '1');
  assert.equal(values.get('clients/total'), '3');
  assert.equal(values.get('subscriptions/count'), '2');
  assert.equal(values.get('shared_subscriptions/count'), '1');
  assert.equal(values.get('publish/bytes/received'), '5');
  assert.equal(values.get('retained messages/count'), String(retained + 1));
  assert.equal(values.get('connections/socket/count'), String(sockets + 3), 'two readers and the keeper');
  assert.equal(values.get('version'), 'davylamp version 1.2.3');
});
