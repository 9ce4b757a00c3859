import assert from 'node:assert/strict';
import { test } from 'node:test';
import { BrokerHarness, willOf } from '../../test/helpers/broker-harness.ts';

test('what a detector publishes is stamped with site, reception time and an id of its own', () => {
  const harness = new BrokerHarness();
  const watcher = harness.connect('w');
  watcher.subscribe('#', { qos: 0 });
  const old = harness.connect('old-watcher', { version: 4 });
  old.subscribe('#', { qos: 0 });
  const profile = { stampSite: 'north' };
  const detector = harness.connect('d', { version: 4, profile });
  const at = harness.clock.now();
  detector.publish('outTopic/a/b', '1');
  harness.advance(1500);
  detector.publish('outTopic/a/b', '2');
  const [first, second] = [watcher.takePublish(), watcher.takePublish()];
  const stampOf = (properties: readonly (readonly [string, string])[] | undefined) => new Map(properties);
  const one = stampOf(first.properties?.userProperties);
  const two = stampOf(second.properties?.userProperties);
  assert.equal(one.get('davy-site'), 'north');
  assert.equal(one.get('davy-received'), String(at));
  assert.equal(two.get('davy-received'), String(at + 1500));
  assert.match(one.get('davy-id') ?? '', /^[0-9a-z]+-[0-9a-z]+$/);
  assert.notEqual(one.get('davy-id'), two.get('davy-id'));
  assert.deepEqual(old.takeAll(), ['outTopic/a/b=1', 'outTopic/a/b=2']);
});

test('a stamp that a client sends itself is removed; its other properties stay, in order', () => {
  const harness = new BrokerHarness();
  const watcher = harness.connect('w');
  watcher.subscribe('#', { qos: 0 });
  const client = harness.connect('c', { profile: { stampSite: 'north' } });
  const userProperties = [
    ['a', '1'],
    ['davy-site', 'elsewhere'],
    ['davy-id', 'mine'],
    ['davy-received', '0'],
    ['a', '2'],
  ] as const;
  client.publish('t', 'x', { properties: { userProperties, contentType: 'text', messageExpiry: 60 } });
  const { properties } = watcher.takePublish();
  assert.equal(properties?.contentType, 'text');
  assert.equal(properties?.messageExpiry, 60);
  assert.deepEqual(
    properties?.userProperties.map(([name, value]) =>
      name.startsWith('davy-') && name !== 'davy-site' ? name : `${name}=${value}`,
    ),
    ['a=1', 'a=2', 'davy-site=north', 'davy-received', 'davy-id'],
  );
  client.breakOff();
  harness.connect('v', { profile: { stampSite: 'north' }, will: willOf('will', 'x') }).breakOff();
  assert.equal(new Map(watcher.takePublish().properties?.userProperties).get('davy-site'), 'north');
});

test('where nothing is stamped, what a bridge passes on keeps its stamp', () => {
  const harness = new BrokerHarness();
  const watcher = harness.connect('w');
  watcher.subscribe('#', { qos: 0 });
  const userProperties = [['davy-site', 'south']] as const;
  harness.connect('bridge').publish('t', 'x', { properties: { userProperties } });
  assert.deepEqual(watcher.takePublish().properties?.userProperties, [['davy-site', 'south']]);
});

test('two starts of a broker at the same time by its clock give different ids', () => {
  const ids = [1, 2].map(() => {
    const harness = new BrokerHarness();
    const watcher = harness.connect('w');
    watcher.subscribe('#', { qos: 0 });
    harness.connect('d', { version: 4, profile: { stampSite: 'north' } }).publish('outTopic/a/b', '1');
    return new Map(watcher.takePublish().properties?.userProperties).get('davy-id');
  });
  assert.notEqual(ids[0], ids[1]);
});
