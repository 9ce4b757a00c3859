import * as v from 'valibot';
import type { ApiApp, ApiContext } from '../context.ts';
import { personSchema, readBody } from '../input.ts';
import { Problem } from '../problem.ts';
import type { DeviceView, PlatformPort } from '../types.ts';

const approveSchema = v.strictObject({ by: personSchema });

/** The devices: all, one, and the approval of a new one. */
export function addDeviceRoutes(app: ApiApp, { platform }: ApiContext): void {
  app.get('/api/v1/devices', (c) => c.json(platform.devices()));

  app.get('/api/v1/devices/:id', (c) => c.json(requireDevice(platform, c.req.param('id'))));

  app.post('/api/v1/devices/:id/approve', async (c) => {
    const { by } = await readBody(c, approveSchema);
    const id = c.req.param('id');
    const device = platform.approve(id, by);
    if (device === undefined) throw unknownDevice(id);
    return c.json(device);
  });
}

/** The device of that id. Throws `NOT_FOUND`. */
export function requireDevice(platform: PlatformPort, id: string): DeviceView {
  const device = platform.devices().find((device) => device.id === id);
  if (device === undefined) throw unknownDevice(id);
  return device;
}

/** The problem that names a device which is not there. */
export function unknownDevice(id: string): Problem {
  return new Problem('NOT_FOUND', `device ${id} is not known; GET /api/v1/devices lists all`);
}
