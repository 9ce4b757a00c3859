import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { connect } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';

/** A broker that can be measured. One file each. */
export interface BrokerAdapter {
  readonly name: string;
  /** The highest quality of service that it offers. */
  readonly maximumQos: 0 | 1 | 2;
  readonly doors: readonly Door[];
  /** `undefined` when it can be started, else why not, in a sentence. */
  missing(): string | undefined;
  /** Starts it on core 0, for anonymous clients on loopback, and waits until it answers there. */
  start(setup: BrokerSetup): Promise<RunningBroker>;
}

/** How clients come in. */
export type Door = 'tcp' | 'tls' | 'ws';

export interface BrokerSetup {
  readonly port: number;
  readonly door: Door;
  /** PEM; read where the door is TLS. */
  readonly certificateFile: string;
  readonly keyFile: string;
  /** Access list (mosquitto ACL format); absent = everybody may do everything. */
  readonly accessFile?: string;
}

export interface RunningBroker {
  readonly pid: number;
  /** Gives back the memory that the broker does not use, as far as it can be made to. */
  settle(): Promise<void>;
  stop(): Promise<void>;
}

export interface StartOptions {
  readonly port: number;
  readonly command: string;
  readonly args: readonly string[];
  /** Sent by `settle`. */
  readonly settleSignal?: NodeJS.Signals;
}

const startLimitMs = 10_000;
const stopLimitMs = 5_000;
const settleMs = 3_000;

/** Starts a broker's program pinned to core 0, and waits until it takes connections. */
export async function startPinned(options: StartOptions): Promise<RunningBroker> {
  const { port, command, args, settleSignal } = options;
  const child = spawn(...pinned(0, command, args), { stdio: ['ignore', 'ignore', 'pipe'] });
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
  return {
    pid: child.pid as number,
    async settle() {
      if (settleSignal !== undefined) child.kill(settleSignal);
      await delay(settleMs);
    },
    stop: () => stopChild(child, ended),
  };
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
