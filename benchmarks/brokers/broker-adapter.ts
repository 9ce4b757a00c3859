import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { connect } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';

/** A broker that can be measured. One file each. */
export interface BrokerAdapter {
  readonly name: string;
  /** The highest quality of service that it offers. */
  readonly maximumQos: 0 | 1 | 2;
  /** `undefined` when it can be started, else why not, in a sentence. */
  missing(): string | undefined;
  /** Starts it on a port of 127.0.0.1, for anonymous clients, and waits until it answers there. */
  start(port: number): Promise<RunningBroker>;
}

export interface RunningBroker {
  readonly pid: number;
  stop(): Promise<void>;
}

const startLimitMs = 10_000;
const stopLimitMs = 5_000;

/** Starts a program pinned to a processor core, and waits until it takes connections. */
export async function startPinned(
  core: number,
  port: number,
  command: string,
  args: readonly string[],
): Promise<RunningBroker> {
  const child = spawn(...pinned(core, command, args), { stdio: ['ignore', 'ignore', 'pipe'] });
  let complaint = '';
  child.stderr?.on('data', (chunk: Buffer) => {
    complaint = (complaint + chunk.toString()).slice(-2000);
  });
  const ended = new Promise<void>((resolve) => {
    child.once('exit', () => resolve());
    child.once('error', () => resolve());
  });
  const deadline = performance.now() + startLimitMs;
  while (!(await accepts(port))) {
    if (child.exitCode !== null || child.pid === undefined)
      throw new Error(`${command} ended at once: ${complaint.trim()}`);
    if (performance.now() > deadline) {
      await stopChild(child, ended);
      throw new Error(
        `${command} did not listen on port ${port} within ${startLimitMs / 1000} s: ${complaint.trim()}`,
      );
    }
    await delay(20);
  }
  return { pid: child.pid as number, stop: () => stopChild(child, ended) };
}

/** The command that runs another one on a given core only; where there is no `taskset`, the command as it is. */
export function pinned(core: number, command: string, args: readonly string[]): [string, string[]] {
  return canPin() ? ['taskset', ['-c', String(core), command, ...args]] : [command, [...args]];
}

/** Is there a `taskset` and a second core? */
export function canPin(): boolean {
  return spawnSync('taskset', ['-c', '1', 'true']).status === 0;
}

async function stopChild(child: ChildProcess, ended: Promise<void>): Promise<void> {
  child.kill('SIGTERM');
  const patience = new AbortController();
  const late = delay(stopLimitMs, undefined, { signal: patience.signal }).then(
    () => child.kill('SIGKILL'),
    () => {},
  );
  await ended;
  patience.abort();
  await late;
}

function accepts(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    socket.once('error', () => resolve(false));
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
  });
}
