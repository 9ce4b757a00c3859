import assert from 'node:assert/strict';
import { test } from 'node:test';
import { PacketType, ReasonCode } from '#mqtt';
import { BrokerHarness, willOf } from '../../test/helpers/broker-harness.ts';

test('a hook changes payload, retain flag and properties, and nobody gets what came', () => {
  const harness = new BrokerHarness();
  const { hooks } = harness.broker;
  const watcher = harness.connect('w');
  const old = harness.connect('old', { version: 4 });
  watcher.subscribe('#', { qos: 1, retainAsPublished: true });
  old.subscribe('#', { qos: 1 });
  hooks.transform = ({ topic, payload, properties }, { clientId }) => ({
    payload: Buffer.from(`${payload.toString()} by ${clientId} on ${topic}`),
    retain: true,
    properties: {
      contentType: 'text',
      topicAlias: 7,
      subscriptionIdentifiers: [9],
      userProperties: [...(properties?.userProperties ?? []), ['more', '1']],
    },
  });
  const sender = harness.connect('s');
  sender.publish('t', 'x', { qos: 1, properties: { messageExpiry: 60, userProperties: [['a', 'b']] } });
  assert.equal(sender.takeAck(PacketType.Puback).reasonCode, 0);
  const got = watcher.takePublish();
  assert.equal(got.payload.toString(), 'x by s on t');
  assert.equal(got.retain, true);
  assert.deepEqual(
    {
      contentType: got.properties?.contentType,
      messageExpiry: got.properties?.messageExpiry,
      topicAlias: got.properties?.topicAlias,
      subscriptionIdentifiers: got.properties?.subscriptionIdentifiers,
      userProperties: got.properties?.userProperties,
    },
    {
      contentType: 'text',
      messageExpiry: 60,
      topicAlias: undefined,
      subscriptionIdentifiers: [],
      userProperties: [
        ['a', 'b'],
        ['more', '1'],
      ],
    },
  );
  assert.equal(old.takePublish().payload.toString(), 'x by s on t');
  const late = harness.connect('late');
  late.subscribe('t', { qos: 0 });
  assert.deepEqual(late.takeAll(), ['t=x by s on t']);
  hooks.transform = () => ({ retain: false, properties: null });
  sender.publish('u', 'y', { retain: true, properties: { contentType: 'z' } });
  assert.equal(watcher.takePublish().properties, null);
  assert.equal(old.takePublish().payload.toString(), 'y');
  late.subscribe('u', { qos: 0 });
  late.expectNothing();
});

test('a message that a hook drops reaches nobody, is counted, and its sender is told what the hook says', () => {
  const harness = new BrokerHarness();
  const { hooks, statistics } = harness.broker;
  const drops: string[] = [];
  hooks.onDropped.push((policy, clientId, topic) => drops.push(`${policy} ${clientId} ${topic}`));
  const watcher = harness.connect('w');
  watcher.subscribe('#', { qos: 0 });
  const sender = harness.connect('s');
  const cases: readonly (readonly [ReasonCode | undefined, number])[] = [
    [undefined, ReasonCode.NoMatchingSubscribers],
    [ReasonCode.Success, ReasonCode.NoMatchingSubscribers],
    [ReasonCode.QuotaExceeded, ReasonCode.QuotaExceeded],
  ];
  for (const [reasonCode, answer] of cases) {
    hooks.transform = () => ({ drop: 'why not', ...(reasonCode === undefined ? {} : { reasonCode }) });
    sender.publish('t', 'x', { qos: 1 });
    assert.equal(sender.takeAck(PacketType.Puback).reasonCode, answer);
    sender.publish('t', 'x', { qos: 2, packetId: 2 });
    assert.equal(sender.takeAck(PacketType.Pubrec).reasonCode, answer);
    if (answer >= 0x80) continue;
    sender.ack(PacketType.Pubrel, 2);
    sender.takeAck(PacketType.Pubcomp);
  }
  watcher.expectNothing();
  assert.equal(statistics.dropped.hook, 6);
  assert.equal(drops.length, 6);
  assert.equal(drops[0], 'hook s t');
  assert.equal(statistics.messagesDropped, 6);
});

test('a hook that throws costs the sender its connection, with its will, and nobody else anything', () => {
  const harness = new BrokerHarness();
  const { hooks } = harness.broker;
  const watcher = harness.connect('w');
  watcher.subscribe('#', { qos: 0 });
  const sender = harness.connect('s', { will: willOf('gone', 's') });
  hooks.transform = ({ topic }) => {
    if (topic === 't') throw new Error('out of order');
    return undefined;
  };
  sender.publish('t', 'x', { qos: 1 });
  assert.equal(sender.takeDisconnect().reasonCode, ReasonCode.ImplementationSpecificError);
  assert.ok(sender.isClosed);
  assert.deepEqual(watcher.takeAll(), ['gone=s']);
  const other = harness.connect('o');
  other.publish('u', 'y');
  assert.deepEqual(watcher.takeAll(), ['u=y']);
  assert.match(harness.log.join(''), /hook transform failed on a message of client s: out of order/);
  assert.equal(harness.broker.statistics.bugs, 0);
});

test('wills go through the hook as well: changed, dropped, and not published where it throws', () => {
  const harness = new BrokerHarness();
  const { hooks, statistics } = harness.broker;
  const watcher = harness.connect('w');
  watcher.subscribe('will/#', { qos: 0 });
  hooks.transform = ({ topic, payload }) => {
    if (topic === 'will/c') throw new Error('no');
    return topic === 'will/b' ? { drop: 'unwanted' } : { payload: Buffer.from(`last ${payload.toString()}`) };
  };
  for (const id of ['a', 'b', 'c']) harness.connect(id, { will: willOf(`will/${id}`, id) }).breakOff();
  assert.deepEqual(watcher.takeAll(), ['will/a=last a']);
  assert.equal(statistics.dropped.hook, 2);
});

test('what is published and delivered is seen, and an observer that throws changes nothing', () => {
  const harness = new BrokerHarness();
  const { hooks } = harness.broker;
  const seen: string[] = [];
  hooks.onSubscribed.push(({ clientId }, filter, qos) =>
    seen.push(`${clientId} subscribed ${filter} ${qos}`),
  );
  hooks.onUnsubscribed.push(({ clientId }, filter) => seen.push(`${clientId} unsubscribed ${filter}`));
  hooks.delivered = ({ topic, payload }, clientId, qos) => {
    seen.push(`${topic}=${payload.toString()} to ${clientId} at ${qos}`);
  };
  hooks.published = ({ topic, qos }, client) => {
    seen.push(`${topic} at ${qos} by ${client?.clientId ?? 'nobody'}`);
    throw new Error('observer out of order');
  };
  const one = harness.connect('1', { properties: { topicAliasMaximum: 5 } });
  const other = harness.connect('2');
  one.subscribe('t', { qos: 2 });
  assert.deepEqual(other.subscribe('t#', { qos: 0 }), [ReasonCode.TopicFilterInvalid]);
  other.subscribe('t', { qos: 0 });
  other.publish('t', 'x', { qos: 1 });
  other.takePublish();
  other.takeAck(PacketType.Puback);
  harness.broker.publish({ topic: 't', payload: Buffer.from('own'), qos: 0, retain: false });
  harness.connect('3', { will: willOf('will', '3') }).breakOff();
  one.unsubscribe('t', 'never');
  assert.deepEqual(seen, [
    '1 subscribed t 2',
    '2 subscribed t 0',
    't=x to 1 at 1',
    't=x to 2 at 0',
    't at 1 by 2',
    't=own to 1 at 0',
    't=own to 2 at 0',
    't at 0 by nobody',
    'will at 0 by 3',
    '1 unsubscribed t',
  ]);
  assert.equal(harness.log.filter((line) => line.includes('observer out of order')).length, 3);
});

test('a hook may publish: what it says comes in whole, before or after', () => {
  const harness = new BrokerHarness();
  const { broker } = harness;
  const say = (topic: string): void =>
    void broker.publish({ topic, payload: Buffer.from('!'), qos: 1, retain: false });
  broker.hooks.transform = ({ topic }) => {
    say(`before/${topic}`);
    return undefined;
  };
  broker.hooks.published = ({ topic }, client) => {
    if (client !== null) say(`after/${topic}`);
  };
  const watchers = [4, 5, 5].map((version, n) => {
    const watcher = harness.connect(`w${n}`, { version: version as 4 | 5 });
    watcher.subscribe('#', { qos: 1 });
    return watcher;
  });
  const sender = harness.connect('s');
  sender.publish('a', 'one', { qos: 1 });
  sender.publish('b', 'two');
  for (const watcher of watchers)
    assert.deepEqual(watcher.takeAll(), [
      'before/a=!',
      'a=one',
      'after/a=!',
      'before/b=!',
      'b=two',
      'after/b=!',
    ]);
});

test('a client is sent away by its id, in a later turn, and may come back', () => {
  const harness = new BrokerHarness();
  const client = harness.connect('c');
  assert.equal(harness.broker.disconnect('nobody', ReasonCode.AdministrativeAction, 'x'), false);
  assert.equal(harness.broker.disconnect('c', ReasonCode.AdministrativeAction, 'go away'), true);
  harness.settle();
  const { reasonCode, properties } = client.takeDisconnect();
  assert.deepEqual([reasonCode, properties.reasonString], [ReasonCode.AdministrativeAction, 'go away']);
  assert.ok(client.isClosed);
  harness.connect('c');
});
