import type { BridgeStatus } from '#bridges';
import type { DoorStatistics, QueueView, Statistics } from '#broker';
import type { JournalStatistics } from '#journal';

/** A bridge, as monitoring sees it. */
export interface BridgeView {
  readonly name: string;
  readonly status: Readonly<BridgeStatus>;
  /** `null`: it has no session in our broker yet. */
  readonly queue: QueueView | null;
}

/** A listener, as monitoring sees it. */
export interface ListenerView {
  readonly name: string;
  readonly protocol: string;
  readonly statistics: Readonly<DoorStatistics>;
}

/** What a role is doing. */
export type Phase = 'starting' | 'running' | 'stopping';

/** What a role shows to monitoring, at one moment. */
export interface MetricsView {
  readonly role: string;
  readonly name: string;
  readonly version: string;
  readonly phase: Phase;
  readonly statistics: Readonly<Statistics>;
  /** `null`: nothing is kept on disk. */
  readonly journal: JournalStatistics | null;
  readonly listeners: readonly ListenerView[];
  readonly bridges: readonly BridgeView[];
}
