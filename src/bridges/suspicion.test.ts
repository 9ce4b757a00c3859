import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FakeClock, LineLogger } from '#base';
import { PacketType, ReasonCode, type Packet } from '#mqtt';
import { connect, isQuiet, setUp, type Setup } from '../../test/helpers/scripted-bridge.ts';
import { turnUntil, type SessionBroker } from '../../test/helpers/session-broker.ts';

/** The broker ends the connection for what holds `bad`, with this code (MQTT 5), or without a word: `null`. */
function endFor(broker: SessionBroker, reasonCode: number | null): void {
  broker.line = {
    shouldCut: (packet: Packet, direction) => {
      if (direction !== 'to-broker' || packet.type !== PacketType.Publish) return false;
      if (!packet.payload.includes('bad')) return false;
      if (reasonCode !== null) broker.leave(reasonCode);
      return true;
    },
  };
}

function setUpTold(lines: string[], protocolVersion: 4 | 5 = 5): Setup {
  const log = new LineLogger({ clock: new FakeClock(), level: 'warning', write: (line) => lines.push(line) });
  return setUp({ protocolVersion }, log);
}

for (const direction of ['out', 'in'] as const) {
  for (const qos of [1, 2] as const) {
    test(`QoS ${qos} ${direction}: the one message for which the receiver ends the link is given up, the others come once`, async () => {
      const lines: string[] = [];
      const setup = setUpTold(lines);
      const { local, remote, bridge, clock } = setup;
      const [sender, receiver] = direction === 'out' ? [local, remote] : [remote, local];
      await connect(setup);
      endFor(receiver, ReasonCode.TopicNameInvalid);
      for (const payload of ['1', '2', 'bad', '3', '4']) sender.publish({ topic: 'x', payload, qos });
      await turnUntil(() => isQuiet(setup), clock);
      assert.deepEqual([...new Set(receiver.accepted)], ['x 1', 'x 2', 'x 3', 'x 4']);
      if (qos === 2) assert.equal(receiver.accepted.length, 4);
      assert.equal(bridge.status.rejected, 1);
      assert.ok(lines.some((line) => /message not passed on.*topic=x.*ends the link for it/.test(line)));
      // From then on they go as before: many at a time.
      sender.publish({ topic: 'x', payload: 'after', qos });
      await turnUntil(() => isQuiet(setup), clock);
      receiver.cut();
      await turnUntil(() => bridge.status.state !== 'connected', clock, 0);
      await turnUntil(() => bridge.status.state === 'connected', clock);
      const { properties } = sender.connects.at(-1)!;
      assert.ok((properties.receiveMaximum ?? 0) > 1);
      await bridge.close();
    });
  }
}

test('two of them, one after the other', async () => {
  const setup = setUpTold([]);
  await connect(setup);
  endFor(setup.remote, ReasonCode.PacketTooLarge);
  for (const payload of ['bad 1', 'good 1', 'bad 2', 'good 2'])
    setup.local.publish({ topic: 'x', payload, qos: 2 });
  await turnUntil(() => isQuiet(setup), setup.clock);
  assert.deepEqual(setup.remote.accepted, ['x good 1', 'x good 2']);
  assert.equal(setup.bridge.status.rejected, 2);
  await setup.bridge.close();
});

for (const [what, reasonCode, protocolVersion] of [
  ['a line that is cut', null, 5],
  ['3.1.1, which cannot say why', null, 4],
  ['a broker that shuts down', ReasonCode.ServerShuttingDown, 5],
  ['a broker that has no room', ReasonCode.QuotaExceeded, 5],
] as const) {
  test(`${what} is no reason to give anything up`, async () => {
    const setup = setUpTold([], protocolVersion);
    await connect(setup);
    endFor(setup.remote, reasonCode);
    setup.local.publish({ topic: 'x', payload: 'bad luck', qos: 1 });
    await turnUntil(() => setup.bridge.status.connects >= 10, setup.clock);
    assert.equal(setup.bridge.status.rejected, 0);
    setup.remote.line = null;
    await turnUntil(() => isQuiet(setup), setup.clock);
    assert.deepEqual(setup.remote.accepted, ['x bad luck']);
    await setup.bridge.close();
  });
}

test('an id that was given up and is used for another message is not held against that one', async () => {
  const setup = setUpTold([]);
  const { local, remote, bridge, clock } = setup;
  await connect(setup);
  let ends = 0;
  remote.line = {
    shouldCut: (packet, direction) => {
      if (direction !== 'to-broker' || packet.type !== PacketType.Publish) return false;
      ends++;
      remote.leave(ReasonCode.ProtocolError);
      // Condemned by now; our broker begins again without its sessions, and with other messages.
      if (ends === 3) local.forget();
      return true;
    },
  };
  local.publish({ topic: 'x', payload: 'one', qos: 1 });
  await turnUntil(() => ends === 3, clock);
  remote.line = null;
  local.publish({ topic: 'x', payload: 'two', qos: 1 });
  await turnUntil(() => remote.accepted.length > 0, clock);
  assert.deepEqual(remote.accepted, ['x two']);
  assert.equal(bridge.status.rejected, 0);
  await bridge.close();
});
