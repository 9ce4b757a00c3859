import type { DatabaseSync } from 'node:sqlite';
import type { Reading } from '#model';
import { selectReading, toReading, type ReadingRow } from './reading-row.ts';
import { rowLimit } from './row-limit.ts';

/** Readings of one device, newest first. */
export function prepareReadings(
  database: DatabaseSync,
): (deviceId: string, limit: number, metric?: string) => Reading[] {
  const channels = database.prepare(
    `select channel.id, channel.metric from channel
     join device_key on device_key.key = channel.device where device_key.id = ?`,
  );
  // One walk down the index for each metric, then merged: a sort in SQL would read the device's whole history.
  const newest = database.prepare(
    `${selectReading} where reading.channel = ? order by reading.at desc, reading.id desc limit ?`,
  );
  return (deviceId, limit, metric) => {
    const chosen = channels.all(deviceId).filter((row) => metric === undefined || row['metric'] === metric);
    const rows = chosen.flatMap((row) => newest.all(Number(row['id']), rowLimit(limit)));
    const readings = (rows as unknown as ReadingRow[]).map((row) => toReading(row));
    // Stable: rows of one metric and millisecond keep the order of the index.
    if (chosen.length > 1) readings.sort((a, b) => b.at - a.at);
    return readings.slice(0, rowLimit(limit));
  };
}
