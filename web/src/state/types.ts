import type { PlatformPort } from '../../../src/api/types.ts';

/** What the API gives besides the views: taken from its port, so that the screen knows one door only. */
export type DeviceEventView = ReturnType<PlatformPort['events']>[number];
export type TransitionView = ReturnType<PlatformPort['transitions']>[number];

/** Time, given to whatever needs it, so that tests own it. */
export interface ScreenClock {
  /** Milliseconds since 1970 by this machine's clock. */
  now(): number;
  /** Calls back every `periodMs` until the returned function is called. */
  every(periodMs: number, callback: () => void): () => void;
}
