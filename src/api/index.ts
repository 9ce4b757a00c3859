/**
 * Level 4: REST, live feed and the files of the screen over HTTP. `createApi` needs a `PlatformPort`, which `app`
 * implements. Types of the JSON are for the screen.
 */
export { createApi, type Api, type ApiOptions } from './create-api.ts';
export type { LiveCounts } from './live/live-feed.ts';
export type { ProblemCode, ProblemView } from './problem.ts';
export type { QuarantinedView } from './routes/quarantine.ts';
export { toReadingView } from './routes/readings.ts';
export type * from './types.ts';
