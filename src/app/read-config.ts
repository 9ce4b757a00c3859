import path from 'node:path';
import { readToml, type Config, type ConfigWarning } from '#config';
import { readTextFile } from '#security';

/** Reads a role's TOML file. Errors: FILE_UNREADABLE, CONFIG_INVALID. */
export async function readConfig(
  role: Config['role'],
  file: string,
): Promise<{ config: Config; warnings: readonly ConfigWarning[] }> {
  const text = await readTextFile('configuration file', file);
  return readToml(text, file, { baseFolder: path.dirname(path.resolve(file)), role });
}
