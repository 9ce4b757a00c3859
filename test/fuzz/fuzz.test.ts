import assert from 'node:assert/strict';
import process from 'node:process';
import { test } from 'node:test';
import { encodePacket, PacketType, type Packet } from '#mqtt';
import { publishPacket } from '../helpers/broker-harness.ts';
import { runPeerCases } from './client-case.ts';
import { replay } from './fuzz-case.ts';
import { FuzzPeer } from './fuzz-peer.ts';
import { runProcesses } from './fuzz-processes.ts';
import { FuzzWorld } from './fuzz-world.ts';
import { faultOf, formatCase, parseCase } from './minimize.ts';
import { playProxyCases } from './proxy-case.ts';
import { runCases } from './run-cases.ts';

const seed = Number(process.env['SEED'] ?? Date.now() % 1_000_000_000);
console.log(`seed: ${seed}`);

const cases = 8000;
const peerCases = 1000;
/** A slow machine does fewer cases, not none. */
const fewestCases = 100;

test('no sequence of packets hurts the broker or anybody else', async () => {
  const report = await runCases({ seed, cases, timeMs: 18_000 });
  console.log(
    `counted: ${report.cases} cases of ${report.operations} steps against ${report.worlds} brokers`,
  );
  assert.equal(report.failure, null);
  assert.ok(report.cases >= fewestCases, `only ${report.cases} cases`);
});

test('a broker that answers with anything at all hurts neither our client nor our bridge', async () => {
  assert.equal(await runPeerCases(seed, peerCases), null);
});

test('what a proxy says of its client, whatever it is, is read the same way in any pieces', () => {
  assert.equal(playProxyCases(seed, 5000), null);
});

test('a fault that the broker only logs is found', async () => {
  using world = new FuzzWorld(1);
  world.broker.hooks.onClientConnected.push(() => {
    throw new Error('planted');
  });
  const { operations } = parseCase('world 1\n0 opens open\n0 > 101000044d5154540402000000046e616d65');
  await assert.rejects(replay(world, operations), /a hook failed: planted/);
});

test('a case that is written down is the same case when it is read', async () => {
  const script = [
    'world 7',
    '0 opens open',
    '0 >> 1010',
    '0 > 00044d5154540402000000046e616d65',
    '0 block',
    'end',
    '0 opens ruled',
    'disk failed',
    'memory 95',
    'crowd 38',
    'manage review',
    'end',
    '0 opens inside',
    'commit 3',
    'advance 1000',
    '0 unblock',
    '0 > c000',
    '0 break',
  ].join('\n');
  const { worldSeed, operations } = parseCase(script);
  assert.equal(formatCase(worldSeed, operations), script);
  assert.equal(await faultOf(worldSeed, operations), null);
});

test('a run in two processes plays its cases once, and tells the sums', async () => {
  const plan = { processes: 2, seed, timeMs: Infinity, onProgress: () => {}, onFault: () => {} };
  const {
    cases: played,
    peerCases: peers,
    worlds,
    failure,
  } = await runProcesses({ ...plan, first: 0, cases: 502 });
  assert.equal(failure, null);
  assert.deepEqual([played, peers, worlds], [502, 2, 4]);
});

const accepted: Packet = { type: PacketType.Connack, sessionPresent: false, reasonCode: 0, properties: {} };
const message = publishPacket('a', 'x', { qos: 1, packetId: 1 });
const wrongAnswers: readonly { readonly fault: RegExp; readonly packets: readonly Packet[] }[] = [
  { fault: /before CONNACK/, packets: [message] },
  { fault: /a packet id twice in flight/, packets: [accepted, message, message] },
  { fault: /more in flight than 1/, packets: [accepted, message, { ...message, packetId: 2 }] },
  { fault: /to a client that takes 40/, packets: [accepted, publishPacket('a', 'x'.repeat(40))] },
  { fault: /PINGRESP without PINGREQ/, packets: [accepted, { type: PacketType.Pingresp }] },
  { fault: /PUBLISH to no topic name/, packets: [accepted, publishPacket('a/#', 'x')] },
  { fault: /closed without DISCONNECT/, packets: [accepted] },
];

test('the fuzzer knows a broker that goes wrong', () => {
  for (const { fault, packets } of wrongAnswers) {
    const peer = new FuzzPeer('local');
    // Receive maximum 1, maximum packet size 40.
    peer.send(Buffer.from('101600044d51545405020000082100012700000028000163', 'hex'));
    for (const packet of packets) peer.transport.write(encodePacket(packet, 5));
    peer.transport.end();
    peer.checkEnd();
    assert.match(peer.fault ?? 'nothing', fault);
  }
});
