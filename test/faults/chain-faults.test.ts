/**
 * The chain under faults of each kind: what was acknowledged at the site is in the table once, in order, and at QoS 2
 * delivered once. `npm run soak` does the same for as long as it is told.
 */
import assert from 'node:assert/strict';
import process from 'node:process';
import { test } from 'node:test';
import { faultKinds } from './fault-kinds.ts';

const { FAULT_SEED, FAULT_SECONDS, FAULT_KINDS = '' } = process.env;
const firstSeed = Number(FAULT_SEED ?? Date.now() % 1_000_000);

for (const kind of faultKinds) {
  if (FAULT_KINDS !== '' && !FAULT_KINDS.split(',').includes(kind.name)) continue;
  const whyNot = await kind.whyNot();
  for (const qos of [1, 2] as const) {
    const options = { timeout: 580_000, skip: whyNot ?? false };
    test(`nothing is lost at QoS ${qos}: ${kind.title}`, options, async (context) => {
      const seed = firstSeed + qos;
      const again = `FAULT_SEED=${firstSeed} FAULT_KINDS=${kind.name}`;
      context.diagnostic(`seed: ${kind.name}, QoS ${qos}: ${again} plays the same schedule again`);
      const report = await kind.run({
        seed,
        seconds: Number(FAULT_SECONDS ?? kind.seconds),
        qos,
        rate: kind.rate,
        detectors: 10,
        say: (line) => context.diagnostic(line),
      });
      const { faults, sent, acknowledged, rows } = report;
      context.diagnostic(
        `counted: ${kind.name}, QoS ${qos}: ${faults} faults, ${sent} sent, ${acknowledged} acknowledged, ${rows} rows`,
      );
      assert.deepEqual(report.broken, []);
      assert.ok(acknowledged > 0);
    });
  }
}
