import assert from 'node:assert/strict';
import { spawn, type ChildProcess } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createConnection } from 'node:net';
import os from 'node:os';
import path from 'node:path';
import process from 'node:process';
import { eventually, root } from '../../helpers/demo-process.ts';

const mosquitto = '/usr/sbin/mosquitto';

/** Why tests with Mosquitto's programs cannot run; `false` where they can. */
export const skipWithoutMosquitto =
  existsSync(mosquitto) && existsSync('/usr/bin/mosquitto_pub')
    ? false
    : 'mosquitto is not installed (apt-get install mosquitto mosquitto-clients)';

const davylamp = path.join(root, 'bin', 'davylamp');

/** The two programs that run one configuration. */
export const programs = { davylamp: [davylamp, 'broker'], mosquitto: [mosquitto] } as const;

/** Those and the roles that have a TOML file. */
const commands = { ...programs, site: [davylamp, 'site'], relay: [davylamp, 'relay'] } as const;

export interface BrokerStart {
  readonly program?: keyof typeof commands;
  /** Beside `-c FILE`. */
  readonly args?: readonly string[];
  readonly environment?: Readonly<Record<string, string>>;
}

/** A folder for the files of one broker. */
export class ConfFolder implements AsyncDisposable {
  readonly path: string;

  private constructor(folder: string) {
    this.path = folder;
  }

  static async create(): Promise<ConfFolder> {
    return new ConfFolder(await mkdtemp(path.join(os.tmpdir(), 'davylamp-drop-in-')));
  }

  file(name: string): string {
    return path.join(this.path, name);
  }

  /** Writes a file (and its folders) that only we may read. */
  async write(name: string, text: string): Promise<string> {
    const file = this.file(name);
    await mkdir(path.dirname(file), { recursive: true });
    await writeFile(file, text, { mode: 0o600 });
    return file;
  }

  read(name: string): Promise<string> {
    return readFile(this.file(name), 'utf8');
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await rm(this.path, { recursive: true, force: true });
  }
}

/** Without this line a broker that root starts becomes another user, who may not read the files of a test. */
export const asOurselves = `user ${os.userInfo().username}\n`;

/** How a program ended. */
export interface Ending {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly milliseconds: number;
}

/** Also where a test gives up half-way. */
const running = new Set<ChildProcess>();
process.once('exit', () => {
  for (const child of running) child.kill('SIGKILL');
});

/** A broker as a process of its own, from a real mosquitto.conf. */
export class DropInBroker implements AsyncDisposable {
  readonly child: ChildProcess;
  /** From the start to the end. */
  readonly ended: Promise<Ending>;
  stdout = '';
  stderr = '';

  constructor(file: string | null, { program = 'davylamp', args = [], environment = {} }: BrokerStart = {}) {
    const [command, ...first] = commands[program];
    const startedAt = performance.now();
    const child = spawn(command, [...first, ...(file === null ? [] : ['-c', file]), ...args], {
      env: { ...process.env, ...environment },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    this.child = child;
    child.stdout?.on('data', (data: Buffer) => (this.stdout += data.toString()));
    child.stderr?.on('data', (data: Buffer) => (this.stderr += data.toString()));
    running.add(child);
    this.ended = new Promise((resolve) => {
      child.once('close', (code, signal) => {
        running.delete(child);
        resolve({ code, signal, milliseconds: performance.now() - startedAt });
      });
    });
  }

  /** Starts it and waits until the port (or socket) takes connections. */
  static async start(
    file: string | null,
    place: number | string,
    start?: BrokerStart,
  ): Promise<DropInBroker> {
    const broker = new DropInBroker(file, start);
    const opened = eventually(`an open ${place}`, async () => {
      if (broker.child.exitCode !== null) return false;
      return (await isOpen(place)) ? true : undefined;
    });
    assert.ok(await opened, `it ended with ${broker.child.exitCode}: ${broker.stderr}`);
    return broker;
  }

  kill(signal: NodeJS.Signals): void {
    this.child.kill(signal);
  }

  /** Waits for a text in what it logs on standard error from `from` on. */
  logged(text: string | RegExp, from = 0): Promise<string> {
    return eventually(
      `${text} in the log:\n${this.stderr.slice(from)}`,
      () => {
        const lines = this.stderr.slice(from).split('\n');
        return lines.find((line) => (typeof text === 'string' ? line.includes(text) : text.test(line)));
      },
      10_000,
    );
  }

  /** Ends it politely. */
  async stop(): Promise<Ending> {
    this.kill('SIGTERM');
    return this.ended;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.child.exitCode === null && this.child.signalCode === null) await this.stop();
    if (process.env['SHOW_LOGS'] !== undefined) console.log(this.stderr);
  }
}

/** Whether somebody listens on a port of loopback or on a Unix socket. */
export function isOpen(place: number | string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket =
      typeof place === 'string' ? createConnection({ path: place }) : createConnection(place, '127.0.0.1');
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => resolve(false));
  });
}

/** `mosquitto_sub` at work: what it prints is what a person would see. */
export class Subscriber implements AsyncDisposable {
  readonly child: ChildProcess;
  stdout = '';
  stderr = '';
  readonly closed: Promise<number | null>;

  private constructor(args: readonly string[]) {
    // Into a pipe it writes what it prints only when it ends; stdbuf becomes the program, by exec.
    this.child = spawn('/usr/bin/stdbuf', ['-oL', 'mosquitto_sub', ...args], {
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    this.child.stdout?.on('data', (data: Buffer) => (this.stdout += data.toString()));
    this.child.stderr?.on('data', (data: Buffer) => (this.stderr += data.toString()));
    this.closed = new Promise((resolve) => this.child.once('close', resolve));
  }

  /** Resolves when the broker has answered its subscription; `-d` is among its arguments then. */
  static async start(...args: readonly string[]): Promise<Subscriber> {
    // Line by line: the debug lines are how we know that the subscription stands.
    const subscriber = new Subscriber(['-d', ...args]);
    await eventually(
      'a subscription',
      () => {
        if (subscriber.child.exitCode !== null) throw new Error(`mosquitto_sub ended: ${subscriber.stderr}`);
        return subscriber.stdout.includes('received SUBACK') || subscriber.stdout.includes('Subscribed')
          ? true
          : undefined;
      },
      10_000,
    );
    return subscriber;
  }

  /** What was received, without the debug lines. */
  get messages(): readonly string[] {
    return this.stdout
      .split('\n')
      .filter((line) => line !== '' && !/^(Client |Subscribed |Received |Sending )/.test(line));
  }

  received(message: string, count = 1): Promise<true> {
    return eventually(
      `message ${message}`,
      () => (this.messages.filter((one) => one === message).length >= count ? true : undefined),
      10_000,
    );
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.child.exitCode === null) this.child.kill('SIGTERM');
    await this.closed;
  }
}
