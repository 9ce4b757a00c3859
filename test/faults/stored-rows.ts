import { DatabaseSync } from 'node:sqlite';

/** A reading as reports see it. */
export interface StoredRow {
  readonly mac: string;
  readonly sequence: number;
}

/** The legacy readings in a store, in the order in which they were stored. */
export function storedRows(file: string): { count(): number; all(): Iterable<StoredRow>; close(): void } {
  const database = new DatabaseSync(file, { readOnly: true });
  const counted = database.prepare('SELECT COUNT(*) AS n FROM SensorLog');
  const listed = database.prepare('SELECT mac, sequence FROM SensorLog ORDER BY id');
  return {
    count: () => Number(counted.get()?.['n'] ?? 0),
    *all() {
      for (const row of listed.iterate())
        yield { mac: String(row['mac']), sequence: Number(row['sequence']) };
    },
    close: () => database.close(),
  };
}
