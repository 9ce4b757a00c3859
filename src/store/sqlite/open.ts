import { accessSync, closeSync, constants, existsSync, openSync, realpathSync, statSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';
import { DavylampError, messageOf, systemCodeOf } from '#base';
import { lockStore } from './lock.ts';
import { migrate } from './migrate.ts';
import { SqliteStore } from './sqlite-store.ts';
import { storeError } from './store-error.ts';

/** How a store is opened. */
export interface SqliteStoreOptions {
  /** The database; made with mode 0600 when it is not there. Its folder must exist. */
  readonly file: string;
  /** How many unreadable messages are kept; the oldest make room. Default 10,000. */
  readonly quarantineRows?: number;
  /** The database never grows beyond this; a commit that would fails. Default: only the disk is the bound. */
  readonly maximumBytes?: number;
}

const pageSize = 4096;

/**
 * Opens the store, makes it or brings it to the newest schema, and keeps other processes from opening it as well.
 * Fails with `FILE_UNWRITABLE` (folder, permissions) or `STORE_UNUSABLE` (not a database, newer schema, in use).
 */
export function openSqliteStore(options: SqliteStoreOptions): SqliteStore {
  const file = createPrivately(options.file);
  const undo: (() => void)[] = [];
  try {
    createPrivately(`${file}.lock`);
    undo.push(lockStore(file));
    const database = new DatabaseSync(file, { timeout: 5_000 });
    undo.push(() => database.close());
    configure(database, options.maximumBytes);
    migrate(database, options.file);
    return new SqliteStore({
      database,
      file: options.file,
      quarantineRows: options.quarantineRows ?? 10_000,
      unlock: undo[0] as () => void,
    });
  } catch (error) {
    for (const step of undo.reverse()) step();
    throw storeError(options.file, 'open', error);
  }
}

/**
 * Makes the file unless it is there. SQLite gives its `-wal` and `-shm` files the mode of the database itself.
 * A file that is there is not opened: closing it would drop all locks that this process holds on it (POSIX).
 */
function createPrivately(file: string): string {
  try {
    if (existsSync(file)) accessSync(file, constants.R_OK | constants.W_OK);
    else closeSync(openSync(file, 'ax', 0o600));
    if (statSync(file).isDirectory()) throw Object.assign(new Error('is a folder'), { code: 'EISDIR' });
    // Two paths to one file (a link) must meet at one lock.
    return realpathSync(file);
  } catch (error) {
    throw new DavylampError('FILE_UNWRITABLE', `store ${file}: ${whyUnwritable(error)}`, { cause: error });
  }
}

function whyUnwritable(error: unknown): string {
  switch (systemCodeOf(error)) {
    case 'ENOENT':
      return 'its folder does not exist; create it';
    case 'EACCES':
    case 'EPERM':
      return 'no permission to write it; change the owner or choose another file';
    case 'EROFS':
      return 'the file system is read-only; choose another file';
    case 'EISDIR':
      return 'it is a folder; name a file in it';
    case 'ENOSPC':
      return 'the disk is full; make room';
    default:
      return messageOf(error);
  }
}

function configure(database: DatabaseSync, maximumBytes: number | undefined): void {
  // FULL, not NORMAL: in WAL mode NORMAL does not flush at commit, so a power cut would take rows whose messages
  // have been acknowledged. It costs one flush a batch.
  // 4,000 pages (16 MB) between checkpoints: with 2,000 channels half again as fast as the default of 1,000.
  database.exec(`
    pragma page_size = ${pageSize};
    pragma journal_mode = wal;
    pragma synchronous = full;
    pragma foreign_keys = on;
    pragma trusted_schema = off;
    pragma cache_size = -65536;
    pragma wal_autocheckpoint = 4000;
    pragma journal_size_limit = 67108864;
  `);
  if (maximumBytes !== undefined) {
    database.exec(`pragma max_page_count = ${Math.max(1, Math.floor(maximumBytes / pageSize))}`);
  }
}
