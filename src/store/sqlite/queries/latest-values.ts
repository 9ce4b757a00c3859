import type { DatabaseSync } from 'node:sqlite';
import type { Reading } from '#model';
import { selectReading, toReading, type ReadingRow } from './reading-row.ts';

/** The newest reading of each device and metric, by device and metric. */
export function prepareLatestValues(database: DatabaseSync): () => Reading[] {
  // From the channels, one look into the index for each: never a scan of the readings.
  const select = database.prepare(
    `${selectReading}
     where reading.id in (
       select (select id from reading where reading.channel = channel.id order by at desc, id desc limit 1)
       from channel)
     order by device_key.id, channel.metric`,
  );
  return () => (select.all() as unknown as ReadingRow[]).map((row) => toReading(row));
}
