import process from 'node:process';
import type { ToolOutput } from '#cli';

/** Bytes that may wait before whoever writes is asked to stop. */
const maximumWaiting = 256 * 1024;

/** Standard output for messages: what is written in one turn of the event loop goes out in one write. */
export class StandardOutput implements ToolOutput {
  onDrain: () => void = () => {};
  onClosed: () => void = () => {};
  readonly #stream = process.stdout;
  #parts: Buffer[] = [];
  #length = 0;
  #isFull = false;
  #isClosed = false;

  constructor() {
    // The program's own listener says what is no closed pipe.
    this.#stream.on('error', () => {
      if (this.#isClosed) return;
      this.#isClosed = true;
      this.onClosed();
    });
    this.#stream.on('drain', () => this.#onDrain());
  }

  write(bytes: Buffer): boolean {
    if (this.#isClosed) return true;
    if (this.#length === 0) setImmediate(() => this.#flush());
    this.#parts.push(bytes);
    this.#length += bytes.length;
    this.#isFull ||= this.#length + this.#stream.writableLength > maximumWaiting;
    return !this.#isFull;
  }

  #flush(): void {
    const bytes = this.#parts.length === 1 ? this.#parts[0]! : Buffer.concat(this.#parts, this.#length);
    this.#parts = [];
    this.#length = 0;
    if (this.#isClosed) return;
    if (this.#stream.write(bytes)) this.#onDrain();
  }

  #onDrain(): void {
    if (!this.#isFull) return;
    this.#isFull = false;
    this.onDrain();
  }
}
