import * as v from 'valibot';
import type { ApiApp, ApiContext } from '../context.ts';
import { limitSchema, personSchema, readBody, readQuery } from '../input.ts';
import { Problem } from '../problem.ts';
import { requireDevice } from './devices.ts';

const querySchema = v.strictObject({ limit: limitSchema(100), device: v.optional(v.string()) });

const secondsMessage = 'must be a number from 0.01 to 86400';

/** `Sleep` needs its seconds, `Request` has none. The site that carries it out has bounds of its own. */
const commandSchema = v.variant(
  'name',
  [
    v.strictObject({
      name: v.literal('Request'),
      seconds: v.optional(v.null('must be left out for Request'), null),
      by: personSchema,
    }),
    v.strictObject({
      name: v.literal('Sleep'),
      seconds: v.pipe(
        v.number(secondsMessage),
        v.minValue(0.01, secondsMessage),
        v.maxValue(86_400, secondsMessage),
      ),
      by: personSchema,
    }),
  ],
  'must be Request or Sleep',
);

/** The ledger of commands, and the sending of one. */
export function addCommandRoutes(app: ApiApp, { platform }: ApiContext): void {
  app.get('/api/v1/commands', (c) => {
    const { limit, device } = readQuery(c, querySchema);
    if (device !== undefined) requireDevice(platform, device);
    return c.json(platform.commands(limit, device));
  });

  app.post('/api/v1/devices/:id/commands', async (c) => {
    const { name, seconds, by } = await readBody(c, commandSchema);
    const device = requireDevice(platform, c.req.param('id'));
    const command = platform.command(device.id, name, seconds, by);
    if (typeof command === 'string') throw new Problem('CONFLICT', command);
    // Accepted, not done: the ledger and the live feed tell how it goes on.
    return c.json(command, 202);
  });
}
