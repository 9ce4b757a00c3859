import { readFileSync } from 'node:fs';
import { enableCompileCache } from 'node:module';
import path from 'node:path';
import process from 'node:process';
import { packageFolder, runsFromSource } from './modules.ts';

/** The program: reads the command line, runs, sets the exit code. */
const { version } = JSON.parse(readFileSync(path.join(packageFolder, 'package.json'), 'utf8')) as {
  version: string;
};
const print = (line: string): void => void process.stdout.write(`${line}\n`);
const printError = (line: string): void => void process.stderr.write(`${line}\n`);

let isOutputLost = false;
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  // `davylamp … | head`: nobody reads any more, which is no error.
  if (error.code === 'EPIPE' || isOutputLost) return;
  // A full disk under the output of a broker is no reason to end it.
  isOutputLost = true;
  printError(`davylamp: standard output cannot be written: ${error.message}`);
});
process.on('exit', () => {
  if (isOutputLost && process.exitCode === 0) process.exitCode = 1;
});
process.stderr.on('error', () => {}); // there is nobody to tell
// Stripping the types of 300 files takes longer than anything else at the start (a broker is up in 0.3 s instead of 1.0 s
// on a busy machine). Beside the packages: where only those can write who can change the code as well.
if (runsFromSource) enableCompileCache(path.join(packageFolder, 'node_modules', '.cache', 'davylamp'));
const { runCommandLine } = await import('#cli');
const { createSystem } = await import('./system.ts');
const exitCode = await runCommandLine(process.argv.slice(2), createSystem(version, print, printError), {
  print,
  printError,
});
process.exitCode = exitCode;
// The channel to a supervisor would keep the process alive.
if (process.connected) process.disconnect();
