/**
 * Writes (`--write`) or checks (`--check`) the reference pages that are made from the code: the command line, the error
 * catalogue, the keys of the configuration and of mosquitto.conf. A page that differs from the code fails `npm test`.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import process from 'node:process';
import { errorCatalog } from '#base';
import { allCommands, commandHelp, type SystemPort } from '#cli';
import { configReference, mosquittoConfReference } from '#config';

const folder = path.join(path.dirname(import.meta.dirname), 'docs', 'reference');
const note = '<!-- Made from the code by scripts/reference.ts; do not edit by hand. -->';

const pages: ReadonlyMap<string, string> = new Map([
  ['command-line.md', commandLinePage()],
  ['errors.md', errorPage()],
  ['configuration.md', configReference()],
  ['mosquitto-conf.md', mosquittoConfReference()],
]);

const mode = process.argv[2];
if (mode !== '--write' && mode !== '--check') {
  console.error('usage: reference.ts --write | --check');
  process.exitCode = 2;
} else {
  for (const [name, text] of pages) {
    const file = path.join(folder, name);
    if (mode === '--write') writeFileSync(file, text);
    else if (readOrEmpty(file) !== text) {
      console.error(
        `docs/reference/${name} differs from the code; run 'node --conditions=source scripts/reference.ts --write'`,
      );
      process.exitCode = 1;
    }
  }
}

function readOrEmpty(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return '';
  }
}

function commandLinePage(): string {
  // The help needs no running system: only the descriptions are read.
  const commands = allCommands({} as SystemPort);
  return [
    '# Command line',
    '',
    note,
    '',
    'Exit codes: 0 done, 1 could not run, 2 wrong usage, 3 wrong configuration. An error is one line on standard error.',
    '',
    ...commands.flatMap((command) => [
      `## davylamp ${command.name}`,
      '',
      '```',
      commandHelp(command),
      '```',
      '',
    ]),
  ].join('\n');
}

function errorPage(): string {
  return [
    '# Errors',
    '',
    note,
    '',
    'Every error has a stable code. `blame` says who has to act; `exit` is the exit code of the command line.',
    '',
    '| code | blame | exit | meaning |',
    '|---|---|---|---|',
    ...Object.entries(errorCatalog).map(
      ([code, entry]) => `| \`${code}\` | ${entry.blame} | ${entry.exit} | ${entry.meaning} |`,
    ),
    '',
  ].join('\n');
}
