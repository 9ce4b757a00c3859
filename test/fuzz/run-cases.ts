import process from 'node:process';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { explainFault, type FoundFault } from './explain-fault.ts';
import { playRandomCase, type Operation } from './fuzz-case.ts';
import { FuzzFault } from './fuzz-fault.ts';
import { FuzzWorld } from './fuzz-world.ts';
import { leakOf } from './leaks.ts';

/** Cases that one broker lives through. */
export const casesPerWorld = 250;
/** At the end of one world of so many it is counted what is still alive: that takes as long as a thousand cases. */
const worldsPerLeakCheck = 400;
/** What the heap may grow by between a tenth of the way and the end: compiled code and caches, no leak. */
const heapAllowance = 12 * 1024 * 1024;

export interface FuzzOptions {
  readonly seed: number;
  /** Number of the first case; rounded down to where a world begins. Default: 0. */
  readonly first?: number;
  readonly cases: number;
  /** Milliseconds; it ends between two cases. */
  readonly timeMs: number;
  /** Called where a world begins. */
  readonly onProgress?: (progress: FuzzProgress) => void;
  /** Called when something goes wrong, before the least that shows it is looked for. */
  readonly onFault?: (fault: string) => void;
}

export interface FuzzProgress {
  readonly cases: number;
  readonly operations: number;
  readonly turns: number;
  readonly worlds: number;
}

export interface FuzzReport extends FuzzProgress {
  /** Bytes on the heap after collection, at a tenth of the way and at the end. */
  readonly heap: readonly [early: number, late: number];
  /** What went wrong, and how to see it again; `null` = nothing. */
  readonly failure: string | null;
}

/** Runs random cases against brokers, one after the other, until one goes wrong. */
export async function runCases(options: FuzzOptions): Promise<FuzzReport> {
  const run = new Run(options);
  const onRejection = (reason: unknown): void => void run.rejections.push(reason);
  process.on('unhandledRejection', onRejection);
  try {
    return await run.all();
  } finally {
    process.off('unhandledRejection', onRejection);
  }
}

/** The seed of a case in a run. */
function caseSeedOf(seed: number, number: number): number {
  return Math.imul(seed, 0x9e3779b1) + number;
}

class Run {
  readonly rejections: unknown[] = [];
  readonly #options: FuzzOptions;
  readonly #first: number;
  readonly #began = performance.now();
  readonly #count = { cases: 0, operations: 0, turns: 0, worlds: 0 };
  #earlyHeap = 0;
  #found: FoundFault | null = null;

  constructor(options: FuzzOptions) {
    this.#options = options;
    const { first = 0 } = options;
    this.#first = first - (first % casesPerWorld);
  }

  async all(): Promise<FuzzReport> {
    const count = this.#count;
    while (this.#found === null && !this.#isOver()) {
      this.#options.onProgress?.(count);
      await this.#world();
      count.worlds++;
    }
    const failure = this.#found === null ? null : await this.#explain(this.#found);
    const late = heapAfterCollection();
    const early = this.#earlyHeap;
    const hasGrown = early !== 0 && late - early > heapAllowance;
    const growth = `the heap grew from ${early} to ${late} bytes over the run: something is kept for ever`;
    return { ...count, heap: [early, late], failure: failure ?? (hasGrown ? growth : null) };
  }

  /** The cases of one world. */
  async #world(): Promise<void> {
    const { seed } = this.#options;
    const count = this.#count;
    const firstCase = this.#first + count.cases;
    const worldSeed = seed + firstCase / casesPerWorld;
    using world = new FuzzWorld(worldSeed);
    const caseSeeds: number[] = [];
    let done: Operation[] = [];
    let checksLeaks = false;
    try {
      while (caseSeeds.length < casesPerWorld && !this.#isOver()) {
        const caseSeed = caseSeedOf(seed, firstCase + caseSeeds.length);
        caseSeeds.push(caseSeed);
        done = [];
        await playRandomCase(world, caseSeed, done);
        await this.#afterCase(done.length);
      }
      checksLeaks = count.worlds % worldsPerLeakCheck === 0;
      const leak = checksLeaks ? await leakOf(world) : null;
      if (leak !== null) throw new FuzzFault(leak);
    } catch (error) {
      const where = `seed ${seed}, case ${firstCase + caseSeeds.length - 1}`;
      this.#found = { worldSeed, caseSeeds, done, error, where, checksLeaks };
    }
    count.turns += world.turns;
  }

  async #afterCase(operations: number): Promise<void> {
    const count = this.#count;
    count.cases++;
    count.operations += operations;
    // Rejections are told after the promises of a turn.
    if (count.cases % 50 === 0) await new Promise((resolve) => setImmediate(resolve));
    if (this.rejections.length > 0)
      throw new FuzzFault(`a promise is rejected unseen: ${String(this.rejections[0])}`);
    if (this.#earlyHeap === 0 && this.#share() >= 0.1) this.#earlyHeap = heapAfterCollection();
  }

  async #explain(found: FoundFault): Promise<string> {
    const said = found.error instanceof Error ? found.error.message : String(found.error);
    this.#options.onFault?.(`${found.where}: ${said}`);
    return await explainFault(found);
  }

  #isOver(): boolean {
    return this.#share() >= 1;
  }

  /** How much of the run is over, by cases or by time. */
  #share(): number {
    const { cases, timeMs } = this.#options;
    return Math.max(this.#count.cases / cases, (performance.now() - this.#began) / timeMs);
  }
}

/** The flag need not be given on the command line. */
function heapAfterCollection(): number {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  collect();
  collect();
  return process.memoryUsage().heapUsed;
}
