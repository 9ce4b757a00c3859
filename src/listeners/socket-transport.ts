import type { Socket } from 'node:net';
import type { Clock, PeerInfo, Timer, Transport, TransportHandler } from '#base';
import { tlsErrorOf } from './network-error.ts';

/** A peer that does not take our last bytes, or does not close, is closed on after this time. */
const lingerMs = 2000;

const nobody: TransportHandler = { onBytes: () => {}, onDrain: () => {}, onClose: () => {} };

/** A TCP, TLS or Unix socket as a `Transport`. No error of the socket escapes: it comes with `onClose`. */
export class SocketTransport implements Transport {
  readonly peer: PeerInfo;
  handler: TransportHandler;
  readonly #socket: Socket;
  readonly #clock: Clock;
  readonly #onWritten: () => void;
  #isWriting = false;
  #isEnding = false;
  #error: Error | undefined;
  #linger: Timer | null = null;

  /** The socket must be connected; from now on it belongs to the transport. */
  constructor(socket: Socket, peer: PeerInfo, clock: Clock, handler: TransportHandler = nobody) {
    this.#socket = socket;
    this.peer = peer;
    this.#clock = clock;
    this.handler = handler;
    this.#onWritten = () => {
      if (!this.#isWriting || this.#socket.writableLength !== 0) return;
      this.#isWriting = false;
      this.handler.onDrain();
    };
    socket.setNoDelay(true);
    socket.on('error', (error) => {
      this.#error ??= tlsErrorOf(error) ?? error;
    });
    socket.on('data', (chunk: Buffer) => {
      if (!this.#isEnding) this.handler.onBytes(chunk);
    });
    socket.on('close', () => {
      this.#linger?.cancel();
      this.handler.onClose(this.#error);
    });
  }

  get pendingBytes(): number {
    return this.#socket.writableLength;
  }

  write(bytes: Uint8Array): void {
    if (this.#isEnding || !this.#socket.writable) return;
    this.#isWriting = true;
    this.#socket.write(bytes, this.#onWritten);
  }

  pause(): void {
    if (!this.#isEnding) this.#socket.pause();
  }

  resume(): void {
    this.#socket.resume();
  }

  end(): void {
    if (this.#isEnding || this.#socket.destroyed) return;
    this.#isEnding = true;
    // Goes on reading, for nobody: unread bytes would make the system reset the connection, our last words with it.
    this.#socket.resume();
    this.#socket.end();
    this.#linger = this.#clock.after(lingerMs, () => this.#socket.destroy());
  }

  destroy(): void {
    this.#isEnding = true;
    this.#socket.destroy();
  }
}
