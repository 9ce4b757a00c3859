import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mainModule } from '../../src/app/modules.ts';

export interface RoleProcessOptions {
  /** What the process is started by: `ip netns exec NAME`. */
  readonly prefix?: readonly string[];
  /** Beside that of this process. */
  readonly environment?: Readonly<Record<string, string>>;
}

/** One role of the chain as a process of its own, which can be killed and started again. */
export class RoleProcess implements AsyncDisposable {
  readonly name: string;
  readonly #args: readonly string[];
  readonly #options: RoleProcessOptions;
  #child: ChildProcess | null = null;
  #lastLines = '';
  /** Times it was started. */
  starts = 0;

  /** `args`: of `davylamp`, such as `site -c FILE`. */
  constructor(name: string, args: readonly string[], options: RoleProcessOptions = {}) {
    this.name = name;
    this.#args = args;
    this.#options = options;
  }

  get pid(): number | undefined {
    return this.#child?.pid;
  }

  /** What it said last, for whoever looks into a failure. */
  get lastLines(): string {
    return this.#lastLines;
  }

  /** Resolves when it says that it is ready; rejects with its last lines when it ends before. */
  async start(): Promise<void> {
    const child = this.#spawn();
    await new Promise<void>((resolve, reject) => {
      child.once('message', () => resolve());
      child.once('exit', (code, signal) => {
        if (this.#child === child) this.#child = null;
        reject(new Error(`${this.name} ended with ${signal ?? code}:\n${this.#lastLines}`));
      });
    });
  }

  /** Starts it and kills it as soon as `isDue`, which is asked all the time; when it is ready at the latest. */
  async startAndKill(isDue: (pid: number) => boolean): Promise<void> {
    const child = this.#spawn();
    const seen = { isReady: false };
    child.once('message', () => (seen.isReady = true));
    while (!seen.isReady && child.exitCode === null && !isDue(child.pid ?? 0))
      await new Promise(setImmediate);
    await this.kill();
  }

  /** kill -9: no goodbye, nothing is saved that was not. Resolves when the process is gone. */
  kill(): Promise<void> {
    return this.#end('SIGKILL');
  }

  /** A polite end. */
  stop(): Promise<void> {
    return this.#end('SIGTERM');
  }

  /** Stands still without being told, as a machine that swaps; `false` goes on. */
  freeze(isFrozen: boolean): void {
    this.#child?.kill(isFrozen ? 'SIGSTOP' : 'SIGCONT');
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.freeze(false);
    await this.kill();
  }

  #spawn(): ChildProcess {
    const { prefix = [], environment = {} } = this.#options;
    const [program = '', ...args] = [
      ...prefix,
      process.execPath,
      '--conditions=source',
      mainModule,
      ...this.#args,
    ];
    const child = spawn(program, args, {
      stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
      env: { ...process.env, ...environment },
    });
    this.#child = child;
    this.starts++;
    child.stderr?.on('data', (chunk: Buffer) => {
      this.#lastLines = `${this.#lastLines}${chunk.toString()}`.slice(-20_000);
    });
    return child;
  }

  async #end(signal: NodeJS.Signals): Promise<void> {
    const child = this.#child;
    if (child === null || child.exitCode !== null || child.signalCode !== null) return;
    const gone = once(child, 'exit');
    child.kill(signal);
    await gone;
    this.#child = null;
  }
}
