import assert from 'node:assert/strict';
import { test } from 'node:test';
import { BridgeViews } from './bridge-views.ts';

function say(views: BridgeViews, topic: string, text: string): boolean {
  return views.onMessage(`$SYS/broker/${topic}`, Buffer.from(text));
}

test('what a broker tells of its bridges becomes a view, and goes with what is taken away', () => {
  const views = new BridgeViews();
  assert.equal(views.onMessage('outTopic/x', Buffer.from('')), false);
  for (const [name, value] of [
    ['state', 'connected'],
    ['since', '2026-11-20T10:00:00.000Z'],
    ['address', 'mqtts://relay.example:8883'],
    ['last_error', ''],
    ['sent', '12'],
    ['sent/rate', '1.5'],
    ['queue/messages', '3'],
    ['queue/oldest_seconds', '7'],
  ] as const)
    assert.equal(say(views, `davylamp/bridges/relay/${name}`, value), true);
  say(views, 'davylamp/bridges/acme/state', 'waiting');
  say(views, 'davylamp/bridges/acme/last_error', 'refused');
  const { bridges } = views.view();
  assert.deepEqual(
    bridges.map(({ name, state, lastError }) => [name, state, lastError]),
    [
      ['acme', 'waiting', 'refused'],
      ['relay', 'connected', null],
    ],
  );
  assert.deepEqual(views.down(), ['acme']);
  say(views, 'davylamp/bridges/acme/state', 'idle');
  assert.deepEqual(views.down(), []);
  const [, relay] = bridges;
  assert.equal(relay?.since, Date.UTC(2026, 10, 20, 10));
  assert.deepEqual(
    [relay?.sent, relay?.sentPerSecond, relay?.queuedMessages, relay?.lagSeconds, relay?.received],
    [12, 1.5, 3, 7, 0],
  );
  for (const name of ['last_error', 'state']) say(views, `davylamp/bridges/acme/${name}`, '');
  assert.deepEqual(
    views.view().bridges.map(({ name }) => name),
    ['relay'],
  );
});

test('links that tell of themselves are listed, bounded, whatever they are called', () => {
  const views = new BridgeViews();
  say(views, 'connection/north/state', '1');
  say(views, 'connection/__proto__/state', '0');
  say(views, 'connection/gone/state', '1');
  say(views, 'connection/gone/state', '');
  assert.equal(say(views, 'connection/a/b/state', '1'), true);
  assert.deepEqual(views.view().links, [
    { clientId: '__proto__', connected: false },
    { clientId: 'north', connected: true },
  ]);
  assert.deepEqual(views.down(), ['__proto__']);
  for (let index = 0; index < 20_000; index++) say(views, `connection/c${index}/state`, '1');
  say(views, 'connection/north/state', '0');
  assert.equal(views.view().links.length, 10_000);
  assert.equal(views.view().links.find(({ clientId }) => clientId === 'north')?.connected, false);
});
