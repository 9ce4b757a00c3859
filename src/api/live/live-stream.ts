import type { ServerResponse } from 'node:http';

/** Bytes that may wait for a client's socket before it is cut. */
const maximumStreamPendingBytes = 1_048_576;

/** One client of the live feed: server-sent events over one HTTP response. */
export class LiveStream {
  readonly #response: ServerResponse;
  #allowedBytes = maximumStreamPendingBytes;

  constructor(response: ServerResponse) {
    this.#response = response;
  }

  /** Sends the headers and the snapshot, however large: it is not held against a client on a slow line. */
  start(snapshot: string): void {
    this.#response.writeHead(200, { 'content-type': 'text/event-stream', 'x-accel-buffering': 'no' });
    this.#allowedBytes += Buffer.byteLength(snapshot);
    this.#response.once('drain', () => {
      this.#allowedBytes = maximumStreamPendingBytes;
    });
    this.#response.write(snapshot);
  }

  /** Sends bytes, or cuts a client that does not take what was sent before. Returns whether it is still served. */
  send(bytes: Buffer): boolean {
    if (this.#response.writableLength > this.#allowedBytes) {
      this.#response.destroy();
      return false;
    }
    this.#response.write(bytes);
    return true;
  }

  end(): void {
    this.#response.end();
  }
}
