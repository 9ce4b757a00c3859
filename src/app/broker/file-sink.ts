import { appendFile, constants, writeSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { promisify } from 'node:util';
import { DavylampError, systemCodeOf } from '#base';
import { maximumWaitingBytes, type LogSink, type SinkOwner } from './log-sink.ts';

const { O_APPEND, O_CREAT, O_WRONLY, O_NONBLOCK } = constants;

/** An open file, or a descriptor that this process was started with. */
interface OpenFile {
  readonly fd: number;
  appendFile(text: string): Promise<void>;
  close(): Promise<void>;
}

/**
 * Lines at the end of a file, that only this user may read. One write is under way at a time, with all lines that have
 * come meanwhile; the event loop waits for none.
 */
export class FileSink implements LogSink {
  readonly path: string;
  readonly #owner: SinkOwner;
  #file: OpenFile;
  /** Opened anew, taken into use between two writes. */
  #nextFile: OpenFile | null = null;
  #waiting = '';
  #waitingLines = 0;
  #lost = 0;
  #isFaulty = false;
  #writing: Promise<void> | null = null;

  private constructor(path: string, file: OpenFile, owner: SinkOwner) {
    this.path = path;
    this.#file = file;
    this.#owner = owner;
  }

  /** Opens or makes the file. Rejects with `FILE_UNWRITABLE`. */
  static async open(path: string, owner: SinkOwner): Promise<FileSink> {
    return new FileSink(path, await openToAppend(path), owner);
  }

  /** Standard output or error, where that is a file: Node would wait for the disk with each line. */
  static ofDescriptor(fd: number, name: string, owner: SinkOwner): FileSink {
    const append = promisify(appendFile);
    const file = { fd, appendFile: (text: string) => append(fd, text), close: () => Promise.resolve() };
    return new FileSink(name, file, owner);
  }

  write(line: string): void {
    if (this.#waiting.length > maximumWaitingBytes) {
      this.#lost += 1;
      return;
    }
    this.#waiting += `${line}\n`;
    this.#waitingLines += 1;
    this.#writing ??= this.#writeAll();
  }

  /** Writes what waits and this line before it returns. Only for the last moment: it holds everything up. */
  writeNow(line: string): void {
    try {
      writeSync(this.#file.fd, `${this.#waiting}${line}\n`);
      this.#waiting = '';
    } catch {
      // The process ends; there is nobody left to tell.
    }
  }

  /** Opens the path again: the file may have been renamed (log rotation). The result takes it into use, or not. */
  async prepareReopen(): Promise<{ commit(): void; abort(): Promise<void> }> {
    const file = await openToAppend(this.path);
    return {
      commit: () => {
        void this.#nextFile?.close(); // of a reload right before this one
        this.#nextFile = file;
        this.#writing ??= this.#writeAll();
      },
      abort: () => file.close(),
    };
  }

  async close(): Promise<void> {
    await this.#writing;
    await this.#file.close();
  }

  async #writeAll(): Promise<void> {
    // The lines of this turn of the event loop in one write.
    await new Promise((resolve) => setImmediate(resolve));
    while (this.#waiting !== '' || this.#nextFile !== null) {
      await this.#useNextFile();
      const text = this.#waiting;
      const lines = this.#waitingLines;
      this.#waiting = '';
      this.#waitingLines = 0;
      try {
        await this.#file.appendFile(text);
        this.#onWritten();
      } catch (error) {
        this.#lost += lines;
        if (!this.#isFaulty)
          this.#owner.onFault(this, `${this.path}: ${systemCodeOf(error) ?? 'write failed'}`);
        this.#isFaulty = true;
      }
    }
    this.#writing = null;
  }

  async #useNextFile(): Promise<void> {
    const next = this.#nextFile;
    if (next === null) return;
    this.#nextFile = null;
    const old = this.#file;
    this.#file = next;
    await old.close().catch(() => {});
  }

  #onWritten(): void {
    this.#isFaulty = false;
    const lost = this.#lost;
    if (lost === 0) return;
    this.#lost = 0;
    this.#owner.onLost(this, lost);
  }
}

/** Without waiting: a named pipe that nobody reads must not hold the start up. */
async function openToAppend(path: string): Promise<OpenFile> {
  try {
    return await open(path, O_APPEND | O_CREAT | O_WRONLY | O_NONBLOCK, 0o600);
  } catch (error) {
    const code = systemCodeOf(error) ?? 'unknown error';
    throw new DavylampError(
      'FILE_UNWRITABLE',
      `log file ${path} cannot be written (${code}); check the folder and its permissions`,
      { cause: error },
    );
  }
}
