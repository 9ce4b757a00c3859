import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, test } from 'node:test';
import * as fc from 'fast-check';
import { FakeClock } from '#base';
import { CommandGate } from '#commands';
import type { Device } from '#model';
import type { UserProperty } from '#mqtt';
import { Decoders } from '#telemetry';
import { hello, id, Platform, reading, Table, topic } from './ingest-platform.ts';

describe('a reading', () => {
  test('becomes one row, one new device, and is acknowledged after the commit', () => {
    const platform = new Platform();
    platform.push(reading(495), null);
    assert.deepEqual([platform.acknowledged, platform.table.batches], [[], []]);
    platform.ingest.flush();
    assert.deepEqual(platform.acknowledged, [0]);
    const [row] = platform.table.rows.values();
    assert.deepEqual(
      [row?.deviceId, row?.metric, row?.value, row?.sequence, row?.quality, row?.topic],
      [id, 'gas', 0, 495, 'uncertain-time', topic],
    );
    const device = platform.table.devices.get(id);
    assert.deepEqual(
      [device?.mac, device?.registration, device?.lastSequence],
      ['5C:CF:7F:14:18:AD', 'new', 495],
    );
    assert.deepEqual(platform.live, platform.table.batches);
  });

  test('that waited an hour for the uplink keeps its hour', () => {
    const platform = new Platform();
    const hourAgo = platform.clock.now() - 3_600_000;
    platform.push(reading(1), platform.stamp(hourAgo));
    platform.ingest.flush();
    const [row] = platform.table.rows.values();
    assert.deepEqual([row?.at, row?.receivedAt, row?.quality], [hourAgo, hourAgo, 'good']);
    const device = platform.registry.get(id) as Device;
    assert.deepEqual(
      [device.lastSeen, platform.registry.state(device, platform.clock.now(), false)],
      [hourAgo, 'silent'],
    );
  });

  test('of a site whose clock runs ahead is dated by its arrival, and says so', () => {
    const platform = new Platform();
    platform.push(reading(1), platform.stamp(platform.clock.now() + 3_600_000));
    platform.ingest.flush();
    const [row] = platform.table.rows.values();
    assert.deepEqual([row?.at, row?.quality], [platform.clock.now(), 'uncertain-time']);
  });

  test('of a device clock is believed within 30 s and no further', () => {
    const platform = new Platform();
    const now = platform.clock.now();
    for (const [seq, at] of [
      [1, now - 30_000],
      [2, now - 30_001],
      [3, now + 30_001],
    ] as const) {
      platform.push(
        JSON.stringify({ seq, at, values: { gas: 0, temperature: 20 } }),
        undefined,
        'davy/v1/home/north/host/reading',
      );
    }
    platform.ingest.flush();
    const gas = [...platform.table.rows.values()].filter(({ metric }) => metric === 'gas');
    assert.deepEqual(
      gas.map(({ at, quality }) => [at - now, quality]),
      [
        [-30_000, 'good'],
        [0, 'good'],
        [0, 'good'],
      ],
    );
    assert.equal(platform.table.rows.size, 6);
  });

  test('that cannot be read is kept with the reason, in the same batch, and acknowledged', () => {
    const platform = new Platform();
    platform.push(reading(1));
    platform.push('x'.repeat(2000), null, 'nobody/knows/this');
    platform.push('995-Gas Sensor IQ');
    platform.ingest.flush();
    assert.equal(platform.table.batches.length, 1);
    assert.deepEqual(
      platform.table.batches[0]?.quarantined.map(({ reason, size, payload }) => [
        reason,
        size,
        payload.length,
      ]),
      [
        ['topic: no decoder knows it', 2000, 1024],
        ['character 16: expected "IP:"', 17, 17],
      ],
    );
    assert.deepEqual(platform.acknowledged, [0, 1, 2]);
    assert.equal(platform.ingest.counts.quarantined, 2);
  });

  test('of one new device too many is kept out by name', () => {
    const platform = new Platform(new Table(), new FakeClock(), 0);
    platform.push(reading(1));
    platform.ingest.flush();
    assert.match(
      platform.table.batches[0]?.quarantined[0]?.reason ?? '',
      /^device 5ccf7f1418ad: 0 new devices wait/,
    );
    assert.equal(platform.table.rows.size, 0);
  });
});

describe('the commit', () => {
  test('comes before the acknowledgements, which keep their order, and the screen comes last', () => {
    const order: string[] = [];
    const platform = new Platform();
    const commit = platform.table.commit.bind(platform.table);
    platform.table.commit = (batch) => {
      order.push('commit');
      commit(batch);
    };
    platform.live.push = () => order.push('live');
    for (let i = 1; i <= 3; i += 1) {
      const payload = Buffer.from(reading(i));
      platform.ingest.push({ topic, payload, properties: null, acknowledge: () => order.push(`ack ${i}`) });
    }
    platform.ingest.flush();
    platform.ingest.flush();
    assert.deepEqual(order, ['commit', 'ack 1', 'ack 2', 'ack 3', 'live']);
  });

  test('is due when the batch is full or its oldest message has waited', () => {
    const platform = new Platform();
    assert.equal(platform.ingest.isPending, false);
    platform.push('nonsense');
    assert.deepEqual([platform.ingest.isPending, platform.ingest.isDue], [true, false]);
    platform.clock.advance(20);
    assert.equal(platform.ingest.isDue, true);
    platform.ingest.flush();
    for (let i = 0; i < 3; i += 1) platform.push('nonsense');
    assert.equal(platform.ingest.isDue, true);
  });

  test('that fails acknowledges nothing; the redelivery to a new process is stored once', () => {
    const clock = new FakeClock();
    const before = new Platform(new Table(), clock);
    const stamps = [1, 2, 3].map(() => before.stamp());
    before.push(reading(1), stamps[0]);
    before.ingest.flush();
    const failure = new Error('disk full');
    before.table.failure = failure;
    before.push(reading(2), stamps[1]);
    before.ingest.flush();
    before.push(reading(3), stamps[2]);
    before.ingest.flush();
    assert.deepEqual([before.acknowledged, before.failures, before.live.length], [[0], [failure], 1]);
    assert.equal(before.ingest.counts.leftToBroker, 2);
    before.table.failure = undefined;
    const after = new Platform(before.table, clock);
    // The first was committed, but the broker may not have learnt of it.
    for (const [index, stamp] of stamps.entries()) after.push(reading(index + 1), stamp);
    after.ingest.flush();
    assert.deepEqual(
      [...after.table.rows.values()].map(({ sequence }) => sequence),
      [1, 2, 3],
    );
    assert.deepEqual(after.acknowledged, [0, 1, 2]);
    assert.deepEqual(after.ingest.counts.redelivered, 1);
  });

  test('takes in what others add', () => {
    const platform = new Platform();
    platform.push(reading(1, 1));
    platform.ingest.flush();
    const approval = platform.registry.approve(id, 'ann', platform.clock.now());
    assert.ok(approval !== undefined);
    platform.ingest.add({ devices: [approval.device], events: [approval.event] });
    const alarmId = platform.alarms.list()[0]?.id ?? '';
    platform.ingest.add(platform.alarms.acknowledge(alarmId, 'ann', '', platform.clock.now()) ?? {});
    platform.ingest.flush();
    assert.equal(platform.table.devices.get(id)?.registration, 'approved');
    assert.deepEqual(platform.table.transitions, ['normal>unacknowledged', 'unacknowledged>acknowledged']);
    assert.equal(platform.table.batches[1]?.alarms[0]?.acknowledgedBy, 'ann');
  });
});

test('a command goes from the ledger through the gate to the detector, and its answer comes back into the batch', () => {
  const platform = new Platform();
  const { clock, ledger } = platform;
  const decoders = new Decoders({ siteAddresses: new Map() });
  const gate = new CommandGate({
    tenant: 'home',
    site: 'north',
    allowed: ['Request'],
    sleepMinimumSeconds: 1,
    sleepMaximumSeconds: 60,
    answerTimeoutMs: 10_000,
    decode: (onTopic, payload, now) => decoders.decode(onTopic, payload, undefined, now),
  });
  platform.push(reading(1));
  platform.ingest.flush();
  const created = ledger.create(platform.registry.get(id) as Device, 'Request', null, 'ann', clock.now());
  assert.ok(typeof created !== 'string');
  platform.ingest.add({ commands: [created.command] });
  const accepted = gate.accept(created.topic, Buffer.from(JSON.stringify(created.request)), clock.now());
  assert.ok(accepted.kind === 'deliver');
  assert.deepEqual(
    [accepted.topic, accepted.payload, accepted.watch],
    ['InTopic/23.17.224.11/192.168.1.11', 'Request', topic],
  );
  const results = [
    gate.onDelivered(accepted.id, 0, clock.now()),
    ...gate.onLegacyMessage(topic, Buffer.from(reading(2, 1, true)), clock.now()),
  ];
  for (const each of results) platform.push(JSON.stringify(each?.result), undefined, each?.topic);
  platform.ingest.flush();
  const command = platform.table.batches.at(-1)?.commands.at(-1);
  assert.deepEqual(
    [command?.id, command?.state, command?.detail],
    [created.command.id, 'answered', 'reading 1'],
  );
  assert.equal(platform.ingest.counts.ignored, 0);
});

test('any restarts and redeliveries: every reading is one row, whatever was acknowledged', () => {
  const step = fc.constantFrom('read', 'read', 'read', 'skip', 'hello', 'flush', 'crash', 'redeliver');
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60, size: 'max' }), (steps) => {
      const clock = new FakeClock();
      let platform = new Platform(new Table(), clock);
      const { table } = platform;
      const sent: {
        readonly text: string;
        readonly boot: number;
        readonly stamp: readonly UserProperty[];
        acknowledged: boolean;
      }[] = [];
      const expected = new Set<string>();
      let boot = 0;
      let sequence = 0;
      let count = 0;
      const push = (message: (typeof sent)[number]): void => {
        const acknowledge = (): void => {
          message.acknowledged = true;
        };
        platform.ingest.push({
          topic,
          payload: Buffer.from(message.text),
          properties: { userProperties: message.stamp },
          acknowledge,
        });
      };
      const send = (text: string): void => {
        clock.advance(1000);
        count += 1;
        const stamp: UserProperty[] = [
          ['davy-site', 'north'],
          ['davy-received', String(clock.now())],
          ['davy-id', `s-${count.toString(36)}`],
        ];
        const message = { text, boot, stamp, acknowledged: false };
        sent.push(message);
        push(message);
      };
      for (const each of steps) {
        if (each === 'read' || each === 'skip') {
          sequence += 1;
          if (each === 'read') {
            expected.add(`${boot}/${sequence}`);
            send(reading(sequence));
          }
        } else if (each === 'hello' && expected.size > 0) {
          boot += 1;
          sequence = 0;
          send(hello);
        } else if (each === 'flush') platform.ingest.flush();
        else if (each === 'redeliver') {
          // Supervision remembers the running epoch and three before.
          for (const message of sent.slice(-12)) if (message.boot >= boot - 3) push(message);
        } else if (each === 'crash') {
          platform = new Platform(table, clock);
          for (const message of sent) if (!message.acknowledged) push(message);
        }
      }
      platform.ingest.flush();
      assert.deepEqual(
        [...table.rows.values()].map((row) => `${row.epoch}/${row.sequence}`).sort(),
        [...expected].sort(),
      );
      assert.ok(sent.every(({ acknowledged }) => acknowledged));
    }),
    { numRuns: 300 },
  );
});

test('docs/life-of-a-reading.md names files and functions that exist', () => {
  const root = new URL('../../', import.meta.url);
  const page = readFileSync(new URL('docs/life-of-a-reading.md', root), 'utf8');
  const steps = [...page.matchAll(/^\| \d+ \|[^|]*\| `([^`]+)` \| `([^`]+)` \|/gm)];
  assert.ok(steps.length >= 10, `${steps.length} steps`);
  for (const [, file = '', name = ''] of steps) {
    const source = readFileSync(new URL(file, root), 'utf8');
    const member = (name.split('.').at(-1) ?? '').replace('#', '');
    const owner = name.includes('.') ? (name.split('.')[0] ?? '') : undefined;
    assert.match(
      source,
      new RegExp(`^\\s*(export )?(function )?(get )?#?${member}\\(`, 'm'),
      `${file} has no ${name}`,
    );
    if (owner !== undefined)
      assert.match(source, new RegExp(`^export class ${owner}\\b`, 'm'), `${file} has no class ${owner}`);
  }
});
