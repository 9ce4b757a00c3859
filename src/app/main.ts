import { readFileSync } from 'node:fs';
import path from 'node:path';
import process from 'node:process';
import { runCommandLine } from '#cli';
import { packageFolder } from './modules.ts';
import { createSystem } from './system.ts';

/** The program: reads the command line, runs, sets the exit code. */
const { version } = JSON.parse(readFileSync(path.join(packageFolder, 'package.json'), 'utf8')) as {
  version: string;
};
const print = (line: string): void => void process.stdout.write(`${line}\n`);
const printError = (line: string): void => void process.stderr.write(`${line}\n`);

process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  // `davylamp … | head`: nobody reads any more, which is no error.
  if (error.code !== 'EPIPE') throw error;
});
const exitCode = await runCommandLine(process.argv.slice(2), createSystem(version, print), {
  print,
  printError,
});
process.exitCode = exitCode;
// The channel to a supervisor would keep the process alive.
if (process.connected) process.disconnect();
