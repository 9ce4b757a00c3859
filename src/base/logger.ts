import type { Clock } from './clock.ts';

/** Values first, so that the configuration can name them. Ordered from quiet to talkative. */
export const logLevels = ['error', 'warning', 'notice', 'info', 'debug'] as const;
export type LogLevel = (typeof logLevels)[number];

/** One line, one event: a sentence, then fields as `key=value`. Never a secret in either. */
export type LogFields = Readonly<Record<string, string | number | boolean | undefined>>;

export interface Logger {
  error(message: string, fields?: LogFields): void;
  warning(message: string, fields?: LogFields): void;
  notice(message: string, fields?: LogFields): void;
  info(message: string, fields?: LogFields): void;
  debug(message: string, fields?: LogFields): void;
  /** A logger whose lines name the part of the system that speaks, e.g. `bridge:cloud`. */
  child(name: string): Logger;
}

export interface LineLoggerOptions {
  readonly clock: Clock;
  readonly level: LogLevel;
  /** Takes one finished line, with its line feed. */
  readonly write: (line: string) => void;
  readonly name?: string;
}

/** Writes lines such as `2026-01-31T12:00:00.000Z warning bridge:cloud: link lost; retry_in_ms=5000`. */
export class LineLogger implements Logger {
  readonly #options: LineLoggerOptions;
  readonly #rank: number;

  constructor(options: LineLoggerOptions) {
    this.#options = options;
    this.#rank = logLevels.indexOf(options.level);
  }

  error(message: string, fields?: LogFields): void {
    this.#line('error', message, fields);
  }

  warning(message: string, fields?: LogFields): void {
    this.#line('warning', message, fields);
  }

  notice(message: string, fields?: LogFields): void {
    this.#line('notice', message, fields);
  }

  info(message: string, fields?: LogFields): void {
    this.#line('info', message, fields);
  }

  debug(message: string, fields?: LogFields): void {
    this.#line('debug', message, fields);
  }

  child(name: string): Logger {
    return new LineLogger({ ...this.#options, name });
  }

  #line(level: LogLevel, message: string, fields: LogFields | undefined): void {
    if (logLevels.indexOf(level) > this.#rank) return;
    const { clock, name, write } = this.#options;
    const from = name === undefined ? '' : ` ${name}`;
    write(`${new Date(clock.now()).toISOString()} ${level}${from}: ${logSentence(message, fields)}\n`);
  }
}

/** A sentence and its fields, `link lost retry_in_ms=5000`, on one line whatever a peer has put in. */
export function logSentence(message: string, fields?: LogFields): string {
  let line = printable(message);
  for (const key in fields) {
    const value = fields[key];
    if (value !== undefined) line += ` ${key}=${quoted(String(value))}`;
  }
  return line;
}

/** Says nothing. For tests and for embedding. */
export const silentLogger: Logger = {
  error: () => {},
  warning: () => {},
  notice: () => {},
  info: () => {},
  debug: () => {},
  child: () => silentLogger,
};

/** Control characters from a peer must not forge log lines or move a terminal's cursor. */
function printable(text: string): string {
  return text.replaceAll(
    // oxlint-disable-next-line no-control-regex -- control characters are what is looked for
    /[\u0000-\u001f\u007f-\u009f]/g,
    (c) => `\\x${c.charCodeAt(0).toString(16).padStart(2, '0')}`,
  );
}

function quoted(value: string): string {
  const text = printable(value);
  return /[\s"=]/.test(text) || text === '' ? JSON.stringify(text) : text;
}
