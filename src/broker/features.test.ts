import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { LimitsConfig } from '#config';
import { PacketType, ReasonCode, type ConnackPacket } from '#mqtt';
import {
  BrokerHarness,
  openAuthorizer,
  willOf,
  wideLimits,
  type ConnectOptions,
} from '../../test/helpers/broker-harness.ts';

/** The answer to a CONNECT, and whether the connection is over. */
function answerTo(limits: Partial<LimitsConfig>, clientId: string, options: ConnectOptions = {}): string {
  const harness = new BrokerHarness({ limits });
  const client = harness.open(options);
  client.connect(clientId, options);
  const connack = client.received.shift() as ConnackPacket | undefined;
  return `${connack?.reasonCode.toString(16) ?? '-'}${client.isClosed ? ' closed' : ''}`;
}

test('maximum QoS: told in CONNACK, kept to by subscriptions, and enforced [MQTT-3.2.2-9] [MQTT-3.2.2-10] [MQTT-3.2.2-12]', () => {
  const harness = new BrokerHarness({ limits: { maximumQos: 1 } });
  const client = harness.connect('c');
  assert.equal(client.connack?.properties.maximumQos, 1);
  assert.deepEqual(client.subscribe('t', { qos: 2 }), [1]);
  client.publish('other', 'x', { qos: 1 });
  client.takeAck(PacketType.Puback);
  client.publish('t', 'x', { qos: 2 });
  assert.equal(client.takeDisconnect().reasonCode, ReasonCode.QosNotSupported);
  assert.equal(answerTo({ maximumQos: 1 }, 'w', { will: willOf('w', 'x', { qos: 2 }) }), '9b closed');
  assert.equal(
    answerTo({ maximumQos: 1 }, 'w', { will: willOf('w', 'x', { qos: 2 }), version: 4 }),
    '- closed',
  );
});

test('no retained messages: told in CONNACK and enforced [MQTT-3.2.2-13]', () => {
  const harness = new BrokerHarness({ limits: { retainAvailable: false } });
  const client = harness.connect('c');
  assert.equal(client.connack?.properties.retainAvailable, false);
  client.publish('t', 'x', { retain: true });
  assert.equal(client.takeDisconnect().reasonCode, ReasonCode.RetainNotSupported);
  assert.equal(
    answerTo({ retainAvailable: false }, 'w', { will: willOf('w', 'x', { retain: true }) }),
    '9a closed',
  );
});

test('protocol versions that are not accepted are refused in their own words', () => {
  const limits = { acceptedVersions: [4] as const };
  assert.equal(answerTo(limits, 'c', { version: 3 }), '1 closed');
  assert.equal(answerTo(limits, 'c', { version: 5 }), '84 closed');
  assert.equal(answerTo(limits, 'c', { version: 4 }), '0');
});

test('clients without an id: refused where that is asked for, else given one that begins as configured', () => {
  assert.equal(answerTo({ allowEmptyClientId: false }, '', { version: 5 }), '85 closed');
  assert.equal(answerTo({ allowEmptyClientId: false }, '', { version: 4 }), '2 closed');
  const harness = new BrokerHarness({ limits: { assignedClientIdPrefix: 'auto-' } });
  const id = harness.connect('').connack?.properties.assignedClientIdentifier;
  assert.match(id ?? '', /^auto-[0-9A-F]{8}-[0-9A-F]{4}-[0-9A-F]{4}-[0-9A-F]{4}-[0-9A-F]{12}$/);
});

test('client ids must begin with one of the prefixes', () => {
  const limits = { clientIdPrefixes: ['tank-', 'hall-'] };
  assert.equal(answerTo(limits, 'tank-7'), '0');
  assert.equal(answerTo(limits, 'hall-7', { version: 4 }), '0');
  assert.equal(answerTo(limits, 'x-tank-7'), '87 closed');
  assert.equal(answerTo(limits, 'tank', { version: 4 }), '5 closed');
});

test('the user name as client id: nobody takes the session of another user', () => {
  const harness = new BrokerHarness({ limits: { usernameAsClientId: true } });
  const anna = harness.connect('mine', { username: 'anna' });
  harness.connect('mine', { username: 'bert' });
  anna.expectNothing();
  harness.connect('else', { username: 'anna' });
  assert.equal(anna.takeDisconnect().reasonCode, ReasonCode.SessionTakenOver);
  assert.equal(answerTo({ usernameAsClientId: true }, 'c'), '87 closed');
  assert.equal(answerTo({ usernameAsClientId: true }, 'c', { username: '' }), '87 closed');
  assert.equal(answerTo({ usernameAsClientId: true }, 'c', { version: 4 }), '5 closed');
});

test('keep-alive: MQTT 5 clients are told the longest; older ones are believed, or refused where that is asked for', () => {
  const limits = { maximumKeepAliveSeconds: 60 };
  assert.equal(answerTo(limits, 'c', { version: 4, keepAlive: 0 }), '0');
  const strict = { ...limits, refusesLongKeepAlive: true };
  assert.equal(answerTo(strict, 'c', { version: 4, keepAlive: 0 }), '2 closed');
  assert.equal(answerTo(strict, 'c', { version: 4, keepAlive: 61 }), '2 closed');
  assert.equal(answerTo(strict, 'c', { version: 4, keepAlive: 60 }), '0');
  const client = new BrokerHarness({ limits: strict }).connect('c', { keepAlive: 0 });
  assert.equal(client.connack?.properties.serverKeepAlive, 60);
});

test('QoS 0 for absent clients: kept where that is asked for, in order, within the bounds', () => {
  for (const queueQos0 of [false, true]) {
    const harness = new BrokerHarness({ limits: { queueQos0, maximumQueuedMessages: 3 } });
    const session = { cleanStart: false, properties: { sessionExpiry: 1000 } };
    const client = harness.connect('c', session);
    client.subscribe('t', { qos: 1 });
    client.breakOff();
    const publisher = harness.connect('p');
    publisher.publish('t', '0', { qos: 0 });
    publisher.publish('t', '1', { qos: 1 });
    for (let i = 2; i < 6; i++) publisher.publish('t', String(i), { qos: 0 });
    const back = harness.connect('c', session);
    assert.deepEqual(back.takeAll(), queueQos0 ? ['t=0', 't=1', 't=2'] : ['t=1']);
    assert.equal(harness.broker.statistics.queuedMessages, 0);
  }
});

test('QoS 0 for a client that lags waits in its queue, and later ones do not overtake it', () => {
  const harness = new BrokerHarness({ limits: { queueQos0: true, maximumPendingBytes: 4096 } });
  const client = harness.connect('c');
  client.subscribe('t', { qos: 0 });
  client.transport.block();
  const publisher = harness.connect('p');
  for (let i = 0; i < 4; i++) publisher.publish('t', Buffer.alloc(3000, i));
  client.transport.unblock();
  harness.settle();
  publisher.publish('t', Buffer.alloc(1, 4));
  const payloads = client.received.map((packet) => ('payload' in packet ? packet.payload[0] : null));
  assert.deepEqual(payloads, [0, 1, 2, 3, 4]);
});

test('upgraded QoS: a message goes out at the QoS of the subscription, live, queued and retained', () => {
  const harness = new BrokerHarness({ limits: { upgradeOutgoingQos: true } });
  const publisher = harness.connect('p');
  publisher.publish('t', 'kept', { qos: 0, retain: true });
  const subscriber = harness.connect('s');
  subscriber.subscribe('t', { qos: 1 });
  const retained = subscriber.takePublish();
  assert.equal(retained.qos, 1);
  publisher.publish('t', 'live', { qos: 0 });
  assert.equal(subscriber.takePublish().qos, 1);
});

test('retained messages without an expiry of their own grow too old where that is asked for', () => {
  const harness = new BrokerHarness({ limits: { retainExpirySeconds: 60 } });
  const publisher = harness.connect('p');
  publisher.publish('old', 'x', { retain: true });
  publisher.publish('own', 'x', { retain: true, properties: { messageExpiry: 100 } });
  harness.advance(40_000);
  publisher.publish('young', 'x', { retain: true });
  harness.advance(30_000);
  const reader = harness.connect('r');
  reader.subscribe('#', { qos: 0 });
  assert.deepEqual(reader.takeAll().toSorted(), ['own=x', 'young=x']);
});

test('a retained message goes out only while its publisher may still publish there, where that is asked for', () => {
  for (const checkRetainSource of [false, true]) {
    const harness = new BrokerHarness({ limits: { checkRetainSource } });
    let mayPublish = true;
    const authorizer = { ...openAuthorizer, mayPublish: () => mayPublish };
    const publisher = harness.connect('p', { profile: { authorizer } });
    publisher.publish('t', 'x', { retain: true });
    publisher.disconnect();
    mayPublish = false;
    const reader = harness.connect('r');
    reader.subscribe('#', { qos: 0 });
    assert.deepEqual(reader.takeAll(), checkRetainSource ? [] : ['t=x']);
  }
});

test('aliases towards a client: no more than it takes, and than we are told to use', () => {
  for (const [topicAliasMaximumOutgoing, expected] of [
    [0, undefined],
    [1, 1],
  ] as const) {
    const harness = new BrokerHarness({ limits: { topicAliasMaximumOutgoing } });
    const client = harness.connect('c', { properties: { topicAliasMaximum: 5 } });
    client.subscribe('#', { qos: 0 });
    const publisher = harness.connect('p');
    publisher.publish('a', '1');
    publisher.publish('b', '2');
    client.takePublish();
    assert.equal(client.takePublish().properties?.topicAlias, expected);
  }
});

test('a session before MQTT 5 that is not clean ends after the longest time that is allowed', () => {
  const harness = new BrokerHarness({ limits: { maximumSessionExpirySeconds: 100 } });
  harness.connect('c', { version: 4, cleanStart: false }).breakOff();
  harness.advance(99_000);
  const back = harness.connect('c', { version: 4, cleanStart: false });
  assert.equal(back.connack?.sessionPresent, true);
  back.breakOff();
  harness.advance(101_000);
  assert.equal(harness.connect('c', { version: 4, cleanStart: false }).connack?.sessionPresent, false);
});

test('user properties are bounded in every packet, as they are in PUBLISH', () => {
  const userProperties = Array.from({ length: 4 }, (_, i): [string, string] => ['n', String(i)]);
  const limits = { maximumUserProperties: 3 };
  assert.equal(answerTo(limits, 'c', { properties: { userProperties } }), '97 closed');
  const properties = { ...willOf('w', '').properties, userProperties } as never;
  assert.equal(answerTo(limits, 'c', { will: willOf('w', '', { properties }) }), '97 closed');
  const subscription = {
    filter: 't',
    qos: 0,
    noLocal: false,
    retainAsPublished: false,
    retainHandling: 0,
  } as const;
  for (const packet of [
    {
      type: PacketType.Subscribe,
      packetId: 1,
      subscriptions: [subscription],
      properties: { userProperties },
    },
    { type: PacketType.Unsubscribe, packetId: 1, filters: ['t'], properties: { userProperties } },
    { type: PacketType.Puback, packetId: 1, reasonCode: 0, properties: { userProperties } },
    { type: PacketType.Pubrel, packetId: 1, reasonCode: 0, properties: { userProperties } },
    { type: PacketType.Disconnect, reasonCode: 0, properties: { userProperties } },
    { type: PacketType.Auth, reasonCode: 0x18, properties: { authenticationMethod: 'x', userProperties } },
  ] as const) {
    const harness = new BrokerHarness({ limits });
    const client = harness.connect('c');
    client.send(packet);
    assert.equal(client.takeDisconnect().reasonCode, ReasonCode.QuotaExceeded, `type ${packet.type}`);
    assert.equal(harness.broker.statistics.reached['user-properties'], 1);
  }
  assert.equal(wideLimits.maximumUserProperties, 100);
});
