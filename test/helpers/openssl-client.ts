import { spawn } from 'node:child_process';
import type { TlsFilesConfig } from '#config';

/** A run of `openssl s_client`, and what it has said so far. */
export interface OpensslClient {
  readonly output: string;
  /** Resolves when the output matches; rejects when the client has ended without. */
  until(pattern: RegExp): Promise<string>;
  write(text: string): void;
  /** Closes its input, which ends it; resolves with all of its output. */
  end(): Promise<string>;
}

/** Runs `openssl s_client` towards a port of this machine. It is killed after 20 s. */
export function opensslClient(port: number, ...options: readonly string[]): OpensslClient {
  const child = spawn('openssl', ['s_client', '-connect', `127.0.0.1:${port}`, ...options], {
    timeout: 20_000,
    killSignal: 'SIGKILL',
  });
  let output = '';
  let isOver = false;
  let wake: () => void = () => {};
  const note = (chunk: Buffer): void => {
    output += chunk.toString('latin1');
    wake();
  };
  child.stdout.on('data', note);
  child.stderr.on('data', note);
  child.stdin.on('error', () => {});
  const closed = new Promise<void>((resolve) => {
    child.on('close', () => {
      isOver = true;
      resolve();
      wake();
    });
  });
  return {
    get output() {
      return output;
    },
    async until(pattern) {
      while (!pattern.test(output)) {
        if (isOver) throw new Error(`openssl has ended without ${pattern}: ${output}`);
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
      }
      return pattern.exec(output)?.[0] ?? '';
    },
    write: (text) => child.stdin.write(text),
    async end() {
      child.stdin.end();
      await closed;
      return output;
    },
  };
}

/** What tells `openssl s_client` to show a certificate. */
export function certificateOptions({ certificateFile, keyFile }: TlsFilesConfig): string[] {
  return ['-cert', certificateFile!, '-key', keyFile!];
}
