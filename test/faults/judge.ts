import type { Ledger } from './ledger.ts';
import type { Detector } from './publishers.ts';
import { SequenceCounts } from './sequence-counts.ts';
import type { StoredRow } from './stored-rows.ts';

/** What broke the promise, a line each: rows and the ledger against what was acknowledged. Empty = it held. */
export function judge(
  detectors: readonly Detector[],
  ledger: Ledger,
  rows: Iterable<StoredRow>,
): readonly string[] {
  const broken: string[] = [];
  const stored = new Map<string, Stored>();
  for (const { mac, sequence } of rows) {
    let of = stored.get(mac);
    if (of === undefined) stored.set(mac, (of = new Stored()));
    of.add(sequence);
  }
  for (const { mac, acknowledged, sent } of detectors) {
    const { counts, disorder, last } = stored.get(mac) ?? new Stored();
    const missing = [...acknowledged.seen()].filter((sequence) => !counts.has(sequence));
    if (missing.length > 0) broken.push(`${mac}: acknowledged and not stored: ${list(missing)}`);
    const twice = [...counts.seen(2)];
    if (twice.length > 0) broken.push(`${mac}: stored twice: ${list(twice)}`);
    if (disorder.length > 0) broken.push(`${mac}: stored out of order: ${list(disorder)}`);
    if (last > sent) broken.push(`${mac}: stored and never sent: up to ${last} of ${sent}`);
    const unseen = [...acknowledged.seen()].filter((sequence) => !ledger.has(sequence, mac));
    if (unseen.length > 0) broken.push(`${mac}: acknowledged and never delivered: ${list(unseen)}`);
  }
  if (ledger.qos === 2 && ledger.repeated.length > 0)
    broken.push(`delivered more than once at QoS 2: ${list(ledger.repeated)}`);
  if (ledger.outOfOrder > 0) broken.push(`${ledger.outOfOrder} messages came behind later ones`);
  return broken;
}

/** The rows of one detector, in the order in which they were stored. */
class Stored {
  readonly counts = new SequenceCounts();
  readonly disorder: number[] = [];
  last = 0;

  add(sequence: number): void {
    this.counts.add(sequence);
    if (sequence < this.last) this.disorder.push(sequence);
    else this.last = sequence;
  }
}

function list(values: readonly (number | string)[]): string {
  const shown = values.slice(0, 10).join(', ');
  return values.length > 10 ? `${shown} and ${values.length - 10} more` : shown;
}
