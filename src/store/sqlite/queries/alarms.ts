import type { DatabaseSync } from 'node:sqlite';
import type { Alarm } from '#model';
import { plainRows } from './plain-rows.ts';
import { rowLimit } from './row-limit.ts';

const columns = `alarm.id, device_key.id as deviceId, site, rule, priority, state, set_point as setPoint,
  raised_value as raisedValue, peak_value as peakValue, raised_at as raisedAt,
  acknowledged_at as acknowledgedAt, acknowledged_by as acknowledgedBy, returned_at as returnedAt`;

const select = `select ${columns} from alarm join device_key on device_key.key = alarm.device`;

/** Alarms that are not yet normal and acknowledged, newest first. */
export function prepareOpenAlarms(database: DatabaseSync): () => Alarm[] {
  const open = database.prepare(`${select} where state <> 'normal' order by raised_at desc, alarm.id`);
  return () => plainRows(open.all());
}

/** Open alarms first, then the others; newest first in each group. */
export function prepareAlarms(database: DatabaseSync): (limit: number) => Alarm[] {
  const open = database.prepare(
    `${select} where state <> 'normal' order by raised_at desc, alarm.id limit ?`,
  );
  const past = database.prepare(`${select} where state = 'normal' order by raised_at desc, alarm.id limit ?`);
  return (limit) => {
    const rows = open.all(rowLimit(limit));
    return plainRows([...rows, ...past.all(rowLimit(limit) - rows.length)]);
  };
}
