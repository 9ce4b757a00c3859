import { spawn } from 'node:child_process';
import process from 'node:process';
import { DavylampError, type ErrorCode } from '#base';
import { mainModule } from '../modules.ts';

/** Marks the process that goes on in the background. */
const mark = 'DAVYLAMP_DAEMON';

/** What the background process tells the one that started it. */
type DaemonMessage =
  | { readonly kind: 'ready' }
  | { readonly kind: 'line'; readonly line: string }
  | { readonly kind: 'failed'; readonly code: ErrorCode; readonly message: string };

/** This process is the one in the background. */
export function isDaemon(): boolean {
  return process.env[mark] !== undefined && process.send !== undefined;
}

/**
 * Starts this same command line again, in a session of its own and with nothing but `/dev/null` open. Resolves when it
 * runs; rejects with its error when it does not come so far. `printError` gets what it has to say until then.
 */
export function startDaemon(printError: (line: string) => void): Promise<void> {
  const child = spawn(process.execPath, [...process.execArgv, mainModule, ...process.argv.slice(2)], {
    detached: true,
    stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
    env: { ...process.env, [mark]: '1' },
  });
  return new Promise((resolve, reject) => {
    child.on('error', (error) => {
      reject(new DavylampError('BUG', `cannot start a process in the background: ${error.message}`));
    });
    child.on('exit', (code, signal) => {
      const how = code === null ? `by ${signal}` : `with exit code ${code}`;
      reject(new DavylampError('BUG', `the process in the background ended ${how} before it was ready`));
    });
    child.on('message', (message: DaemonMessage) => {
      if (message.kind === 'line') printError(message.line);
      else if (message.kind === 'failed') reject(new DavylampError(message.code, message.message));
      else {
        child.disconnect();
        child.unref();
        resolve();
      }
    });
  });
}

/** Tells the process that started this one. Resolves when it is told, or gone. */
export function tellStarter(message: DaemonMessage): Promise<void> {
  return new Promise((resolve) => {
    if (process.send === undefined || !process.connected) resolve();
    else process.send(message, () => resolve());
  });
}
