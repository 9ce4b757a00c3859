import { FaultChain } from './chain.ts';
import { Ledger } from './ledger.ts';
import { Publishers } from './publishers.ts';
import { SeededRandom } from './random.ts';
import { nextFault } from './schedule.ts';
import { storedRows, type StoredRow } from './stored-rows.ts';

export interface FaultRunOptions {
  readonly seed: number;
  readonly seconds: number;
  readonly qos: 1 | 2;
  /** Messages a second. */
  readonly rate: number;
  readonly detectors: number;
  readonly folder?: string;
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
  const { seed, seconds, qos, rate, detectors, say } = options;
  const random = new SeededRandom(seed);
  await using chain = await FaultChain.start(
    options.folder === undefined ? { qos } : { qos, folder: options.folder },
  );
  await using ledger = await Ledger.open(chain, qos);
  const publishers = new Publishers({
    port: chain.field.port,
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
    const fault = nextFault(chain, random);
    faults++;
    const at = ((performance.now() - began) / 1000).toFixed(1);
    say(`${at} s: ${fault.name}; ${publishers.acknowledged} acknowledged, ${ledger.distinct} arrived`);
    await fault.strike();
  }
  for (const link of chain.links) link.heal();
  publishers.stop();
  await waitFor('the last acknowledgement', () => publishers.isSettled, say);
  const rows = storedRows(chain.storeFile);
  await waitFor('the last row', () => rows.count() >= publishers.acknowledged, say);
  await waitFor('the last message', () => ledger.distinct >= publishers.acknowledged, say);
  const broken = judge(publishers, ledger, rows.all());
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

function judge(publishers: Publishers, ledger: Ledger, rows: readonly StoredRow[]): readonly string[] {
  const broken: string[] = [];
  const stored = new Map<string, number[]>();
  for (const { mac, sequence } of rows) {
    const of = stored.get(mac);
    if (of === undefined) stored.set(mac, [sequence]);
    else of.push(sequence);
  }
  for (const { mac, acknowledged, sent } of publishers.detectors) {
    const sequences = stored.get(mac) ?? [];
    const have = new Set(sequences);
    const missing = [...acknowledged].filter((sequence) => !have.has(sequence));
    if (missing.length > 0) broken.push(`${mac}: acknowledged and not stored: ${list(missing)}`);
    if (have.size !== sequences.length) broken.push(`${mac}: stored twice: ${sequences.length - have.size}`);
    const disorder = sequences.filter(
      (sequence, index) => index > 0 && sequence < (sequences[index - 1] ?? 0),
    );
    if (disorder.length > 0) broken.push(`${mac}: stored out of order: ${list(disorder)}`);
    const invented = sequences.filter((sequence) => sequence > sent);
    if (invented.length > 0) broken.push(`${mac}: stored and never sent: ${list(invented)}`);
    const unseen = [...acknowledged].filter((sequence) => !ledger.has(sequence, mac));
    if (unseen.length > 0) broken.push(`${mac}: acknowledged and never delivered: ${list(unseen)}`);
  }
  if (ledger.qos === 2 && ledger.repeated.length > 0)
    broken.push(`delivered more than once at QoS 2: ${list(ledger.repeated)}`);
  if (ledger.outOfOrder > 0) broken.push(`${ledger.outOfOrder} messages came behind later ones`);
  return broken;
}

function list(values: readonly (number | string)[]): string {
  const shown = values.slice(0, 10).join(', ');
  return values.length > 10 ? `${shown} and ${values.length - 10} more` : shown;
}
