import type { DatabaseSync } from 'node:sqlite';
import type { Quarantined } from '#model';
import { rowLimit } from './row-limit.ts';

type QuarantineRow = Omit<Quarantined, 'payload'> & { readonly payload: Uint8Array };

/** Messages that could not be read, newest first. */
export function prepareQuarantine(database: DatabaseSync): (limit: number) => Quarantined[] {
  const select = database.prepare(
    'select at, topic, payload, size, reason from quarantine order by at desc, id desc limit ?',
  );
  return (limit) => {
    const rows = select.all(rowLimit(limit)) as unknown as QuarantineRow[];
    return rows.map(({ at, topic, payload, size, reason }) => ({
      at,
      topic,
      payload: Buffer.from(payload.buffer, payload.byteOffset, payload.length),
      size,
      reason,
    }));
  };
}
