import { fork, type ChildProcess } from 'node:child_process';
import { closeSync, fstatSync, openSync, renameSync, writeSync } from 'node:fs';
import { DavylampError, type Clock, type Timer } from '#base';

const restartMinimumMs = 500;
const restartMaximumMs = 15_000;
/** A process that ran this long has proved itself: the next restart waits the minimum again. */
const provenAfterMs = 20_000;
const stopTimeoutMs = 6000;
const logBytes = 5 * 1024 * 1024;

export interface ChildOptions {
  /** For people: `site north`. */
  readonly name: string;
  readonly args: readonly string[];
  readonly config: string;
  readonly logFile: string;
  readonly clock: Clock;
  /** Says a line to the person at the terminal. */
  readonly say: (line: string) => void;
}

/** Messages between the supervisor and its processes. */
interface ReadyMessage {
  readonly kind: 'ready';
}

interface ReplyMessage {
  readonly kind: 'reply';
  readonly id: number;
  readonly value: unknown;
}

/** One process of the demo: started, watched, started again when it dies, its lines kept in a bounded log file. */
export class Child {
  readonly #options: ChildOptions;
  #process: ChildProcess | undefined;
  #stopping = false;
  #backoffMs = restartMinimumMs;
  #startedAt = 0;
  #restart: Timer | undefined;
  #log = -1;
  #lastLine = '';
  #requests = new Map<number, (value: unknown) => void>();
  #nextRequest = 1;

  constructor(options: ChildOptions) {
    this.#options = options;
  }

  get name(): string {
    return this.#options.name;
  }

  get config(): string {
    return this.#options.config;
  }

  get pid(): number | null {
    return this.#process?.pid ?? null;
  }

  /** Starts it and resolves when it says that it is ready. Rejects when it stops before. */
  start(): Promise<void> {
    this.#log = openSync(this.#options.logFile, 'a', 0o600);
    return this.#spawn();
  }

  #spawn(): Promise<void> {
    return new Promise((resolve, reject) => {
      const [entry = '', ...args] = this.#options.args;
      const child = fork(entry, args, { stdio: ['ignore', 'pipe', 'pipe', 'ipc'], detached: true });
      this.#process = child;
      this.#startedAt = this.#options.clock.monotonic();
      let ready = false;
      child.stdout?.on('data', (chunk: Buffer) => this.#keepLines(chunk));
      child.stderr?.on('data', (chunk: Buffer) => this.#keepLines(chunk));
      child.on('message', (message: ReadyMessage | ReplyMessage) => {
        if (message.kind === 'reply') this.#onReply(message);
        else {
          ready = true;
          resolve();
        }
      });
      child.on('error', (error) => this.#options.say(`${this.name}: ${error.message}`));
      // 'close' comes after the last line was read.
      child.on('close', (code, signal) => {
        this.#process = undefined;
        for (const answer of this.#requests.values()) answer(undefined);
        this.#requests.clear();
        if (!ready)
          reject(
            new DavylampError('BUG', `${this.name} did not start: ${this.#lastLine || `exit code ${code}`}`),
          );
        if (!this.#stopping && ready) this.#onDeath(code, signal);
      });
    });
  }

  #onDeath(code: number | null, signal: NodeJS.Signals | null): void {
    const { clock, say, logFile } = this.#options;
    if (clock.monotonic() - this.#startedAt > provenAfterMs) this.#backoffMs = restartMinimumMs;
    const delay = this.#backoffMs;
    this.#backoffMs = Math.min(this.#backoffMs * 2, restartMaximumMs);
    const how = signal === null ? `exit code ${code}` : signal;
    say(`${this.name} stopped (${how}); it starts again in ${delay / 1000} s; its log is ${logFile}`);
    this.#restart = clock.after(delay, () => {
      this.#spawn().then(
        () => say(`${this.name} runs again`),
        (error: unknown) => {
          say(error instanceof Error ? error.message : String(error));
          if (!this.#stopping) this.#onDeath(null, null);
        },
      );
    });
  }

  /** Asks the process something over its channel; `undefined` when it does not run or dies before the answer. */
  ask(request: Readonly<Record<string, unknown>>): Promise<unknown> {
    const child = this.#process;
    if (child?.connected !== true) return Promise.resolve(undefined);
    const id = this.#nextRequest++;
    return new Promise((resolve) => {
      this.#requests.set(id, resolve);
      child.send({ ...request, id }, (error) => {
        if (error !== null && this.#requests.delete(id)) resolve(undefined);
      });
    });
  }

  #onReply(message: ReplyMessage): void {
    const answer = this.#requests.get(message.id);
    this.#requests.delete(message.id);
    answer?.(message.value);
  }

  /** SIGTERM, and SIGKILL after a while. Resolves when the process is gone. */
  async stop(): Promise<void> {
    this.#stopping = true;
    this.#restart?.cancel();
    const child = this.#process;
    if (child !== undefined) {
      await new Promise<void>((resolve) => {
        const timer = this.#options.clock.after(stopTimeoutMs, () => child.kill('SIGKILL'));
        child.once('close', () => {
          timer.cancel();
          resolve();
        });
        child.kill('SIGTERM');
      });
    }
    if (this.#log >= 0) closeSync(this.#log);
    this.#log = -1;
  }

  #keepLines(chunk: Buffer): void {
    const lines = chunk.toString('utf8').trimEnd().split('\n');
    this.#lastLine = lines.at(-1) ?? this.#lastLine;
    if (this.#log < 0) return;
    if (fstatSync(this.#log).size > logBytes) {
      closeSync(this.#log);
      renameSync(this.#options.logFile, `${this.#options.logFile}.1`);
      this.#log = openSync(this.#options.logFile, 'a', 0o600);
    }
    writeSync(this.#log, chunk);
  }
}
