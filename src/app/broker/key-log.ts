import { open, type FileHandle } from 'node:fs/promises';
import { DavylampError, messageOf, systemCodeOf, type Logger } from '#base';

/** Lines that may wait for the disk. */
const maximumWaitingLines = 10_000;

/** The secrets of TLS sessions, for a protocol analyser (NSS key log format). Whoever reads the file reads the traffic. */
export class KeyLog {
  readonly #path: string;
  readonly #file: FileHandle;
  readonly #log: Logger;
  #writing: Promise<void> = Promise.resolve();
  #waitingLines = 0;
  /** The log knows that something is missing. */
  #isTold = false;

  private constructor(path: string, file: FileHandle, log: Logger) {
    this.#path = path;
    this.#file = file;
    this.#log = log;
  }

  /** Opens or makes the file, readable by this user alone. Rejects with `FILE_UNWRITABLE`. */
  static async open(path: string, log: Logger): Promise<KeyLog> {
    try {
      const file = await open(path, 'a', 0o600);
      await file.chmod(0o600); // whoever made it
      return new KeyLog(path, file, log);
    } catch (error) {
      const code = systemCodeOf(error) ?? 'unknown error';
      throw new DavylampError(
        'FILE_UNWRITABLE',
        `TLS key log ${path} cannot be written (${code}); check the folder and its permissions`,
        { cause: error },
      );
    }
  }

  /** Takes a line with its line feed, as Node's `keylog` event has it. Beyond the bound lines are lost, and told of. */
  write(line: Buffer): void {
    if (this.#waitingLines >= maximumWaitingLines) {
      if (!this.#isTold)
        this.#log.warning(`TLS key log ${this.#path} is too slow; secrets are missing in it`);
      this.#isTold = true;
      return;
    }
    this.#waitingLines += 1;
    this.#writing = this.#writing.then(async () => {
      try {
        await this.#file.appendFile(line);
      } catch (error) {
        if (!this.#isTold) this.#log.warning(`TLS key log ${this.#path}: ${messageOf(error)}`);
        this.#isTold = true;
      }
      this.#waitingLines -= 1;
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#writing;
    await this.#file.close();
  }
}
