import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { JournalState } from '#broker';
import type { MetricsView } from './metrics-view.ts';
import { readinessOf } from './readiness.ts';

const counters = {
  accepted: 0,
  refused: 0,
  handshakesRefused: 0,
  handshakeFailures: 0,
  proxyFailures: 0,
};

function viewOf(change: Partial<MetricsView>, journal: JournalState | null = 'ok'): MetricsView {
  const listeners = [{ name: 'inside', protocol: 'tls', statistics: counters }];
  const view = {
    phase: 'running',
    listeners,
    bridges: [],
    journal: journal && { state: journal },
    ...change,
  };
  return view as unknown as MetricsView; // what is not looked at is left out
}

test('ready: it runs, a listener is open, and what is acknowledged is kept or is not meant to be', () => {
  assert.equal(readinessOf(viewOf({})).status, 'ready');
  assert.equal(readinessOf(viewOf({}, null)).status, 'ready');
  assert.equal(readinessOf(viewOf({}, null)).journal, 'none');
  for (const state of ['full', 'failed'] as const) {
    const { status, journal } = readinessOf(viewOf({}, state));
    assert.equal(status, 'not ready');
    assert.equal(journal, state);
  }
  for (const phase of ['starting', 'stopping'] as const)
    assert.equal(readinessOf(viewOf({ phase })).status, 'not ready', phase);
  assert.equal(readinessOf(viewOf({ listeners: [] })).status, 'not ready');
});

test('a bridge that is down is shown, and is no reason', () => {
  const counts = { connects: 0, sent: 0, received: 0, loops: 0, crossed: 0, refused: 0, rejected: 0 };
  const rest = { noRoom: 0, tooLarge: 0, unmapped: 0 };
  const status = { state: 'waiting', since: 0, lastError: 'refused', ...counts, ...rest } as const;
  const queue = { messages: 5, bytes: 50, inflight: 0, oldestMs: 1 };
  const { status: overall, bridges } = readinessOf(viewOf({ bridges: [{ name: 'relay', status, queue }] }));
  assert.equal(overall, 'ready');
  const since = '1970-01-01T00:00:00.000Z';
  assert.deepEqual(bridges, [
    { name: 'relay', state: 'waiting', since, lastError: 'refused', queuedMessages: 5 },
  ]);
});
