import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { FakeClock, LineLogger, silentLogger } from '#base';
import { createPublishProperties } from '#client';
import type { BridgeTopicConfig } from '#config';
import { encodePacket, PacketType, ReasonCode, type Packet, type PublishProperties } from '#mqtt';
import { connect, isQuiet, series, setUp } from '../../test/helpers/scripted-bridge.ts';
import { turnUntil } from '../../test/helpers/session-broker.ts';

/** Runs three messages over the bridge and cuts one side's line before its packet number `at`. Gives false where there was no such packet. */
async function runWithCut(
  direction: 'in' | 'out',
  qos: 1 | 2,
  protocolVersion: 4 | 5,
  side: 'local' | 'remote',
  at: number,
): Promise<{ accepted: readonly string[]; wasCut: boolean }> {
  const setup = setUp({ protocolVersion });
  const [sender, receiver] = direction === 'out' ? [setup.local, setup.remote] : [setup.remote, setup.local];
  let count = 0;
  let wasCut = false;
  setup[side].line = {
    shouldCut: () => {
      const isHere = count === at;
      count += 1;
      wasCut ||= isHere;
      return isHere;
    },
  };
  for (const message of series(qos, 3)) sender.publish(message);
  setup.bridge.start();
  await turnUntil(() => isQuiet(setup), setup.clock);
  await setup.bridge.close();
  return { accepted: receiver.accepted, wasCut };
}

const expected = ['a/b 1', 'a/b 2', 'a/b 3'];

for (const protocolVersion of [5, 4] as const) {
  for (const direction of ['out', 'in'] as const) {
    for (const side of ['local', 'remote'] as const) {
      test(`QoS 2 ${direction}, remote of version ${protocolVersion}: exactly once, wherever the ${side} line is cut`, async () => {
        let cuts = 0;
        for (;;) {
          const { accepted, wasCut } = await runWithCut(direction, 2, protocolVersion, side, cuts);
          assert.deepEqual(accepted, expected, `cut before packet ${cuts}`);
          if (!wasCut) break;
          cuts += 1;
        }
        // CONNECT, CONNACK and four packets for each of three messages at least; the same of the preparation.
        assert.ok(cuts >= (side === 'local' ? 19 : 14), `${cuts} places to cut`);
      });

      test(`QoS 1 ${direction}, remote of version ${protocolVersion}: at least once, wherever the ${side} line is cut`, async () => {
        let cuts = 0;
        for (;;) {
          const { accepted, wasCut } = await runWithCut(direction, 1, protocolVersion, side, cuts);
          assert.deepEqual([...new Set(accepted)], expected, `cut before packet ${cuts}`);
          if (!wasCut) break;
          cuts += 1;
        }
        assert.ok(cuts >= (side === 'local' ? 13 : 8), `${cuts} places to cut`);
      });
    }
  }
}

test('QoS 2 out: a local broker that lost its session does not lose messages to ids that the remote still keeps', async () => {
  const setup = setUp();
  const { local, remote, clock, bridge } = setup;
  // The remote has taken message 1 and waits for its PUBREL when our broker dies.
  let hasDied = false;
  local.line = {
    shouldCut: (packet) => {
      if (hasDied || packet.type !== PacketType.Pubrec) return false;
      hasDied = true;
      local.forget();
      return true;
    },
  };
  local.publish({ topic: 'a', payload: 'before', qos: 2 });
  bridge.start();
  await turnUntil(() => hasDied, clock);
  assert.equal(remote.unreleased, 1);
  local.publish({ topic: 'a', payload: 'after', qos: 2 });
  await turnUntil(() => isQuiet(setup), clock);
  assert.deepEqual(remote.accepted, ['a before', 'a after']);
  await bridge.close();
});

test('QoS 2 out: a remote that forgot the session is asked with PUBREL, and its 0x92 ends the exchange', async () => {
  const lines: string[] = [];
  const clock = new FakeClock();
  const log = new LineLogger({ clock, level: 'info', write: (line) => lines.push(line) });
  const setup = setUp({}, log);
  const { local, remote, bridge } = setup;
  let hasDied = false;
  remote.line = {
    shouldCut: (packet, direction) => {
      if (hasDied || packet.type !== PacketType.Pubrel || direction !== 'to-broker') return false;
      hasDied = true;
      remote.forget();
      return true;
    },
  };
  local.publish({ topic: 'a', payload: '1', qos: 2 });
  bridge.start();
  await turnUntil(() => hasDied && isQuiet(setup), setup.clock);
  assert.deepEqual(remote.accepted, ['a 1']);
  assert.ok(lines.some((line) => line.includes('forgotten our session')));
  assert.ok(
    lines.some((line) => line.includes('does not know a QoS 2 message any more') && line.includes('topic=a')),
  );
  await bridge.close();
});

test('QoS 0 crosses in both directions', async () => {
  const setup = setUp();
  await connect(setup);
  setup.local.publish({ topic: 'x', payload: 'out', qos: 0 });
  setup.remote.publish({ topic: 'y', payload: 'in', qos: 0 });
  await turnUntil(() => setup.remote.accepted.length + setup.local.accepted.length === 2, setup.clock);
  assert.deepEqual(setup.remote.accepted, ['x out']);
  assert.deepEqual(setup.local.accepted, ['y in']);
  assert.equal(setup.bridge.status.sent, 1);
  assert.equal(setup.bridge.status.received, 1);
  await setup.bridge.close();
});

test('prefixes: one is taken off and the other put on, in both directions', async () => {
  const topics: BridgeTopicConfig[] = [
    { filter: 'gas/#', direction: 'out', qos: 1, localPrefix: 'here/', remotePrefix: 'there/north/' },
    { filter: 'set/+', direction: 'in', qos: 0, localPrefix: 'here/', remotePrefix: 'there/north/' },
  ];
  const setup = setUp({ topics });
  await connect(setup);
  setup.local.publish({ topic: 'here/gas/d1', payload: '1', qos: 1 });
  setup.remote.publish({ topic: 'there/north/set/d1', payload: '2', qos: 0 });
  setup.local.publish({ topic: 'elsewhere/gas/d1', payload: 'unasked', qos: 1 });
  setup.remote.publish({ topic: 'there/north/set/d1/x', payload: 'unasked', qos: 0 });
  setup.local.publish({ topic: 'here/gas', payload: 'last', qos: 1 });
  setup.remote.publish({ topic: 'there/north/set/d2', payload: 'last', qos: 0 });
  await turnUntil(() => setup.local.unfinished === 0 && setup.local.accepted.length === 2, setup.clock);
  assert.deepEqual(setup.remote.accepted, ['there/north/gas/d1 1', 'there/north/gas last']);
  assert.deepEqual(setup.local.accepted, ['here/set/d1 2', 'here/set/d2 last']);
  assert.equal(setup.bridge.status.unmapped, 2);
  assert.deepEqual(
    setup.local.subscribes.map((packet) => packet.subscriptions),
    // First without what is retained: there is nowhere to deliver it to yet.
    [2, 0].map((retainHandling) => [
      { filter: 'here/gas/#', qos: 1, noLocal: true, retainAsPublished: true, retainHandling },
    ]),
  );
  assert.deepEqual(
    setup.remote.subscribes.map((packet) => packet.subscriptions),
    [[{ filter: 'there/north/set/+', qos: 0, noLocal: true, retainAsPublished: true, retainHandling: 1 }]],
  );
  await setup.bridge.close();
});

test('properties of the publisher travel, those of the connection do not, and the broker is named', async () => {
  const setup = setUp();
  await connect(setup);
  const properties = createPublishProperties({
    payloadFormat: 1,
    messageExpiry: 60,
    responseTopic: 'answer',
    correlationData: Buffer.from('c'),
    contentType: 'text/plain',
    userProperties: [
      ['davy-site', 'north'],
      ['davy-site', 'again'],
    ],
    subscriptionIdentifiers: [7],
  });
  setup.local.publish({ topic: 'x', payload: '1', qos: 1, retain: true, properties });
  await turnUntil(() => setup.remote.publishes.length === 1, setup.clock);
  const packet = setup.remote.publishes[0]!;
  assert.equal(packet.retain, true);
  assert.deepEqual(packet.properties, {
    ...properties,
    userProperties: [...properties.userProperties, ['davy-via', 'north']],
    subscriptionIdentifiers: [],
  });
  await setup.bridge.close();
});

test('loop: what has left this broker before is acknowledged, counted and not passed on', async () => {
  const setup = setUp();
  await connect(setup);
  const via = (...names: readonly string[]): PublishProperties =>
    createPublishProperties({ userProperties: names.map((name) => ['davy-via', name]) });
  setup.remote.publish({ topic: 'x', payload: 'mine', qos: 2, properties: via('north', 'relay') });
  setup.remote.publish({ topic: 'x', payload: 'mine', qos: 1, properties: via('relay', '>north') });
  setup.local.publish({ topic: 'x', payload: 'mine', qos: 1, properties: via('relay', 'north') });
  setup.local.publish({
    topic: 'x',
    payload: 'far',
    qos: 1,
    properties: via(...Array.from({ length: 17 }, (_, hop) => `hop${hop}`)),
  });
  // Fetched by another bridge of this broker: may go on by this one.
  setup.local.publish({ topic: 'x', payload: 'through', qos: 1, properties: via('relay', '>north') });
  setup.remote.publish({ topic: 'x', payload: 'new', qos: 1, properties: via('relay') });
  await turnUntil(() => isQuiet(setup), setup.clock);
  assert.deepEqual(setup.local.accepted, ['x new']);
  assert.deepEqual(setup.remote.accepted, ['x through']);
  assert.equal(setup.bridge.status.loops, 4);
  assert.deepEqual(setup.local.publishes[0]!.properties?.userProperties, [
    ['davy-via', 'relay'],
    ['davy-via', '>north'],
  ]);
  await setup.bridge.close();
});

test('a refusal of the remote reaches the local session, is counted, and told once in ten seconds', async () => {
  const lines: string[] = [];
  const clock = new FakeClock();
  const log = new LineLogger({ clock, level: 'warning', write: (line) => lines.push(line) });
  const setup = setUp({}, log);
  await connect(setup);
  setup.remote.publishAnswer = ReasonCode.NotAuthorized;
  for (const message of [...series(1, 3), ...series(2, 2)]) setup.local.publish(message);
  await turnUntil(() => setup.local.unfinished === 0, setup.clock, 0);
  assert.deepEqual(setup.local.answers, ['4 1 135', '4 2 135', '4 3 135', '5 4 135', '5 5 135']);
  assert.equal(setup.bridge.status.refused, 5);
  setup.clock.advance(10_000);
  setup.local.publish({ topic: 'late', payload: '', qos: 1 });
  await turnUntil(() => setup.local.unfinished === 0, setup.clock, 0);
  assert.equal(lines.length, 3);
  assert.match(lines[0]!, /refused.*topic=a\/b reason="not authorized"/);
  assert.match(lines[1]!, /refused.*: 4 more like it in 10 s; the last: topic=a\/b reason="not authorized"/);
  assert.match(lines[2]!, /topic=late reason="not authorized"$/m);
  await setup.bridge.close();
});

test('a message larger than the remote takes is acknowledged at home and counted', async () => {
  const setup = setUp();
  setup.remote.connackProperties = { maximumPacketSize: 100 };
  await connect(setup);
  for (const qos of [1, 2] as const) setup.local.publish({ topic: 'big', payload: 'x'.repeat(100), qos });
  setup.local.publish({ topic: 'small', payload: 'x', qos: 2 });
  await turnUntil(() => isQuiet(setup), setup.clock);
  assert.deepEqual(setup.remote.accepted, ['small x']);
  assert.equal(setup.bridge.status.tooLarge, 2);
  assert.deepEqual(setup.local.answers.slice(0, 2), ['4 1 0', '5 2 151']);
  await setup.bridge.close();
});

test('what the remote allows is kept: receive maximum, highest QoS, no retained messages', async () => {
  const setup = setUp();
  setup.remote.connackProperties = { receiveMaximum: 7, maximumQos: 1, retainAvailable: false };
  await connect(setup);
  await turnUntil(() => setup.local.subscribes.length === 2, setup.clock);
  assert.deepEqual(
    setup.local.connects.map(({ clientId, properties }) => [clientId, properties.receiveMaximum]),
    [
      ['bridge-relay', 1],
      ['bridge-relay', 7],
    ],
  );
  assert.equal(setup.remote.connects[0]!.properties.receiveMaximum, 1000);
  assert.equal(setup.local.subscribes[1]!.subscriptions[0]!.qos, 1);
  setup.local.publish({ topic: 'x', payload: '1', qos: 1, retain: true });
  await turnUntil(() => isQuiet(setup), setup.clock);
  assert.equal(setup.remote.publishes[0]!.retain, false);
  await setup.bridge.close();
});

test('3.1.1: a remote without a window is read only as fast as our broker takes', async () => {
  const setup = setUp({ protocolVersion: 4 });
  setup.local.connackProperties = { receiveMaximum: 5 };
  let underWay = 0;
  let most = 0;
  setup.local.line = {
    shouldCut: (packet: Packet, direction) => {
      if (packet.type === PacketType.Publish && direction === 'to-broker') underWay += 1;
      if (packet.type === PacketType.Puback && direction === 'from-broker') underWay -= 1;
      most = Math.max(most, underWay);
      return false;
    },
  };
  for (const message of series(1, 50)) setup.remote.publish(message);
  setup.bridge.start();
  await turnUntil(() => isQuiet(setup), setup.clock);
  assert.equal(setup.local.accepted.length, 50);
  assert.ok(most <= 5, `${most} under way`);
  await setup.bridge.close();
});

test('3.1.1: asks to be treated as a bridge, and does without where the remote does not know that', async () => {
  const setup = setUp({ protocolVersion: 4 });
  setup.remote.connackCode = 1;
  setup.bridge.start();
  await turnUntil(() => setup.remote.connects.length === 1, setup.clock);
  setup.remote.connackCode = 0;
  await turnUntil(() => setup.remote.subscribes.length === 1, setup.clock);
  assert.deepEqual(
    setup.remote.connects.map((packet) => packet.bridge),
    [true, false],
  );
  assert.equal(setup.remote.subscribes[0]!.subscriptions[0]!.noLocal, false);
  await setup.bridge.close();
});

test('a remote that refuses is tried again for ever, told once, and our broker is left alone meanwhile', async () => {
  const lines: string[] = [];
  const log = new LineLogger({ clock: new FakeClock(), level: 'info', write: (line) => lines.push(line) });
  const setup = setUp({}, log);
  setup.remote.connackCode = ReasonCode.BadUserNameOrPassword;
  setup.bridge.start();
  await turnUntil(() => setup.remote.connects.length === 5, setup.clock);
  assert.equal(setup.local.connects.length, 1, 'once, to make the queue');
  assert.equal(setup.local.isConnected, false);
  assert.equal(lines.length, 1);
  assert.match(lines[0]!, /refused the connection: bad user name or password/);
  setup.remote.connackCode = 0;
  await turnUntil(() => setup.bridge.status.state === 'connected', setup.clock);
  assert.match(setup.bridge.status.lastError!, /bad user name or password/);
  await setup.bridge.close();
});

/** Packets that are well-formed and out of place, and some of them bent. */
const hostilePackets: readonly Packet[] = [
  { type: PacketType.Puback, packetId: 9, reasonCode: 0, properties: {} },
  { type: PacketType.Pubrec, packetId: 1, reasonCode: 0x80, properties: { reasonString: 'x' } },
  { type: PacketType.Pubrel, packetId: 3, reasonCode: 0, properties: {} },
  { type: PacketType.Pubcomp, packetId: 1, reasonCode: 0x92, properties: {} },
  { type: PacketType.Suback, packetId: 65_535, reasonCodes: [0, 0, 0], properties: {} },
  { type: PacketType.Unsuback, packetId: 65_535, reasonCodes: [0], properties: {} },
  { type: PacketType.Connack, sessionPresent: true, reasonCode: 0, properties: {} },
  { type: PacketType.Pingreq },
  { type: PacketType.Disconnect, reasonCode: 0x8e, properties: { reasonString: 'taken over' } },
  { type: PacketType.Auth, reasonCode: 0x18, properties: { authenticationMethod: 'x' } },
  {
    type: PacketType.Publish,
    topic: 'a/#',
    payload: Buffer.from('x'),
    qos: 2,
    retain: true,
    dup: true,
    packetId: 65_535,
    properties: null,
  },
];
const rubbish = fc.oneof(
  fc.uint8Array({ minLength: 1, maxLength: 60 }).map((bytes) => Buffer.from(bytes)),
  fc.constantFrom(...hostilePackets).map((packet) => encodePacket(packet, 5)),
  fc.tuple(fc.constantFrom(...hostilePackets), fc.nat(), fc.nat(255)).map(([packet, at, value]) => {
    const bytes = encodePacket(packet, 5);
    bytes[at % bytes.length] = value;
    return bytes;
  }),
);

test('a remote that answers with anything at all ends its connection at most', async () => {
  const errors: string[] = [];
  const log = { ...silentLogger, error: (message: string) => errors.push(message), child: () => log };
  await fc.assert(
    fc.asyncProperty(
      fc.array(rubbish, { minLength: 1, maxLength: 5 }),
      fc.constantFrom(4 as const, 5 as const),
      async (pieces, protocolVersion) => {
        const setup = setUp({ protocolVersion }, log);
        await connect(setup);
        for (const piece of pieces) setup.remote.sendBytes(piece);
        for (const message of series(2, 2)) setup.local.publish(message);
        await turnUntil(() => setup.remote.accepted.length > 0 || setup.local.unfinished === 0, setup.clock);
        // Half a packet may still be waited for: a new connection begins afresh, and carries what comes.
        setup.remote.cut();
        setup.local.publish({ topic: 'later', payload: 'good', qos: 1 });
        await turnUntil(() => setup.remote.accepted.includes('later good'), setup.clock);
        await setup.bridge.close();
        assert.equal(setup.bridge.status.state, 'closed');
      },
    ),
    { numRuns: 300 },
  );
  assert.deepEqual(errors, []);
});

test('close is final, also before and between connections', async () => {
  const never = setUp();
  await never.bridge.close();
  assert.equal(never.bridge.status.state, 'closed');
  const waiting = setUp();
  waiting.remote.connackCode = ReasonCode.Banned;
  waiting.bridge.start();
  await turnUntil(() => waiting.bridge.status.state === 'waiting', waiting.clock);
  await waiting.bridge.close();
  waiting.clock.advance(100_000);
  assert.equal(waiting.bridge.status.state, 'closed');
  assert.equal(waiting.remote.connects.length, 1);
});
