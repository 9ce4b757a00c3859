import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import path from 'node:path';
import process from 'node:process';
import { mainModule } from '../src/app/modules.ts';
import { pinned } from './brokers/broker-adapter.ts';

/** A `davylamp relay` as a process of its own, run from source. */
export class BenchRole {
  readonly #child: ChildProcess;
  /** From its start until it listens. */
  readonly startMs: number;

  private constructor(child: ChildProcess, startMs: number) {
    this.#child = child;
    this.startMs = startMs;
  }

  get pid(): number {
    return this.#child.pid ?? 0;
  }

  /** `core`: the processor that it is pinned to; absent = any. */
  static async start(folder: string, toml: string, core?: 0 | 1): Promise<BenchRole> {
    const file = path.join(folder, 'bench.toml');
    writeFileSync(file, toml, { mode: 0o600 });
    const args = ['--conditions=source', mainModule, 'relay', '-c', file];
    const [program, all] =
      core === undefined ? [process.execPath, args] : pinned(core, process.execPath, args);
    const begin = performance.now();
    const child = spawn(program, [...all], { stdio: ['ignore', 'ignore', 'inherit', 'ipc'] });
    const ended = once(child, 'exit').then(([code]) => {
      throw new Error(`the broker ended with exit code ${code}`);
    });
    ended.catch(() => {});
    await Promise.race([once(child, 'message'), ended]);
    return new BenchRole(child, performance.now() - begin);
  }

  /** The most resident memory so far, in bytes (Linux). */
  get peakBytes(): number {
    const status = readFileSync(`/proc/${this.pid}/status`, 'utf8');
    return Number(/^VmHWM:\s+(\d+)/m.exec(status)?.[1]) * 1024;
  }

  async stop(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const gone = once(this.#child, 'exit');
    this.#child.kill('SIGTERM');
    await gone;
  }
}

/** The head of a configuration: bounds wide enough that the work is measured and not a limit. */
export function benchToml(name: string, persistence: boolean, broker = ''): string {
  return `role = "relay"
name = "${name}"
log_level = "error"

[persistence]
enabled = ${persistence}
folder = "journal-${name}"
maximum_size = "16GiB"

[broker]
sys_interval = "1s"
maximum_message_rate = 0
maximum_byte_rate = 0
maximum_queued_messages = 10000000
maximum_queued_bytes = "8GiB"
maximum_inflight = 10000
receive_maximum = 10000
maximum_memory = "4GiB"
flapping_connects = 0
${broker}`;
}

/** A plain listener for anybody on this machine. */
export function openListener(port: number): string {
  return `
[[listener]]
name = "open"
protocol = "tcp"
address = "127.0.0.1"
port = ${port}
allow_anonymous = true
`;
}

export async function freePort(): Promise<number> {
  const server = createServer();
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}
