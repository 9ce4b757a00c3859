/**
 * Runs random and spoiled packet sequences against the broker, and hostile answers against our client and bridge, until
 * one goes wrong or the bound is reached: `npm run fuzz -- --help`.
 */
import { readFileSync } from 'node:fs';
import process from 'node:process';
import { parseArgs } from 'node:util';
import { runProcesses } from '../test/fuzz/fuzz-processes.ts';
import { faultOf, parseCase } from '../test/fuzz/minimize.ts';

const help = `Usage: npm run fuzz -- [options]
Random and spoiled packet sequences against the broker, hostile answers against our client and bridge.

  --cases N       end after so many, all processes together (10000000)
  --minutes M     end after so long
  --processes N   play in so many processes, each with seeds of its own; one per core is best (1)
  --seed N        the same seed, first case and number of processes play the same cases (by the clock)
  --first N       number of the first case of each process: where to go on, or what to see again (0)
  --replay FILE   play what was printed when something went wrong, saved to a file
  --leaks         with --replay: count what is still alive in the end

About 3,000 cases a second in each process that has a core to itself. The first fault ends all processes and is printed
as the shortest case that shows it; so is a process that dies, or says nothing for two minutes.
Exit code: 0 nothing went wrong, 1 something did, 2 the options make no sense.`;

const progressMs = 10_000;

process.exitCode = await main();

async function main(): Promise<number> {
  let values: Partial<Record<string, string | boolean>>;
  try {
    ({ values } = parseArgs({
      options: {
        cases: { type: 'string', default: '10000000' },
        minutes: { type: 'string', default: 'Infinity' },
        processes: { type: 'string', default: '1' },
        seed: { type: 'string', default: String(Date.now() % 1_000_000_000) },
        first: { type: 'string', default: '0' },
        replay: { type: 'string' },
        leaks: { type: 'boolean', default: false },
        help: { type: 'boolean', default: false },
      },
    }));
    if (values['help'] === true) {
      console.log(help);
      return 0;
    }
    if (typeof values['replay'] === 'string')
      return await replayFile(values['replay'], values['leaks'] === true);
    const number = (name: string, least: number): number => numberOf(name, values[name], least);
    return await run({
      cases: number('cases', 1),
      timeMs: number('minutes', 0) * 60_000,
      processes: number('processes', 1),
      seed: number('seed', 0),
      first: number('first', 0),
    });
  } catch (error) {
    console.error(`fuzz: ${error instanceof Error ? error.message : String(error)}`);
    return 2;
  }
}

/** Throws where it is no number, or below the least that makes sense. */
function numberOf(name: string, value: string | boolean | undefined, least: number): number {
  const number = Number(value);
  const isFit = name === 'minutes' ? number > least : Number.isSafeInteger(number) && number >= least;
  if (!isFit) throw new Error(`--${name} is '${String(value)}': it takes a number from ${least} on`);
  return number;
}

async function replayFile(file: string, checksLeaks: boolean): Promise<number> {
  const { worldSeed, operations } = parseCase(readFileSync(file, 'utf8'));
  const fault = await faultOf(worldSeed, operations, checksLeaks);
  console.log(fault ?? 'nothing goes wrong');
  return fault === null ? 0 : 1;
}

interface Bounds {
  readonly cases: number;
  readonly timeMs: number;
  readonly processes: number;
  readonly seed: number;
  readonly first: number;
}

async function run(bounds: Bounds): Promise<number> {
  const began = performance.now();
  const seconds = (): number => (performance.now() - began) / 1000;
  console.log(`seed: ${bounds.seed}, processes: ${bounds.processes}`);
  let told = began;
  const { cases, operations, turns, worlds, peerCases, heaps, failure } = await runProcesses({
    ...bounds,
    onProgress: (sum) => {
      if (performance.now() - told < progressMs) return;
      told = performance.now();
      const rate = (sum.cases / seconds()).toFixed(0);
      console.log(
        `${sum.cases} cases, ${sum.operations} steps in ${seconds().toFixed(0)} s: ${rate} cases/s; ${sum.peerCases} of our client and bridge each`,
      );
    },
    onFault: (fault) => console.log(`${fault}\nlooking for the least that shows it`),
  });
  console.log(`${peerCases} cases of our client and ${peerCases} of our bridge against a hostile broker`);
  const rate = (cases / seconds()).toFixed(0);
  console.log(
    `${cases} cases, ${operations} steps, ${turns} turns, ${worlds} brokers in ${seconds().toFixed(0)} s: ${rate} cases/s`,
  );
  for (const [early, late] of heaps)
    console.log(`heap after collection: ${early} bytes at a tenth of the way, ${late} at the end`);
  if (failure === null) return 0;
  console.log(`FAILED ${failure}`);
  return 1;
}
