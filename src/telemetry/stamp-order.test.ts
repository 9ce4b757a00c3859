import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { Device, DeviceMessage } from '#model';
import { id, stamped, start } from '../../test/helpers/device-message.ts';
import { SequenceSupervisor, type RecentReading, type Supervision } from './sequence-supervisor.ts';

const day = 86_400_000;

/** Of the run that begins a day behind; it comes after the other. */
const behind = (count: number, fields: Partial<DeviceMessage> = {}): DeviceMessage =>
  stamped(count, fields, 'r', start - day);

function feed(supervisor: SequenceSupervisor, sequences: readonly number[], from: number): void {
  for (const [index, sequence] of sequences.entries())
    supervisor.observe(id, stamped(from + index, { sequence }));
}

function kinds(results: readonly Supervision[]): string[] {
  return results.map(({ kind, event, epoch }) => `${kind} ${epoch}${event === undefined ? '' : ` ${event}`}`);
}

describe('a site that starts with its clock a day behind', () => {
  const feedBehind = (supervisor: SequenceSupervisor, numbers: number): string[] =>
    kinds(
      Array.from({ length: numbers }, (_, index) =>
        supervisor.observe(id, behind(2 + index, { sequence: index + 1 })),
      ),
    );
  const inNewEpoch = (epoch: number): string[] => Array.from({ length: 10 }, () => `new ${epoch}`);

  /** A device in its second boot: numbers 1 to 20 came in each. */
  function inSecondBoot(): SequenceSupervisor {
    const supervisor = new SequenceSupervisor();
    const numbers = Array.from({ length: 20 }, (_, index) => index + 1);
    feed(supervisor, numbers, 1);
    assert.equal(supervisor.hello(id, stamped(21)), 'new');
    feed(supervisor, numbers, 22);
    return supervisor;
  }

  test('loses no reading of a device that boots with it', () => {
    const supervisor = inSecondBoot();
    assert.equal(supervisor.hello(id, behind(1)), 'new');
    assert.deepEqual(feedBehind(supervisor, 10), inNewEpoch(2));
    // The run before may come again: its stamps are known.
    assert.equal(supervisor.observe(id, stamped(41, { sequence: 20 })).kind, 'redelivered');
    assert.equal(supervisor.hello(id, stamped(21)), 'redelivered');
  });

  test('loses few where the hello is lost: three repeats in a row are a boot', () => {
    const supervisor = inSecondBoot();
    assert.deepEqual(feedBehind(supervisor, 5), [
      'repeat 1 repeat',
      'repeat 1',
      'new 2 reset',
      'new 2',
      'new 2',
    ]);
  });

  test('also behind a restart of the ingest', () => {
    const rows = Array.from({ length: 20 }, (_, index) => [
      row(0, index + 1, index + 1),
      row(1, index + 1, 22 + index),
    ]);
    const supervisor = new SequenceSupervisor();
    supervisor.restore(
      { id, epoch: 1, lastSequence: 20, lastSeen: start + 41_000, counts: noCounts } as unknown as Device,
      rows.flat(),
    );
    assert.equal(supervisor.hello(id, behind(1)), 'new');
    assert.deepEqual(feedBehind(supervisor, 10), inNewEpoch(2));
  });

  test('says nothing about another site: there the time decides', () => {
    const supervisor = inSecondBoot();
    const elsewhere = { topic: 'outTopic/other/b', site: 'south' };
    assert.equal(supervisor.hello(id, behind(1, elsewhere)), 'redelivered');
    assert.equal(
      supervisor.hello(id, behind(1, { ...elsewhere, stampId: 'q-1', receivedAt: start + day })),
      'new',
    );
    // Back at the first site, whose run is the same as before.
    assert.equal(supervisor.hello(id, stamped(1, { stampId: 's-zz', receivedAt: start + 2 * day })), 'new');
  });

  function row(epoch: number, sequence: number, count: number): RecentReading {
    const { stampId, receivedAt, topic } = stamped(count);
    return { epoch, sequence, stampId, receivedAt, topic };
  }
});

const noCounts = { missing: 0, repeated: 0, redelivered: 0, resets: 0 };
