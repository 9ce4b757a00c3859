import type { MetricFamily } from './metric-family.ts';

/** What the endpoint may answer; `dropped` = too many connections, closed without an answer. */
const results = ['200', '401', '403', '404', '405', '500', '503', 'dropped'] as const;

/** How a request of the endpoint ended. */
export type RequestResult = (typeof results)[number];

/** Counts what the endpoint was asked, by the answer. */
export class Requests {
  readonly #counts: Record<RequestResult, number> = {
    200: 0,
    401: 0,
    403: 0,
    404: 0,
    405: 0,
    500: 0,
    503: 0,
    dropped: 0,
  };

  /** One more of these. */
  count(result: RequestResult): void {
    this.#counts[result]++;
  }

  /** As a metric. */
  get family(): MetricFamily {
    return {
      name: 'davylamp_metrics_requests_total',
      help: 'Requests of this endpoint, by the HTTP status of the answer.',
      kind: 'counter',
      labelNames: ['status'],
      samples: () => results.map((status) => ({ labels: { status }, value: this.#counts[status] })),
    };
  }
}
