import process from 'node:process';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { playRandomCase, type Operation } from './fuzz-case.ts';
import { FuzzFault, FuzzWorld } from './fuzz-world.ts';
import { faultOf, formatCase, minimize } from './minimize.ts';

/** Cases that one broker lives through. */
const casesPerWorld = 250;
/** What the heap may grow by between a tenth of the way and the end: compiled code and caches, no leak. */
const heapAllowance = 12 * 1024 * 1024;

export interface FuzzOptions {
  readonly seed: number;
  readonly cases: number;
  /** Milliseconds; it ends between two cases. */
  readonly timeMs: number;
  /** Called after each case. */
  readonly onProgress?: (cases: number, operations: number) => void;
}

export interface FuzzReport {
  readonly cases: number;
  readonly operations: number;
  readonly turns: number;
  readonly worlds: number;
  /** Bytes on the heap after collection, at a tenth of the way and at the end. */
  readonly heap: readonly [early: number, late: number];
  /** What went wrong, and how to see it again; `null` = nothing. */
  readonly failure: string | null;
}

/** Runs random cases against brokers, one after the other, until one goes wrong. */
export async function runCases(options: FuzzOptions): Promise<FuzzReport> {
  const { seed, cases, timeMs } = options;
  const rejections: unknown[] = [];
  const onRejection = (reason: unknown): void => void rejections.push(reason);
  process.on('unhandledRejection', onRejection);
  const began = performance.now();
  const count = { cases: 0, operations: 0, turns: 0, worlds: 0 };
  let early = 0;
  let failure: string | null = null;
  let world: FuzzWorld | null = null;
  while (failure === null && count.cases < cases && performance.now() - began < timeMs) {
    if (world === null || count.cases % casesPerWorld === 0) {
      world = new FuzzWorld(seed + count.worlds);
      count.worlds++;
    }
    const caseSeed = Math.imul(seed, 0x9e3779b1) + count.cases;
    const done: Operation[] = [];
    const turnsBefore: number = world.turns;
    try {
      await playRandomCase(world, caseSeed, done);
      // Rejections are told after the promises of a turn.
      if (count.cases % 50 === 0) await new Promise((resolve) => setImmediate(resolve));
      if (rejections.length > 0)
        throw new FuzzFault(`a promise is rejected unseen: ${String(rejections[0])}`);
    } catch (error) {
      failure = await explain(world.seed, done, error, `seed ${seed}, case ${count.cases}`);
    }
    count.cases++;
    count.operations += done.length;
    count.turns += world.turns - turnsBefore;
    options.onProgress?.(count.cases, count.operations);
    if (early === 0 && isTenth(count.cases / cases, (performance.now() - began) / timeMs))
      early = heapAfterCollection();
  }
  world = null;
  const late = heapAfterCollection();
  process.off('unhandledRejection', onRejection);
  if (failure === null && early !== 0 && late - early > heapAllowance)
    failure = `the heap grew from ${early} to ${late} bytes over the run: something is kept for ever`;
  return { ...count, heap: [early, late], failure };
}

function isTenth(ofCases: number, ofTime: number): boolean {
  return ofCases >= 0.1 || ofTime >= 0.1;
}

/** The least that shows the fault again. */
async function explain(
  worldSeed: number,
  done: readonly Operation[],
  error: unknown,
  where: string,
): Promise<string> {
  const said = error instanceof Error ? (error.stack ?? error.message) : String(error);
  if ((await faultOf(worldSeed, done)) === null)
    return `${where}: ${said}\nIt does not happen in a fresh world; this case alone is not enough:\n${formatCase(worldSeed, done)}`;
  const least = await minimize(worldSeed, done);
  return `${where}: ${said}\nThe least that shows it:\n${formatCase(worldSeed, least)}\n${(await faultOf(worldSeed, least)) ?? ''}`;
}

/** The flag need not be given on the command line. */
function heapAfterCollection(): number {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  collect();
  collect();
  return process.memoryUsage().heapUsed;
}
