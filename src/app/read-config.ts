import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { DavylampError, messageOf } from '#base';
import { readToml, type Config, type ConfigWarning } from '#config';

/** Reads a role's TOML file. Errors: FILE_UNREADABLE, CONFIG_INVALID. */
export async function readConfig(
  role: Config['role'],
  file: string,
): Promise<{ config: Config; warnings: readonly ConfigWarning[] }> {
  const absolute = path.resolve(file);
  let text: string;
  try {
    text = await readFile(absolute, 'utf8');
  } catch (error) {
    throw new DavylampError(
      'FILE_UNREADABLE',
      `configuration file ${file} cannot be read: ${messageOf(error)}`,
      { cause: error },
    );
  }
  return readToml(text, file, { baseFolder: path.dirname(absolute), role });
}
