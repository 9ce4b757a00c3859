import { randomBytes } from 'node:crypto';
import { open, readFile, rename, rm, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { DavylampError, systemCodeOf } from '#base';

/** Writes a secret: readable by this user alone, and whole or not at all. Throws `FILE_UNWRITABLE`. */
export function writePrivate(path: string, text: string): Promise<void> {
  return writeWhole(path, text, 0o600);
}

/** Writes what everybody may read: whole or not at all. Throws `FILE_UNWRITABLE`. */
export function writePublic(path: string, text: string): Promise<void> {
  return writeWhole(path, text, 0o644);
}

/** Lines about files with secrets that other users of this machine can read or change. A missing file is not its matter. */
export async function privacyWarnings(files: readonly string[]): Promise<string[]> {
  const warnings: string[] = [];
  if (process.platform === 'win32') return warnings; // modes say nothing there
  for (const file of files) {
    const mode = (await stat(file).catch(() => undefined))?.mode;
    if (mode !== undefined && (mode & 0o007) !== 0)
      warnings.push(`${file}: other users of this machine can read it; run chmod o= on it`);
  }
  return warnings;
}

/** Reads a text file. Throws `FILE_UNREADABLE`, beginning with `what` (`listener detectors: password file`). */
export async function readTextFile(what: string, file: string): Promise<string> {
  try {
    return await readFile(file, 'utf8');
  } catch (error) {
    const code = systemCodeOf(error) ?? 'unknown error';
    throw new DavylampError(
      'FILE_UNREADABLE',
      `${what} ${file} cannot be read (${code}); check the path and its permissions`,
      { cause: error },
    );
  }
}

/** A file beside it, on the disk, then renamed: a crash leaves the old file or the new one. */
async function writeWhole(path: string, text: string, mode: number): Promise<void> {
  const folder = dirname(path);
  const temporary = join(folder, `.${basename(path)}.${randomBytes(6).toString('hex')}.tmp`);
  try {
    const file = await open(temporary, 'wx', mode);
    try {
      await file.chmod(mode); // whatever the umask took away
      await file.writeFile(text);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(temporary, path);
    await syncFolder(folder);
  } catch (error) {
    await rm(temporary, { force: true });
    const code = systemCodeOf(error) ?? 'unknown error';
    throw new DavylampError(
      'FILE_UNWRITABLE',
      `${path} cannot be written (${code}); check the folder and its permissions`,
      { cause: error },
    );
  }
}

async function syncFolder(folder: string): Promise<void> {
  if (process.platform === 'win32') return; // folders cannot be opened there
  const handle = await open(folder, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
