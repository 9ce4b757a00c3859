import { fork, type ChildProcess } from 'node:child_process';
import type { FuzzNews, FuzzShare } from './fuzz-process.ts';
import { casesPerWorld, type FuzzProgress, type FuzzReport } from './run-cases.ts';

/** A process that says nothing for so long hangs: a world takes a tenth of a second, on a slow machine some seconds. */
const silenceMs = 120_000;
const lookMs = 1000;
/** Space for what is young: a world of the fuzzer lives shorter than V8 expects of what has survived twice. */
const nodeFlags = ['--min-semi-space-size=64', '--max-semi-space-size=64', '--no-warnings'];
/** Seeds of two processes are so far apart that no world and no case is played twice. */
const seedDistance = 100_000_007;

export interface FuzzPlan {
  readonly processes: number;
  readonly seed: number;
  /** Number of the first case of each process. */
  readonly first: number;
  /** Of all processes together. */
  readonly cases: number;
  readonly timeMs: number;
  /** Called each second, with the sums. */
  readonly onProgress: (progress: FuzzProgress & { readonly peerCases: number }) => void;
  /** Called when something goes wrong, before the least that shows it is looked for. */
  readonly onFault: (fault: string) => void;
}

export interface FuzzSummary extends FuzzProgress {
  /** Of our client, and as many of our bridge. */
  readonly peerCases: number;
  /** Of each process: bytes on the heap at a tenth of the way and at the end. */
  readonly heaps: readonly (readonly [early: number, late: number])[];
  readonly failure: string | null;
}

/** Plays the cases in several processes, each with seeds of its own; the first fault ends all of them. */
export async function runProcesses(plan: FuzzPlan): Promise<FuzzSummary> {
  const shares = Array.from({ length: plan.processes }, (_, index) => new Share(plan, index));
  const began = Date.now();
  const timer = setInterval(() => {
    for (const share of shares) share.look();
    plan.onProgress(sumOf(shares));
  }, lookMs);
  const keepOnly = (first: Share): void => {
    for (const share of shares) if (share !== first) share.stop();
  };
  for (const share of shares) share.start(plan.timeMs - (Date.now() - began), keepOnly);
  await Promise.all(shares.map(({ over }) => over));
  clearInterval(timer);
  const failure = shares.find((share) => share.failure !== null)?.failure ?? null;
  const heaps = shares.flatMap(({ report }) => (report === null ? [] : [report.heap]));
  return { ...sumOf(shares), heaps, failure };
}

/** What one process does, as seen from here. */
class Share {
  progress: FuzzProgress = { cases: 0, operations: 0, turns: 0, worlds: 0 };
  peerCases = 0;
  report: FuzzReport | null = null;
  failure: string | null = null;
  readonly over: Promise<void>;
  readonly #plan: FuzzPlan;
  readonly #name: string;
  readonly #task: Omit<FuzzShare, 'timeMs'>;
  #process: ChildProcess | null = null;
  #heardAt = 0;
  #hasFault = false;
  #isStopped = false;
  #onOver: () => void = () => {};

  constructor(plan: FuzzPlan, index: number) {
    const { processes, seed, first } = plan;
    const cases = shareOf(plan.cases, processes, index);
    this.#plan = plan;
    this.#name = `process ${index + 1}`;
    // Fewer of them: each takes many turns of the event loop, and there is less to meet.
    const peerCases = Math.ceil(cases / 1000);
    this.#task = { seed: seed + index * seedDistance, first, cases, peerCases };
    this.over = new Promise((resolve) => (this.#onOver = resolve));
  }

  start(timeMs: number, onFirstFault: (share: Share) => void): void {
    const { seed } = this.#task;
    const task: FuzzShare = { ...this.#task, timeMs: Number.isFinite(timeMs) ? timeMs : farFuture };
    const entry = new URL('fuzz-process.ts', import.meta.url);
    const child = fork(entry, [JSON.stringify(task)], { execArgv: [...process.execArgv, ...nodeFlags] });
    this.#process = child;
    this.#heardAt = Date.now();
    child.on('message', (news) => {
      this.#onNews(news as FuzzNews);
      if (this.#hasFault) onFirstFault(this);
    });
    child.on('error', (error) => this.#fail(`it does not start: ${error.message}`));
    child.on('exit', (code, signal) => {
      if (this.report === null && !this.#isStopped) {
        this.#fail(`it dies with ${signal ?? `exit code ${code}`}; ${this.#whereItWas(seed)}`);
        onFirstFault(this);
      }
      this.#onOver();
    });
  }

  /** Ends a process that hangs. */
  look(): void {
    if (this.report !== null || this.#hasFault || this.#isStopped) return;
    if (Date.now() - this.#heardAt < silenceMs) return;
    this.#fail(`it says nothing for ${silenceMs / 1000} seconds; ${this.#whereItWas(this.#task.seed)}`);
    this.#process?.kill('SIGKILL');
  }

  stop(): void {
    if (this.report !== null || this.#isStopped) return;
    this.#isStopped = true;
    this.#process?.kill('SIGKILL');
  }

  #onNews(news: FuzzNews): void {
    this.#heardAt = Date.now();
    switch (news.kind) {
      case 'peers':
        this.peerCases = news.done;
        break;
      case 'progress':
        this.progress = news.progress;
        break;
      case 'fault':
        this.#hasFault = true;
        this.#plan.onFault(`${this.#name}: ${news.fault}`);
        break;
      default: {
        const { heap: _, failure, ...progress } = news.report;
        this.report = news.report;
        this.progress = progress;
        if (failure !== null) this.#fail(failure);
      }
    }
  }

  #fail(what: string): void {
    this.#hasFault = true;
    this.failure ??= `${this.#name}: ${what}`;
  }

  #whereItWas(seed: number): string {
    const { cases, worlds } = this.progress;
    if (worlds === 0 && cases === 0)
      return `it was before or in its first world: --seed ${seed} --cases ${casesPerWorld}`;
    const first = this.#task.first + cases;
    return `what it was at: --seed ${seed} --first ${first} --cases ${casesPerWorld}`;
  }
}

/** No bound, in a form that survives JSON. */
const farFuture = Number.MAX_SAFE_INTEGER;

function shareOf(cases: number, processes: number, index: number): number {
  return Math.floor((cases * (index + 1)) / processes) - Math.floor((cases * index) / processes);
}

function sumOf(shares: readonly Share[]): FuzzProgress & { readonly peerCases: number } {
  const sum = { cases: 0, operations: 0, turns: 0, worlds: 0, peerCases: 0 };
  for (const { progress, peerCases } of shares) {
    sum.cases += progress.cases;
    sum.operations += progress.operations;
    sum.turns += progress.turns;
    sum.worlds += progress.worlds;
    sum.peerCases += peerCases;
  }
  return sum;
}
