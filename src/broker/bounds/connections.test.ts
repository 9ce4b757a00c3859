import assert from 'node:assert/strict';
import { test } from 'node:test';
import { PacketType, ReasonCode } from '#mqtt';
import { BrokerHarness, type ConnectOptions } from '../../../test/helpers/broker-harness.ts';
import { sysCounter } from '../../../test/helpers/sys-counter.ts';
import { networkOf } from './network-of.ts';

const address = '192.0.2.5';

/** The reason of CONNACK; `null` when the connection was closed without one. */
function connectCode(harness: BrokerHarness, clientId: string, options: ConnectOptions = {}): number | null {
  const client = harness.open({ address, ...options });
  client.connect(clientId, options);
  const first = client.received[0];
  return first?.type === PacketType.Connack ? first.reasonCode : null;
}

test('bound: connections of all listeners together; parts of this machine find a place all the same', () => {
  const harness = new BrokerHarness({ limits: { maximumConnections: 2 } });
  const first = harness.connect('a', { address: '192.0.2.1', profile: { name: 'one' } });
  harness.connect('b', { address: '192.0.2.2', profile: { name: 'two' } });
  assert.ok(harness.open({ address: '192.0.2.3' }).isClosed);
  assert.equal(harness.broker.mayConnect('192.0.2.3', 'three'), false);
  harness.connect('bridge', { address: 'local' });
  assert.ok(harness.open({ address: '192.0.2.3' }).isClosed);
  first.disconnect();
  harness.connect('c', { address: '192.0.2.3' });
  assert.equal(sysCounter(harness, 'davylamp/bounds/connections'), 3);
});

test('bound: connections per address; an IPv6 network counts as one, another address is not hindered', () => {
  const harness = new BrokerHarness({ limits: { maximumConnectionsPerAddress: 2 } });
  const first = harness.connect('a', { address });
  harness.connect('b', { address });
  assert.ok(harness.open({ address }).isClosed);
  harness.connect('c', { address: '192.0.2.6' });
  for (let i = 1; i <= 2; i++) harness.connect(`six ${i}`, { address: `2001:db8:0:1::${i}` });
  assert.ok(harness.open({ address: '2001:db8:0:1:ffff::9' }).isClosed);
  harness.connect('seven', { address: '2001:db8:0:2::1' });
  first.breakOff();
  harness.connect('d', { address });
  assert.equal(sysCounter(harness, 'davylamp/bounds/connections-per-address'), 2);
});

test('an IPv6 address counts for its /64, however it is written', () => {
  assert.equal(networkOf('192.0.2.5'), '192.0.2.5');
  assert.equal(networkOf('local'), 'local');
  assert.equal(networkOf('2001:db8::1'), '2001:db8:0:0::/64');
  assert.equal(networkOf('2001:db8:0:0:1:2:3:4'), '2001:db8:0:0::/64');
  assert.equal(networkOf('::1'), '0:0:0:0::/64');
  assert.equal(networkOf('fe80::1%eth0'), 'fe80:0:0:0::/64');
  assert.equal(networkOf('2001:db8:a::'), '2001:db8:a:0::/64');
});

test('bound: connections per user; a client that takes its own place over is let in', () => {
  const harness = new BrokerHarness({ limits: { maximumConnectionsPerUser: 2 } });
  const first = harness.connect('a', { address, username: 'anna' });
  harness.connect('b', { address, username: 'anna' });
  assert.equal(connectCode(harness, 'c', { username: 'anna' }), ReasonCode.QuotaExceeded);
  assert.equal(connectCode(harness, 'c', { username: 'anna', version: 4 }), 3);
  assert.equal(connectCode(harness, 'c', { username: 'bert' }), ReasonCode.Success);
  assert.equal(connectCode(harness, 'b', { username: 'anna' }), ReasonCode.Success);
  assert.equal(connectCode(harness, 'd'), ReasonCode.Success, 'nobody is no user');
  first.breakOff();
  assert.equal(connectCode(harness, 'e', { username: 'anna' }), ReasonCode.Success);
  assert.equal(sysCounter(harness, 'davylamp/bounds/connections-per-user'), 2);
});

test('bound: connect time; whoever says nothing, or dribbles, is closed', () => {
  const harness = new BrokerHarness({ limits: { connectTimeoutMs: 5000 } });
  const silent = harness.open({ address });
  const dribbling = harness.open({ address });
  for (let i = 0; i < 5; i++) {
    dribbling.raw(i === 0 ? '10' : 'ff');
    if (i < 3) harness.advance(1000);
  }
  assert.ok(dribbling.isClosed, 'a length that cannot be');
  harness.advance(3000);
  assert.ok(silent.isClosed);
  assert.equal(sysCounter(harness, 'davylamp/bounds/connect-time'), 1);
});

test('bound: sessions; new ones that stay are refused, all others go on', () => {
  const harness = new BrokerHarness({ limits: { maximumSessions: 3 } });
  const stays = { address, cleanStart: false, properties: { sessionExpiry: 100 } };
  for (let i = 0; i < 3; i++) harness.connect(`s${i}`, stays).breakOff();
  assert.equal(connectCode(harness, 's3', stays), ReasonCode.QuotaExceeded);
  assert.equal(connectCode(harness, 's3', { cleanStart: false, version: 4 }), 3);
  assert.equal(connectCode(harness, 's1', stays), ReasonCode.Success);
  assert.equal(connectCode(harness, 'passing'), ReasonCode.Success);
  assert.equal(sysCounter(harness, 'davylamp/bounds/sessions'), 2);
  harness.advance(200_000);
  assert.equal(connectCode(harness, 's3', stays), ReasonCode.Success, 'sessions have expired');
});

test('a bound of 0 is none', () => {
  const none = { maximumSessions: 0, maximumConnectionsPerAddress: 0, maximumConnectionsPerUser: 0 };
  const harness = new BrokerHarness({ limits: { ...none, flappingConnects: 0 } });
  for (let i = 0; i < 5; i++)
    assert.equal(
      connectCode(harness, `s${i}`, { address, cleanStart: false, properties: { sessionExpiry: 9 } }),
      0,
    );
});

test('bound: flapping; a client id is refused from that address for a while, before it signs in', () => {
  const limits = { flappingConnects: 5, flappingWindowMs: 10_000, flappingBanMs: 30_000 };
  const harness = new BrokerHarness({ limits });
  let asked = 0;
  const authenticator = {
    authenticate: () => {
      asked++;
      return { reasonCode: ReasonCode.Success, name: null };
    },
  };
  const profile = { authenticator };
  const id = 'x'.repeat(1000);
  for (let i = 0; i < 5; i++) assert.equal(connectCode(harness, id, { profile }), ReasonCode.Success);
  const lines = harness.log.length;
  for (let i = 0; i < 100; i++) assert.equal(connectCode(harness, id, { profile }), ReasonCode.Banned);
  assert.equal(connectCode(harness, id, { profile, version: 4 }), 5);
  assert.equal(asked, 5);
  assert.equal(harness.log.length, lines + 1, 'one line, not one for each');
  assert.equal(connectCode(harness, 'another'), ReasonCode.Success);
  assert.equal(connectCode(harness, id, { address: '192.0.2.6' }), ReasonCode.Success);
  harness.advance(29_000);
  assert.equal(connectCode(harness, id), ReasonCode.Banned);
  harness.advance(1000);
  assert.equal(connectCode(harness, id), ReasonCode.Success);
  assert.equal(sysCounter(harness, 'davylamp/bounds/flapping'), 102);
  assert.equal(harness.broker.statistics.clientsBanned, 1);
});

test('a client that connects often, but not too often, is never refused; nor is a part of this machine', () => {
  const harness = new BrokerHarness({ limits: { flappingConnects: 5, flappingWindowMs: 10_000 } });
  for (let i = 0; i < 50; i++) {
    assert.equal(connectCode(harness, 'a'), ReasonCode.Success);
    harness.advance(2500);
  }
  for (let i = 0; i < 50; i++)
    assert.equal(connectCode(harness, 'b', { address: 'local' }), ReasonCode.Success);
});

test('what is watched for flapping is bounded: the client that came first is forgotten', () => {
  const harness = new BrokerHarness({ limits: { flappingConnects: 1 } });
  harness.connect('first', { address });
  assert.equal(connectCode(harness, 'first'), ReasonCode.Banned);
  for (let i = 0; i < 10_000; i++) harness.connect(`c${i}`, { address }).breakOff();
  assert.equal(connectCode(harness, 'first'), ReasonCode.Success);
});

test('bound: session expiry; a client that asks for more is told, and its session ends then', () => {
  const harness = new BrokerHarness({ limits: { maximumSessionExpirySeconds: 60 } });
  const forever = { address, cleanStart: false, properties: { sessionExpiry: 0xffff_ffff } };
  const client = harness.connect('c', forever);
  assert.equal(client.connack?.properties.sessionExpiry, 60);
  client.breakOff();
  harness.advance(59_000);
  assert.equal(harness.broker.statistics.sessions, 1);
  harness.advance(2000);
  assert.equal(sysCounter(harness, 'clients/expired'), 1);
});
