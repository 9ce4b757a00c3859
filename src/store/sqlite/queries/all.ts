import type { DatabaseSync } from 'node:sqlite';
import { prepareAlarms, prepareOpenAlarms } from './alarms.ts';
import { prepareCommands, prepareOpenCommands } from './commands.ts';
import { prepareCounts } from './counts.ts';
import { prepareDevices } from './devices.ts';
import { prepareEvents } from './events.ts';
import { prepareLatestValues } from './latest-values.ts';
import { prepareQuarantine } from './quarantine.ts';
import { prepareReadings } from './readings.ts';
import { prepareRecentKeys } from './recent-keys.ts';
import { prepareTransitions } from './transitions.ts';

/** Every query of the port, ready to run. */
export type Queries = ReturnType<typeof prepareQueries>;

/** Prepares all queries, once for the life of the database. */
export function prepareQueries(database: DatabaseSync) {
  return {
    devices: prepareDevices(database),
    openAlarms: prepareOpenAlarms(database),
    alarms: prepareAlarms(database),
    transitions: prepareTransitions(database),
    readings: prepareReadings(database),
    latestValues: prepareLatestValues(database),
    recentKeys: prepareRecentKeys(database),
    events: prepareEvents(database),
    quarantine: prepareQuarantine(database),
    commands: prepareCommands(database),
    openCommands: prepareOpenCommands(database),
    counts: prepareCounts(database),
  };
}
