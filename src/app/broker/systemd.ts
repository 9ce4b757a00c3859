import { spawn } from 'node:child_process';
import process from 'node:process';
import type { Logger } from '#base';

const patienceMs = 2000;

/**
 * Tells systemd of a state (`READY=1`) where it waits for it (`Type=notify`). By the program `systemd-notify`: Node cannot
 * open the datagram socket. The unit needs `NotifyAccess=all`. Resolves when it is told, or cannot be.
 */
export function notifySystemd(state: string, log: Logger): Promise<void> {
  if (process.env['NOTIFY_SOCKET'] === undefined) return Promise.resolve();
  return new Promise((resolve) => {
    const child = spawn('systemd-notify', [state], { stdio: 'ignore', timeout: patienceMs });
    const failed = (why: string): void => {
      log.warning(`systemd could not be told ${state}: ${why}`);
      resolve();
    };
    child.on('error', (error) => failed(error.message));
    child.on('exit', (code) => {
      if (code === 0) resolve();
      else failed(`systemd-notify ended with ${code ?? 'a signal'}`);
    });
  });
}
