import assert from 'node:assert/strict';
import { test } from 'node:test';
import { silentLogger } from '#base';
import type { BridgeConfig } from '#config';
import { PacketType } from '#mqtt';
import { setUp, type Setup } from '../../test/helpers/scripted-bridge.ts';
import { turnUntil } from '../../test/helpers/session-broker.ts';

interface LazySetup extends Setup {
  /** Messages that our broker says are waiting. */
  depth: number;
}

function setUpLazy(change: Partial<BridgeConfig> = {}): LazySetup {
  const lazy: LazySetup = {
    ...setUp(
      { startType: 'lazy', lazyThreshold: 3, lazyIdleMs: 10_000, keepAliveSeconds: 0, ...change },
      silentLogger,
      { queueDepth: () => lazy.depth },
    ),
    depth: 0,
  };
  return lazy;
}

/** The bridge has made its queue and waits for work. */
async function untilIdle({ local, bridge, clock }: LazySetup): Promise<void> {
  await turnUntil(
    () => local.connects.length > 0 && !local.isConnected && bridge.status.state === 'idle',
    clock,
    0,
  );
}

test('it connects when enough waits, and not before', async () => {
  const lazy = setUpLazy();
  lazy.bridge.start();
  await untilIdle(lazy);
  lazy.depth = 2;
  lazy.clock.advance(3_600_000);
  assert.equal(lazy.bridge.status.state, 'idle');
  assert.equal(lazy.remote.connects.length, 0);
  lazy.depth = 3;
  await turnUntil(() => lazy.bridge.status.state === 'connected', lazy.clock);
  await lazy.bridge.close();
});

test('it parts politely when nothing waits and nothing has come for the idle time, and comes again for more', async () => {
  const lazy = setUpLazy();
  const goodbyes: number[] = [];
  lazy.remote.onPacket = (packet) => goodbyes.push(packet.type);
  lazy.bridge.start();
  await untilIdle(lazy);
  lazy.depth = 3;
  await turnUntil(() => lazy.bridge.status.state === 'connected', lazy.clock);
  // Something waits: it stays, however long nothing goes through.
  lazy.clock.advance(60_000);
  assert.equal(lazy.bridge.status.state, 'connected');
  lazy.depth = 0;
  // What comes in keeps it as well.
  for (let count = 1; count <= 5; count++) {
    lazy.clock.advance(6000);
    lazy.remote.publish({ topic: 'x', payload: String(count), qos: 1 });
    await turnUntil(() => lazy.local.accepted.length === count, lazy.clock, 0);
  }
  assert.equal(lazy.bridge.status.state, 'connected');
  lazy.clock.advance(10_500);
  await turnUntil(() => lazy.bridge.status.state === 'idle', lazy.clock, 0);
  assert.deepEqual(goodbyes, [PacketType.Disconnect]);
  assert.equal(lazy.bridge.status.lastError, null);
  lazy.depth = 3;
  await turnUntil(() => lazy.bridge.status.connects === 2, lazy.clock);
  await lazy.bridge.close();
});

test('its queue does not expire while there is too little to do', async () => {
  const lazy = setUpLazy();
  lazy.local.connackProperties = { sessionExpiry: 100 };
  lazy.bridge.start();
  await untilIdle(lazy);
  for (const count of [2, 3, 4]) {
    lazy.clock.advance(60_000);
    await turnUntil(() => lazy.local.connects.length === count && !lazy.local.isConnected, lazy.clock, 0);
  }
  assert.equal(lazy.remote.connects.length, 0);
  lazy.depth = 3;
  await turnUntil(() => lazy.bridge.status.state === 'connected', lazy.clock);
  await lazy.bridge.close();
});

test('a clean start does not forget the messages for which it connects', async () => {
  const lazy = setUpLazy({ cleanStart: true, localCleanStart: true });
  lazy.bridge.start();
  await untilIdle(lazy);
  for (const payload of ['1', '2', '3']) lazy.local.publish({ topic: 'x', payload, qos: 1 });
  lazy.depth = 3;
  await turnUntil(() => lazy.remote.accepted.length === 3, lazy.clock);
  assert.deepEqual(lazy.remote.accepted, ['x 1', 'x 2', 'x 3']);
  await lazy.bridge.close();
});

test('close while it waits for work is final', async () => {
  const lazy = setUpLazy();
  lazy.bridge.start();
  await untilIdle(lazy);
  await lazy.bridge.close();
  lazy.depth = 100;
  lazy.clock.advance(100_000);
  assert.equal(lazy.bridge.status.state, 'closed');
  assert.equal(lazy.remote.connects.length, 0);
});
