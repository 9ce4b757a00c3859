import type { Clock, Timer } from './clock.ts';
import type { LogFields, Logger } from './logger.ts';

const windowMs = 10_000;

/** More kinds than a program has; beyond, all are one. */
const maximumKinds = 200;

type Level = 'error' | 'warning' | 'notice' | 'info';

/** Ten seconds of one kind of line. */
interface Window {
  readonly level: Level;
  readonly key: string;
  readonly since: number;
  linesLeft: number;
  untold: number;
  /** Of the last that was not told. */
  last: LogFields;
  timer: Timer | null;
}

/**
 * Lines that a peer can cause as often as it likes. Of each kind the first few in ten seconds are written at once; at
 * their end one line says how many more there were, with the fields of the last. `kind` is a text of the program's own, not of
 * a peer's; without one the message is its own kind. Each gives true when the line was written.
 */
export class SparingLog {
  readonly #clock: Clock;
  readonly #log: Logger;
  readonly #linesAtOnce: number;
  readonly #windows = new Map<string, Window>();

  constructor(clock: Clock, log: Logger, linesAtOnce = 1) {
    this.#clock = clock;
    this.#log = log;
    this.#linesAtOnce = linesAtOnce;
  }

  error(message: string, fields: LogFields, kind: string = message): boolean {
    return this.#write('error', message, fields, kind);
  }

  warning(message: string, fields: LogFields, kind: string = message): boolean {
    return this.#write('warning', message, fields, kind);
  }

  notice(message: string, fields: LogFields, kind: string = message): boolean {
    return this.#write('notice', message, fields, kind);
  }

  info(message: string, fields: LogFields, kind: string = message): boolean {
    return this.#write('info', message, fields, kind);
  }

  /** Tells what has not been told yet. */
  close(): void {
    for (const window of this.#windows.values()) window.timer?.cancel();
    const open = [...this.#windows.values()];
    this.#windows.clear();
    for (const window of open) this.#tell(window);
  }

  #write(level: Level, message: string, fields: LogFields, kind: string): boolean {
    const now = this.#clock.monotonic();
    let key = `${level} ${kind}`;
    if (this.#windows.size >= maximumKinds && !this.#windows.has(key)) key = `${level} other lines`;
    let window = this.#windows.get(key);
    if (window === undefined || now - window.since >= windowMs) {
      window?.timer?.cancel();
      if (window !== undefined) this.#tell(window);
      window = { level, key, since: now, linesLeft: this.#linesAtOnce, untold: 0, last: fields, timer: null };
      this.#windows.set(key, window);
    }
    if (window.linesLeft > 0) {
      window.linesLeft--;
      this.#log[level](message, fields);
      return true;
    }
    window.untold++;
    window.last = fields;
    const ending = window;
    window.timer ??= this.#clock.after(windowMs - (now - window.since), () => this.#end(ending));
    return false;
  }

  #end(window: Window): void {
    if (this.#windows.get(window.key) === window) this.#windows.delete(window.key);
    this.#tell(window);
  }

  #tell({ level, key, untold, last }: Window): void {
    if (untold === 0) return;
    const seconds = windowMs / 1000;
    this.#log[level](
      `${key.slice(level.length + 1)}: ${untold} more like it in ${seconds} s; the last:`,
      last,
    );
  }
}
