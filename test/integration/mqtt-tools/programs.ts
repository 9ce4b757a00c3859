import { spawn, type ChildProcess } from 'node:child_process';
import { existsSync } from 'node:fs';
import path from 'node:path';
import process from 'node:process';
import { root } from '../../helpers/demo-process.ts';

/** Why a comparison with Debian's tools cannot run; `false` where it can. */
export const skipWithoutTheirs = existsSync('/usr/bin/mosquitto_rr')
  ? false
  : 'mosquitto_pub is not installed (apt-get install mosquitto-clients)';

export type ToolName = 'pub' | 'sub' | 'rr' | 'passwd';

/** How one of our tools, or the program whose habits it has, is called. */
export function commandOf(tool: ToolName, isOurs: boolean): readonly string[] {
  // Into a pipe theirs write what they print only when they end; stdbuf becomes the program, by exec.
  return isOurs
    ? [process.execPath, '--conditions=source', path.join(root, 'src/app/main.ts'), tool]
    : ['/usr/bin/stdbuf', '-oL', `mosquitto_${tool}`];
}

/** A program while it runs. */
export class Program {
  readonly child: ChildProcess;
  /** The exit code; `null`: ended by a signal. */
  readonly ended: Promise<number | null>;
  readonly #chunks: Buffer[] = [];
  errors = '';
  #wake: () => void = () => {};

  /** `input`: all of standard input; absent = it stays open. */
  constructor(
    tool: ToolName,
    isOurs: boolean,
    args: readonly string[],
    input?: string | Buffer,
    environment: Readonly<Record<string, string>> = {},
  ) {
    const [program = '', ...words] = [...commandOf(tool, isOurs), ...args];
    // Nobody's own defaults.
    const env = { ...process.env, XDG_CONFIG_HOME: '/nonexistent', ...environment };
    this.child = spawn(program, words, { stdio: ['pipe', 'pipe', 'pipe'], env });
    const kill = (): void => void this.child.kill('SIGKILL');
    process.once('exit', kill);
    this.child.stdin!.on('error', () => {});
    if (input !== undefined) this.child.stdin!.end(input);
    this.child.stdout!.on('data', (chunk: Buffer) => {
      this.#chunks.push(chunk);
      this.#wake();
    });
    this.child.stderr!.on('data', (chunk: Buffer) => {
      this.errors += chunk.toString();
      this.#wake();
    });
    this.ended = new Promise((resolve) => {
      this.child.once('close', (code) => {
        process.off('exit', kill);
        resolve(code);
        this.#wake();
      });
    });
  }

  get bytes(): Buffer {
    return Buffer.concat(this.#chunks);
  }

  get output(): string {
    return this.bytes.toString();
  }

  /** Resolves when what was printed holds `text`; rejects when the program ends before. */
  async until(text: string): Promise<void> {
    while (!this.output.includes(text)) {
      if (this.child.exitCode !== null || this.child.signalCode !== null)
        throw new Error(`it ended (${this.child.exitCode}) before it printed ${text}: ${this.errors}`);
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.child.kill('SIGKILL');
    await this.ended;
  }
}

/** How a program ended and what it printed. */
export interface Ended {
  readonly code: number | null;
  readonly output: string;
  readonly errors: string;
}

/** Runs one of our tools to its end. */
export async function ours(tool: ToolName, args: readonly string[], input?: string | Buffer): Promise<Ended> {
  await using program = new Program(tool, true, args, input ?? '');
  const code = await program.ended;
  return { code, output: program.output, errors: program.errors };
}

/** Runs the mosquitto program of that name to its end. */
export async function theirs(
  tool: ToolName,
  args: readonly string[],
  input?: string | Buffer,
): Promise<Ended> {
  await using program = new Program(tool, false, args, input ?? '');
  const code = await program.ended;
  return { code, output: program.output, errors: program.errors };
}
