import { RESPONSE_ALREADY_SENT } from '@hono/node-server/utils/response';
import type { ApiApp, ApiContext } from '../context.ts';

/** `GET /api/v1/live`: server-sent events of everything that changes. */
export function addLiveRoutes(app: ApiApp, { live }: ApiContext): void {
  app.get('/api/v1/live', (c) => {
    // A HEAD request has no body to stream into.
    if (c.env.incoming.method === 'HEAD') return c.body(null, 200, { 'content-type': 'text/event-stream' });
    live.open(c.env.outgoing);
    return RESPONSE_ALREADY_SENT;
  });
}
