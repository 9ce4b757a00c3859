import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DavylampError, silentLogger, type Dialer } from '#base';
import type { BridgeConfig } from '#config';
import { PacketType, ReasonCode } from '#mqtt';
import { connect, isQuiet, setUp, type Setup } from '../../test/helpers/scripted-bridge.ts';
import { SessionBroker, turnUntil } from '../../test/helpers/session-broker.ts';

/** A broker that can be out of reach; writes down when it was dialled. */
class Place {
  readonly name: string;
  readonly broker: SessionBroker;
  isReachable = true;
  readonly dialer: Dialer;

  constructor(name: string, order: string[], broker = new SessionBroker()) {
    this.name = name;
    this.broker = broker;
    this.dialer = {
      target: `mqtt://${name}`,
      dial: (handler, signal) => {
        order.push(name);
        return this.isReachable
          ? broker.dialer.dial(handler, signal)
          : Promise.reject(new DavylampError('CONNECT_FAILED', `mqtt://${name} cannot be reached`));
      },
    };
  }
}

/** A bridge with the addresses `a`, `b` and `c`, and the order in which they were dialled. */
function setUpPlaces(change: Partial<BridgeConfig> = {}): {
  setup: Setup;
  places: readonly [Place, Place, Place];
  order: string[];
} {
  const order: string[] = [];
  const places = [new Place('a', order), new Place('b', order), new Place('c', order)] as const;
  const moreAddresses = [
    { host: 'b', port: 1 },
    { host: 'c', port: 1 },
  ];
  const setup = setUp({ moreAddresses, ...change }, silentLogger, {
    remoteDialer: places[0].dialer,
    moreDialers: [places[1].dialer, places[2].dialer],
  });
  return { setup, places, order };
}

test('an address that cannot be reached is followed by the next one at once; after the last one there is a pause', async () => {
  const { setup, places, order } = setUpPlaces();
  for (const place of places) place.isReachable = false;
  setup.bridge.start();
  await turnUntil(() => setup.bridge.status.state === 'waiting', setup.clock, 0);
  assert.deepEqual(order, ['a', 'b', 'c'], 'without any time passing');
  places[2].isReachable = true;
  await turnUntil(() => setup.bridge.status.state === 'connected', setup.clock);
  assert.deepEqual(order, ['a', 'b', 'c', 'a', 'b', 'c']);
  assert.equal(setup.bridge.target, 'mqtt://c');
  await setup.bridge.close();
});

test('one that refuses is no better than one that is away', async () => {
  const { setup, places, order } = setUpPlaces();
  places[0].broker.connackCode = ReasonCode.NotAuthorized;
  setup.bridge.start();
  await turnUntil(() => setup.bridge.status.state === 'connected', setup.clock, 0);
  assert.deepEqual(order, ['a', 'b']);
  await setup.bridge.close();
});

test('as soon as the first address answers again it is gone back to, politely', async () => {
  const { setup, places, order } = setUpPlaces();
  places[0].isReachable = false;
  await connect(setup);
  assert.equal(setup.bridge.target, 'mqtt://b');
  const goodbyes: number[] = [];
  places[1].broker.onPacket = (packet) => goodbyes.push(packet.type);
  order.length = 0;
  setup.clock.advance(30_000);
  await turnUntil(() => order.length === 1, setup.clock, 0);
  assert.equal(setup.bridge.status.connects, 1, 'it was looked for, and is still away');
  places[0].isReachable = true;
  await turnUntil(() => setup.bridge.status.connects === 2, setup.clock, 5000);
  assert.equal(setup.bridge.target, 'mqtt://a');
  assert.deepEqual(goodbyes, [PacketType.Disconnect]);
  assert.deepEqual([...new Set(order)], ['a'], 'nobody else was asked');
  await setup.bridge.close();
});

test('round robin: the next address follows one that is lost, and none is gone back to', async () => {
  const { setup, places, order } = setUpPlaces({ roundRobin: true });
  await connect(setup);
  places[0].broker.cut();
  await turnUntil(() => setup.bridge.status.connects === 2, setup.clock);
  setup.clock.advance(120_000);
  places[1].broker.cut();
  await turnUntil(() => setup.bridge.status.connects === 3, setup.clock);
  places[2].broker.cut();
  await turnUntil(() => setup.bridge.status.connects === 4, setup.clock);
  assert.deepEqual(order, ['a', 'b', 'c', 'a']);
  await setup.bridge.close();
});

test('without round robin, one that is lost is asked again before the others', async () => {
  const { setup, places, order } = setUpPlaces();
  await connect(setup);
  places[0].broker.cut();
  await turnUntil(() => setup.bridge.status.connects === 2, setup.clock);
  assert.deepEqual(order, ['a', 'a']);
  await setup.bridge.close();
});

test('once: each address is tried once, and a link that was made is not made again', async () => {
  const { setup, places, order } = setUpPlaces({ startType: 'once' });
  places[0].isReachable = false;
  await connect(setup);
  places[1].broker.cut();
  await turnUntil(() => setup.bridge.status.state === 'closed', setup.clock);
  setup.clock.advance(1_000_000);
  assert.deepEqual(order, ['a', 'b']);

  const vain = setUpPlaces({ startType: 'once' });
  for (const place of vain.places) place.isReachable = false;
  vain.setup.bridge.start();
  await turnUntil(() => vain.setup.bridge.status.state === 'closed', vain.setup.clock, 0);
  vain.setup.clock.advance(1_000_000);
  assert.deepEqual(vain.order, ['a', 'b', 'c']);
  assert.match(vain.setup.bridge.status.lastError ?? '', /mqtt:\/\/c cannot be reached/);
  // Asked for again, it is made again.
  vain.places[0].isReachable = true;
  await connect(vain.setup);
  await vain.setup.bridge.close();
});

test('each address that is another broker gets the subscriptions, also one that had a session before', async () => {
  const { setup, places } = setUpPlaces({ roundRobin: true });
  setup.bridge.start();
  for (const [index, { broker }] of places.entries()) {
    await turnUntil(() => broker.isConnected && broker.subscribes.length === 1, setup.clock);
    // Behind SUBACK: the answer has come.
    broker.publish({ topic: 'x', payload: String(index), qos: 1 });
    await turnUntil(() => setup.local.accepted.length === index + 1, setup.clock);
    broker.cut();
  }
  places[0].broker.publish({ topic: 'x', payload: 'again', qos: 1 });
  await turnUntil(() => setup.local.accepted.at(-1) === 'x again', setup.clock);
  assert.equal(places[0].broker.subscribes.length, 1, 'its session has them');
  await setup.bridge.close();
});

for (const direction of ['out', 'in'] as const) {
  test(`QoS 2 ${direction}: an address that kept an unfinished message swallows no other under the same id`, async () => {
    const { setup, places } = setUpPlaces({ roundRobin: true });
    const [a, b] = places;
    const { local, bridge, clock } = setup;
    const [sender, receiver] = direction === 'out' ? [local, a.broker] : [a.broker, local];
    await connect(setup);
    // Taken by the receiver, and cut before its sender hears of it.
    let isCut = false;
    receiver.line = {
      shouldCut: (packet, way) => {
        if (isCut || packet.type !== PacketType.Pubrec || way !== 'from-broker') return false;
        isCut = true;
        return true;
      },
    };
    sender.publish({ topic: 'x', payload: 'one', qos: 2 });
    await turnUntil(() => isCut && bridge.target === 'mqtt://b', clock);
    if (direction === 'out') {
      // The same message goes to the other broker, which finishes it: `a` still holds its id.
      await turnUntil(() => b.broker.accepted.length === 1 && local.unfinished === 0, clock);
      assert.equal(a.broker.unreleased, 1);
      places[2].isReachable = false;
      local.restartIds();
      b.broker.cut();
      await turnUntil(() => bridge.target === 'mqtt://a' && bridge.status.state === 'connected', clock);
      local.publish({ topic: 'x', payload: 'two', qos: 2 });
      await turnUntil(() => isQuiet(setup), clock);
      assert.deepEqual(a.broker.accepted, ['x one', 'x two']);
    } else {
      // `b` counts its own ids from 1, and our broker holds that one for `a`.
      assert.equal(local.unreleased, 1);
      await turnUntil(() => bridge.status.state === 'connected', clock);
      b.broker.publish({ topic: 'x', payload: 'two', qos: 2 });
      await turnUntil(() => local.accepted.length === 2, clock);
      assert.deepEqual(local.accepted, ['x one', 'x two']);
    }
    await bridge.close();
  });
}

test('QoS 2: two addresses of one broker finish what was begun by the other way, once', async () => {
  for (let at = 0; ; at++) {
    const order: string[] = [];
    const shared = new SessionBroker();
    const places = [new Place('a', order, shared), new Place('b', order, shared)] as const;
    const setup = setUp({ moreAddresses: [{ host: 'b', port: 1 }], roundRobin: true }, silentLogger, {
      remoteDialer: places[0].dialer,
      moreDialers: [places[1].dialer],
    });
    let count = 0;
    let wasCut = false;
    shared.line = {
      shouldCut: () => {
        const isHere = count++ === at;
        wasCut ||= isHere;
        return isHere;
      },
    };
    for (const payload of ['1', '2']) {
      setup.local.publish({ topic: 'out', payload, qos: 2 });
      shared.publish({ topic: 'in', payload, qos: 2 });
    }
    setup.bridge.start();
    const isDone = (): boolean =>
      setup.local.unfinished + shared.unfinished + setup.local.unreleased + shared.unreleased === 0;
    await turnUntil(() => isDone() && setup.bridge.status.state === 'connected', setup.clock);
    assert.deepEqual(shared.accepted, ['out 1', 'out 2'], `cut before packet ${at}`);
    assert.deepEqual(setup.local.accepted, ['in 1', 'in 2'], `cut before packet ${at}`);
    await setup.bridge.close();
    if (!wasCut) {
      assert.ok(at > 18, `${at} places to cut`);
      break;
    }
  }
});
