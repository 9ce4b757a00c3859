import { nextClockFault } from './clock-schedule.ts';
import { nextJournalFault, smallJournals } from './journal-schedule.ts';
import { NetworkLab } from './network-lab.ts';
import { networkFaults } from './network-schedule.ts';
import { whyNoClocks } from './role-clock.ts';
import { runFaults, type FaultReport, type FaultRunOptions } from './run-faults.ts';

/** A kind of faults that the chain is struck by. */
export interface FaultKind {
  readonly name: 'chain' | 'network' | 'clocks' | 'journal';
  /** For people. */
  readonly title: string;
  /** How long a short run takes, and its messages a second. */
  readonly seconds: number;
  readonly rate: number;
  /** Why this kind cannot be made here; `null` = it can. */
  readonly whyNot: () => Promise<string | null>;
  readonly run: (options: FaultRunOptions) => Promise<FaultReport>;
}

const always = (): Promise<null> => Promise.resolve(null);

export const faultKinds: readonly FaultKind[] = [
  {
    name: 'chain',
    title: 'processes killed and frozen, links cut, stalled and slow',
    seconds: 15,
    rate: 200,
    whyNot: always,
    run: runFaults,
  },
  {
    name: 'network',
    title: 'hosts of their own, and a network that loses, delays and parts',
    seconds: 14,
    rate: 200,
    whyNot: () => NetworkLab.whyNot(),
    run: runInLab,
  },
  {
    name: 'clocks',
    title: 'clocks that are set, a year on and a day back',
    seconds: 10,
    rate: 200,
    whyNot: () => Promise.resolve(whyNoClocks()),
    run: (options) => runFaults({ ...options, chain: { hasClocks: true }, next: nextClockFault }),
  },
  {
    name: 'journal',
    title: "kill -9 in the journal's own work: a new segment, cleaning, reading at the start",
    seconds: 10,
    rate: 1500,
    whyNot: always,
    run: (options) => runFaults({ ...options, chain: smallJournals, next: nextJournalFault }),
  },
];

async function runInLab(options: FaultRunOptions): Promise<FaultReport> {
  await using lab = await NetworkLab.create();
  if (!lab.means.hasNetem)
    options.say('this kernel has no netem: loss is made by nft, delay by a slow link (tc tbf)');
  return await runFaults({ ...options, chain: { lab }, next: networkFaults(lab) });
}
