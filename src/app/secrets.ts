import { readTextFile } from '#security';

/** First line of a secret's file. Error: FILE_UNREADABLE; the secret itself is in no message. */
export async function readSecret(file: string): Promise<string> {
  return (await readTextFile('password file', file)).split('\n', 1)[0]?.trimEnd() ?? '';
}
