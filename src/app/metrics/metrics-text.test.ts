import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { FakeClock, silentLogger } from '#base';
import { Broker, boundNames, dropPolicies, type Statistics } from '#broker';
import type { JournalStatistics } from '#journal';
import { MemoryJournal } from '#journal';
import { wideLimits } from '../../../test/helpers/broker-harness.ts';
import { parsePrometheus, type PrometheusPage } from '../../../test/helpers/prometheus-text.ts';
import { MetricsText } from './metrics-text.ts';
import type { BridgeView, MetricsView } from './metrics-view.ts';
import { Requests } from './requests.ts';

const journal: JournalStatistics = {
  state: 'full',
  segments: 2,
  bytes: 1000,
  liveBytes: 900,
  pendingBytes: 5,
  flushes: 7,
  bytesWritten: 2000,
  bytesMoved: 100,
  failedCommits: 1,
  lastCommitMs: 2.5,
  meanCommitMs: 1.5,
  sessions: 3,
  deliveries: 4,
  messages: 6,
  retained: 8,
};

const requests = new Requests();
const text = new MetricsText(requests);

function newStatistics(): Statistics {
  const options = { clock: new FakeClock(), log: silentLogger, limits: wideLimits, name: 'x', version: '0' };
  return new Broker({ ...options, journal: new MemoryJournal() }).statistics;
}

function bridge(name: string, state: 'connected' | 'waiting'): BridgeView {
  const counts = { loops: 0, crossed: 0, refused: 1, rejected: 2, noRoom: 3, tooLarge: 4, unmapped: 5 };
  return {
    name,
    status: {
      state,
      since: 1_700_000_000_500,
      lastError: null,
      connects: 1,
      sent: 10,
      received: 11,
      ...counts,
    },
    queue: state === 'connected' ? null : { messages: 20, bytes: 2000, inflight: 3, oldestMs: 1500 },
  };
}

function viewOf(change: Partial<MetricsView> = {}): MetricsView {
  const statistics = {
    accepted: 1,
    refused: 2,
    handshakesRefused: 3,
    handshakeFailures: 4,
    proxyFailures: 5,
  };
  return {
    role: 'site',
    name: 'north',
    version: '1.2.3',
    phase: 'running',
    statistics: newStatistics(),
    journal,
    listeners: [{ name: 'inside', protocol: 'tls', statistics }],
    bridges: [bridge('relay', 'waiting'), bridge('other', 'connected')],
    ...change,
  };
}

async function pageOf(view: MetricsView): Promise<PrometheusPage> {
  return parsePrometheus(await text.write(view));
}

test('every metric has a help and a type, stands there once, and is named by the conventions', async () => {
  const { families } = await pageOf(viewOf());
  const ours = [...families].filter(([name]) => name.startsWith('davylamp_'));
  assert.ok(ours.length > 70, String(ours.length));
  for (const [name, { type, help }] of ours) {
    assert.match(name, /^davylamp_[a-z]+(_[a-z]+)*$/);
    assert.match(help, /^.{10,}\.$/, name);
    assert.equal(type === 'counter', name.endsWith('_total'), name);
  }
  for (const name of ['nodejs_eventloop_lag_p99_seconds', 'process_resident_memory_bytes'])
    assert.ok(families.has(name), name);
});

test('what the broker counts', async () => {
  const statistics = newStatistics();
  const first = await pageOf(viewOf({ statistics }));
  assert.equal(first.values.get('davylamp_info{role="site",name="north",version="1.2.3"}'), 1);
  assert.equal(first.values.get('davylamp_received_bytes_total'), 0);
  statistics.bytesReceived = 4711;
  statistics.clientsConnected = 3;
  for (const [index, policy] of dropPolicies.entries()) statistics.dropped[policy] = index + 1;
  for (const [index, bound] of boundNames.entries()) statistics.reached[bound] = index + 1;
  const { values } = await pageOf(viewOf({ statistics }));
  assert.equal(values.get('davylamp_received_bytes_total'), 4711);
  assert.equal(values.get('davylamp_clients_connected'), 3);
  for (const [index, policy] of dropPolicies.entries())
    assert.equal(values.get(`davylamp_messages_dropped_total{policy="${policy}"}`), index + 1);
  for (const [index, bound] of boundNames.entries())
    assert.equal(values.get(`davylamp_bounds_reached_total{bound="${bound}"}`), index + 1);
});

test('all numbers of the broker are there, each by a name of its own', async () => {
  const statistics = newStatistics();
  const keys = (Object.keys(statistics) as (keyof Statistics)[]).filter(
    (key) => typeof statistics[key] === 'number',
  );
  Object.assign(statistics, Object.fromEntries(keys.map((key, index) => [key, 1_000_000 + index])));
  const { values } = await pageOf(viewOf({ statistics, journal: null, bridges: [], listeners: [] }));
  const shown = [...values].filter(([name]) => /^davylamp_[a-z_]+$/.test(name)).map(([, value]) => value);
  assert.ok(keys.length > 25);
  for (const [index, key] of keys.entries())
    assert.equal(shown.filter((value) => value === 1_000_000 + index).length, 1, key);
});

test('journal, listeners and bridges, in base units', async () => {
  const { values } = await pageOf(viewOf());
  const expected: readonly (readonly [string, number])[] = [
    ['davylamp_journal_state{state="ok"}', 0],
    ['davylamp_journal_state{state="full"}', 1],
    ['davylamp_journal_last_commit_seconds', 0.0025],
    ['davylamp_journal_written_bytes_total', 2000],
    ['davylamp_listener_handshake_failures_total{listener="inside",protocol="tls"}', 4],
    ['davylamp_bridge_connected{bridge="relay"}', 0],
    ['davylamp_bridge_connected{bridge="other"}', 1],
    ['davylamp_bridge_state_since_timestamp_seconds{bridge="relay"}', 1_700_000_000.5],
    ['davylamp_bridge_queue_messages{bridge="relay"}', 20],
    ['davylamp_bridge_queue_bytes{bridge="relay"}', 2000],
    ['davylamp_bridge_queue_oldest_seconds{bridge="relay"}', 1.5],
    ['davylamp_bridge_in_flight_messages{bridge="relay"}', 3],
    ['davylamp_bridge_queue_messages{bridge="other"}', 0],
    ['davylamp_bridge_sent_total{bridge="relay"}', 10],
    ['davylamp_bridge_unmapped_total{bridge="other"}', 5],
  ];
  for (const [series, value] of expected) assert.equal(values.get(series), value, series);
});

test('what is gone is not shown any more, and what is asked twice is not counted twice', async () => {
  const before = await pageOf(viewOf());
  assert.deepEqual((await pageOf(viewOf())).values.get('davylamp_journal_flushes_total'), 7);
  const after = await pageOf(viewOf({ bridges: [bridge('other', 'connected')], journal: null }));
  const about = (page: PrometheusPage, part: string): number =>
    [...page.values.keys()].filter((series) => series.includes(part)).length;
  assert.ok(about(before, 'bridge="relay"') > 10);
  assert.equal(about(after, 'bridge="relay"'), 0);
  assert.equal(about(after, 'bridge="other"'), about(before, 'bridge="other"'));
  assert.equal([...after.values.keys()].filter((series) => series.includes('journal_state')).length, 0);
});

test('labels are ours or of the configuration: their number does not grow with clients', async () => {
  const { values } = await pageOf(viewOf());
  const labels = new Set(
    [...values.keys()]
      .filter((series) => series.startsWith('davylamp_'))
      .flatMap((series) => [...series.matchAll(/(\w+)="/g)].map(([, label]) => label)),
  );
  const known = new Set([
    'bound',
    'bridge',
    'listener',
    'name',
    'policy',
    'protocol',
    'role',
    'state',
    'status',
    'version',
  ]);
  assert.deepEqual(labels, known);
});

test('requests of the endpoint are counted by their answer', async () => {
  requests.count('401');
  requests.count('401');
  const { values } = await pageOf(viewOf());
  assert.equal(values.get('davylamp_metrics_requests_total{status="401"}'), 2);
  assert.equal(values.get('davylamp_metrics_requests_total{status="dropped"}'), 0);
});

test('the guide names metrics and labels that there are', async () => {
  const { families, values } = await pageOf(viewOf());
  const guide = readFileSync(new URL('../../../docs/guides/monitoring.md', import.meta.url), 'utf8');
  const named = new Set(
    [...guide.matchAll(/\b(?:davylamp|nodejs|process)_[a-z0-9_]*[a-z0-9]/g)].map(([name]) => name),
  );
  assert.ok(named.size > 20);
  assert.deepEqual(
    [...named].filter((name) => !families.has(name)),
    [],
  );
  const [, policies = ''] = /policy=~"([^"]+)"/.exec(guide) ?? [];
  for (const policy of policies.split('|'))
    assert.ok(values.has(`davylamp_messages_dropped_total{policy="${policy}"}`), policy);
});
