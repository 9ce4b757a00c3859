/**
 * The chain under faults: what was acknowledged at the site is in the table once, in order, whichever process was killed
 * and whichever link was cut. `npm run soak` does the same for as long as it is told.
 */
import assert from 'node:assert/strict';
import process from 'node:process';
import { describe, it } from 'node:test';
import { runFaults } from './run-faults.ts';

const seed = Number(process.env['FAULT_SEED'] ?? Date.now() % 1_000_000);
const seconds = Number(process.env['FAULT_SECONDS'] ?? 60);

describe('the chain under faults', () => {
  for (const qos of [1, 2] as const) {
    it(`loses nothing that was acknowledged at QoS ${qos}`, { timeout: 580_000 }, async (test) => {
      test.diagnostic(`seed ${seed}; FAULT_SEED=${seed} plays the same schedule again`);
      const report = await runFaults({
        seed: seed + qos,
        seconds,
        qos,
        rate: 200,
        detectors: 10,
        say: (line) => test.diagnostic(line),
      });
      test.diagnostic(
        `${report.faults} faults, ${report.sent} sent, ${report.acknowledged} acknowledged, ${report.rows} rows`,
      );
      assert.deepEqual(report.broken, []);
      assert.ok(report.acknowledged > 0);
    });
  }
});
