import type { ApiApp, ApiContext } from '../context.ts';

/** `GET /api/v1/status`: what runs here and what it has counted. */
export function addStatusRoutes(app: ApiApp, { platform, live }: ApiContext): void {
  app.get('/api/v1/status', (c) => c.json({ ...platform.status(), live: live.counts() }));
}
