import { readFileSync } from 'node:fs';
import path from 'node:path';
import type { Account } from './play-scenario.ts';

/** Lines in which two accounts of one client differ, in one place. */
export interface Difference {
  /** `scenario, version 5, client a` */
  readonly where: string;
  readonly theirs: string;
  readonly ours: string;
}

export interface ExplainedDifference extends Difference {
  readonly why: string;
}

const nothing = '–';

/** Where the accounts of one scenario differ. */
export function findDifferences(where: string, theirs: Account, ours: Account): Difference[] {
  const clients = [...new Set([...theirs.keys(), ...ours.keys()])].sort();
  return clients.flatMap((client) =>
    hunks(theirs.get(client) ?? [], ours.get(client) ?? []).map((hunk) => ({
      where: `${where}, client ${client}`,
      theirs: hunk.theirs.join('; ') || nothing,
      ours: hunk.ours.join('; ') || nothing,
    })),
  );
}

interface Hunk {
  readonly theirs: string[];
  readonly ours: string[];
}

/** What is left beside the longest common subsequence, gathered where it stands together. */
function hunks(theirs: readonly string[], ours: readonly string[]): Hunk[] {
  const lengths = Array.from({ length: theirs.length + 1 }, () => new Array<number>(ours.length + 1).fill(0));
  for (let t = theirs.length - 1; t >= 0; t--) {
    for (let o = ours.length - 1; o >= 0; o--) {
      const [row, next] = [lengths[t]!, lengths[t + 1]!];
      row[o] = theirs[t] === ours[o] ? next[o + 1]! + 1 : Math.max(next[o]!, row[o + 1]!);
    }
  }
  const found: Hunk[] = [];
  let hunk: Hunk = { theirs: [], ours: [] };
  let t = 0;
  let o = 0;
  const flush = (): void => {
    if (hunk.theirs.length + hunk.ours.length > 0) found.push(hunk);
    hunk = { theirs: [], ours: [] };
  };
  while (t < theirs.length || o < ours.length) {
    if (t < theirs.length && o < ours.length && theirs[t] === ours[o]) {
      flush();
      t++;
      o++;
    } else if (o >= ours.length || (t < theirs.length && lengths[t + 1]![o]! >= lengths[t]![o + 1]!)) {
      hunk.theirs.push(theirs[t++]!);
    } else hunk.ours.push(ours[o++]!);
  }
  flush();
  return found;
}

const file = path.join(import.meta.dirname, '../../docs/conformance/differences.md');

/** The rows of docs/conformance/differences.md: where | theirs | ours | why. */
export function readDifferences(): ExplainedDifference[] {
  const rows: ExplainedDifference[] = [];
  for (const line of readFileSync(file, 'utf8').split('\n')) {
    const cells = /^\| (.+) \| `(.+)` \| `(.+)` \| (.+) \|$/.exec(line);
    if (cells === null) continue;
    const [, where = '', theirs = '', ours = '', why = ''] = cells;
    rows.push({ where, theirs, ours, why });
  }
  return rows;
}

/** As a row of that page, its reason still to be written. */
export function rowOf({ where, theirs, ours }: Difference): string {
  return `| ${where} | \`${theirs}\` | \`${ours}\` | ? |`;
}
