import type { MetricsView } from './metrics-view.ts';

/** `counter`: only grows, and begins anew with the process. `gauge`: goes up and down. */
type MetricKind = 'counter' | 'gauge';

/** One value of a metric. Labels come from the configuration and from our own tables, never from what a client chose. */
interface MetricSample {
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

/** One metric, with how to read it. Named by Prometheus' conventions: base units, `_total` for what only grows. */
export interface MetricFamily {
  readonly name: string;
  readonly help: string;
  readonly kind: MetricKind;
  readonly labelNames: readonly string[];
  samples(view: MetricsView): Iterable<MetricSample>;
}

/** How a number of ours is shown: its name without `davylamp_` and what stands before all of its group. */
export interface Shown {
  readonly name: string;
  readonly kind: MetricKind;
  readonly help: string;
  /** To the base unit: 0.001 for milliseconds. */
  readonly scale: number;
}

/** A number that only grows. */
export function counter(name: string, help: string): Shown {
  return { name: `${name}_total`, kind: 'counter', help, scale: 1 };
}

/** A number that goes up and down; `scale` brings it to the base unit. */
export function gauge(name: string, help: string, scale = 1): Shown {
  return { name, kind: 'gauge', help, scale };
}

/** What has numbers to show: the broker, each listener, each bridge. */
export interface NumberSource<K extends string> {
  readonly labels: Readonly<Record<string, string>>;
  readonly numbers: Readonly<Record<K, number>>;
}

/** A family for each number of a table, in its order. */
export function familiesOf<K extends string>(
  prefix: string,
  labelNames: readonly string[],
  table: Readonly<Record<K, Shown>>,
  sources: (view: MetricsView) => readonly NumberSource<K>[],
): readonly MetricFamily[] {
  return (Object.entries(table) as [K, Shown][]).map(([key, { name, kind, help, scale }]) => ({
    name: `${prefix}${name}`,
    help,
    kind,
    labelNames,
    samples: (view) => sources(view).map(({ labels, numbers }) => ({ labels, value: numbers[key] * scale })),
  }));
}
