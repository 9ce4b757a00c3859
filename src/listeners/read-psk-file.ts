import { readFile, stat } from 'node:fs/promises';
import { DavylampError, systemCodeOf } from '#base';
import { parsePskFile, type PskKeys } from './psk-file.ts';

/** The keys of a file, and what it holds. */
interface PskFile {
  readonly keys: PskKeys;
  readonly text: string;
  /** For the log: others can read it. */
  readonly warnings: readonly string[];
}

/**
 * Reads the shared keys of `owner` (`listener detectors`). Rejects with `FILE_UNREADABLE` or `CREDENTIALS_INVALID`; no key
 * gets into a message.
 */
export async function readPskFile(file: string, owner: string): Promise<PskFile> {
  const what = `${owner}: PSK file`;
  let text: string;
  let mode: number;
  try {
    text = await readFile(file, 'utf8');
    mode = (await stat(file)).mode;
  } catch (error) {
    const code = systemCodeOf(error) ?? 'unknown error';
    const message = `${what} ${file} cannot be read (${code}); check the path and its permissions`;
    throw new DavylampError('FILE_UNREADABLE', message, { cause: error });
  }
  const isOpen = process.platform !== 'win32' && (mode & 0o007) !== 0;
  const advice = 'other users of this machine can read it; run chmod o= on it';
  try {
    const keys = parsePskFile(text, file);
    return { keys, text, warnings: isOpen ? [`${what} ${file}: ${advice}`] : [] };
  } catch (error) {
    if (!(error instanceof DavylampError)) throw error;
    throw new DavylampError(error.code, `${what} ${error.message}`, { cause: error });
  }
}
