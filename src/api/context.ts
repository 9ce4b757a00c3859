import type { Context, Hono } from 'hono';
import type { HttpBindings } from '@hono/node-server';
import type { LiveFeed } from './live/live-feed.ts';
import type { PlatformPort } from './types.ts';

/** What the handlers work with. */
export interface ApiContext {
  readonly platform: PlatformPort;
  readonly live: LiveFeed;
}

export interface ApiEnvironment {
  readonly Bindings: HttpBindings;
}

export type ApiApp = Hono<ApiEnvironment>;
export type ApiRequest = Context<ApiEnvironment>;
