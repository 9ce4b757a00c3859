import { isDeepStrictEqual } from 'node:util';
import { fstatSync } from 'node:fs';
import process from 'node:process';
import type { Writable } from 'node:stream';
import { logSentence, messageOf, type Clock, type LogFields, type Logger, strftime } from '#base';
import type { MosquittoLogConfig, MosquittoLogDestination, MosquittoLogType } from '#config';
import { FileSink } from './file-sink.ts';
import type { LogSink, SinkOwner } from './log-sink.ts';
import type { PreparedChange } from './prepared-change.ts';
import { StreamSink } from './stream-sink.ts';
import { SyslogSink } from './syslog-sink.ts';
import { TopicSink, type PublishLine } from './topic-sink.ts';

/** Where a destination's lines go; one sink for each. */
interface Outlet {
  readonly destination: MosquittoLogDestination;
  readonly sink: LogSink;
}

/**
 * The log in Mosquitto's form: `1700000000: New client connected …`, of the types and to the destinations that the
 * configuration names. A destination that cannot be written loses lines, which are counted and told of; it never holds
 * the broker up.
 */
export class MosquittoLog implements SinkOwner {
  readonly #clock: Clock;
  #config: MosquittoLogConfig;
  #outlets: readonly Outlet[] = [];
  #publish: PublishLine = () => {};
  /** The time is written once for all lines of a second. */
  #second = -1;
  #stamp = '';

  constructor(config: MosquittoLogConfig, clock: Clock) {
    this.#config = config;
    this.#clock = clock;
  }

  /** Opens the destinations. A log file that cannot be opened is replaced by standard error, as in Mosquitto, and told of. */
  async start(): Promise<void> {
    const { destinations } = this.#config;
    const faults: string[] = [];
    const outlets: Outlet[] = [];
    for (const destination of destinations) {
      try {
        outlets.push({ destination, sink: await this.#open(destination) });
      } catch (error) {
        faults.push(messageOf(error));
      }
    }
    if (faults.length > 0 && !outlets.some(({ destination }) => destination.kind === 'stderr')) {
      const destination = { kind: 'stderr' } as const;
      outlets.push({ destination, sink: await this.#open(destination) });
    }
    this.#outlets = outlets;
    for (const fault of faults) this.line('error', `Error: ${fault}. The lines go to standard error.`);
  }

  /** Lines about clients that come and go are wanted. */
  get tellsOfConnections(): boolean {
    return this.#config.connectionMessages;
  }

  get isOnStandardError(): boolean {
    return this.#outlets.some(({ destination }) => destination.kind === 'stderr');
  }

  /** Whether anybody sees lines of this type: asked before a line is made. */
  shows(type: MosquittoLogType): boolean {
    return this.#config.types.has(type) && this.#outlets.length > 0;
  }

  /** Writes one line. `text` has no control characters of a peer's. */
  line(type: MosquittoLogType, text: string): void {
    if (!this.#config.types.has(type)) return;
    const line = this.#stamped(text);
    for (const { sink } of this.#outlets) sink.write(line, type);
  }

  /** Writes an error into files before this returns: the process is about to end. */
  lineNow(text: string): void {
    const line = this.#stamped(text);
    for (const { sink } of this.#outlets) if (sink instanceof FileSink) sink.writeNow(line);
  }

  /** The rest of the program speaks through this: `Warning: listener 1883: …`. */
  logger(name?: string): Logger {
    const from = name === undefined ? '' : `${name}: `;
    const write = (type: MosquittoLogType, prefix: string) => (message: string, fields?: LogFields) => {
      if (this.#config.types.has(type)) this.line(type, `${prefix}${from}${logSentence(message, fields)}`);
    };
    return {
      error: write('error', 'Error: '),
      warning: write('warning', 'Warning: '),
      notice: write('notice', ''),
      info: write('information', ''),
      debug: write('debug', ''),
      child: (child) => this.logger(child),
    };
  }

  /** Where lines for `$SYS/broker/log` go. */
  publishBy(publish: PublishLine): void {
    this.#publish = publish;
    for (const { sink } of this.#outlets) if (sink instanceof TopicSink) sink.publish = publish;
  }

  /** Reads nothing: opens what is new and, for log rotation, each file that stays. Rejects with `FILE_UNWRITABLE`. */
  async prepare(config: MosquittoLogConfig): Promise<PreparedChange> {
    const outlets: Outlet[] = [];
    const opened: LogSink[] = [];
    const reopened: { commit(): void; abort(): Promise<void> }[] = [];
    const abort = async (): Promise<void> => {
      await Promise.all([...opened.map((sink) => sink.close()), ...reopened.map((one) => one.abort())]);
    };
    try {
      for (const destination of config.destinations) {
        const same = this.#outlets.find((outlet) => isSame(outlet.destination, destination));
        if (
          same === undefined ||
          (destination.kind === 'syslog' && config.facility !== this.#config.facility)
        ) {
          const sink = await this.#open(destination, config);
          opened.push(sink);
          outlets.push({ destination, sink });
        } else {
          if (destination.kind === 'file' && same.sink instanceof FileSink)
            reopened.push(await same.sink.prepareReopen());
          outlets.push(same);
        }
      }
    } catch (error) {
      await abort();
      throw error;
    }
    const commit = (): void => {
      const kept = new Set(outlets.map(({ sink }) => sink));
      for (const { sink } of this.#outlets) if (!kept.has(sink)) void sink.close();
      for (const one of reopened) one.commit();
      this.#outlets = outlets;
      this.#config = config;
      this.#second = -1;
      this.publishBy(this.#publish);
    };
    return { warnings: [], commit, abort };
  }

  /** Resolves when the last lines are written. */
  async close(): Promise<void> {
    const outlets = this.#outlets;
    this.#outlets = [];
    await Promise.all(outlets.map(({ sink }) => sink.close()));
  }

  onLost(sink: LogSink, count: number): void {
    sink.write(
      this.#stamped(`Warning: ${count} log lines were lost here, the destination was too slow.`),
      'warning',
    );
  }

  onFault(sink: LogSink, message: string): void {
    const text = this.#stamped(`Error: the log cannot be written: ${logSentence(message)}`);
    let isTold = false;
    for (const outlet of this.#outlets) {
      if (outlet.sink === sink || outlet.destination.kind === 'topic') continue;
      outlet.sink.write(text, 'error');
      isTold = true;
    }
    if (!isTold) process.stderr.write(`${text}\n`);
  }

  async #open(destination: MosquittoLogDestination, config = this.#config): Promise<LogSink> {
    switch (destination.kind) {
      case 'stdout':
        return this.#standard(1, 'standard output', process.stdout);
      case 'stderr':
        return this.#standard(2, 'standard error', process.stderr);
      case 'syslog':
        return new SyslogSink(config.facility, this);
      case 'topic': {
        const sink = new TopicSink(this);
        sink.publish = this.#publish;
        return sink;
      }
      case 'file':
      default:
        return FileSink.open(destination.path, this);
    }
  }

  #standard(fd: number, name: string, stream: Writable): LogSink {
    return isFile(fd) ? FileSink.ofDescriptor(fd, name, this) : new StreamSink(stream, this);
  }

  #stamped(text: string): string {
    const { timestamp, timestampFormat } = this.#config;
    if (!timestamp) return text;
    const now = this.#clock.now();
    const second = Math.floor(now / 1000);
    if (second !== this.#second) {
      this.#second = second;
      this.#stamp = timestampFormat === null ? String(second) : strftime(timestampFormat, new Date(now));
    }
    return `${this.#stamp}: ${text}`;
  }
}

function isFile(fd: number): boolean {
  try {
    return fstatSync(fd).isFile();
  } catch {
    return false; // closed by whoever started us
  }
}

function isSame(a: MosquittoLogDestination, b: MosquittoLogDestination): boolean {
  return isDeepStrictEqual(a, b);
}
