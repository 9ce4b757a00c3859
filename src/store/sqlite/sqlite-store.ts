import type { DatabaseSync } from 'node:sqlite';
import type {
  Alarm,
  AlarmTransition,
  Command,
  Device,
  DeviceEvent,
  IngestBatch,
  Quarantined,
  Reading,
} from '#model';
import type { MessageKey, ReadingStore, StoreCounts } from '../reading-store.ts';
import { Committer } from './commit.ts';
import { prepareQueries, type Queries } from './queries/all.ts';
import { storeError } from './store-error.ts';

interface SqliteStoreParts {
  readonly database: DatabaseSync;
  /** For messages. */
  readonly file: string;
  readonly quarantineRows: number;
  readonly unlock: () => void;
}

/**
 * The SQLite adapter. It answers at once and blocks its thread meanwhile: a commit of 2,000 readings takes about ten
 * milliseconds, so it belongs into a worker or process that does no MQTT. Made by `openSqliteStore`.
 */
export class SqliteStore implements ReadingStore {
  readonly #parts: SqliteStoreParts;
  readonly #committer: Committer;
  readonly #queries: Queries;
  #open = true;

  constructor(parts: SqliteStoreParts) {
    this.#parts = parts;
    this.#committer = new Committer(parts.database, parts.quarantineRows);
    this.#queries = prepareQueries(parts.database);
  }

  commit(batch: IngestBatch): number {
    try {
      return this.#committer.commit(batch);
    } catch (error) {
      throw storeError(this.#parts.file, 'commit', error);
    }
  }

  devices(): Device[] {
    return this.#read(() => this.#queries.devices());
  }

  openAlarms(): Alarm[] {
    return this.#read(() => this.#queries.openAlarms());
  }

  alarms(limit: number): Alarm[] {
    return this.#read(() => this.#queries.alarms(limit));
  }

  transitions(alarmId: string): AlarmTransition[] {
    return this.#read(() => this.#queries.transitions(alarmId));
  }

  readings(deviceId: string, limit: number, metric?: string): Reading[] {
    return this.#read(() => this.#queries.readings(deviceId, limit, metric));
  }

  latestValues(): Reading[] {
    return this.#read(() => this.#queries.latestValues());
  }

  recentKeys(deviceId: string, limit: number): MessageKey[] {
    return this.#read(() => this.#queries.recentKeys(deviceId, limit));
  }

  events(limit: number, deviceId?: string): DeviceEvent[] {
    return this.#read(() => this.#queries.events(limit, deviceId));
  }

  quarantine(limit: number): Quarantined[] {
    return this.#read(() => this.#queries.quarantine(limit));
  }

  commands(limit: number, deviceId?: string): Command[] {
    return this.#read(() => this.#queries.commands(limit, deviceId));
  }

  openCommands(): Command[] {
    return this.#read(() => this.#queries.openCommands());
  }

  counts(): StoreCounts {
    return this.#read(() => this.#queries.counts());
  }

  close(): void {
    if (!this.#open) return;
    this.#open = false;
    try {
      this.#parts.database.close();
    } finally {
      this.#parts.unlock();
    }
  }

  [Symbol.dispose](): void {
    this.close();
  }

  #read<T>(query: () => T): T {
    try {
      return query();
    } catch (error) {
      throw storeError(this.#parts.file, 'read', error);
    }
  }
}
