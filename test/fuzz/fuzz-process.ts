/** One process of a long run: what `fuzz-processes.ts` starts, and what it tells it. */
import process from 'node:process';
import { runPeerCases } from './client-case.ts';
import { playProxyCases } from './proxy-case.ts';
import { runCases, type FuzzProgress, type FuzzReport } from './run-cases.ts';

/** What one process has to do. */
export interface FuzzShare {
  readonly seed: number;
  readonly first: number;
  readonly cases: number;
  /** Of our client, and as many of our bridge. */
  readonly peerCases: number;
  readonly timeMs: number;
}

/** What a process tells the one that began it. */
export type FuzzNews =
  | { readonly kind: 'peers'; readonly done: number }
  | { readonly kind: 'progress'; readonly progress: FuzzProgress }
  /** Something goes wrong; the least that shows it is looked for. */
  | { readonly kind: 'fault'; readonly fault: string }
  | { readonly kind: 'report'; readonly report: FuzzReport };

/** Headers of the PROXY protocol for each case of our client. */
const proxyCasesEach = 50;
/** So that a sign of life comes often enough. */
const peerCasesAtOnce = 20;

await run(JSON.parse(process.argv[2] ?? '') as FuzzShare);
process.disconnect?.();

async function run(share: FuzzShare): Promise<void> {
  const { seed, peerCases } = share;
  for (let done = 0; done < peerCases;) {
    const count = Math.min(peerCasesAtOnce, peerCases - done);
    const failure =
      playProxyCases(seed + done, count * proxyCasesEach) ?? (await runPeerCases(seed + done, count));
    if (failure !== null) {
      const none = { cases: 0, operations: 0, turns: 0, worlds: 0 };
      tell({ kind: 'report', report: { ...none, heap: [0, 0], failure } });
      return;
    }
    done += count;
    tell({ kind: 'peers', done });
  }
  const report = await runCases({
    ...share,
    onProgress: (progress) => tell({ kind: 'progress', progress }),
    onFault: (fault) => tell({ kind: 'fault', fault }),
  });
  tell({ kind: 'report', report });
}

function tell(news: FuzzNews): void {
  process.send?.(news);
}
