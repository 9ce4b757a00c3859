import { DavylampError, messageOf, systemCodeOf } from '#base';

/** What people can do about a failed call of the system. */
const advice = new Map<string, string>([
  ['ENOSPC', 'the disk is full; make room'],
  ['EDQUOT', 'the disk quota is used up; make room'],
  ['EFBIG', 'a limit on file sizes is reached; raise it'],
  ['EIO', 'the disk failed to read or write; check the disk'],
  ['EACCES', 'no permission; change the owner of the folder or choose another one'],
  ['EPERM', 'no permission; change the owner of the folder or choose another one'],
  ['EROFS', 'the file system is read-only; choose another folder'],
  ['ENOTDIR', 'a part of its path is a file; choose another folder'],
  ['EEXIST', 'a file of that name is in the way; remove it'],
  ['EMFILE', 'too many files are open; raise the limit'],
]);

/** Why a call of the system failed and what to do, in words. */
export function whyFailed(error: unknown): string {
  return advice.get(systemCodeOf(error) ?? '') ?? messageOf(error);
}

/** Room on the disk is what is missing: it may come back. */
export function isDiskFull(error: unknown): boolean {
  const code = systemCodeOf(error);
  return code === 'ENOSPC' || code === 'EDQUOT' || code === 'EFBIG';
}

/** `JOURNAL_UNUSABLE`: the journal of this folder cannot be used; an error of ours goes through unchanged. */
export function journalError(folder: string, doing: string, error: unknown): DavylampError {
  if (error instanceof DavylampError) return error;
  const text = `journal ${folder}: cannot ${doing}: ${whyFailed(error)}`;
  return new DavylampError('JOURNAL_UNUSABLE', text, { cause: error });
}

/** `JOURNAL_UNUSABLE`: a file of the journal is damaged. Names the file, says what is wrong and what repairs it. */
export function damageError(folder: string, file: string, what: string): DavylampError {
  return new DavylampError(
    'JOURNAL_UNUSABLE',
    `journal ${folder}: ${file} ${what}; run: davylamp journal repair ${folder}`,
  );
}
