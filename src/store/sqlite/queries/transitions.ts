import type { DatabaseSync } from 'node:sqlite';
import type { AlarmTransition } from '#model';
import { plainRows } from './plain-rows.ts';

/** The life of one alarm, oldest first; what happened in one millisecond stays in the order of its writing. */
export function prepareTransitions(database: DatabaseSync): (alarmId: string) => AlarmTransition[] {
  const select = database.prepare(
    `select alarm as alarmId, device_key.id as deviceId, kind, from_state as "from", to_state as "to",
       at, "by", value, set_point as setPoint, comment
     from "transition" as t join device_key on device_key.key = t.device
     where alarm = ? order by at, t.id`,
  );
  return (alarmId) => plainRows(select.all(alarmId));
}
