import type { DatabaseSync } from 'node:sqlite';
import type { StoreCounts } from '../../reading-store.ts';

/** How much the store holds. Readings are counted as they are written: there are too many to count when asked. */
export function prepareCounts(database: DatabaseSync): () => StoreCounts {
  const select = database.prepare(
    `select
       (select count(*) from device) as devices,
       (select value from counter where name = 'readings') as readings,
       (select count(*) from event) as events,
       (select count(*) from alarm) as alarms,
       (select count(*) from alarm where state <> 'normal') as openAlarms,
       (select count(*) from "transition") as transitions,
       (select count(*) from command) as commands,
       (select count(*) from quarantine) as quarantined,
       (select value from counter where name = 'commits') as commits`,
  );
  // Spread: SQLite's rows have no prototype.
  return () => ({ ...(select.get() as unknown as StoreCounts) });
}
