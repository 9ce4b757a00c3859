import type { ApiApp, ApiContext } from '../context.ts';

/** `GET /api/v1/bridges`: the links of this broker to others, and of others to it. */
export function addBridgeRoutes(app: ApiApp, { platform }: ApiContext): void {
  app.get('/api/v1/bridges', (c) => c.json(platform.bridges()));
}
