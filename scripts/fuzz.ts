/**
 * Runs random and spoiled packet sequences against the broker, and hostile answers against our client and bridge, until
 * one goes wrong or the bound is reached.
 *   npm run fuzz -- [--cases 10000000] [--seed N] [--minutes M] [--replay FILE]
 * What goes wrong is printed as the shortest case that shows it; saved to a file, `--replay` plays it again.
 */
import { readFileSync } from 'node:fs';
import process from 'node:process';
import { parseArgs } from 'node:util';
import { runPeerCases } from '../test/fuzz/client-case.ts';
import { faultOf, parseCase } from '../test/fuzz/minimize.ts';
import { runCases } from '../test/fuzz/run-cases.ts';

const { values } = parseArgs({
  options: {
    cases: { type: 'string', default: '10000000' },
    seed: { type: 'string', default: String(Date.now() % 1_000_000_000) },
    minutes: { type: 'string', default: 'Infinity' },
    replay: { type: 'string' },
  },
});

if (values.replay !== undefined) {
  const { worldSeed, operations } = parseCase(readFileSync(values.replay, 'utf8'));
  const fault = await faultOf(worldSeed, operations);
  console.log(fault ?? 'nothing goes wrong');
  process.exitCode = fault === null ? 0 : 1;
} else await run();

async function run(): Promise<void> {
  const began = performance.now();
  const seed = Number(values.seed);
  console.log(`seed: ${seed}`);
  // Fewer: each takes many turns of the event loop, and there is less to meet.
  const peerCases = Math.ceil(Number(values.cases) / 1000);
  const peerFailure = await runPeerCases(seed, peerCases);
  console.log(`${peerCases} cases of our client and ${peerCases} of our bridge against a hostile broker`);
  if (peerFailure !== null) {
    console.log(`FAILED ${peerFailure}`);
    process.exitCode = 1;
    return;
  }
  let told = began;
  const { cases, operations, turns, worlds, heap, failure } = await runCases({
    seed,
    cases: Number(values.cases),
    timeMs: Number(values.minutes) * 60_000,
    onProgress: (done, steps) => {
      const now = performance.now();
      if (now - told < 10_000) return;
      told = now;
      const seconds = (now - began) / 1000;
      console.log(
        `${done} cases, ${steps} steps in ${seconds.toFixed(0)} s: ${(done / seconds).toFixed(0)} cases/s`,
      );
    },
  });
  const seconds = (performance.now() - began) / 1000;
  console.log(
    `${cases} cases, ${operations} steps, ${turns} turns, ${worlds} brokers in ${seconds.toFixed(0)} s`,
  );
  console.log(`heap after collection: ${heap[0]} bytes at a tenth of the way, ${heap[1]} at the end`);
  if (failure === null) return;
  console.log(`FAILED ${failure}`);
  process.exitCode = 1;
}
