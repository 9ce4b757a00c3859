import { parse, TomlError } from 'smol-toml';
import { DavylampError } from '#base';
import { buildConfig } from './build-config.ts';
import { checkConfig } from './check-config.ts';
import type { Config, ConfigWarning } from './config.ts';
import { readSection, type Fault } from './read-section.ts';
import { schema } from './schema.ts';
import { TomlLines } from './toml-lines.ts';

export interface TomlOptions {
  /** Where relative paths begin: the folder of the configuration file. */
  readonly baseFolder: string;
  /** The role that is to run: the file may leave it out, and may not name another. */
  readonly role?: Config['role'];
}

/**
 * Reads a configuration in TOML. `file` is its name for messages. Throws `CONFIG_INVALID`: a line `file:line: …` for
 * each thing that is wrong.
 */
export function readToml(
  text: string,
  file: string,
  options: TomlOptions,
): { config: Config; warnings: ConfigWarning[] } {
  const parsed = parseToml(text, file);
  const table = options.role === undefined || 'role' in parsed ? parsed : { ...parsed, role: options.role };
  const lines = new TomlLines(text);
  const faults: Fault[] = [];
  const root = readSection(schema, table, [], { baseFolder: options.baseFolder, faults });
  if (faults.length > 0) throw invalid(faults, file, lines);
  const config = buildConfig(root);
  const findings = checkConfig(config, root);
  if (options.role !== undefined && config.role !== options.role) {
    const message = `role = "${config.role}": this file is for davylamp ${config.role}, not for davylamp ${options.role}`;
    findings.faults.push({ place: ['role'], message });
  }
  if (findings.faults.length > 0) throw invalid(findings.faults, file, lines);
  const warnings = findings.warnings.map(({ place, message }) => ({
    file,
    line: lines.lineOf(place),
    message,
  }));
  return { config, warnings };
}

function parseToml(text: string, file: string): Readonly<Record<string, unknown>> {
  try {
    return parse(text);
  } catch (error) {
    if (!(error instanceof TomlError)) throw error;
    const [what = ''] = error.message.replace('Invalid TOML document: ', '').split('\n');
    throw new DavylampError('CONFIG_INVALID', `${file}:${error.line}: not TOML: ${what}`, { cause: error });
  }
}

/** One line for each fault, in the order of the file. */
function invalid(faults: readonly Fault[], file: string, lines: TomlLines): DavylampError {
  const found = faults.map(({ place, message }) => ({ line: lines.lineOf(place) ?? 1, message }));
  found.sort((a, b) => a.line - b.line);
  return new DavylampError(
    'CONFIG_INVALID',
    found.map(({ line, message }) => `${file}:${line}: ${message}`).join('\n'),
  );
}
