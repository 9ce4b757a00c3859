import { ReasonCode } from '#mqtt';
import type { Route } from './subscriptions/router.ts';

/** What a connection waits for. */
export const Phase = { AwaitingConnect: 0, Authenticating: 1, Connected: 2, Ending: 3 } as const;
export type Phase = (typeof Phase)[keyof typeof Phase];

/** Why a connection is not read from: bits. */
export const PauseReason = { Authenticating: 1, Held: 2, Journal: 4, Rate: 8, Turn: 16 } as const;
export type PauseReason = (typeof PauseReason)[keyof typeof PauseReason];

/** What a handler returns when it has ended the connection itself: nothing more is read. */
export const ended = ReasonCode.UnspecifiedError;

/** Whether the end of a connection is one that the will is for (MQTT 5, 3.1.2.5). */
export type Fate = 'publish will' | 'discard will';

/** What the last PUBLISH established, good for the next one of the same topic. */
export interface LastPublish {
  topic: string;
  topicLength: number;
  route: Route | null;
  /** Of the router's tree. */
  routeGeneration: number;
  /** Of the access rules. */
  accessGeneration: number;
}

/** Before the first PUBLISH. */
export function nothingPublished(): LastPublish {
  return { topic: '', topicLength: 0, route: null, routeGeneration: -1, accessGeneration: -1 };
}
