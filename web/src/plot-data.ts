import type { ReadingView, ValueView } from '../../src/api/types.ts';

/** Two columns for the plot: seconds since 1970, and values; `null` breaks the line. */
export type PlotData = readonly [times: number[], values: (number | null)[]];

/**
 * One metric of a device as columns, oldest first. Where nothing was heard for `gapMs` the line is broken: a line
 * through a silence would say that the air was clean.
 */
export function toPlotData(readings: readonly ReadingView[], metric: string, gapMs: number): PlotData {
  const times: number[] = [];
  const values: (number | null)[] = [];
  let last: number | null = null;
  for (const reading of readings) {
    if (reading.metric !== metric) continue;
    if (last !== null && reading.at - last > gapMs) {
      times.push((last + gapMs / 3) / 1000);
      values.push(null);
    }
    times.push(reading.at / 1000);
    values.push(reading.value);
    last = reading.at;
  }
  return [times, values];
}

/** A silence worth showing: three intervals, and never below five seconds. */
export function gapOf(intervalMs: number | null): number {
  return Math.max(5000, 3 * (intervalMs ?? 5000));
}

/** The metrics that have readings, in the order in which the device lists them. */
export function metricsOf(readings: readonly ReadingView[], values: readonly ValueView[]): readonly string[] {
  const known = new Set(readings.map((reading) => reading.metric));
  const listed = values.map((value) => value.metric).filter((metric) => known.has(metric));
  return [...new Set([...listed, ...known])];
}
