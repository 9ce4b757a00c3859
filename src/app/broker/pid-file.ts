import { readFile, rm, writeFile } from 'node:fs/promises';
import process from 'node:process';
import { DavylampError, systemCodeOf } from '#base';

/** Writes the number of this process; disposed of, the file goes, if it is still ours. Rejects with `FILE_UNWRITABLE`. */
export async function writePidFile(file: string): Promise<AsyncDisposable> {
  const text = String(process.pid);
  try {
    await writeFile(file, text, { mode: 0o644 });
  } catch (error) {
    const code = systemCodeOf(error) ?? 'unknown error';
    throw new DavylampError(
      'FILE_UNWRITABLE',
      `pid_file ${file} cannot be written (${code}); check the folder and its permissions`,
      { cause: error },
    );
  }
  return {
    async [Symbol.asyncDispose]() {
      try {
        if ((await readFile(file, 'utf8')).trim() === text) await rm(file);
      } catch {
        // Somebody has removed it, or the folder is not ours any more: nothing is left to do.
      }
    },
  };
}
