import * as v from 'valibot';
import type { ApiApp, ApiContext } from '../context.ts';
import { limitSchema, personSchema, readBody, readQuery } from '../input.ts';
import { Problem } from '../problem.ts';

const querySchema = v.strictObject({ limit: limitSchema(100) });

const acknowledgeSchema = v.strictObject({
  by: personSchema,
  comment: v.optional(
    v.pipe(v.string('must be text'), v.maxLength(500, 'must not be longer than 500 characters')),
    '',
  ),
});

/** The alarms, the life of one, and its acknowledgement. */
export function addAlarmRoutes(app: ApiApp, { platform }: ApiContext): void {
  app.get('/api/v1/alarms', (c) => c.json(platform.alarms(readQuery(c, querySchema).limit)));

  app.get('/api/v1/alarms/:id/transitions', (c) => {
    const id = c.req.param('id');
    const transitions = platform.transitions(id);
    // Every alarm has at least the one that raised it.
    if (transitions.length === 0) throw unknownAlarm(id);
    return c.json(transitions);
  });

  app.post('/api/v1/alarms/:id/acknowledge', async (c) => {
    const { by, comment } = await readBody(c, acknowledgeSchema);
    const id = c.req.param('id');
    const alarm = platform.acknowledge(id, by, comment);
    if (alarm !== undefined) return c.json(alarm);
    if (platform.transitions(id).length === 0) throw unknownAlarm(id);
    throw new Problem('CONFLICT', `alarm ${id} does not wait for an acknowledgement`);
  });
}

function unknownAlarm(id: string): Problem {
  return new Problem('NOT_FOUND', `alarm ${id} is not known; GET /api/v1/alarms lists them`);
}
