import { DavylampError, messageOf } from '#base';

/** Primary result codes of SQLite that people can do something about. */
const advice = new Map<number, string>([
  [5, 'another program keeps the database locked; end its transaction'],
  [8, 'the file is read-only; make it writable'],
  [10, 'the disk failed to read or write; check the disk'],
  [11, 'the file is damaged; restore a copy'],
  [13, 'the disk is full; make room'],
  [14, 'the file cannot be opened; check its folder and permissions'],
  [26, 'the file is not a database; choose another file'],
]);

/** Makes `STORE_UNUSABLE` of whatever SQLite threw; an error of ours goes through unchanged. */
export function storeError(file: string, doing: string, error: unknown): DavylampError {
  if (error instanceof DavylampError) return error;
  const code = typeof error === 'object' && error !== null && 'errcode' in error ? Number(error.errcode) : 0;
  // The low byte is the primary code; the rest says where it happened.
  const why = advice.get(code & 0xff) ?? messageOf(error);
  return new DavylampError('STORE_UNUSABLE', `store ${file}: cannot ${doing}: ${why}`, { cause: error });
}
