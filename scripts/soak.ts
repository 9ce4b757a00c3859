/**
 * Strikes the chain with faults for as long as it is told, and compares what was acknowledged with what was stored.
 *   npm run soak -- [--minutes 60] [--seed N] [--qos 1|2] [--rate 200] [--detectors 10] [--round 300]
 *     [--faults chain,network,clocks,journal]
 *   npm run soak -- --outage [--messages 3600000] [--rate 1000]
 * Each round is a chain of its own with the next seed and the next kind of faults, so that a seed that fails can be played
 * again alone. `--outage`: so many messages gather at the site and are drained while live ones go on.
 */
import process from 'node:process';
import { parseArgs } from 'node:util';
import { faultKinds, type FaultKind } from '../test/faults/fault-kinds.ts';
import { outageLines, runOutage } from '../test/faults/outage.ts';

const { values } = parseArgs({
  options: {
    minutes: { type: 'string', default: '60' },
    seed: { type: 'string', default: String(Date.now() % 1_000_000) },
    qos: { type: 'string', default: '' },
    rate: { type: 'string' },
    detectors: { type: 'string', default: '10' },
    round: { type: 'string', default: '300' },
    faults: { type: 'string', default: 'chain,network,clocks,journal' },
    outage: { type: 'boolean', default: false },
    messages: { type: 'string', default: '3600000' },
  },
});

const say = (line: string): void => console.log(`  ${line}`);
if (values.outage) await soakOutage();
else await soakFaults(await chosenKinds());

async function chosenKinds(): Promise<readonly FaultKind[]> {
  const chosen: FaultKind[] = [];
  for (const name of values.faults.split(',')) {
    const kind = faultKinds.find((one) => one.name === name);
    if (kind === undefined)
      throw new Error(`--faults ${name}: known here are ${faultKinds.map((one) => one.name).join(', ')}`);
    const whyNot = await kind.whyNot();
    if (whyNot === null) chosen.push(kind);
    else console.log(`SKIPPED: ${name}: ${whyNot}`);
  }
  if (chosen.length === 0) throw new Error('none of these faults can be made here');
  return chosen;
}

async function soakFaults(chosen: readonly FaultKind[]): Promise<void> {
  const until = performance.now() + Number(values.minutes) * 60_000;
  let total = 0;
  for (let round = 0; performance.now() < until; round++) {
    const seed = Number(values.seed) + round;
    const kind = chosen[round % chosen.length]!;
    const turn = Math.floor(round / chosen.length) % 2 === 0 ? 1 : 2;
    const qos = values.qos === '' ? turn : Number(values.qos) === 2 ? 2 : 1;
    const seconds = Math.min(Number(values.round), (until - performance.now()) / 1000);
    console.log(`round ${round + 1}: ${kind.name}, seed ${seed}, QoS ${qos}, ${Math.round(seconds)} s`);
    const rate = Number(values.rate ?? kind.rate);
    const report = await kind.run({ seed, seconds, qos, rate, detectors: Number(values.detectors), say });
    const { faults, sent, acknowledged, rows, broken } = report;
    total += acknowledged;
    say(`${faults} faults, ${sent} sent, ${acknowledged} acknowledged, ${rows} rows`);
    for (const line of broken) say(`BROKEN ${line}`);
    if (broken.length === 0) continue;
    console.log(`FAILED; play it again with --seed ${seed} --faults ${kind.name} --qos ${qos}`);
    process.exitCode = 1;
    return;
  }
  console.log(`nothing lost, nothing doubled: ${total} acknowledged messages`);
}

async function soakOutage(): Promise<void> {
  const report = await runOutage({
    messages: Number(values.messages),
    liveRate: Number(values.rate ?? 1000),
    say,
  });
  for (const line of [...outageLines(report), ...report.broken.map((line) => `BROKEN ${line}`)]) say(line);
  console.log(report.broken.length === 0 ? 'nothing lost, nothing doubled' : 'FAILED');
  if (report.broken.length > 0) process.exitCode = 1;
}
