import type { Writable } from 'node:stream';
import { maximumWaitingBytes, type LogSink, type SinkOwner } from './log-sink.ts';

/** Lines on standard output, standard error or into another program. */
export class StreamSink implements LogSink {
  readonly #stream: Writable;
  readonly #owner: SinkOwner;
  #lost = 0;
  #isGone = false;

  constructor(stream: Writable, owner: SinkOwner) {
    this.#stream = stream;
    this.#owner = owner;
    // Nobody reads any more; the broker's work goes on.
    stream.on('error', this.#onGone);
    stream.on('drain', this.#onDrain);
  }

  write(line: string): void {
    if (this.#isGone || this.#stream.writableLength > maximumWaitingBytes) this.#lost += 1;
    else this.#stream.write(`${line}\n`);
  }

  /** What still waits goes out while the process ends, as far as somebody reads it. */
  close(): Promise<void> {
    this.#stream.off('drain', this.#onDrain);
    return Promise.resolve();
  }

  readonly #onGone = (): void => {
    this.#isGone = true;
  };

  readonly #onDrain = (): void => {
    const lost = this.#lost;
    if (lost === 0) return;
    this.#lost = 0;
    this.#owner.onLost(this, lost);
  };
}
