import type { Scenario } from './scenario.ts';
import { connects, sessions, wills } from './scenarios-of-clients.ts';
import { subscribes, publishes } from './scenarios-of-messages.ts';
import { properties } from './scenarios-of-properties.ts';

/** All of them; how they are written is told in `scenario.ts`. */
export const scenarios: readonly Scenario[] = [
  ...connects,
  ...subscribes,
  ...publishes,
  ...sessions,
  ...wills,
  ...properties,
];
