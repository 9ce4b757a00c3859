import { FaultChain, type ChainOptions } from './chain.ts';
import { judge } from './judge.ts';
import { Ledger } from './ledger.ts';
import { Publishers } from './publishers.ts';
import { SeededRandom } from './random.ts';
import { nextFault, type Fault } from './schedule.ts';
import { storedRows } from './stored-rows.ts';

export interface FaultRunOptions {
  readonly seed: number;
  readonly seconds: number;
  readonly qos: 1 | 2;
  /** Messages a second. */
  readonly rate: number;
  readonly detectors: number;
  /** How the chain is made; default: of plain processes with proxies between them. */
  readonly chain?: Omit<ChainOptions, 'qos'>;
  /** The next fault; default: one of all that any chain can meet. */
  readonly next?: (chain: FaultChain, random: SeededRandom) => Fault;
  readonly say: (line: string) => void;
}

export interface FaultReport {
  readonly faults: number;
  readonly sent: number;
  readonly acknowledged: number;
  readonly rows: number;
  /** What broke the promise, a line each; empty = it held. */
  readonly broken: readonly string[];
}

const pause = (milliseconds: number): Promise<void> =>
  new Promise((resolve) => void setTimeout(resolve, milliseconds));

/** What is under way may take this long to arrive once everything is whole again. */
const drainMs = Number(process.env['DRAIN'] ?? 120) * 1000;

/**
 * Strikes the chain by the schedule of a seed while detectors publish, makes it whole, waits until everything has
 * arrived, and compares what was acknowledged with what was stored.
 */
export async function runFaults(options: FaultRunOptions): Promise<FaultReport> {
  const { seed, seconds, qos, rate, detectors, next = nextFault, say } = options;
  const random = new SeededRandom(seed);
  await using chain = await FaultChain.start({ ...options.chain, qos });
  await using ledger = await Ledger.open(chain, qos);
  const publishers = new Publishers({
    target: chain.fieldTarget,
    username: 'detector',
    password: await chain.password('detector'),
    detectors,
    qos,
    rate,
  });
  await publishers.start();
  const began = performance.now();
  let faults = 0;
  while (performance.now() - began < seconds * 1000) {
    await pause(random.between(100, 2500));
    const fault = next(chain, random);
    faults++;
    const at = ((performance.now() - began) / 1000).toFixed(1);
    say(`${at} s: ${fault.name}; ${publishers.acknowledged} acknowledged, ${ledger.distinct} arrived`);
    await fault.strike();
  }
  await chain.heal();
  publishers.stop();
  await waitFor('the last acknowledgement', () => publishers.isSettled, say);
  const rows = storedRows(chain.storeFile);
  await waitFor('the last row', () => rows.count() >= publishers.acknowledged, say);
  await waitFor('the last message', () => ledger.distinct >= publishers.acknowledged, say);
  const broken = judge(publishers.detectors, ledger, rows.all());
  if (broken.length > 0)
    for (const role of chain.roles) say(`the last lines of ${role.name}:\n${role.lastLines}`);
  await publishers.close();
  const report = {
    faults,
    sent: publishers.sent,
    acknowledged: publishers.acknowledged,
    rows: rows.count(),
    broken,
  };
  rows.close();
  return report;
}

async function waitFor(what: string, isThere: () => boolean, say: (line: string) => void): Promise<void> {
  const until = performance.now() + drainMs;
  while (!isThere() && performance.now() < until) await pause(100);
  if (!isThere()) say(`${what} did not come within ${drainMs / 1000} s`);
}
