import * as v from 'valibot';
import { parseName } from '#model';
import type { ApiApp, ApiContext } from '../context.ts';
import { readBody } from '../input.ts';
import { Problem } from '../problem.ts';
import type { DemoPort } from '../types.ts';

const nameSchema = v.pipe(
  v.string('must be text'),
  v.check((text) => parseName(text) !== undefined, 'must be a name of 1 to 64 letters, digits, _ . -'),
);

const litresMessage = 'must be a number from 0 to 100000';

const leakSchema = v.strictObject({
  site: nameSchema,
  detector: nameSchema,
  litresPerHour: v.pipe(
    v.number(litresMessage),
    v.minValue(0, litresMessage),
    v.maxValue(100_000, litresMessage),
  ),
});

/** The demo's rooms and leaks. Outside the demo they are not found. */
export function addDemoRoutes(app: ApiApp, { platform }: ApiContext): void {
  app.get('/api/v1/demo/rooms', async (c) => c.json(await requireDemo(platform.demo).rooms()));

  app.post('/api/v1/demo/leaks', async (c) => {
    const demo = requireDemo(platform.demo);
    const { site, detector, litresPerHour } = await readBody(c, leakSchema);
    const room = await demo.leak(site, detector, litresPerHour);
    if (room === undefined) {
      throw new Problem(
        'NOT_FOUND',
        `detector ${site}/${detector} is not known; GET /api/v1/demo/rooms lists all`,
      );
    }
    return c.json(room);
  });
}

function requireDemo(demo: DemoPort | undefined): DemoPort {
  if (demo === undefined) throw new Problem('NOT_FOUND', 'this is not the demo; there are no rooms');
  return demo;
}
