import type { PeerInfo, Transport, TransportHandler } from '#base';

const nobody: TransportHandler = { onBytes: () => {}, onDrain: () => {}, onClose: () => {} };

/**
 * A transport whose other end is the test. What the test feeds is overwritten after the call, as a socket's reused
 * buffer is, so that a view that was kept shows. `block()` makes it take nothing until `unblock()`.
 */
export class MemoryTransport implements Transport {
  readonly peer: PeerInfo;
  handler: TransportHandler = nobody;
  /** Called with each write, or when what was blocked goes out. */
  onOutput: (bytes: Buffer) => void = () => {};
  isPaused = false;
  isEnded = false;
  isClosed = false;
  writes = 0;
  #isBlocked = false;
  #pending: Buffer[] = [];
  #pendingBytes = 0;
  #unread: Buffer[] = [];

  constructor(address = 'local') {
    this.peer = { address, port: 1, certificate: null };
  }

  get pendingBytes(): number {
    return this.#pendingBytes;
  }

  write(bytes: Uint8Array): void {
    if (this.isClosed) return;
    this.writes++;
    // Not copied while it waits: whoever writes must leave the bytes alone until they are taken.
    const view = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
    if (this.#isBlocked) {
      this.#pending.push(view);
      this.#pendingBytes += view.length;
    } else this.onOutput(Buffer.from(view));
  }

  pause(): void {
    this.isPaused = true;
  }

  resume(): void {
    this.isPaused = false;
    const unread = this.#unread;
    this.#unread = [];
    for (const bytes of unread) this.feed(bytes);
  }

  end(): void {
    this.isEnded = true;
    this.destroy();
  }

  destroy(): void {
    this.breakOff();
  }

  /** Bytes from the peer, as one chunk. */
  feed(bytes: Buffer): void {
    if (this.isClosed) return;
    if (this.isPaused) {
      this.#unread.push(Buffer.from(bytes));
      return;
    }
    const chunk = Buffer.from(bytes);
    this.handler.onBytes(chunk);
    chunk.fill(0xee);
  }

  /** The peer takes no bytes any more. */
  block(): void {
    this.#isBlocked = true;
  }

  unblock(): void {
    this.#isBlocked = false;
    const pending = this.#pending;
    this.#pending = [];
    this.#pendingBytes = 0;
    for (const bytes of pending) this.onOutput(Buffer.from(bytes));
    this.handler.onDrain();
  }

  /** The connection is lost. */
  breakOff(error?: Error): void {
    if (this.isClosed) return;
    this.isClosed = true;
    this.handler.onClose(error);
  }
}
