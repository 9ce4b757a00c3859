import { statSync } from 'node:fs';
import path from 'node:path';
import { systemCodeOf } from '#base';
import type { LogFiles } from './log-files.ts';

const chunkSize = 256 * 1024;

/**
 * A file that holds nothing but room. When the disk is full it is given up, so that what frees room, the end of
 * deliveries, can still be written.
 */
export class Reserve {
  readonly #files: LogFiles;
  readonly #file: string;
  readonly #bytes: number;
  #isHeld: boolean;
  /** Rises with each release: one that comes while the room is being taken ends that. */
  #releases = 0;

  constructor(files: LogFiles, folder: string, bytes: number) {
    this.#files = files;
    this.#file = path.join(folder, 'reserve');
    this.#bytes = bytes;
    this.#isHeld = bytes === 0 || statSync(this.#file, { throwIfNoEntry: false })?.size === bytes;
  }

  /** The room is taken. */
  get isHeld(): boolean {
    return this.#isHeld;
  }

  /** Takes the room; rejects with what the system says when there is none. */
  async take(): Promise<void> {
    if (this.#isHeld) return;
    await this.release();
    const releases = this.#releases;
    const fd = await this.#files.create(this.#file);
    try {
      const zeros = Buffer.alloc(Math.min(chunkSize, this.#bytes));
      for (let at = 0; at < this.#bytes; at += zeros.length) {
        const length = Math.min(zeros.length, this.#bytes - at);
        await this.#files.write(fd, [zeros.subarray(0, length)], at);
      }
      await this.#files.syncData(fd);
      this.#isHeld = releases === this.#releases;
    } finally {
      await this.#files.close(fd);
      if (!this.#isHeld) await this.release();
    }
  }

  /** Gives the room back; true when there was some. */
  async release(): Promise<boolean> {
    if (this.#bytes === 0) return false;
    this.#isHeld = false;
    this.#releases++;
    try {
      await this.#files.remove(this.#file);
      return true;
    } catch (error) {
      if (systemCodeOf(error) === 'ENOENT') return false;
      throw error;
    }
  }
}
