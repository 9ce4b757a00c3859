/** What mqload prints, as far as it is used here. Counted at the receiving side. */
export interface Measurement {
  readonly received_per_second: number;
  readonly lost: number;
  readonly p50_us: number;
  readonly p99_us: number;
  readonly cpu_us_per_message: number;
  readonly rss_kib: number;
}

/** Median, lowest and highest of several rounds. */
export interface Spread {
  readonly median: number;
  readonly minimum: number;
  readonly maximum: number;
}

export interface Summary {
  readonly broker: string;
  readonly messagesPerSecond: Spread;
  readonly cpuMicrosecondsPerMessage: Spread;
  readonly p50Microseconds: Spread;
  readonly p99Microseconds: Spread;
  readonly residentMebibytes: Spread;
  /** Of all rounds together. */
  readonly lost: number;
}

/** All rounds of one broker in one shape; at least one. */
export function summarize(broker: string, rounds: readonly Measurement[]): Summary {
  const spread = (value: (round: Measurement) => number): Spread => spreadOf(rounds.map(value));
  return {
    broker,
    messagesPerSecond: spread((round) => round.received_per_second),
    cpuMicrosecondsPerMessage: spread((round) => round.cpu_us_per_message),
    p50Microseconds: spread((round) => round.p50_us),
    p99Microseconds: spread((round) => round.p99_us),
    residentMebibytes: spread((round) => round.rss_kib / 1024),
    lost: rounds.reduce((sum, round) => sum + round.lost, 0),
  };
}

function spreadOf(values: readonly number[]): Spread {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length / 2;
  const lower = sorted[Math.ceil(middle) - 1] ?? 0;
  const upper = sorted[Math.floor(middle)] ?? 0;
  return { median: (lower + upper) / 2, minimum: sorted[0] ?? 0, maximum: sorted.at(-1) ?? 0 };
}

/** A table for people. The last column tells how many times as many messages the first broker carries. */
export function formatTable(summaries: readonly Summary[]): string {
  const first = summaries[0];
  if (first === undefined) return '(nothing was measured)';
  const header = [
    'broker',
    'messages/s (min–max)',
    'CPU µs/message',
    'p50 µs',
    'p99 µs',
    'RSS MiB',
    'lost',
    `${first.broker} is`,
  ];
  const rows = summaries.map((summary) => [
    summary.broker,
    `${count(summary.messagesPerSecond.median)} (${count(summary.messagesPerSecond.minimum)}–${count(summary.messagesPerSecond.maximum)})`,
    `${summary.cpuMicrosecondsPerMessage.median.toFixed(2)} (${summary.cpuMicrosecondsPerMessage.minimum.toFixed(2)}–${summary.cpuMicrosecondsPerMessage.maximum.toFixed(2)})`,
    count(summary.p50Microseconds.median),
    count(summary.p99Microseconds.median),
    summary.residentMebibytes.median.toFixed(0),
    count(summary.lost),
    summary === first
      ? ''
      : `${(first.messagesPerSecond.median / summary.messagesPerSecond.median).toFixed(2)}×`,
  ]);
  return align([header, ...rows]);
}

function count(value: number): string {
  return Math.round(value).toLocaleString('en');
}

function align(rows: readonly (readonly string[])[]): string {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  const lines = rows.map((row) =>
    row
      .map((cell, column) =>
        column === 0 ? cell.padEnd(widths[column] ?? 0) : cell.padStart(widths[column] ?? 0),
      )
      .join('  '),
  );
  return lines.map((line) => line.trimEnd()).join('\n');
}
