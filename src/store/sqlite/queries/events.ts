import type { DatabaseSync } from 'node:sqlite';
import type { DeviceEvent } from '#model';
import { plainRows } from './plain-rows.ts';
import { rowLimit } from './row-limit.ts';

/** What supervision and registry noticed, newest first. */
export function prepareEvents(database: DatabaseSync): (limit: number, deviceId?: string) => DeviceEvent[] {
  const select = `select device_key.id as deviceId, kind, at, detail
    from event join device_key on device_key.key = event.device`;
  const all = database.prepare(`${select} order by at desc, event.id desc limit ?`);
  const ofDevice = database.prepare(
    `${select} where device_key.id = ? order by at desc, event.id desc limit ?`,
  );
  return (limit, deviceId) => {
    const rows = deviceId === undefined ? all.all(rowLimit(limit)) : ofDevice.all(deviceId, rowLimit(limit));
    return plainRows(rows);
  };
}
