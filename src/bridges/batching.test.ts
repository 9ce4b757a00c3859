import assert from 'node:assert/strict';
import { test } from 'node:test';
import { silentLogger, type Dialer } from '#base';
import type { BridgeConfig } from '#config';
import { PacketType, type Packet } from '#mqtt';
import { connect, isQuiet, series, setUp, type Setup } from '../../test/helpers/scripted-bridge.ts';
import { SessionBroker, turnUntil } from '../../test/helpers/session-broker.ts';

interface BusySetup extends Setup {
  /** Writes to the other broker. */
  writes: number;
}

function setUpBusy(change: Partial<BridgeConfig> = {}): BusySetup {
  const remote = new SessionBroker();
  const remoteDialer: Dialer = {
    target: 'mqtt://far',
    dial: async (handler, signal) => {
      const transport = await remote.dialer.dial(handler, signal);
      const write = transport.write.bind(transport);
      transport.write = (bytes) => {
        busy.writes++;
        write(bytes);
      };
      return transport;
    },
  };
  const setup = setUp({ flushMs: 100, keepAliveSeconds: 0, ...change }, silentLogger, { remoteDialer });
  const busy: BusySetup = { ...setup, remote, writes: 0 };
  return busy;
}

/** Connected, subscribed, and nothing was written for a long time. */
async function settle(busy: BusySetup): Promise<void> {
  await connect(busy);
  busy.local.publish({ topic: 'first', payload: '', qos: 1 });
  await turnUntil(() => isQuiet(busy) && busy.remote.accepted.length > 0, busy.clock);
  busy.clock.advance(10_000);
  busy.writes = 0;
  busy.remote.accepted.length = 0;
}

/** Lets packets that are under way arrive, without time passing. */
async function turns(busy: BusySetup, count = 20): Promise<void> {
  let left = count;
  await turnUntil(() => left-- === 0, busy.clock, 0);
}

for (const qos of [0, 1, 2] as const) {
  test(`QoS ${qos}: the first message after a pause leaves at once`, async () => {
    const busy = setUpBusy();
    await settle(busy);
    busy.local.publish({ topic: 'x', payload: '1', qos });
    await turns(busy);
    assert.deepEqual(busy.remote.accepted, ['x 1']);
    await busy.bridge.close();
  });
}

test('QoS 0 on a busy link: what follows leaves in one write, after the flush time', async () => {
  const busy = setUpBusy();
  await settle(busy);
  for (let index = 0; index < 10; index++) {
    busy.local.publish({ topic: 'x', payload: String(index), qos: 0 });
    await turns(busy);
  }
  assert.deepEqual(busy.remote.accepted, ['x 0']);
  busy.clock.advance(100);
  await turns(busy);
  assert.equal(busy.remote.accepted.length, 10);
  assert.equal(busy.writes, 2);
  await busy.bridge.close();
});

test('QoS 1: what comes while an answer is awaited gathers, and leaves with that answer', async () => {
  const busy = setUpBusy();
  await settle(busy);
  const answers: Packet[] = [];
  busy.remote.line = {
    shouldCut: (packet, direction) => {
      if (packet.type === PacketType.Puback && direction === 'from-broker') answers.push(packet);
      return false;
    },
  };
  // The answers are held back by the other side.
  busy.remote.answersLate = true;
  for (let index = 0; index < 10; index++) {
    busy.local.publish({ topic: 'x', payload: String(index), qos: 1 });
    await turns(busy);
  }
  assert.deepEqual(busy.remote.accepted, ['x 0']);
  busy.remote.answer();
  await turns(busy);
  assert.equal(busy.remote.accepted.length, 10, 'the first answer has let them go');
  assert.equal(busy.writes, 2);
  busy.remote.answersLate = false;
  busy.remote.answer();
  await turnUntil(() => isQuiet(busy), busy.clock, 0);
  assert.equal(answers.length, 10);
  await busy.bridge.close();
});

test('QoS 1: without an answer they leave after the flush time', async () => {
  const busy = setUpBusy();
  await settle(busy);
  busy.remote.answersLate = true;
  for (const message of series(1, 5)) {
    busy.local.publish(message);
    await turns(busy);
  }
  assert.equal(busy.remote.accepted.length, 1);
  busy.clock.advance(100);
  await turns(busy);
  assert.equal(busy.remote.accepted.length, 5);
  assert.equal(busy.writes, 2);
  await busy.bridge.close();
});

test('an urgent message leaves at once, and takes with it what has gathered', async () => {
  const busy = setUpBusy({ urgentTopics: ['alarm/#'] });
  await settle(busy);
  busy.remote.answersLate = true;
  for (const message of series(1, 3)) {
    busy.local.publish(message);
    await turns(busy);
  }
  assert.equal(busy.remote.accepted.length, 1);
  busy.local.publish({ topic: 'alarm/gas', payload: '!', qos: 1 });
  await turns(busy);
  assert.deepEqual(busy.remote.accepted, ['a/b 1', 'a/b 2', 'a/b 3', 'alarm/gas !']);
  assert.equal(busy.writes, 2);
  await busy.bridge.close();
});

for (const qos of [1, 2] as const) {
  for (const window of [1, 20]) {
    test(`QoS ${qos}: a window of ${window} drains without waiting for the flush time`, async () => {
      const busy = setUpBusy({ receiveMaximum: window });
      await settle(busy);
      for (const message of series(qos, 200)) busy.local.publish(message);
      await turnUntil(() => isQuiet(busy), busy.clock, 0);
      assert.equal(busy.remote.accepted.length, 200);
      await busy.bridge.close();
    });
  }
}

test('a burst leaves as it fills the outbox, not a message a write', async () => {
  const busy = setUpBusy();
  await settle(busy);
  for (let index = 0; index < 1000; index++)
    busy.local.publish({ topic: 'x', payload: 'x'.repeat(100), qos: 0 });
  busy.clock.advance(100);
  await turnUntil(() => busy.remote.accepted.length === 1000, busy.clock, 0);
  assert.ok(busy.writes < 50, `${busy.writes} writes`);
  await busy.bridge.close();
});

test('flush 0: nothing waits', async () => {
  const busy = setUpBusy({ flushMs: 0 });
  await settle(busy);
  busy.remote.answersLate = true;
  for (const message of series(1, 5)) {
    busy.local.publish(message);
    await turns(busy);
  }
  assert.equal(busy.remote.accepted.length, 5);
  await busy.bridge.close();
});
