import * as v from 'valibot';
import type { Quarantined } from '#model';
import type { ApiApp, ApiContext } from '../context.ts';
import { limitSchema, readQuery } from '../input.ts';

const querySchema = v.strictObject({ limit: limitSchema(100) });

/** JSON of `GET /api/v1/quarantine`: newest first. */
export interface QuarantinedView {
  readonly at: number;
  readonly topic: string;
  readonly reason: string;
  /** Bytes of the whole message; at most 1,024 of them are kept. */
  readonly size: number;
  /** What was kept, as text where it is; what is not UTF-8 shows as U+FFFD. */
  readonly text: string;
  /** What was kept, exactly. */
  readonly base64: string;
}

/** `GET /api/v1/quarantine`: messages that could not be read. */
export function addQuarantineRoutes(app: ApiApp, { platform }: ApiContext): void {
  app.get('/api/v1/quarantine', (c) => {
    const messages = platform.quarantine(readQuery(c, querySchema).limit);
    return c.json(messages.map((message) => toView(message)));
  });
}

function toView({ at, topic, reason, size, payload }: Quarantined): QuarantinedView {
  return { at, topic, reason, size, text: payload.toString('utf8'), base64: payload.toString('base64') };
}
