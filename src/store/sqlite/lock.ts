import { DatabaseSync } from 'node:sqlite';
import { DavylampError } from '#base';

/**
 * Holds `<file>.lock` for this process, so that two platforms never share a store, and returns what gives it back.
 * The lock is a transaction on an empty database: the system drops it with the process, so a kill leaves no stale lock,
 * and the store itself stays free for readers such as the `sqlite3` shell.
 * Fails with `STORE_UNUSABLE` when another process (or this one) holds it.
 */
export function lockStore(file: string): () => void {
  const lock = new DatabaseSync(`${file}.lock`, { timeout: 0 });
  try {
    lock.exec('begin exclusive');
  } catch (error) {
    lock.close();
    if (isBusy(error)) {
      const message = `store ${file}: another Davylamp uses it; stop that one or choose another file`;
      throw new DavylampError('STORE_UNUSABLE', message, { cause: error });
    }
    throw error;
  }
  return () => lock.close();
}

function isBusy(error: unknown): boolean {
  return (
    typeof error === 'object' && error !== null && 'errcode' in error && (Number(error.errcode) & 0xff) === 5
  );
}
