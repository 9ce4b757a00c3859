import type { DatabaseSync } from 'node:sqlite';
import { DavylampError } from '#base';
import { migrations } from './migrations/all.ts';

/** One step of the schema. */
export interface Migration {
  /** 1, 2, 3, …: `user_version` after it. */
  readonly version: number;
  readonly sql: string;
}

/** `davy` in ASCII: the `application_id` that tells our files from other SQLite databases. */
const applicationId = 0x64617679;

/**
 * Brings the database to the newest schema, each step in a transaction of its own.
 * Fails with `STORE_UNUSABLE` when the file is another program's or was written by a newer Davylamp.
 */
export function migrate(
  database: DatabaseSync,
  file: string,
  steps: readonly Migration[] = migrations,
): void {
  const owner = pragma(database, 'application_id');
  if (owner !== applicationId && (owner !== 0 || hasTables(database))) {
    throw new DavylampError(
      'STORE_UNUSABLE',
      `store ${file}: the file is a database of another program; choose another file`,
    );
  }
  const version = pragma(database, 'user_version');
  const newest = steps.at(-1)?.version ?? 0;
  if (version > newest) {
    throw new DavylampError(
      'STORE_UNUSABLE',
      `store ${file}: schema ${version} is newer than this Davylamp's ${newest}; update Davylamp`,
    );
  }
  for (const step of steps) if (step.version > version) run(database, step);
}

function run(database: DatabaseSync, step: Migration): void {
  database.exec('begin immediate');
  try {
    database.exec(step.sql);
    // Both pragmas are part of the transaction: a crash leaves the schema before or after, never between.
    database.exec(`pragma application_id = ${applicationId}; pragma user_version = ${step.version}`);
    database.exec('commit');
  } catch (error) {
    if (database.isTransaction) database.exec('rollback');
    throw error;
  }
}

function pragma(database: DatabaseSync, name: 'application_id' | 'user_version'): number {
  return Number(database.prepare(`pragma ${name}`).get()?.[name]);
}

function hasTables(database: DatabaseSync): boolean {
  return database.prepare('select 1 from sqlite_master limit 1').get() !== undefined;
}
