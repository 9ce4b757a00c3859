import assert from 'node:assert/strict';
import { test } from 'node:test';
import { PacketType, ReasonCode, type AuthPacket, type ConnackPacket } from '#mqtt';
import {
  BrokerHarness,
  willOf,
  type ConnectOptions,
  type TestClient,
} from '../../test/helpers/broker-harness.ts';
import type { AuthenticationExchange, AuthenticationStep, EnhancedAuthenticator } from './ports.ts';

const method = 'RIDDLE';

/** Asks as many questions as it is told; the name is what the client says first, the last answer must be `yes`. */
function riddle(questions: number): EnhancedAuthenticator {
  return {
    methods: [method, 'OTHER'],
    begin(): AuthenticationExchange {
      let asked = 0;
      let name = '';
      return {
        step(data): AuthenticationStep {
          if (asked === 0) name = data?.toString() ?? '';
          if (asked < questions) {
            asked++;
            return { kind: 'continue', data: Buffer.from(`question ${asked}`) };
          }
          return data?.toString() === 'yes'
            ? { kind: 'success', name, data: Buffer.from('welcome') }
            : { kind: 'failure', reasonCode: ReasonCode.NotAuthorized, detail: 'wrong answer' };
        },
      };
    },
  };
}

const properties = { authenticationMethod: method, authenticationData: Buffer.from('anna') };

function auth(client: TestClient, reasonCode: number, data?: string, by: string | undefined = method): void {
  client.send({
    type: PacketType.Auth,
    reasonCode,
    properties: {
      ...(by === undefined ? {} : { authenticationMethod: by }),
      ...(data === undefined ? {} : { authenticationData: Buffer.from(data) }),
    },
  });
}

function open(harness: BrokerHarness, questions = 1, options: ConnectOptions = {}): TestClient {
  const client = harness.open({ profile: { enhancedAuthenticator: riddle(questions) } });
  client.connect('c', { properties, ...options });
  return client;
}

/** A client that is signed in by the method. */
function signIn(harness: BrokerHarness, options: ConnectOptions = {}): TestClient {
  const client = open(harness, 1, options);
  client.take(PacketType.Auth);
  auth(client, 0x18, 'yes');
  client.connack = client.take(PacketType.Connack) as ConnackPacket;
  assert.equal(client.connack.reasonCode, 0);
  return client;
}

/** Lets promises of the authenticator go on. */
async function settled(harness: BrokerHarness): Promise<void> {
  await new Promise((resolve) => setImmediate(resolve));
  harness.settle();
}

test('v5 [MQTT-4.12.0-1] a method that the listener does not know is refused with 0x8C and the connection closed', () => {
  const harness = new BrokerHarness();
  for (const profile of [{}, { enhancedAuthenticator: null }, { enhancedAuthenticator: riddle(1) }]) {
    const client = harness.open({ profile });
    client.connect('c', { properties: { authenticationMethod: 'UNKNOWN' } });
    const connack = client.take(PacketType.Connack) as ConnackPacket;
    assert.equal(connack.reasonCode, ReasonCode.BadAuthenticationMethod);
    assert.ok(client.isClosed);
  }
});

test('v5 [MQTT-4.12.0-2] [MQTT-4.12.0-3] [MQTT-4.12.0-5] AUTH 0x18 goes to and fro with the method of CONNECT, which CONNACK repeats', () => {
  const harness = new BrokerHarness();
  const client = open(harness, 3);
  for (const question of ['question 1', 'question 2', 'question 3']) {
    const packet = client.take(PacketType.Auth) as AuthPacket;
    assert.equal(packet.reasonCode, ReasonCode.ContinueAuthentication);
    assert.deepEqual(packet.properties, {
      authenticationMethod: method,
      authenticationData: Buffer.from(question),
    });
    auth(client, 0x18, 'yes');
  }
  const connack = client.take(PacketType.Connack) as ConnackPacket;
  assert.equal(connack.reasonCode, 0);
  assert.equal(connack.properties.authenticationMethod, method);
  assert.equal(connack.properties.authenticationData?.toString(), 'welcome');
  assert.match(harness.log.join(''), /client c connected.*user=anna/);
});

test('v5 [MQTT-4.12.0-5] a method without questions is done with CONNECT alone', () => {
  const harness = new BrokerHarness();
  const client = open(harness, 0, {
    properties: { authenticationMethod: method, authenticationData: Buffer.from('yes') },
  });
  const connack = client.take(PacketType.Connack) as ConnackPacket;
  assert.equal(connack.reasonCode, 0);
  assert.equal(connack.properties.authenticationMethod, method);
});

test('v5 [MQTT-4.12.0-4] a wrong answer is refused with its reason in CONNACK, and the will is not published', () => {
  const harness = new BrokerHarness();
  const watcher = harness.connect('w');
  watcher.subscribe('#', { qos: 0 });
  const client = open(harness, 1, { will: willOf('gone', 'x') });
  client.take(PacketType.Auth);
  auth(client, 0x18, 'no');
  assert.equal((client.take(PacketType.Connack) as ConnackPacket).reasonCode, ReasonCode.NotAuthorized);
  assert.ok(client.isClosed);
  watcher.expectNothing();
  assert.equal(harness.broker.statistics.connectionsRefused, 1);
});

test('v5 [MQTT-4.12.0-6] [MQTT-4.12.0-7] without a method in CONNECT there is none in CONNACK, and AUTH has no place', () => {
  const harness = new BrokerHarness();
  const client = harness.connect('c', { profile: { enhancedAuthenticator: riddle(1) } });
  assert.equal(client.connack?.properties.authenticationMethod, undefined);
  assert.equal(client.connack?.properties.authenticationData, undefined);
  auth(client, 0x19, 'anna');
  assert.equal(client.takeDisconnect().reasonCode, ReasonCode.ProtocolError);
  assert.ok(client.isClosed);
});

test('v5 [MQTT-4.12.0-5] [MQTT-4.12.0-3] another method, another reason code or none of its own ends the run', () => {
  const harness = new BrokerHarness();
  const other = open(harness);
  other.take(PacketType.Auth);
  auth(other, 0x18, 'yes', 'OTHER');
  assert.equal(
    (other.take(PacketType.Connack) as ConnackPacket).reasonCode,
    ReasonCode.BadAuthenticationMethod,
  );
  assert.ok(other.isClosed);
  for (const reasonCode of [0x19, 0x00]) {
    const client = open(harness);
    client.take(PacketType.Auth);
    auth(client, reasonCode, 'yes');
    assert.deepEqual(client.received, []);
    assert.ok(client.isClosed);
  }
  const nameless = open(harness);
  nameless.take(PacketType.Auth);
  nameless.raw('f0 02 18 00');
  assert.deepEqual(nameless.received, []);
  assert.ok(nameless.isClosed);
});

test('v5 [MQTT-3.1.2-30] before CONNACK nothing but AUTH and DISCONNECT is heard', () => {
  const harness = new BrokerHarness();
  const watcher = harness.connect('w');
  watcher.subscribe('#', { qos: 0 });
  const hasty = open(harness);
  hasty.take(PacketType.Auth);
  hasty.publish('t', 'too early');
  assert.deepEqual(hasty.received, []);
  assert.ok(hasty.isClosed);
  const again = open(harness);
  again.take(PacketType.Auth);
  again.connect('c', { properties });
  assert.ok(again.isClosed);
  const leaving = open(harness);
  leaving.take(PacketType.Auth);
  leaving.disconnect();
  assert.deepEqual(leaving.received, []);
  assert.ok(leaving.isClosed);
  watcher.expectNothing();
});

test('v5 [MQTT-3.15.1-1] [MQTT-3.15.2-1] AUTH with flags or with an unknown reason code ends the connection', () => {
  const harness = new BrokerHarness();
  const flagged = signIn(harness);
  flagged.raw(`f1 0b 19 09 150006 ${Buffer.from(method).toString('hex')}`);
  assert.equal(flagged.takeDisconnect().reasonCode, ReasonCode.MalformedPacket);
  const odd = signIn(harness);
  odd.raw(`f0 0b 17 09 150006 ${Buffer.from(method).toString('hex')}`);
  assert.equal(odd.takeDisconnect().reasonCode, ReasonCode.ProtocolError);
});

test('v5 [MQTT-3.15.2-2] [MQTT-3.15.2-3] AUTH carries no reason string and no user property, so it is as small as can be', () => {
  const harness = new BrokerHarness();
  const client = open(harness, 1, { properties: { ...properties, maximumPacketSize: 60 } });
  const packet = client.take(PacketType.Auth) as AuthPacket;
  assert.equal(packet.properties.reasonString, undefined);
  assert.equal(packet.properties.userProperties, undefined);
});

test('v5 [MQTT-4.12.1-1] a client signs in again on its connection, and goes on as before meanwhile', () => {
  const harness = new BrokerHarness();
  const client = signIn(harness);
  client.subscribe('t', { qos: 0 });
  auth(client, 0x19, 'anna');
  const question = client.take(PacketType.Auth) as AuthPacket;
  assert.equal(question.reasonCode, 0x18);
  client.publish('t', 'meanwhile', { qos: 1 });
  client.takePublish();
  client.takeAck(PacketType.Puback);
  auth(client, 0x18, 'yes');
  const done = client.take(PacketType.Auth) as AuthPacket;
  assert.equal(done.reasonCode, ReasonCode.Success);
  assert.deepEqual(done.properties, {
    authenticationMethod: method,
    authenticationData: Buffer.from('welcome'),
  });
  harness.advance(60_000);
  client.expectNothing();
  auth(client, 0x19, 'anna');
  client.take(PacketType.Auth);
  assert.ok(!client.isClosed);
});

test('v5 [MQTT-4.12.1-2] a re-authentication that fails ends the connection with DISCONNECT, and the will is published', () => {
  const cases: readonly [string, ReasonCode, (client: TestClient) => void][] = [
    ['wrong answer', ReasonCode.NotAuthorized, (client) => auth(client, 0x18, 'no')],
    ['another method', ReasonCode.NotAuthorized, (client) => auth(client, 0x18, 'yes', 'OTHER')],
    ['a second beginning', ReasonCode.ProtocolError, (client) => auth(client, 0x19, 'anna')],
    ['success, said by the client', ReasonCode.ProtocolError, (client) => auth(client, 0x00)],
  ];
  for (const [what, reasonCode, answer] of cases) {
    const harness = new BrokerHarness();
    const watcher = harness.connect('w');
    watcher.subscribe('gone', { qos: 0 });
    const client = signIn(harness, { will: willOf('gone', 'c') });
    auth(client, 0x19, 'anna');
    client.take(PacketType.Auth);
    answer(client);
    assert.equal(client.takeDisconnect().reasonCode, reasonCode, what);
    assert.ok(client.isClosed);
    assert.deepEqual(watcher.takeAll(), ['gone=c']);
  }
});

test('v5 [MQTT-4.12.1-1] a re-authentication by another method, as somebody else, or an answer without a question is refused', () => {
  const harness = new BrokerHarness();
  const other = signIn(harness);
  auth(other, 0x19, 'anna', 'OTHER');
  assert.equal(other.takeDisconnect().reasonCode, ReasonCode.NotAuthorized);
  const otto = signIn(harness);
  auth(otto, 0x19, 'otto');
  otto.take(PacketType.Auth);
  auth(otto, 0x18, 'yes');
  assert.equal(otto.takeDisconnect().reasonCode, ReasonCode.NotAuthorized);
  const unasked = signIn(harness);
  auth(unasked, 0x18, 'yes');
  assert.equal(unasked.takeDisconnect().reasonCode, ReasonCode.ProtocolError);
});

test('a run that is not finished in time ends, at CONNECT and on a connection that lives', () => {
  const harness = new BrokerHarness({ limits: { connectTimeoutMs: 5000 } });
  const client = signIn(harness);
  const early = open(harness);
  early.take(PacketType.Auth);
  auth(client, 0x19, 'anna');
  client.take(PacketType.Auth);
  harness.advance(3000);
  assert.ok(!early.isClosed && !client.isClosed);
  harness.advance(3000);
  assert.ok(early.isClosed);
  assert.equal(client.takeDisconnect().reasonCode, ReasonCode.NotAuthorized);
});

test('a method may take its time: before CONNACK the client is not read meanwhile, after it everything goes on', async () => {
  const harness = new BrokerHarness();
  const decisions: ((step: AuthenticationStep) => void)[] = [];
  const enhancedAuthenticator: EnhancedAuthenticator = {
    methods: [method],
    begin: () => ({ step: () => new Promise((resolve) => decisions.push(resolve)) }),
  };
  const client = harness.open({ profile: { enhancedAuthenticator } });
  client.connect('c', { properties });
  assert.ok(client.transport.isPaused);
  decisions.shift()?.({ kind: 'success', name: 'anna', data: undefined });
  await settled(harness);
  const connack = client.take(PacketType.Connack) as ConnackPacket;
  assert.deepEqual([connack.reasonCode, connack.properties.authenticationMethod], [0, method]);
  auth(client, 0x19, 'anna');
  assert.ok(!client.transport.isPaused);
  client.expectNothing();
  decisions.shift()?.({ kind: 'success', name: 'anna', data: undefined });
  await settled(harness);
  assert.equal((client.take(PacketType.Auth) as AuthPacket).reasonCode, 0);
  auth(client, 0x19, 'anna');
  auth(client, 0x18, 'hurry');
  assert.equal(client.takeDisconnect().reasonCode, ReasonCode.ProtocolError);
  decisions.shift()?.({ kind: 'success', name: 'anna', data: undefined });
  await settled(harness);
  assert.deepEqual(client.received, []);
});

test('a method that fails itself costs its client the connection and nobody else anything', async () => {
  const harness = new BrokerHarness();
  const broken: readonly EnhancedAuthenticator['begin'][] = [
    () => {
      throw new Error('no disk');
    },
    () => ({
      step: () => {
        throw new Error('no disk');
      },
    }),
    () => ({ step: () => Promise.reject(new Error('no disk')) }),
  ];
  for (const begin of broken) {
    const client = harness.open({ profile: { enhancedAuthenticator: { methods: [method], begin } } });
    client.connect('c', { properties });
    await settled(harness);
    assert.equal((client.take(PacketType.Connack) as ConnackPacket).reasonCode, ReasonCode.ServerUnavailable);
    assert.ok(client.isClosed);
  }
  assert.equal(harness.log.filter((line) => line.includes('no disk')).length, 3);
  assert.equal(harness.broker.statistics.bugs, 0);
});
