import assert from 'node:assert/strict';
import { test } from 'node:test';
import { matches, overlaps } from '#topics';
import { PacketType, ReasonCode, type ConnackPacket } from '#mqtt';
import { BrokerHarness, openAuthorizer, willOf } from '../../test/helpers/broker-harness.ts';
import type { Authenticator, Authorizer, Identity } from './ports.ts';

/** Rules that a test can change while the broker runs. */
class Rules implements Authorizer {
  generation = 1;
  readonly asked: string[] = [];
  #denied: string[] = [];

  deny(...filters: string[]): void {
    this.#denied = filters;
    this.generation++;
  }

  mayPublish(identity: Identity, topic: string): boolean {
    this.asked.push(`publish ${topic}`);
    return !this.#denied.some((filter) => matches(filter, topic)) || identity.name === 'root';
  }

  mayRead(_identity: Identity, topic: string): boolean {
    this.asked.push(`read ${topic}`);
    return !this.#denied.some((filter) => matches(filter, topic));
  }

  maySubscribe(_identity: Identity, filter: string): 'all' | 'some' | 'none' {
    if (this.#denied.includes(filter)) return 'none';
    return this.#denied.some((denied) => overlaps(denied, filter)) ? 'some' : 'all';
  }
}

function setUp(): { harness: BrokerHarness; rules: Rules; profile: { authorizer: Authorizer } } {
  const rules = new Rules();
  return { harness: new BrokerHarness(), rules, profile: { authorizer: rules } };
}

const persistent = { cleanStart: false, properties: { sessionExpiry: 3600 } } as const;

test('a PUBLISH that is not allowed is not delivered: MQTT 5 is told, 3.1.1 gets its acknowledgement [MQTT-3.3.5-2]', () => {
  const { harness, rules, profile } = setUp();
  rules.deny('secret/#');
  const watcher = harness.connect('w');
  watcher.subscribe('#', { qos: 0 });
  const client = harness.connect('c', { profile });
  client.publish('secret/a', 'x', { qos: 1, packetId: 1 });
  assert.equal(client.takeAck(PacketType.Puback).reasonCode, ReasonCode.NotAuthorized);
  client.publish('secret/a', 'x', { qos: 2, packetId: 2 });
  assert.equal(client.takeAck(PacketType.Pubrec).reasonCode, ReasonCode.NotAuthorized);
  client.publish('secret/a', 'x', { qos: 0, retain: true });
  const old = harness.connect('old', { version: 4, profile });
  old.publish('secret/a', 'x', { qos: 1, packetId: 1 });
  old.takeAck(PacketType.Puback);
  old.publish('secret/a', 'x', { qos: 2, packetId: 2 });
  old.takeAck(PacketType.Pubrec);
  old.ack(PacketType.Pubrel, 2);
  old.takeAck(PacketType.Pubcomp);
  client.publish('open', 'sentinel');
  assert.deepEqual(watcher.takeAll(), ['open=sentinel']);
  assert.equal(harness.broker.statistics.dropped['not-authorized'], 5);
  assert.ok(
    harness.log.some((line) => line.includes('notice') && line.includes('old') && line.includes('secret/a')),
  );
});

test('rules that change count for the next PUBLISH of the same topic', () => {
  const { harness, rules, profile } = setUp();
  const watcher = harness.connect('w');
  watcher.subscribe('t', { qos: 0 });
  const client = harness.connect('c', { profile });
  client.publish('t', '1');
  client.publish('t', '2');
  assert.equal(
    rules.asked.filter((one) => one === 'publish t').length,
    1,
    'asked once while the rules stand',
  );
  rules.deny('t');
  client.publish('t', '3');
  rules.deny();
  client.publish('t', '4');
  assert.deepEqual(watcher.takeAll(), ['t=1', 't=2', 't=4']);
});

test('an alias is resolved before the topic is authorised', () => {
  const { harness, rules, profile } = setUp();
  rules.deny('secret');
  const watcher = harness.connect('w');
  watcher.subscribe('#', { qos: 0 });
  const client = harness.connect('c', { profile });
  client.publish('secret', 'x', { properties: { topicAlias: 1 } });
  client.publish('open', '1', { properties: { topicAlias: 2 } });
  client.publish('', 'x', { properties: { topicAlias: 1 } });
  client.publish('', '2', { properties: { topicAlias: 2 } });
  assert.deepEqual(watcher.takeAll(), ['open=1', 'open=2']);
});

test('SUBSCRIBE is decided on the filter inside the share; what is allowed in part is checked message by message', () => {
  const { harness, rules, profile } = setUp();
  rules.deny('a/secret');
  const client = harness.connect('c', { profile });
  assert.deepEqual(client.subscribe('a/secret'), [ReasonCode.NotAuthorized]);
  assert.deepEqual(client.subscribe('$share/g/a/secret'), [ReasonCode.NotAuthorized]);
  assert.deepEqual(client.subscribe('a/+', { qos: 0 }), [0]);
  const publisher = harness.connect('p');
  publisher.publish('a/secret', '1', { qos: 1 });
  publisher.publish('a/open', '2', { qos: 1, packetId: 2 });
  assert.deepEqual(client.takeAll(), ['a/open=2']);
});

test('rules that change stop a subscription that stands, and let it go on', () => {
  const { harness, rules, profile } = setUp();
  const client = harness.connect('c', { profile });
  client.subscribe('a/#', { qos: 1 });
  client.subscribe('a/+', { qos: 0 });
  const publisher = harness.connect('p');
  publisher.publish('a/b', '1');
  rules.deny('a/b');
  publisher.publish('a/b', '2');
  publisher.publish('a/c', '3');
  rules.deny();
  publisher.publish('a/b', '4');
  assert.deepEqual(client.takeAll(), ['a/b=1', 'a/c=3', 'a/b=4']);
});

test('retained messages are checked when they are sent', () => {
  const { harness, rules, profile } = setUp();
  const publisher = harness.connect('p');
  publisher.publish('a/secret', 'x', { retain: true });
  publisher.publish('a/open', 'y', { retain: true });
  rules.deny('a/secret');
  const client = harness.connect('c', { profile });
  client.subscribe('a/#', { qos: 1 });
  assert.deepEqual(client.takeAll(), ['a/open=y']);
});

test('queued and in-flight messages are checked again after the rules changed', () => {
  const { harness, rules, profile } = setUp();
  const client = harness.connect('c', { profile, ...persistent });
  client.subscribe('#', { qos: 1 });
  const publisher = harness.connect('p');
  publisher.publish('secret', 'in flight', { qos: 1, packetId: 1 });
  publisher.publish('open', 'in flight', { qos: 1, packetId: 2 });
  assert.equal(client.takeAll().length, 2);
  client.breakOff();
  publisher.publish('secret', 'queued', { qos: 1, packetId: 3 });
  publisher.publish('open', 'queued', { qos: 1, packetId: 4 });
  rules.deny('secret');
  const back = harness.connect('c', { profile, ...persistent });
  assert.deepEqual(back.takeAll(), ['open=in flight', 'open=queued']);
  assert.equal(harness.broker.statistics.dropped['not-authorized'], 2);
});

test('a session that comes back by a listener with stricter rules is held to those', () => {
  const { harness, rules } = setUp();
  const client = harness.connect('c', {
    profile: { authorizer: { ...openAuthorizer, generation: 2 } },
    ...persistent,
  });
  client.subscribe('#', { qos: 1 });
  const publisher = harness.connect('p');
  publisher.publish('secret', '0', { qos: 1 });
  assert.equal(client.takeAll().length, 1);
  client.breakOff();
  publisher.publish('secret', '1', { qos: 1, packetId: 2 });
  rules.deny('secret');
  assert.equal(rules.generation, 2, 'the same number, other rules');
  const back = harness.connect('c', { profile: { authorizer: rules }, ...persistent });
  publisher.publish('secret', '2', { qos: 1, packetId: 3 });
  publisher.publish('open', '3', { qos: 1, packetId: 4 });
  assert.deepEqual(back.takeAll(), ['open=3']);
});

test('a will is authorised at CONNECT and again when it is published', () => {
  const { harness, rules, profile } = setUp();
  const watcher = harness.connect('w');
  watcher.subscribe('#', { qos: 0 });
  const client = harness.connect('c', { profile, will: willOf('t', 'gone') });
  rules.deny('t');
  client.breakOff();
  watcher.expectNothing();
  assert.equal(harness.broker.statistics.dropped['not-authorized'], 1);
});

test('of $SYS a client may publish the state of a bridge, by PUBLISH and by will, as far as its rules go; nothing else', () => {
  const harness = new BrokerHarness();
  const watcher = harness.connect('w');
  watcher.subscribe('$SYS/broker/connection/#', { qos: 0 });
  const state = '$SYS/broker/connection/north/state';
  const bridge = harness.connect('b', { version: 4, will: willOf(state, '0') });
  bridge.publish(state, '1', { qos: 1 });
  bridge.takeAck(PacketType.Puback);
  bridge.breakOff();
  assert.deepEqual(watcher.takeAll(), [`${state}=1`, `${state}=0`]);
  const client = harness.connect('c');
  for (const topic of [
    '$SYS',
    '$SYS/broker/uptime',
    '$SYS/broker/connection/state',
    '$SYS/broker/connection/a/b/state',
  ]) {
    client.publish(topic, 'x', { qos: 1 });
    assert.equal(client.takeAck(PacketType.Puback).reasonCode, ReasonCode.NotAuthorized, topic);
  }
  assert.deepEqual(watcher.takeAll(), []);
});

test('after a reload only those stay who would still get in, and who has no ticket', () => {
  const harness = new BrokerHarness();
  const tickets = new Set(['anna', 'bert']);
  const authenticator: Authenticator = {
    authenticate: ({ username = '' }) => ({ reasonCode: 0, name: username, ticket: username }),
    isStillWelcome: (_, ticket) => tickets.has(ticket),
  };
  const profile = { authenticator };
  const anna = harness.connect('a', { profile, username: 'anna' });
  const bert = harness.connect('b', { profile, username: 'bert', will: willOf('gone', 'bert') });
  const other = harness.connect('c', { profile });
  other.subscribe('gone', { qos: 0 });
  harness.broker.reviewClients();
  harness.settle();
  anna.expectNothing();
  tickets.delete('bert');
  harness.broker.reviewClients();
  harness.settle();
  assert.equal(bert.takeDisconnect().reasonCode, ReasonCode.NotAuthorized);
  anna.expectNothing();
  assert.deepEqual(other.takeAll(), ['gone=bert']);
});

test('rules that change while a client is verified hold for it too', async () => {
  const harness = new BrokerHarness();
  let isWelcome = true;
  const authenticator: Authenticator = {
    authenticate: async () => Promise.resolve({ reasonCode: 0 as const, name: 'anna', ticket: 'old' }),
    isStillWelcome: () => isWelcome,
  };
  const client = harness.open({ profile: { authenticator } });
  client.connect('a');
  isWelcome = false;
  harness.broker.reviewClients();
  await new Promise(setImmediate);
  harness.settle();
  assert.equal((client.take(PacketType.Connack) as ConnackPacket).reasonCode, ReasonCode.NotAuthorized);
  assert.equal(client.isClosed, true);
});

test('the connections of one listener end, and no others', () => {
  const harness = new BrokerHarness();
  const here = harness.connect('here', { profile: { name: 'here' } });
  const there = harness.connect('there', { profile: { name: 'there' } });
  harness.broker.disconnectListener('here', ReasonCode.AdministrativeAction, 'the listener is closed');
  harness.settle();
  assert.equal(here.takeDisconnect().reasonCode, ReasonCode.AdministrativeAction);
  there.expectNothing();
});
