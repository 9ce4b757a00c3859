import * as v from 'valibot';
import type { ApiApp, ApiContext } from '../context.ts';
import { limitSchema, readQuery } from '../input.ts';
import { requireDevice } from './devices.ts';

const querySchema = v.strictObject({ limit: limitSchema(100) });

/** What supervision and registry noticed, of all devices or of one; newest first. */
export function addEventRoutes(app: ApiApp, { platform }: ApiContext): void {
  app.get('/api/v1/events', (c) => c.json(platform.events(readQuery(c, querySchema).limit, undefined)));

  app.get('/api/v1/devices/:id/events', (c) => {
    const { limit } = readQuery(c, querySchema);
    const device = requireDevice(platform, c.req.param('id'));
    return c.json(platform.events(limit, device.id));
  });
}
