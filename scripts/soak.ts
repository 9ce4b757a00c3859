/**
 * Strikes the chain with faults for as long as it is told, and compares what was acknowledged with what was stored.
 *   npm run soak -- [--minutes 60] [--seed N] [--qos 1|2] [--rate 200] [--detectors 10] [--round 300]
 * Each round is a chain of its own with the next seed, so that a seed that fails can be played again alone.
 */
import process from 'node:process';
import { parseArgs } from 'node:util';
import { runFaults } from '../test/faults/run-faults.ts';

const { values } = parseArgs({
  options: {
    minutes: { type: 'string', default: '60' },
    seed: { type: 'string', default: String(Date.now() % 1_000_000) },
    qos: { type: 'string', default: '' },
    rate: { type: 'string', default: '200' },
    detectors: { type: 'string', default: '10' },
    round: { type: 'string', default: '300' },
  },
});

const until = performance.now() + Number(values.minutes) * 60_000;
let seed = Number(values.seed);
let total = 0;
for (let round = 1; performance.now() < until && process.exitCode === undefined; round++, seed++) {
  const qos = values.qos === '' ? (round % 2 === 0 ? 2 : 1) : Number(values.qos) === 2 ? 2 : 1;
  const seconds = Math.min(Number(values.round), (until - performance.now()) / 1000);
  console.log(`round ${round}: seed ${seed}, QoS ${qos}, ${Math.round(seconds)} s`);
  const report = await runFaults({
    seed,
    seconds,
    qos,
    rate: Number(values.rate),
    detectors: Number(values.detectors),
    say: (line) => console.log(`  ${line}`),
  });
  total += report.acknowledged;
  console.log(
    `  ${report.faults} faults, ${report.sent} sent, ${report.acknowledged} acknowledged, ${report.rows} rows`,
  );
  for (const line of report.broken) console.log(`  BROKEN ${line}`);
  if (report.broken.length > 0) process.exitCode = 1;
}
console.log(
  process.exitCode === 1
    ? `FAILED; play it again with --seed ${seed - 1}`
    : `nothing lost, nothing doubled: ${total} acknowledged messages`,
);
