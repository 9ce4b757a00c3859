import type { Bench, Column, Comparison, Goal, Measurement } from './bench.ts';

/** Median, lowest and highest of several rounds. */
export interface Spread {
  readonly median: number;
  readonly minimum: number;
  readonly maximum: number;
}

/** All rounds of one contestant; a round that failed is `undefined`. */
export interface Result {
  readonly label: string;
  readonly rounds: readonly (Measurement | undefined)[];
}

/** A goal and what was measured for it. */
export interface GoalCheck {
  readonly text: string;
  readonly atMost: number;
  readonly value: number;
  readonly isReached: boolean;
}

/** Of one figure over the rounds that have it; `undefined` where none has. */
export function spreadOf(rounds: Result['rounds'], key: string): Spread | undefined {
  return spreadOfValues(rounds.map((round) => round?.[key]).filter((value) => value !== undefined));
}

function spreadOfValues(values: readonly number[]): Spread | undefined {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length / 2;
  const lower = sorted[Math.ceil(middle) - 1];
  const upper = sorted[Math.floor(middle)];
  const [minimum] = sorted;
  const maximum = sorted.at(-1);
  if (lower === undefined || upper === undefined || minimum === undefined || maximum === undefined)
    return undefined;
  return { median: (lower + upper) / 2, minimum, maximum };
}

/**
 * One contestant's figure by another's: the median of the quotients of each round, because two that took turns in the
 * same minute met the same machine. `undefined` where no round has both.
 */
export function ratioOf(of: Result, by: Result, key: string): number | undefined {
  const quotients = of.rounds.map((round, index) => {
    const over = round?.[key];
    const under = by.rounds[index]?.[key];
    return over === undefined || under === undefined || under === 0 ? undefined : over / under;
  });
  return spreadOfValues(quotients.filter((value) => value !== undefined))?.median;
}

/** A table in Markdown, aligned so that it can also be read as it is. */
export function formatTable(
  results: readonly Result[],
  columns: readonly Column[],
  comparison: Comparison,
): string {
  const measured = results.filter(({ rounds }) => rounds.some((round) => round !== undefined));
  const [first] = measured;
  if (first === undefined) return '(nothing was measured)';
  const header = [
    '',
    ...columns.map(({ title, form }) => (form === 'spread' ? `${title} (min–max)` : title)),
    comparison.title,
  ];
  const rows = measured.map((result) =>
    [result.label]
      .concat(columns.map((column) => cellOf(result, column)))
      .concat(result === first ? '' : comparisonOf(result, first, comparison)),
  );
  return align([header, ...rows]);
}

function cellOf({ rounds }: Result, { key, digits, form }: Column): string {
  if (form === 'sum')
    return number(
      rounds.reduce((sum, round) => sum + (round?.[key] ?? 0), 0),
      digits,
    );
  const spread = spreadOf(rounds, key);
  if (spread === undefined) return '–';
  const median = number(spread.median, digits);
  if (form === 'median') return median;
  return `${median} (${number(spread.minimum, digits)}–${number(spread.maximum, digits)})`;
}

function comparisonOf(result: Result, first: Result, { key, of }: Comparison): string {
  const ratio = of === 'first by other' ? ratioOf(first, result, key) : ratioOf(result, first, key);
  return ratio === undefined ? '–' : `${ratio.toFixed(ratio < 0.1 ? 3 : 2)}×`;
}

function number(value: number, digits: number): string {
  return value.toLocaleString('en', { minimumFractionDigits: digits, maximumFractionDigits: digits });
}

function align([header = [], ...rows]: readonly (readonly string[])[]): string {
  const widths = header.map((title, column) =>
    Math.max(3, title.length, ...rows.map((row) => row[column]?.length ?? 0)),
  );
  const line = (cells: readonly string[]): string =>
    `| ${cells.map((cell, column) => (column === 0 ? cell.padEnd(widths[0] ?? 0) : cell.padStart(widths[column] ?? 0))).join(' | ')} |`;
  const rule = widths.map((width, column) =>
    column === 0 ? '-'.repeat(width) : `${'-'.repeat(width - 1)}:`,
  );
  return [line(header), line(rule), ...rows.map(line)].join('\n');
}

/** The bench's goals for which there are figures. */
export function checkGoals(results: readonly Result[], goals: readonly Goal[]): readonly GoalCheck[] {
  return goals.flatMap((goal) => {
    const value = valueFor(goal, results);
    if (value === undefined) return [];
    return [{ text: goal.text, atMost: goal.atMost, value, isReached: value <= goal.atMost }];
  });
}

function valueFor({ label, against, key }: Goal, results: readonly Result[]): number | undefined {
  const own = results.find((result) => result.label === label);
  if (own === undefined) return undefined;
  if (against === undefined) return spreadOf(own.rounds, key)?.median;
  const other = results.find((result) => result.label === against);
  return other === undefined ? undefined : ratioOf(own, other, key);
}

/** Title, table and goals of one bench. */
export function formatBench(bench: Bench, results: readonly Result[]): string {
  const goals = checkGoals(results, bench.goals).map(
    ({ text, atMost, value, isReached }) =>
      `- ${text}: ${short(value)}, at most ${short(atMost)} wanted: ${isReached ? 'reached' : 'NOT REACHED'}`,
  );
  const parts = [
    `### ${bench.name}: ${bench.description}`,
    formatTable(results, bench.columns, bench.comparison),
    ...(goals.length === 0 ? [] : [goals.join('\n')]),
  ];
  return `\n${parts.join('\n\n')}`;
}

function short(value: number): string {
  return value >= 100 ? number(value, 0) : String(Number(value.toPrecision(3)));
}

/** The same for programs, as one line of JSON. */
export function jsonOfBench(bench: Bench, results: readonly Result[]): string {
  return JSON.stringify({
    bench: bench.name,
    description: bench.description,
    results: results.map(({ label, rounds }) => ({
      label,
      rounds: rounds.filter((round) => round !== undefined),
      ...Object.fromEntries(bench.columns.map(({ key }) => [key, spreadOf(rounds, key)])),
    })),
    goals: checkGoals(results, bench.goals),
  });
}
