import { readFile } from 'node:fs/promises';
import { DavylampError, messageOf } from '#base';

/** First line of a secret's file. Error: FILE_UNREADABLE; the secret itself is in no message. */
export async function readSecret(file: string): Promise<string> {
  try {
    return (await readFile(file, 'utf8')).split('\n', 1)[0]?.trimEnd() ?? '';
  } catch (error) {
    throw new DavylampError('FILE_UNREADABLE', `password file ${file} cannot be read: ${messageOf(error)}`, {
      cause: error,
    });
  }
}
