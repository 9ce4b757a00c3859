import { spawn, type ChildProcess } from 'node:child_process';
import process from 'node:process';
import { messageOf } from '#base';
import type { MosquittoLogType } from '#config';
import { maximumWaitingBytes, type LogSink, type SinkOwner } from './log-sink.ts';

/** Severities of syslog(3), as Mosquitto gives them. */
const severities: Readonly<Record<MosquittoLogType, number>> = {
  error: 3,
  warning: 4,
  notice: 5,
  information: 6,
  subscribe: 5,
  unsubscribe: 5,
  websockets: 7,
  internal: 3,
  debug: 7,
};
/** The name in the log: what rules for Mosquitto's lines look for. */
const tag = 'mosquitto';
const restartMs = 10_000;
/** How long the last lines may take at the end. */
const closeMs = 1000;

/**
 * Lines to the system's log by the program `logger` (util-linux): Node cannot open the datagram socket of syslog. It is
 * started again when it ends, at most every ten seconds.
 */
export class SyslogSink implements LogSink {
  readonly #owner: SinkOwner;
  readonly #facility: number;
  readonly #program: string;
  #child: ChildProcess | null = null;
  #startedAt = Number.NEGATIVE_INFINITY;
  #lost = 0;

  /** `facility` is syslog(3)'s number: 3 = daemon, 16 = local0. */
  constructor(facility: number, owner: SinkOwner, program = 'logger') {
    this.#facility = facility;
    this.#owner = owner;
    this.#program = program;
  }

  write(line: string, type: MosquittoLogType): void {
    const stdin = this.#running()?.stdin;
    if (stdin === undefined || stdin === null || stdin.writableLength > maximumWaitingBytes) {
      this.#lost += 1;
      return;
    }
    const lost = this.#lost;
    this.#lost = 0;
    if (lost > 0) this.#owner.onLost(this, lost);
    stdin.write(`<${this.#facility * 8 + severities[type]}>${line}\n`);
  }

  close(): Promise<void> {
    const child = this.#child;
    this.#child = null;
    this.#startedAt = Number.POSITIVE_INFINITY;
    if (child === null) return Promise.resolve();
    return new Promise((resolve) => {
      const timer = setTimeout(() => {
        child.kill('SIGKILL');
        resolve();
      }, closeMs);
      child.once('close', () => {
        clearTimeout(timer);
        resolve();
      });
      child.stdin?.end();
    });
  }

  #running(): ChildProcess | null {
    const now = performance.now();
    if (this.#child !== null || now - this.#startedAt < restartMs) return this.#child;
    this.#startedAt = now;
    const args = ['--tag', tag, `--id=${process.pid}`, '--prio-prefix'];
    // A group of its own: Ctrl-C must not end it before the last lines are through.
    const child = spawn(this.#program, args, { stdio: ['pipe', 'ignore', 'pipe'], detached: true });
    child.unref();
    const onEnd = (why: string): void => {
      if (this.#child !== child) return;
      this.#child = null;
      this.#owner.onFault(this, `syslog: ${why}`);
    };
    child.on('error', (error) => onEnd(`${messageOf(error)}; install util-linux, which has 'logger'`));
    child.on('exit', (code) => onEnd(`logger ended with ${code ?? 'a signal'}`));
    child.stdin.on('error', () => {}); // its end tells why
    let complaint = '';
    child.stderr.on('data', (data: Buffer) => {
      if (complaint === '') this.#owner.onFault(this, `syslog: ${data.toString().trim()}`);
      complaint = 'told';
    });
    this.#child = child;
    return child;
  }
}
