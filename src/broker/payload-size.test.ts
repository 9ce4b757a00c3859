import assert from 'node:assert/strict';
import { test } from 'node:test';
import { PacketType, ReasonCode } from '#mqtt';
import { BrokerHarness, willOf } from '../../test/helpers/broker-harness.ts';

test('a payload beyond the bound goes nowhere, is answered and counted, and the connection goes on', () => {
  const harness = new BrokerHarness({ limits: { maximumPayloadSize: 3 } });
  const subscriber = harness.connect('s');
  subscriber.subscribe('t', { qos: 1 });
  const client = harness.connect('c');
  client.publish('t', 'four', { qos: 1 });
  assert.equal(client.takeAck(PacketType.Puback).reasonCode, ReasonCode.ImplementationSpecificError);
  client.publish('t', 'four', { qos: 0, retain: true });
  client.publish('t', 'yes', { qos: 1 });
  assert.equal(client.takeAck(PacketType.Puback).reasonCode, ReasonCode.Success);
  assert.equal(subscriber.takePublish().payload.toString(), 'yes'); // and nothing before it
  assert.equal(harness.broker.statistics.dropped['too-large'], 2);
  const late = harness.connect('late');
  late.subscribe('t');
  client.publish('t', 'now');
  assert.equal(late.takePublish().payload.toString(), 'now'); // nothing was retained
});

test('before MQTT 5 a message beyond the bound is acknowledged, or its sender would repeat it for ever', () => {
  const harness = new BrokerHarness({ limits: { maximumPayloadSize: 3 } });
  const client = harness.connect('c', { version: 4 });
  client.publish('t', 'four', { qos: 1 });
  assert.equal(client.takeAck(PacketType.Puback).reasonCode, ReasonCode.Success);
  assert.equal(client.isClosed, false);
});

test('a will beyond the bound is refused with its client', () => {
  const harness = new BrokerHarness({ limits: { maximumPayloadSize: 3 } });
  const client = harness.open();
  client.connect('c', { will: willOf('w', 'four') });
  assert.equal(client.isClosed, true);
});
