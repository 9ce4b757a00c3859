import assert from 'node:assert/strict';
import { test } from 'node:test';
import { PacketType, ReasonCode } from '#mqtt';
import { SlowJournal } from '../../test/helpers/slow-journal.ts';
import {
  BrokerHarness,
  openAuthorizer,
  willOf,
  type ConnectOptions,
} from '../../test/helpers/broker-harness.ts';

const below = (mountPoint: string, more: ConnectOptions = {}): ConnectOptions => ({
  ...more,
  profile: { ...more.profile, mountPoint },
});

test('clients below a mount point see each other, and topics without it; two of them are closed worlds', () => {
  const harness = new BrokerHarness();
  const one = harness.connect('one', below('site1/'));
  const alsoOne = harness.connect('also-one', below('site1/', { version: 4 }));
  const two = harness.connect('two', below('site2/'));
  const whole = harness.connect('whole');
  for (const client of [one, alsoOne, two, whole]) client.subscribe('#', { qos: 1 });
  two.subscribe('site1/#', { qos: 1 });
  one.publish('gas/1', '42', { qos: 1 });
  one.received.pop(); // PUBACK
  assert.deepEqual(one.takeAll(), ['gas/1=42']);
  assert.deepEqual(alsoOne.takeAll(), ['gas/1=42']);
  assert.deepEqual(whole.takeAll(), ['site1/gas/1=42']);
  two.expectNothing();
  whole.publish('site1', 'the mount point itself has no topic inside');
  whole.publish('site1/', 'nor has this');
  whole.publish('site2/x', 'for two');
  one.expectNothing();
  alsoOne.expectNothing();
  assert.deepEqual(two.takeAll(), ['x=for two']);
});

test('shared subscriptions, unsubscribing and $SYS below a mount point', () => {
  const harness = new BrokerHarness();
  const inside = harness.connect('inside', below('m/'));
  const outside = harness.connect('outside');
  assert.deepEqual(inside.subscribe('$share/g/t/#', { qos: 0 }), [0]);
  outside.publish('m/t/1', 'x');
  outside.publish('t/1', 'not theirs');
  assert.deepEqual(inside.takeAll(), ['t/1=x']);
  inside.unsubscribe('$share/g/t/#');
  inside.received.length = 0;
  outside.publish('m/t/1', 'y');
  inside.expectNothing();
  inside.subscribe('$SYS/#');
  inside.expectNothing();
  inside.publish('$SYS/broker/version', 'an ordinary topic there');
  assert.deepEqual(inside.takeAll(), ['$SYS/broker/version=an ordinary topic there']);
});

test('retained messages, wills, aliases and response topics belong to the world of their client', () => {
  const harness = new BrokerHarness();
  const client = harness.connect('c', below('m/', { will: willOf('gone', 'c', { qos: 1, retain: true }) }));
  client.publish('state', 'on', { retain: true });
  client.publish('aliased', '1', { properties: { topicAlias: 3 } });
  client.publish('', '2', { properties: { topicAlias: 3, responseTopic: 'answers/c' } });
  client.breakOff();
  const outside = harness.connect('outside');
  outside.subscribe('#', { qos: 1 });
  assert.deepEqual(outside.takeAll(), ['m/state=on', 'm/gone=c']);
  const late = harness.connect('late', below('m/', { properties: { topicAliasMaximum: 5 } }));
  late.subscribe('#', { qos: 0 });
  assert.deepEqual(late.takeAll(), ['state=on', 'gone=c']);
  const other = harness.connect('other', below('m/'));
  outside.subscribe('ask', { qos: 0 });
  other.subscribe('ask', { qos: 0 });
  outside.subscribe('m/ask', { qos: 0 });
  late.publish('ask', '?', { properties: { responseTopic: 'answers/late' } });
  assert.equal(outside.takePublish().properties?.responseTopic, 'm/answers/late');
  assert.equal(other.takePublish().properties?.responseTopic, 'answers/late');
});

test('the rules are asked about the whole topic, as Mosquitto asks them', () => {
  const harness = new BrokerHarness();
  const asked: string[] = [];
  const authorizer = {
    ...openAuthorizer,
    mayPublish: (_: unknown, topic: string) => asked.push(`publish ${topic}`) > 0,
    mayRead: (_: unknown, topic: string) => asked.push(`read ${topic}`) > 0,
    maySubscribe: (_: unknown, filter: string) => {
      asked.push(`subscribe ${filter}`);
      return 'some' as const;
    },
  };
  const client = harness.connect('c', below('m/', { profile: { authorizer }, will: willOf('w', '') }));
  client.subscribe('$share/g/t');
  client.publish('t', 'x');
  assert.deepEqual(new Set(asked), new Set(['publish m/w', 'subscribe m/t', 'publish m/t', 'read m/t']));
});

test('a response topic that is too long with the mount point before it is refused, and breaks nothing', () => {
  const harness = new BrokerHarness();
  const client = harness.connect('c', below('m/'));
  const reader = harness.connect('r');
  reader.subscribe('m/t', { qos: 1 });
  const ask = (length: number): number => {
    const responseTopic = 'a'.repeat(length);
    client.publish('t', 'x', { qos: 1, properties: { responseTopic } });
    return client.takeAck(PacketType.Puback).reasonCode;
  };
  assert.equal(ask(65_533), 0);
  assert.equal(reader.takePublish().properties?.responseTopic?.length, 65_535);
  assert.equal(ask(65_534), ReasonCode.TopicNameInvalid);
  reader.expectNothing();
});

test('a filter must be one by itself, and together with the mount point', () => {
  const harness = new BrokerHarness();
  const client = harness.connect('c', below('m', { version: 5 }));
  assert.deepEqual(client.subscribe(''), [ReasonCode.TopicFilterInvalid]);
  assert.deepEqual(client.subscribe('$share/g/'), [ReasonCode.TopicFilterInvalid]);
  assert.deepEqual(client.subscribe('+/x'), [ReasonCode.TopicFilterInvalid], 'm+/x');
  assert.deepEqual(client.subscribe('/x', { qos: 0 }), [0]);
  client.publish('', 'x');
  assert.equal(client.takeDisconnect().reasonCode, ReasonCode.ProtocolError);
});

test('a session is of its mount point: the same id by another listener begins a new one', () => {
  const harness = new BrokerHarness();
  const session = { cleanStart: false, properties: { sessionExpiry: 1000 } };
  harness.connect('c', below('one/', session)).subscribe('#', { qos: 1 });
  const other = harness.connect('c', below('two/', session));
  assert.equal(other.connack?.sessionPresent, false);
  harness.connect('p').publish('one/x', 'secret');
  other.expectNothing();
});

test('after a restart too', () => {
  for (const [mountPoint, isResumed] of [
    ['one/', true],
    ['two/', false],
  ] as const) {
    const journal = new SlowJournal();
    const before = new BrokerHarness({ journal });
    const session = { cleanStart: false, properties: { sessionExpiry: 1000 } };
    const client = before.connect('c', below('one/', session));
    client.send({
      type: PacketType.Subscribe,
      packetId: 1,
      subscriptions: [{ filter: 't', qos: 1, noLocal: false, retainAsPublished: false, retainHandling: 0 }],
      properties: {},
    });
    journal.commit();
    const after = new BrokerHarness({ journal: journal.crash() });
    const back = after.connect('c', below(mountPoint, session));
    assert.equal(back.connack?.sessionPresent, isResumed);
    after.connect('p').publish('one/t', 'x');
    assert.deepEqual(back.takeAll(), isResumed ? ['t=x'] : []);
  }
});
