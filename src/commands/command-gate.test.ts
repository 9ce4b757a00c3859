import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import * as fc from 'fast-check';
import type { CommandRequest, Decoded, DeviceId } from '#model';
import { CommandGate, type Acceptance, type CommandGateOptions } from './command-gate.ts';

const start = 1_700_000_000_000;
const topic = 'davy/v1/home/north/5ccf7f1418ad/command/Request';
const sleepTopic = 'davy/v1/home/north/5ccf7f1418ad/command/Sleep';
const outTopic = 'outTopic/a/b';

/** Reads `[R]<sequence>:<value>[@<device>]`: what is under test is the gate, not the detectors' grammar. */
function decode(onTopic: string, payload: Buffer, now: number): Decoded {
  const match = /^(R?)(\d+):([01])(?:@(\w+))?$/.exec(payload.toString());
  if (match === null) return { kind: 'unreadable', reason: 'test' };
  const [, requested, sequence, value, device = '5ccf7f1418ad'] = match;
  return {
    kind: 'readings',
    message: {
      protocol: 'legacy',
      deviceId: device as DeviceId,
      mac: null,
      macSent: null,
      ip: null,
      sensorType: 'Gas',
      site: 'a',
      topic: onTopic,
      commandTopic: null,
      sequence: Number(sequence),
      bootId: undefined,
      requested: requested === 'R',
      deviceTime: undefined,
      receivedAt: now,
      stampId: '',
    },
    values: [{ metric: 'gas', value: Number(value), unit: '1' }],
  };
}

function createGate(changes: Partial<CommandGateOptions> = {}): CommandGate {
  return new CommandGate({
    tenant: 'home',
    site: 'north',
    allowed: ['Request', 'Sleep'],
    sleepMinimumSeconds: 0.01,
    sleepMaximumSeconds: 3600,
    answerTimeoutMs: 10_000,
    decode,
    ...changes,
  });
}

const request: CommandRequest = {
  id: '0'.repeat(31) + '1',
  name: 'Request',
  seconds: null,
  topic: 'InTopic/a/b',
  by: 'ann',
  at: start,
  expiresAt: start + 30_000,
};

function sleep(seconds: number, id = request.id): CommandRequest {
  return { ...request, id, name: 'Sleep', seconds };
}

function accept(gate: CommandGate, payload: unknown, onTopic = topic, now = start): Acceptance {
  return gate.accept(onTopic, Buffer.isBuffer(payload) ? payload : Buffer.from(JSON.stringify(payload)), now);
}

function speak(gate: CommandGate, text: string, at: number, onTopic = outTopic): string[] {
  return gate
    .onLegacyMessage(onTopic, Buffer.from(text), start + at)
    .map(({ result }) => `${result.state}: ${result.detail}`);
}

describe('what is let in', () => {
  test('a Request goes to the topic that the detector listens on', () => {
    assert.deepEqual(accept(createGate(), request), {
      kind: 'deliver',
      id: request.id,
      topic: 'InTopic/a/b',
      payload: 'Request',
      watch: 'outTopic/a/b',
    });
  });

  test('a Sleep is written in plain decimal', () => {
    for (const [seconds, payload] of [
      [5, 'Sleep5-'],
      [0.01, 'Sleep0.01-'],
      [10, 'Sleep10-'],
      [0.1 + 0.2, 'Sleep0.3-'],
      [3600, 'Sleep3600-'],
      [1.5, 'Sleep1.5-'],
    ] as const) {
      const accepted = accept(createGate(), sleep(seconds), sleepTopic);
      assert.equal(accepted.kind === 'deliver' ? accepted.payload : accepted.kind, payload);
    }
  });
});

describe('what is kept out', () => {
  const refused: readonly (readonly [name: string, request: object, detail: RegExp, onTopic?: string])[] = [
    ['another name than the topic', sleep(5), /^the topic says Request, the command Sleep$/],
    ['an unknown name', { ...request, name: 'Reboot' }, /^name: expected one of Request, Sleep$/],
    ['a Request with seconds', { ...request, seconds: 5 }, /^seconds: expected null/],
    ['a Sleep without seconds', { ...sleep(5), seconds: null }, /^seconds: expected a number/, sleepTopic],
    ['a Sleep too short', sleep(0.001), /^Sleep is allowed from 0.01 to 3600 s$/, sleepTopic],
    ['a Sleep too long', sleep(3601), /^Sleep is allowed/, sleepTopic],
    ['a negative Sleep', sleep(-5), /^Sleep is allowed/, sleepTopic],
    ['another topic tree', { ...request, topic: 'outTopic/a/b' }, /^topic: expected InTopic/],
    ['a wildcard +', { ...request, topic: 'InTopic/+/b' }, /^topic: expected InTopic/],
    ['a wildcard #', { ...request, topic: 'InTopic/a/#' }, /^topic: expected InTopic/],
    ['two levels', { ...request, topic: 'InTopic/a' }, /^topic: expected InTopic/],
    ['four levels', { ...request, topic: 'InTopic/a/b/c' }, /^topic: expected InTopic/],
    ['an empty level', { ...request, topic: 'InTopic//b' }, /^topic: expected InTopic/],
    ['a control character', { ...request, topic: 'InTopic/a/b\n' }, /^topic: expected InTopic/],
    ['a long level', { ...request, topic: `InTopic/a/${'b'.repeat(65)}` }, /^topic: expected InTopic/],
    ['no person', { ...request, by: undefined }, /^by: expected a name$/],
    ['a time as text', { ...request, at: 'now' }, /^at: expected/],
    ['no expiry', { ...request, expiresAt: null }, /^expiresAt: expected/],
    ['one whose time is over', { ...request, expiresAt: start - 1 }, /^it came too late/],
    ['one for later', { ...request, expiresAt: start + 3_600_001 }, /^it is valid for more than an hour$/],
    [
      'one from the future',
      { ...request, at: start + 9_000_000, expiresAt: start + 9_030_000 },
      /^it is valid for more than an hour$/,
    ],
  ];
  for (const [name, payload, detail, onTopic = topic] of refused) {
    test(name, () => {
      const gate = createGate();
      const accepted = accept(gate, payload, onTopic);
      assert.ok(accepted.kind === 'refuse', accepted.kind);
      assert.match(accepted.result.detail, detail);
      assert.deepEqual(
        [accepted.resultTopic, accepted.result.state, accepted.result.id],
        [`${onTopic}/result`, 'refused', request.id],
      );
      assert.equal(gate.counts.refused, 1);
      assert.deepEqual(speak(gate, 'R1:0', 1), [], 'nothing is waited for');
    });
  }

  test('a command that this site does not allow', () => {
    const accepted = accept(createGate({ allowed: ['Request'] }), sleep(5), sleepTopic);
    assert.ok(accepted.kind === 'refuse');
    assert.equal(accepted.result.detail, 'Sleep is not allowed at site north');
  });

  test('what has no id cannot even be answered', () => {
    const gate = createGate();
    const payloads = [
      null,
      [],
      'x',
      {},
      { ...request, id: 'A'.repeat(32) },
      { ...request, id: 5 },
      Buffer.from('{'),
      Buffer.from([0xff]),
      Buffer.alloc(2049, ' '),
    ];
    for (const payload of payloads) assert.equal(accept(gate, payload).kind, 'unreadable');
    assert.equal(gate.counts.unreadable, payloads.length);
  });

  test('topics of other sites, of results and of everything else are none of its business', () => {
    const gate = createGate();
    for (const onTopic of [
      `${topic}/result`,
      'davy/v1/home/south/5ccf7f1418ad/command/Request',
      'davy/v1/other/north/5ccf7f1418ad/command/Request',
      'davy/v1/home/north/5ccf7f1418ad/command/Reboot',
      'davy/v1/home/north/5ccf7f1418ad/command/Request/x',
      'davy/v1/home/north/.x/command/Request',
      'InTopic/a/b',
    ]) {
      assert.deepEqual(accept(gate, request, onTopic), { kind: 'ignored' }, onTopic);
    }
  });

  test('the same id again, also after the end and in another body; of the last thousand', () => {
    const gate = createGate();
    assert.equal(accept(gate, request).kind, 'deliver');
    assert.deepEqual(accept(gate, request), { kind: 'replay', id: request.id });
    assert.deepEqual(accept(gate, { id: request.id }), { kind: 'replay', id: request.id });
    speak(gate, 'R1:0', 1);
    for (let i = 2; i <= 1000; i += 1) {
      accept(gate, { ...request, id: i.toString(16).padStart(32, '0'), name: 'Reboot' });
    }
    assert.deepEqual(accept(gate, request), { kind: 'replay', id: request.id });
    assert.equal(gate.counts.replayed, 3);
  });

  test('more than it can wait for', () => {
    const gate = createGate();
    const ids = Array.from({ length: 1001 }, (_, i) => (i + 1).toString(16).padStart(32, '0'));
    const last = ids.map((id) => accept(gate, { ...request, id })).at(-1);
    assert.ok(last?.kind === 'refuse');
    assert.match(last.result.detail, /^1000 commands wait/);
  });

  test('any JSON gets an answer', () => {
    fc.assert(
      fc.property(
        fc.oneof(
          fc.json(),
          fc.record({
            ...Object.fromEntries(Object.keys(request).map((key) => [key, fc.jsonValue()])),
            id: fc.constant(request.id),
          }),
        ),
        (payload) => {
          assert.notEqual(
            accept(createGate(), typeof payload === 'string' ? Buffer.from(payload) : payload).kind,
            'deliver',
          );
        },
      ),
    );
  });
});

describe('what becomes of it', () => {
  test('delivered when the broker found a subscriber, refused when nobody listens', () => {
    const gate = createGate();
    accept(gate, request);
    const delivered = gate.onDelivered(request.id, 0, start + 1);
    assert.deepEqual([delivered?.topic, delivered?.result.state], [`${topic}/result`, 'delivered']);
    assert.equal(gate.onDelivered(request.id, 0, start + 2), undefined);
    for (const [code, detail] of [
      [0x10, 'no detector listens on InTopic/a/b'],
      [0x87, "the site's broker refused it: not authorized"],
    ] as const) {
      const other = createGate();
      accept(other, request);
      assert.deepEqual(other.onDelivered(request.id, code, start)?.result, {
        id: request.id,
        state: 'refused',
        detail,
        at: start,
      });
      assert.deepEqual(speak(other, 'R1:0', 1), []);
    }
    assert.equal(gate.onDelivered('f'.repeat(32), 0, start), undefined);
  });

  test('a Request is answered by the requested reading of that device, once', () => {
    const gate = createGate();
    accept(gate, request);
    assert.deepEqual(speak(gate, '7:1', 1), []);
    assert.deepEqual(speak(gate, 'R8:1@ffffffffffff', 2), []);
    assert.deepEqual(speak(gate, 'R8:1', 2, 'outTopic/a/c'), []);
    assert.deepEqual(speak(gate, 'nonsense', 2), []);
    assert.deepEqual(speak(gate, 'R8:1', 3), ['answered: reading 1']);
    assert.deepEqual(speak(gate, 'R9:1', 4), []);
  });

  test('two Requests want two answers', () => {
    const gate = createGate();
    accept(gate, request);
    accept(gate, { ...request, id: '0'.repeat(31) + '2' });
    assert.equal(speak(gate, 'R1:0', 1).length, 1);
    assert.equal(speak(gate, 'R2:0', 2).length, 1);
    assert.equal(speak(gate, 'R3:0', 3).length, 0);
  });

  test('a Sleep is answered when two readings that follow each other are the asked interval apart', () => {
    const gate = createGate();
    accept(gate, sleep(5), sleepTopic);
    assert.deepEqual(speak(gate, '1:0', 0), []);
    assert.deepEqual(speak(gate, '2:0', 1000), []);
    assert.deepEqual(speak(gate, 'R3:0', 2000), []);
    assert.deepEqual(speak(gate, '5:0', 7000), [], 'one is missing in between');
    assert.deepEqual(speak(gate, '6:0', 13_100), [], '6.1 s are beyond 20 %');
    assert.deepEqual(speak(gate, '7:0', 19_000), ['answered: readings now every 5 s']);
  });

  test('a very short Sleep may be off by 50 ms', () => {
    for (const [gap, count] of [
      [60, 1],
      [61, 0],
    ] as const) {
      const gate = createGate();
      accept(gate, sleep(0.01), sleepTopic);
      speak(gate, '1:0', 0);
      assert.equal(speak(gate, '2:0', gap).length, count);
    }
  });

  test('without an answer it expires, later when it was delivered and its readings take long', () => {
    const gate = createGate();
    accept(gate, request);
    assert.deepEqual(gate.tick(start + 10_000), []);
    assert.deepEqual(
      gate.tick(start + 10_001).map(({ result }) => [result.state, result.detail]),
      [['expired', "the site's broker did not take it"]],
    );
    const slow = createGate();
    accept(slow, sleep(60), sleepTopic);
    slow.onDelivered(request.id, 0, start + 1000);
    assert.deepEqual(slow.tick(start + 1000 + 10_000 + 180_000), []);
    const [expired] = slow.tick(start + 1001 + 10_000 + 180_000);
    assert.equal(expired?.result.detail, 'delivered, but the detector did not answer');
    assert.deepEqual(slow.tick(start + 9e9), []);
  });
});
