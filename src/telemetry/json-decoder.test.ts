import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import * as fc from 'fast-check';
import type { Decoded } from '#model';
import { Decoders } from './decoders.ts';

const topic = 'davy/v1/home/north/host/reading';
const now = 1_700_000_000_000;
const decoders = new Decoders({ siteAddresses: new Map() });

function decode(payload: unknown, onTopic = topic, site = 'north'): Decoded {
  const bytes = Buffer.isBuffer(payload)
    ? payload
    : Buffer.from(typeof payload === 'string' ? payload : JSON.stringify(payload));
  return decoders.decode(onTopic, bytes, { site, receivedAt: now - 5, id: 'a-1' }, now);
}

function reasonOf(decoded: Decoded): string {
  assert.equal(decoded.kind, 'unreadable');
  return decoded.kind === 'unreadable' ? decoded.reason : '';
}

test('a native reading is read', () => {
  const decoded = decode({
    seq: 12,
    boot: 'k3j2',
    at: now - 10,
    type: 'host',
    values: { cpu_load: { value: 0.31, unit: '1' }, temperature: { value: 48.2, unit: 'Cel' }, plain: -3 },
    later: 'a field of another version',
  });
  assert.deepEqual(decoded, {
    kind: 'readings',
    message: {
      protocol: 'json',
      deviceId: 'north.host',
      mac: null,
      macSent: null,
      ip: null,
      sensorType: 'host',
      site: 'north',
      topic,
      commandTopic: null,
      sequence: 12,
      bootId: 'k3j2',
      requested: false,
      deviceTime: now - 10,
      receivedAt: now - 5,
      stampId: 'a-1',
    },
    values: [
      { metric: 'cpu_load', value: 0.31, unit: '1' },
      { metric: 'temperature', value: 48.2, unit: 'Cel' },
      { metric: 'plain', value: -3, unit: '' },
    ],
  });
});

test('only values must be there', () => {
  const decoded = decode({ values: { gas: 0 } });
  assert.ok(decoded.kind === 'readings');
  const { sequence, bootId, deviceTime, sensorType } = decoded.message;
  assert.deepEqual([sequence, bootId, deviceTime, sensorType], [undefined, undefined, undefined, 'sensor']);
});

describe('what is not as it must be is unreadable, and the reason names it', () => {
  const many = Object.fromEntries(Array.from({ length: 65 }, (_, i) => [`m${i}`, i]));
  const cases: readonly (readonly [name: string, payload: unknown, reason: RegExp])[] = [
    ['nothing', '', /^payload: expected JSON$/],
    ['no JSON', '{"values":', /^payload: expected JSON$/],
    ['no UTF-8', Buffer.from([0x7b, 0xff, 0x7d]), /^payload: expected UTF-8$/],
    ['a list', '[]', /^payload: expected a JSON object$/],
    ['null', 'null', /^payload: expected a JSON object$/],
    ['too long', `{"values":{"a":1}${' '.repeat(16_384)}}`, /^16\d{3} bytes: expected at most 16384$/],
    ['deep nesting', '['.repeat(8_000), /^payload: expected JSON$/],
    ['no values', {}, /^values: expected an object/],
    ['values as a list', { values: [1] }, /^values: expected an object/],
    ['no value at all', { values: {} }, /^values: expected 1 to 64, found 0$/],
    ['65 values', { values: many }, /^values: expected 1 to 64, found 65$/],
    ['a text as value', { values: { gas: '1' } }, /^values\.gas: expected a finite number$/],
    ['null as value', { values: { gas: null } }, /^values\.gas: expected a finite number$/],
    ['an infinite value', '{"values":{"gas":1e999}}', /^values\.gas: expected a finite number$/],
    ['an entry without value', { values: { gas: { unit: '1' } } }, /^values\.gas: expected a finite number$/],
    ['a list as entry', { values: { gas: [1] } }, /^values\.gas: expected a finite number$/],
    ['a long unit', { values: { gas: { value: 1, unit: 'x'.repeat(17) } } }, /^values\.gas\.unit: /],
    ['a number as unit', { values: { gas: { value: 1, unit: 1 } } }, /^values\.gas\.unit: /],
    ['__proto__ as name', '{"values":{"__proto__":1}}', /^values: "__proto__": expected a letter/],
    ['an empty name', { values: { '': 1 } }, /^values: "": expected a letter/],
    ['a long name', { values: { ['m'.repeat(65)]: 1 } }, /^values: "m{40}…": expected/],
    ['a negative seq', { seq: -1, values: { gas: 0 } }, /^seq: expected/],
    ['a broken seq', { seq: 1.5, values: { gas: 0 } }, /^seq: expected/],
    ['a seq as text', { seq: '1', values: { gas: 0 } }, /^seq: expected/],
    ['null as seq', { seq: null, values: { gas: 0 } }, /^seq: expected/],
    ['a seq beyond 2^53', '{"seq":9007199254740993,"values":{"gas":0}}', /^seq: expected/],
    ['a boot with a space', { boot: 'a b', values: { gas: 0 } }, /^boot: expected/],
    ['a long boot', { boot: 'b'.repeat(33), values: { gas: 0 } }, /^boot: expected/],
    ['a time as text', { at: '2026', values: { gas: 0 } }, /^at: expected/],
    ['microseconds', { at: now * 1000, values: { gas: 0 } }, /^at: expected/],
    ['a type with a slash', { type: 'a/b', values: { gas: 0 } }, /^type: expected/],
  ];
  for (const [name, payload, reason] of cases) {
    test(name, () => assert.match(reasonOf(decode(payload)), reason));
  }

  const topics: readonly (readonly [onTopic: string, reason: RegExp])[] = [
    ['davy/v1/home/north/reading', /^topic: expected davy\/v1\//],
    ['davy/v1/home/north/host/x/reading', /^topic: expected davy\/v1\//],
    ['davy/v1/home//host/reading', /^topic level "": expected/],
    ['davy/v1/home/north/.host/reading', /^topic level "\.host": expected/],
    ['davy/v1/home/south/host/reading', /^topic: names site south, but site north took the message$/],
    ['davy/v2/home/north/host/reading', /^topic: no decoder knows it$/],
    ['davy/v1/home/north/host/gossip', /^topic: no decoder knows it$/],
  ];
  for (const [onTopic, reason] of topics) {
    test(`topic ${onTopic}`, () => assert.match(reasonOf(decode({ values: { gas: 0 } }, onTopic)), reason));
  }
});

test('topics that carry no telemetry are left to others', () => {
  for (const leaf of [
    'state',
    'event',
    'command/Request',
    'command/Sleep/result',
    'config/desired',
    'command/reading',
  ]) {
    assert.deepEqual(decode('', `davy/v1/home/north/5ccf7f1418ad/${leaf}`), { kind: 'ignored' }, leaf);
  }
  assert.deepEqual(decode('', '$SYS/broker/uptime'), { kind: 'ignored' });
});

test('any JSON and any bytes give an answer', () => {
  fc.assert(
    fc.property(
      fc.oneof(
        fc.json(),
        fc.json().map((text) => `{"values":${text}}`),
      ),
      (text) => {
        const decoded = decode(text);
        if (decoded.kind !== 'readings') return assert.equal(decoded.kind, 'unreadable');
        for (const { value } of decoded.values) assert.ok(Number.isFinite(value));
      },
    ),
  );
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 100 }), (bytes) =>
      assert.equal(decode(Buffer.from(bytes)).kind, 'unreadable'),
    ),
  );
});
