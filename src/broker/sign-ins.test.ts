import assert from 'node:assert/strict';
import { test } from 'node:test';
import { PacketType, ReasonCode } from '#mqtt';
import { BrokerHarness } from '../../test/helpers/broker-harness.ts';
import type { AuthenticationResult, Credentials } from './ports.ts';

const address = '192.0.2.5';

test('bound: sign-ins that wait are told so when their time is over, and nobody is verified for them any more', () => {
  const harness = new BrokerHarness();
  const asked: Credentials[] = [];
  const authenticate = (credentials: Credentials): Promise<AuthenticationResult> => {
    asked.push(credentials);
    return new Promise(() => {});
  };
  const profile = { authenticator: { authenticate } };
  const [old, young] = ([5, 4] as const).map((version) => {
    const client = harness.open({ address, version, profile });
    client.connect('c', { address, version });
    return client;
  });
  assert.ok(asked.every(({ isWaiting }) => isWaiting?.() === true));
  harness.advance(11_000);
  for (const [client, code] of [
    [old!, ReasonCode.ServerBusy],
    [young!, 3],
  ] as const) {
    const [connack] = client.received;
    assert.equal(connack?.type, PacketType.Connack);
    assert.equal(connack.reasonCode, code);
    assert.ok(client.isClosed);
  }
  assert.ok(asked.every(({ isWaiting }) => isWaiting?.() === false));
  assert.equal(harness.broker.statistics.reached['sign-ins'], 2);
  assert.equal(harness.broker.statistics.connectionsRefused, 2);
});

test('a sign-in that finds no place is told so, and counted', async () => {
  const harness = new BrokerHarness();
  const busy = { reasonCode: ReasonCode.ServerBusy, detail: 'too many sign-ins at once' } as const;
  const client = harness.open({
    address,
    profile: { authenticator: { authenticate: () => Promise.resolve(busy) } },
  });
  client.connect('c', { address });
  await new Promise((resolve) => setImmediate(resolve));
  harness.settle();
  const [connack] = client.received;
  assert.equal(connack?.type, PacketType.Connack);
  assert.equal(connack.reasonCode, ReasonCode.ServerBusy);
  assert.equal(harness.broker.statistics.reached['sign-ins'], 1);
});

test('who goes while its password waits is not waited for', () => {
  const harness = new BrokerHarness();
  let isWaiting: (() => boolean) | undefined;
  const authenticate = (credentials: Credentials): Promise<AuthenticationResult> => {
    ({ isWaiting } = credentials);
    return new Promise(() => {});
  };
  const client = harness.open({ address, profile: { authenticator: { authenticate } } });
  client.connect('c', { address });
  assert.equal(isWaiting?.(), true);
  client.breakOff();
  assert.equal(isWaiting(), false);
});
