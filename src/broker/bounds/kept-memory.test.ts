import assert from 'node:assert/strict';
import { test } from 'node:test';
import { PacketType, ReasonCode } from '#mqtt';
import { readToml } from '#config';
import { BrokerHarness, wideLimits } from '../../../test/helpers/broker-harness.ts';
import { brokerToFill, memoryBound } from '../../../test/helpers/filled-memory.ts';
import { sysCounter } from '../../../test/helpers/sys-counter.ts';

const address = '192.0.2.5';
const kib = 1024;
const bound = memoryBound;
const stays = { address, cleanStart: false, properties: { sessionExpiry: 1000 } };

test('bound: what outlives its connection; it leaves room, so that those who left lock nobody out', () => {
  const { harness, fill } = brokerToFill();
  const old = harness.connect('old', stays);
  old.subscribe('before', { qos: 1 });
  fill(bound * 0.65);
  const refused = harness.open({ address });
  refused.connect('new', stays);
  const [connack] = refused.received;
  assert.equal(connack?.type === PacketType.Connack && connack.reasonCode, ReasonCode.QuotaExceeded);
  assert.deepEqual(old.subscribe('after', { qos: 1 }), [ReasonCode.QuotaExceeded]);
  assert.deepEqual(old.subscribe('before', { qos: 0 }), [0], 'what is there may change');
  const passing = harness.connect('passing', { address });
  assert.deepEqual(passing.subscribe('after', { qos: 1 }), [1], 'what goes with its connection is taken');
  passing.publish('kept', 'x', { qos: 1, retain: true });
  assert.equal(passing.takeAck(PacketType.Puback).reasonCode, ReasonCode.QuotaExceeded);
  harness.connect('own', { ...stays, address: 'local' });
  assert.equal(sysCounter(harness, 'davylamp/bounds/memory-kept'), 2);
  fill(bound * 0.58);
  assert.deepEqual(
    old.subscribe('after', { qos: 1 }),
    [ReasonCode.QuotaExceeded],
    'a little less is not enough',
  );
  fill(bound * 0.5);
  harness.connect('new', stays);
});

test('a bound that is taken away while the memory is full holds nobody back any more', () => {
  const { harness, fill } = brokerToFill();
  fill(bound * 1.1);
  harness.open({ address }).connect('refused', {});
  assert.equal(harness.broker.statistics.clientsConnected, 0);
  harness.broker.changeLimits({ ...wideLimits, maximumMemory: 0 });
  harness.advance(1000);
  const client = harness.connect('c', stays);
  assert.deepEqual(client.subscribe('t', { qos: 1 }), [1]);
  client.publish('kept', 'x', { qos: 1, retain: true });
  assert.ok(client.takeAck(PacketType.Puback).reasonCode < 0x80);
});

test('what connections hold is not what is kept', () => {
  const { harness, fill } = brokerToFill();
  const client = harness.connect('c', { address });
  Object.assign(client.transport, { uncountedBytes: bound * 0.3 });
  fill(bound * 0.5);
  harness.connect('new', stays);
});

test('bound: absent sessions that hold much of what is kept; the heaviest end when that lasts', () => {
  const { harness, fill } = brokerToFill();
  for (const [id, size, from] of [
    ['light', 1, address],
    ['heavy', 300, address],
    ['bridge of this site', 500, 'local'],
  ] as const) {
    const client = harness.connect(id, { ...stays, address: from });
    client.subscribe(id, { qos: 1 });
    client.breakOff();
    harness.connect('p', { address }).publish(id, Buffer.alloc(size * kib), { qos: 1 });
  }
  fill(bound * 0.75);
  for (let i = 0; i < 28; i++) fill(bound * 0.75);
  assert.equal(harness.broker.statistics.queuedMessages, 3);
  for (let i = 0; i < 3; i++) fill(bound * 0.75);
  assert.equal(harness.broker.statistics.queuedMessages, 2);
  const bridge = harness.connect('bridge of this site', { ...stays, address: 'local' });
  harness.settle();
  assert.equal(bridge.received.length, 1, 'what a bridge has to carry stays');
  assert.equal(sysCounter(harness, 'davylamp/bounds/memory-sessions'), 1);
});

test('bound: retained levels; a topic takes more than its bytes', () => {
  const { harness } = brokerToFill();
  const client = harness.connect('c', { address });
  let kept = 0;
  for (let i = 0; i < 100; i++) {
    client.publish(Array.from({ length: 100 }, (_, level) => `${i}${level}`).join('/'), 'x', {
      qos: 1,
      retain: true,
    });
    if (client.takeAck(PacketType.Puback).reasonCode !== ReasonCode.QuotaExceeded) kept++;
  }
  assert.ok(kept >= 5 && kept <= 20, `${kept} kept`);
  assert.ok(harness.broker.statistics.retainedBytes < 1000, 'by their bytes all would fit');
});

/** As `setUp`, with what is outside of the heap, which the process never gives back. */
function setUpOutside(): {
  harness: BrokerHarness;
  fill: (heapBytes: number, externalBytes: number) => void;
} {
  const use = { heapBytes: 0, externalBytes: 0, heapLimitBytes: 10 * bound };
  let resident = 0;
  const memory = { read: () => use, readResident: () => resident, collect: () => {} };
  const harness = new BrokerHarness({ memory, limits: { maximumMemory: bound, maximumByteRate: 0 } });
  const fill = (heapBytes: number, externalBytes: number): void => {
    Object.assign(use, { heapBytes, externalBytes });
    resident = Math.max(resident, externalBytes);
    harness.advance(1000);
  };
  return { harness, fill };
}

test('outside of the heap there is less room, and the heap has the rest of what was ever taken there', () => {
  const { harness, fill } = setUpOutside();
  const isOpen = (): boolean => harness.broker.mayConnect(address, 'x');
  fill(0, bound * 0.75);
  assert.equal(isOpen(), false, 'below the bound as a whole, but all of it outside');
  fill(0, 0);
  assert.equal(isOpen(), true);
  fill(bound * 0.35, 0);
  assert.equal(isOpen(), true, 'who left locks nobody out');
  fill(bound * 0.45, 0);
  assert.equal(isOpen(), false, 'what was given back is not known to be free for the heap');
});

test('where transports take too much outside of the heap, those end that take most', () => {
  const { harness, fill } = setUpOutside();
  const clients = [100, 200, 300, 200].map((size, i) => {
    const client = harness.connect(`c${i}`, { address });
    Object.assign(client.transport, { uncountedBytes: size * kib });
    return client;
  });
  fill(0, 0);
  assert.deepEqual(
    clients.map((client) => client.isClosed),
    [false, false, true, false],
  );
});

test('many sockets that take nothing share what may wait; a few do not notice', () => {
  const { harness, fill } = setUpOutside();
  const clients = Array.from({ length: 10 }, (_, i) => harness.connect(`d${i}`, { address }));
  for (const client of clients) {
    client.subscribe('t', { qos: 0 });
    client.transport.block();
  }
  const publisher = harness.connect('p');
  publisher.publish('t', Buffer.alloc(20 * kib));
  fill(bound * 0.4, 0);
  publisher.publish('t', Buffer.alloc(kib));
  assert.equal(harness.broker.statistics.dropped['slow-client'], 10);
});

test('what is not acknowledged counts with its properties', () => {
  const harness = new BrokerHarness({ limits: { maximumInflightBytes: 1000 } });
  const silent = harness.connect('silent');
  silent.subscribe('t', { qos: 1 });
  const publisher = harness.connect('p');
  const properties = { userProperties: [['name', 'v'.repeat(2000)]] as [string, string][] };
  for (let packetId = 1; packetId <= 3; packetId++)
    publisher.publish('t', 'x', { qos: 1, packetId, properties });
  assert.equal(silent.received.length, 1);
  assert.ok(harness.broker.statistics.queuedBytes > 4000);
  silent.ack(PacketType.Puback, silent.takePublish().packetId);
  assert.equal(silent.received.length, 1);
});

test('the defaults fit together into 512 MB, in whatever order memory is taken', () => {
  const { limits } = readToml(
    'role = "relay"\nname = "r"\ntenant = "t"\n[[listener]]\nname = "l"\nprotocol = "tcp"\nport = 1883\nallow_anonymous = true\n',
    'r.toml',
    {
      baseFolder: '/',
    },
  ).config;
  const mib = 1024 * kib;
  const { maximumMemory = 0, maximumConnections, maximumRetainedBytes, maximumInflightBytes = 0 } = limits;
  // As measured (scripts/check-memory.ts): the program without its heap, the free part of the heap, and what one turn
  // may take before it is looked at: a part of a fan-out over TLS, and the payloads of a turn.
  const program = 50 * mib;
  const freeHeap = 40 * mib;
  const aTurn = 256 * 130 * kib + 8 * mib;
  assert.ok(program + freeHeap + aTurn + maximumMemory <= 512 * mib, 'heap and all else at the same time');
  assert.ok(maximumConnections * 53 * kib + 33 * mib < maximumMemory * 0.9, 'idle TLS connections');
  assert.ok(maximumRetainedBytes <= maximumMemory * 0.3);
  assert.ok(maximumInflightBytes > 0 && maximumInflightBytes <= maximumMemory / 20);
});
