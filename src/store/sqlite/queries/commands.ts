import type { DatabaseSync } from 'node:sqlite';
import type { Command } from '#model';
import { plainRows } from './plain-rows.ts';
import { rowLimit } from './row-limit.ts';

const select = `select command.id, device_key.id as deviceId, name, seconds, "by", at, state,
    updated_at as updatedAt, detail
  from command join device_key on device_key.key = command.device`;

/** Commands, newest first. */
export function prepareCommands(database: DatabaseSync): (limit: number, deviceId?: string) => Command[] {
  const all = database.prepare(`${select} order by at desc, command.id limit ?`);
  const ofDevice = database.prepare(`${select} where device_key.id = ? order by at desc, command.id limit ?`);
  return (limit, deviceId) => {
    const rows = deviceId === undefined ? all.all(rowLimit(limit)) : ofDevice.all(deviceId, rowLimit(limit));
    return plainRows(rows);
  };
}

/** Commands that still wait for evidence, oldest first. */
export function prepareOpenCommands(database: DatabaseSync): () => Command[] {
  const open = database.prepare(
    `${select} where state in ('pending', 'sent', 'delivered') order by at, command.id`,
  );
  return () => plainRows(open.all());
}
