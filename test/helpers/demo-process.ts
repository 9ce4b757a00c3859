import { execFile, spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, readdir, rm } from 'node:fs/promises';
import net from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { messageOf } from '#base';
import type { DemoStatus } from '#cli';
import type { AlarmView, DeviceView, ReadingView } from '#api';

export const root = path.dirname(path.dirname(import.meta.dirname));
const launcher = path.join(root, 'bin', 'davylamp');
const execFileAsync = promisify(execFile);

/** What a program printed and how it ended. */
export interface Outcome {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs `bin/davylamp` to its end. */
export async function davylamp(...args: readonly string[]): Promise<Outcome> {
  return runProgram(launcher, args);
}

/** Runs a program to its end; never rejects for an exit code. */
export async function runProgram(
  program: string,
  args: readonly string[],
  timeoutMs = 30_000,
): Promise<Outcome> {
  try {
    const { stdout, stderr } = await execFileAsync(program, [...args], {
      timeout: timeoutMs,
      maxBuffer: 64 * 1024 * 1024,
    });
    return { code: 0, stdout, stderr };
  } catch (error) {
    const failed = error as { code?: number | string; stdout?: string; stderr?: string; message: string };
    return {
      code: typeof failed.code === 'number' ? failed.code : -1,
      stdout: failed.stdout ?? '',
      stderr: failed.stderr ?? failed.message,
    };
  }
}

export async function temporaryFolder(): Promise<string> {
  return mkdtemp(path.join(os.tmpdir(), 'davylamp-test-'));
}

/** Given out before: between the probe's end and the start of whoever is to use it, the system could give the same again. */
const givenPorts = new Set<number>();

/** A port that nobody listens on, with free ones behind it, as far as that can be known. */
export async function freePort(): Promise<number> {
  const server = net.createServer();
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port: given } = server.address() as net.AddressInfo;
  server.close();
  await once(server, 'close');
  const port = given > 65_000 ? given - 1000 : given;
  if (givenPorts.has(port)) return freePort();
  givenPorts.add(port);
  return port;
}

/** Asks again until `probe` gives something; fails with what was waited for. */
export async function eventually<T>(
  what: string,
  probe: () => Promise<T | undefined> | T | undefined,
  timeoutMs = 30_000,
): Promise<T> {
  const end = performance.now() + timeoutMs;
  let last: unknown;
  while (performance.now() < end) {
    try {
      const value = await probe();
      if (value !== undefined) return value;
    } catch (error) {
      last = error;
    }
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error(
    `waited ${timeoutMs} ms in vain for ${what}${last === undefined ? '' : `: ${messageOf(last)}`}`,
  );
}

/** A running `davylamp demo`, as a user starts it. */
export class DemoProcess implements AsyncDisposable {
  readonly folder: string;
  readonly #ownsFolder: boolean;
  readonly #child: ChildProcess;
  readonly #exit: Promise<number>;
  lines = '';

  private constructor(folder: string, ownsFolder: boolean, firstPort: number) {
    this.folder = folder;
    this.#ownsFolder = ownsFolder;
    this.#child = spawn(launcher, ['demo', '--data', folder, '--port', String(firstPort)], {
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    this.#exit = new Promise((resolve) => this.#child.once('close', (code) => resolve(code ?? -1)));
    this.#child.stdout?.on('data', (chunk: Buffer) => (this.lines += chunk.toString()));
    this.#child.stderr?.on('data', (chunk: Buffer) => (this.lines += chunk.toString()));
  }

  static async start(options: { folder?: string; firstPort?: number } = {}): Promise<DemoProcess> {
    const folder = options.folder ?? (await temporaryFolder());
    const demo = new DemoProcess(
      folder,
      options.folder === undefined,
      options.firstPort ?? (await freePort()),
    );
    const failed = demo.#exit.then((code) => {
      throw new Error(`the demo ended with exit code ${code}:\n${demo.lines}`);
    });
    failed.catch(() => {});
    await Promise.race([
      eventually('the demo to run', () => (/^Running: /m.test(demo.lines) ? true : undefined), 60_000),
      failed,
    ]);
    return demo;
  }

  async status(): Promise<DemoStatus> {
    const { stdout, stderr } = await davylamp('demo', 'status', '--json', '--data', this.folder);
    if (stdout === '') throw new Error(stderr);
    return JSON.parse(stdout) as DemoStatus;
  }

  async get<T>(route: string): Promise<T> {
    const { screen } = await this.status();
    return fetchJson<T>(screen, route);
  }

  /** Ctrl-C; resolves with the exit code. */
  async stop(): Promise<number> {
    if (this.#child.exitCode === null && this.#child.signalCode === null) this.#child.kill('SIGINT');
    return this.#exit;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
    if (this.#ownsFolder) await rm(this.folder, { recursive: true, force: true });
  }

  /** The log lines of all processes, for a failing test. */
  async logs(): Promise<string> {
    const folder = path.join(this.folder, 'logs');
    const files = await readdir(folder);
    const texts = await Promise.all(
      files.map(async (file) => `--- ${file}\n${await readFile(path.join(folder, file), 'utf8')}`),
    );
    return texts.join('\n');
  }
}

export async function fetchJson<T>(screen: string, route: string): Promise<T> {
  const response = await fetch(new URL(route, screen));
  if (!response.ok) throw new Error(`${route}: ${response.status} ${await response.text()}`);
  return (await response.json()) as T;
}

export async function postJson<T>(screen: string, route: string, body: unknown): Promise<T> {
  const response = await fetch(new URL(route, screen), {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
  if (!response.ok) throw new Error(`${route}: ${response.status} ${await response.text()}`);
  return (await response.json()) as T;
}

export type { AlarmView, DeviceView, ReadingView };
