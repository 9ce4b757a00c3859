import type { MetricsView, Phase } from './metrics-view.ts';

/** The answer of `/readyz`, for people and programs. */
export interface Readiness {
  readonly status: 'ready' | 'not ready';
  readonly phase: Phase;
  /** `none`: nothing is kept on disk. */
  readonly journal: 'ok' | 'full' | 'failed' | 'none';
  readonly listeners: readonly { readonly name: string; readonly protocol: string }[];
  /** For information: a site does its work while its uplink is down. */
  readonly bridges: readonly {
    readonly name: string;
    readonly state: string;
    readonly since: string;
    readonly lastError: string | null;
    readonly queuedMessages: number;
  }[];
}

/** Whether this role does its work: it runs, somebody can come in, and what it acknowledges is kept. */
export function readinessOf({ phase, journal, listeners, bridges }: MetricsView): Readiness {
  const journalState = journal?.state ?? 'none';
  const isKept = journalState === 'ok' || journalState === 'none';
  return {
    status: phase === 'running' && isKept && listeners.length > 0 ? 'ready' : 'not ready',
    phase,
    journal: journalState,
    listeners: listeners.map(({ name, protocol }) => ({ name, protocol })),
    bridges: bridges.map(({ name, status, queue }) => ({
      name,
      state: status.state,
      since: new Date(status.since).toISOString(),
      lastError: status.lastError,
      queuedMessages: queue?.messages ?? 0,
    })),
  };
}
