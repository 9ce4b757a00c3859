import { collectDefaultMetrics, Counter, Gauge, Registry } from 'prom-client';
import { bridgeFamilies } from './bridge-families.ts';
import { brokerFamilies } from './broker-families.ts';
import { journalFamilies } from './journal-families.ts';
import { listenerFamilies } from './listener-families.ts';
import type { MetricFamily } from './metric-family.ts';
import type { MetricsView } from './metrics-view.ts';
import type { Requests } from './requests.ts';

/** Milliseconds between two looks at how late the event loop is. */
const lagResolutionMs = 20;

/**
 * Of the process, what costs more to look at than all the rest: each walks all sockets or open files, of which a broker
 * has many (2,000 connections in one process: 0.2 to 2 ms each, against 0.5 ms).
 */
const tooDear = [
  'nodejs_active_handles',
  'nodejs_active_handles_total',
  'nodejs_active_requests',
  'nodejs_active_requests_total',
  'nodejs_active_resources',
  'nodejs_active_resources_total',
  'process_open_fds',
];

/** Our metrics in Prometheus' text format, with those of the Node process from prom-client. */
export class MetricsText {
  readonly #registry = new Registry();
  readonly #writers: readonly ((view: MetricsView) => void)[];

  /** Begins to watch the event loop of this process, until the process ends: make one only. */
  constructor(requests: Requests) {
    const families = [
      ...brokerFamilies,
      ...listenerFamilies,
      ...journalFamilies,
      ...bridgeFamilies,
      requests.family,
    ];
    this.#writers = families.map((family) => this.#writerOf(family));
    collectDefaultMetrics({ register: this.#registry, eventLoopMonitoringPrecision: lagResolutionMs });
    for (const name of tooDear) this.#registry.removeSingleMetric(name);
  }

  /** What belongs into `Content-Type`. */
  get contentType(): string {
    return this.#registry.contentType;
  }

  /** All metrics of this moment. */
  write(view: MetricsView): Promise<string> {
    for (const write of this.#writers) write(view);
    return this.#registry.metrics();
  }

  #writerOf(family: MetricFamily): (view: MetricsView) => void {
    const { name, help, kind, labelNames } = family;
    const options = { name, help, labelNames: [...labelNames], registers: [this.#registry] };
    const metric = kind === 'counter' ? new Counter(options) : new Gauge(options);
    return (view) => {
      // What is gone, such as a bridge, is not shown any more. Ours are the counts: the library's begin anew each time.
      metric.reset();
      for (const { labels, value } of family.samples(view)) metric.inc(labels, value);
    };
  }
}
