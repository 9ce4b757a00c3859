import { closeSync, existsSync, openSync } from 'node:fs';
import path from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { DavylampError } from '#base';

/**
 * Keeps other processes out of a journal's folder and returns what gives it free. Node has no file locks but SQLite's:
 * an exclusive transaction on an empty database, which the system ends with the process, so that a kill leaves no
 * stale lock. Fails with `JOURNAL_UNUSABLE` when another process (or this one) has the folder.
 */
export function lockFolder(folder: string): () => void {
  const file = path.join(folder, 'lock');
  // One that is there is not opened: closing it would drop all locks that this process holds on it (POSIX).
  if (!existsSync(file)) closeSync(openSync(file, 'ax', 0o600));
  const lock = new DatabaseSync(file, { timeout: 0 });
  try {
    lock.exec('begin exclusive');
  } catch (error) {
    lock.close();
    if (!isBusy(error)) throw error;
    const message = `journal ${folder}: another Davylamp uses it; stop that one or choose another folder`;
    throw new DavylampError('JOURNAL_UNUSABLE', message, { cause: error });
  }
  return () => lock.close();
}

function isBusy(error: unknown): boolean {
  return (
    typeof error === 'object' && error !== null && 'errcode' in error && (Number(error.errcode) & 0xff) === 5
  );
}
