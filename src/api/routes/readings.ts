import * as v from 'valibot';
import type { Reading } from '#model';
import type { ApiApp, ApiContext } from '../context.ts';
import { limitSchema, readQuery } from '../input.ts';
import type { ReadingView } from '../types.ts';
import { unknownDevice } from './devices.ts';

const querySchema = v.strictObject({
  limit: limitSchema(100),
  metric: v.optional(
    v.pipe(v.string('must be text'), v.minLength(1, 'must not be empty'), v.maxLength(64, 'is too long')),
  ),
});

/** `GET /api/v1/devices/{id}/readings`: newest first. */
export function addReadingRoutes(app: ApiApp, { platform }: ApiContext): void {
  app.get('/api/v1/devices/:id/readings', (c) => {
    const { limit, metric } = readQuery(c, querySchema);
    const id = c.req.param('id');
    const readings = platform.readings(id, limit, metric);
    if (readings === undefined) throw unknownDevice(id);
    return c.json(readings.map((reading) => toReadingView(reading)));
  });
}

/** What the API and the live feed show of a reading. */
export function toReadingView(reading: Reading): ReadingView {
  return {
    metric: reading.metric,
    value: reading.value,
    unit: reading.unit,
    epoch: reading.epoch,
    sequence: reading.sequence ?? null,
    at: reading.at,
    receivedAt: reading.receivedAt,
    kind: reading.kind,
    quality: reading.quality,
  };
}
