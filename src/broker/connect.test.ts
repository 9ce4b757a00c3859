import assert from 'node:assert/strict';
import { test } from 'node:test';
import { PacketType, ReasonCode, type ConnackPacket, type ProtocolVersion } from '#mqtt';
import { BrokerHarness, openAuthorizer, willOf } from '../../test/helpers/broker-harness.ts';
import type { AuthenticationResult, Authenticator } from './ports.ts';

const refusing = (reasonCode: ReasonCode): Authenticator => ({
  authenticate: () => ({ reasonCode: reasonCode as 0x86, detail: 'no' }),
});

function connackOf(
  harness: BrokerHarness,
  version: ProtocolVersion,
  clientId: string,
  options = {},
): number | null {
  const client = harness.open({ version, ...options });
  client.connect(clientId, options);
  const packet = client.received.shift();
  assert.equal(client.isClosed, packet === undefined || (packet as ConnackPacket).reasonCode !== 0);
  return packet === undefined ? null : (packet as ConnackPacket).reasonCode;
}

test('what a refusal says depends on the version [MQTT-3.2.2-4] [MQTT-3.2.2-7]', () => {
  const harness = new BrokerHarness();
  const cases: readonly [ReasonCode, number][] = [
    [ReasonCode.BadUserNameOrPassword, 4],
    [ReasonCode.NotAuthorized, 5],
    [ReasonCode.ServerBusy, 3],
  ];
  for (const [reason, returnCode] of cases) {
    const profile = { authenticator: refusing(reason) };
    assert.equal(connackOf(harness, 5, 'c', { profile }), reason);
    assert.equal(connackOf(harness, 4, 'c', { profile }), returnCode);
    assert.equal(connackOf(harness, 3, 'c', { profile }), returnCode);
  }
  assert.equal(harness.broker.statistics.connectionsRefused, 9);
});

test('an empty client id gets one assigned, where the version has that [MQTT-3.1.3-6] [MQTT-3.1.3-7] [MQTT-3.1.3-8]', () => {
  const harness = new BrokerHarness();
  const one = harness.connect('').connack?.properties.assignedClientIdentifier;
  const other = harness.connect('').connack?.properties.assignedClientIdentifier;
  assert.ok(one !== undefined && other !== undefined && one !== other);
  assert.equal(connackOf(harness, 4, ''), 0);
  assert.equal(connackOf(harness, 4, '', { cleanStart: false }), 2);
  assert.equal(connackOf(harness, 3, ''), 2);
});

test('a protocol level that is not supported is answered in the form that the client may know [MQTT-3.1.2-2]', () => {
  const harness = new BrokerHarness();
  const old = harness.open({ version: 4 });
  old.raw('10 0c 0004 4d515454 02 02 003c 0000');
  assert.equal((old.take(PacketType.Connack) as ConnackPacket).reasonCode, 1);
  assert.ok(old.isClosed);
  const later = harness.open({ version: 5 });
  later.raw('10 0d 0004 4d515454 06 02 003c 00 0000');
  assert.equal((later.take(PacketType.Connack) as ConnackPacket).reasonCode, 0x84);
  assert.ok(later.isClosed);
});

test('the first packet must be CONNECT, and the only one [MQTT-3.1.0-1] [MQTT-3.1.0-2]', () => {
  const harness = new BrokerHarness();
  const rude = harness.open();
  rude.publish('t', 'x');
  assert.ok(rude.isClosed);
  assert.deepEqual(rude.received, []);
  const twice = harness.connect('twice');
  twice.connect('twice');
  assert.equal(twice.takeDisconnect().reasonCode, ReasonCode.ProtocolError);
  assert.ok(twice.isClosed);
});

test('a second CONNECT and what only a server sends are not read: DISCONNECT cannot name their faults [MQTT-3.1.0-2]', () => {
  const harness = new BrokerHarness();
  for (const packet of [
    '10 0d 0004 4d515454 09 02 0000 00 0000',
    '20 02 00 01',
    '90 00',
    'b0 00',
    'd0 01 00',
  ]) {
    const client = harness.connect('c');
    client.raw(packet);
    assert.equal(client.takeDisconnect().reasonCode, ReasonCode.ProtocolError, packet);
    assert.equal(client.isClosed, true);
  }
});

test('before CONNECT only small packets are read, and only for a while', () => {
  const harness = new BrokerHarness({
    limits: { maximumPacketSizeBeforeConnect: 1000, connectTimeoutMs: 5000 },
  });
  const large = harness.open();
  large.raw(Buffer.from([0x10, 0xff, 0xff, 0xff, 0x7f]));
  assert.ok(large.isClosed);
  const silent = harness.open();
  const dripping = harness.open();
  for (let second = 0; second < 6; second++) {
    dripping.raw(second === 0 ? '10' : second === 1 ? '7f' : '00');
    harness.advance(1000);
  }
  assert.ok(silent.isClosed);
  assert.ok(dripping.isClosed);
});

test('packets that come while a sign-in is checked are handled after it, in order', async () => {
  const harness = new BrokerHarness();
  let decide: (result: AuthenticationResult) => void = () => {};
  const authenticator: Authenticator = { authenticate: () => new Promise((resolve) => (decide = resolve)) };
  const watcher = harness.connect('w');
  watcher.subscribe('#', { qos: 0 });
  const client = harness.open({ profile: { authenticator } });
  client.connect('c');
  client.publish('t', '1');
  client.publish('t', '2', { qos: 1 });
  assert.ok(client.transport.isPaused);
  assert.deepEqual(client.received, []);
  decide({ reasonCode: 0, name: 'anna' });
  await Promise.resolve();
  await Promise.resolve();
  harness.settle();
  client.take(PacketType.Connack);
  client.takeAck(PacketType.Puback);
  assert.deepEqual(watcher.takeAll(), ['t=1', 't=2']);
});

test('a sign-in that fails to be checked is refused, not let in', async () => {
  const harness = new BrokerHarness();
  const client = harness.open({
    profile: { authenticator: { authenticate: () => Promise.reject(new Error('no disk')) } },
  });
  client.connect('c');
  await new Promise((resolve) => setImmediate(resolve));
  harness.settle();
  assert.equal((client.take(PacketType.Connack) as ConnackPacket).reasonCode, ReasonCode.ServerUnavailable);
  assert.ok(client.isClosed);
});

test('an authentication method that is not known is refused [MQTT-4.12.0-1]', () => {
  const harness = new BrokerHarness();
  const properties = { authenticationMethod: 'SCRAM-SHA-256' };
  assert.equal(connackOf(harness, 5, 'c', { properties }), ReasonCode.BadAuthenticationMethod);
  const client = harness.connect('d');
  client.send({ type: PacketType.Auth, reasonCode: 0x19, properties: { authenticationMethod: 'x' } });
  assert.equal(client.takeDisconnect().reasonCode, ReasonCode.ProtocolError);
});

test('what the server limits is said in CONNACK', () => {
  const harness = new BrokerHarness({
    limits: { maximumKeepAliveSeconds: 60, maximumSessionExpirySeconds: 3600 },
  });
  const client = harness.connect('c', { keepAlive: 0, properties: { sessionExpiry: 0xffff_ffff } });
  assert.deepEqual(client.connack?.properties, {
    receiveMaximum: 100,
    maximumPacketSize: 1_048_576,
    topicAliasMaximum: 10,
    sessionExpiry: 3600,
    serverKeepAlive: 60,
  });
  const modest = harness.connect('d', { keepAlive: 30, properties: { sessionExpiry: 10 } });
  assert.equal(modest.connack?.properties.serverKeepAlive, undefined);
  assert.equal(modest.connack?.properties.sessionExpiry, undefined);
});

test('a client that falls silent is disconnected after one and a half keep-alives [MQTT-3.1.2-22] [MQTT-3.1.2-24]', () => {
  const harness = new BrokerHarness();
  const silent = harness.connect('silent', { keepAlive: 10 });
  const pinging = harness.connect('pinging', { keepAlive: 10, version: 4 });
  const unwatched = harness.connect('unwatched', { keepAlive: 0 });
  for (let second = 0; second < 15; second++) {
    harness.advance(1000);
    pinging.expectNothing();
    assert.equal(silent.isClosed, false);
  }
  harness.advance(1000);
  assert.equal(silent.takeDisconnect().reasonCode, ReasonCode.KeepAliveTimeout);
  assert.ok(silent.isClosed);
  unwatched.expectNothing();
  assert.equal(harness.broker.statistics.keepAliveTimeouts, 1);
});

test('connections beyond the bound are closed at once', () => {
  const harness = new BrokerHarness({ limits: { maximumConnections: 2 } });
  const outside = { address: '192.0.2.5' };
  const first = harness.connect('a', outside);
  harness.connect('b', outside);
  assert.ok(harness.open(outside).isClosed);
  assert.equal(harness.broker.statistics.reached.connections, 1);
  harness.connect('a bridge of ours', { address: 'local' });
  assert.ok(harness.open(outside).isClosed, 'a place for ours is none for others');
  first.disconnect();
  harness.connect('c', outside);
});

test('a will with a topic that cannot be, or may not be, refuses the connection', () => {
  const harness = new BrokerHarness();
  assert.equal(connackOf(harness, 5, 'c', { will: willOf('a/#', 'x') }), ReasonCode.TopicNameInvalid);
  assert.equal(connackOf(harness, 4, 'c', { will: willOf('a/#', 'x') }), null);
  assert.equal(
    connackOf(harness, 5, 'c', { will: willOf('$SYS/broker/version', 'x') }),
    ReasonCode.NotAuthorized,
  );
  const profile = { authorizer: { ...openAuthorizer, mayPublish: () => false } };
  assert.equal(connackOf(harness, 4, 'c', { will: willOf('a', 'x'), profile }), 5);
});

test('a shared client id is told apart by the address of the device', () => {
  const harness = new BrokerHarness();
  const profile = { sharedClientIds: new Set(['ESP8266Client']) };
  const one = harness.connect('ESP8266Client', { profile, address: '192.168.1.11', version: 4 });
  const other = harness.connect('ESP8266Client', { profile, address: '192.168.1.12', version: 4 });
  one.expectNothing();
  other.expectNothing();
  const again = harness.connect('ESP8266Client', { profile, address: '192.168.1.12', version: 4 });
  assert.ok(other.isClosed);
  again.expectNothing();
  const later = harness.connect('ESP8266Client', { profile, address: '192.168.1.13', version: 5 });
  assert.equal(
    later.connack?.properties.assignedClientIdentifier,
    undefined,
    'it has named itself [MQTT-3.2.2-16]',
  );
});

test('two devices that fight over one client id are named', () => {
  const harness = new BrokerHarness();
  for (let i = 0; i < 5; i++) {
    harness.connect('ESP8266Client', { address: i % 2 === 0 ? '192.168.1.11' : '192.168.1.12', version: 4 });
    harness.advance(5000);
  }
  const warnings = harness.log.filter((line) => line.includes('fight'));
  assert.equal(warnings.length, 1);
  assert.match(
    warnings[0]!,
    /warning: two devices fight over client id ESP8266Client.*192\.168\.1\.1[12] and 192\.168\.1\.1[12]/,
  );
  assert.equal(harness.broker.statistics.clientIdFights, 1);
});

test('take-overs that are rare are not a fight', () => {
  const harness = new BrokerHarness();
  for (let i = 0; i < 10; i++) {
    harness.connect('c', { address: `192.168.1.${i}` });
    harness.advance(21_000);
  }
  assert.equal(harness.broker.statistics.clientIdFights, 0);
});

test('closing tells MQTT 5 clients, publishes wills and leaves nothing open', async () => {
  const harness = new BrokerHarness();
  const watcher = harness.connect('w', { version: 4 });
  watcher.subscribe('will', { qos: 0 });
  const client = harness.connect('c', { will: willOf('will', 'gone') });
  const waiting = harness.open();
  await harness.broker.close();
  assert.equal(client.takeDisconnect().reasonCode, ReasonCode.ServerShuttingDown);
  assert.ok(client.isClosed && watcher.isClosed && waiting.isClosed);
  const late = harness.open();
  assert.ok(late.isClosed);
});
