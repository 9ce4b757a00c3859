import type { Socket } from 'node:net';
import { Readable } from 'node:stream';
import { TLSSocket } from 'node:tls';
import type { Clock, PeerInfo, Timer, Transport, TransportHandler } from '#base';
import { tlsErrorOf } from './network-error.ts';
import { uncountedBytes } from './uncounted-bytes.ts';

/** A peer that does not take our last bytes, or does not close, is closed on after this time. */
const lingerMs = 2000;

const nothing = Buffer.alloc(0);

const nobody: TransportHandler = { onBytes: () => {}, onDrain: () => {}, onClose: () => {} };

/** Where a socket has its transport: so that all sockets share their listeners, instead of four closures for each. */
const owner = Symbol('transport');

type OwnedSocket = Socket & { [owner]?: SocketTransport };

/**
 * A TCP, TLS or Unix socket as a `Transport`. No error of the socket escapes: it comes with `onClose`.
 *
 *   read    `push` is what a stream's source calls for each chunk. Ours hands the chunk on directly while nothing is
 *           held: the machinery behind it asks for more in a task of its own, which costs about as much as the message
 *   write   without a callback while the system takes everything at once: a callback is a task of its own as well
 *
 * Were `push` no longer called by the source, `data` would bring the same chunks in the same order.
 */
export class SocketTransport implements Transport {
  readonly peer: PeerInfo;
  handler: TransportHandler;
  readonly #socket: OwnedSocket;
  readonly #clock: Clock;
  /** The system took all of the last write at once. */
  #isPrompt = true;
  /** Bytes of the largest write so far. */
  #largest = 0;
  /** A callback is due. */
  #isWriting = false;
  #isEnding = false;
  #error: Error | undefined;
  #linger: Timer | null = null;
  #onWritten: (() => void) | null = null;

  /** The socket must be connected; from now on it belongs to the transport. */
  constructor(socket: Socket, peer: PeerInfo, clock: Clock, handler: TransportHandler = nobody) {
    this.#socket = socket;
    this.peer = peer;
    this.#clock = clock;
    this.handler = handler;
    this.#socket[owner] = this;
    socket.setNoDelay(true);
    socket.push = onPush;
    socket.on('error', onError);
    socket.on('data', onData);
    socket.on('close', onClose);
  }

  get pendingBytes(): number {
    return this.#socket.writableLength;
  }

  get uncountedBytes(): number {
    return uncountedBytes(this.#socket, this.#largest);
  }

  write(bytes: Uint8Array): void {
    const socket = this.#socket;
    if (this.#isEnding || !socket.writable) return;
    if (bytes.length > this.#largest) this.#largest = bytes.length;
    if (this.#isPrompt && this.handler.looksAfterWrite === true) {
      socket.write(bytes);
      this.#isPrompt = socket.writableLength === 0;
      // Behind what was not taken, only to be told.
      if (!this.#isPrompt && !this.#isWriting) this.#writeAndTell(nothing);
      return;
    }
    this.#writeAndTell(bytes);
    this.#isPrompt = socket.writableLength === 0;
  }

  writeAll(pieces: readonly Uint8Array[]): void {
    const socket = this.#socket;
    if (this.#isEnding || !socket.writable) return;
    const isSilent = this.#isPrompt && this.handler.looksAfterWrite === true;
    const last = pieces.length - 1;
    let sum = pieces[last]!.length;
    socket.cork();
    for (let i = 0; i < last; i++) {
      socket.write(pieces[i]!);
      sum += pieces[i]!.length;
    }
    if (sum > this.#largest) this.#largest = sum;
    if (isSilent) socket.write(pieces[last]!);
    else this.#writeAndTell(pieces[last]!);
    socket.uncork();
    this.#isPrompt = socket.writableLength === 0;
    if (isSilent && !this.#isPrompt && !this.#isWriting) this.#writeAndTell(nothing);
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

  /** TLS has a last word of its own, which `end` says (RFC 8446, 6.1). */
  hangUp(): void {
    if (this.#socket.writableLength === 0 && !(this.#socket instanceof TLSSocket)) this.destroy();
  }

  destroy(): void {
    this.#isEnding = true;
    this.#socket.destroy();
  }

  #writeAndTell(bytes: Uint8Array): void {
    this.#isWriting = true;
    this.#onWritten ??= () => {
      if (!this.#isWriting || this.#socket.writableLength !== 0) return;
      this.#isWriting = false;
      this.handler.onDrain();
    };
    this.#socket.write(bytes, this.#onWritten);
  }

  /** For the socket alone, as the next two. */
  onChunk(chunk: Buffer): void {
    if (!this.#isEnding) this.handler.onBytes(chunk);
  }

  onError(error: Error): void {
    this.#error ??= tlsErrorOf(error) ?? error;
  }

  onClosed(): void {
    this.#linger?.cancel();
    const { handler } = this;
    // The socket may outlive its end for a while, but not with all that hangs on it.
    this.handler = nobody;
    handler.onClose(this.#error);
  }
}

/** Keeps the order in which they came: what is held already, or has to be held, goes the stream's own way. */
function onPush(this: OwnedSocket, chunk: unknown, encoding?: BufferEncoding): boolean {
  const isDirect = chunk instanceof Buffer && this.readableFlowing === true && this.readableLength === 0;
  if (!isDirect) return Readable.prototype.push.call(this, chunk, encoding);
  this[owner]?.onChunk(chunk);
  return true;
}

function onData(this: OwnedSocket, chunk: Buffer): void {
  this[owner]?.onChunk(chunk);
}

function onError(this: OwnedSocket, error: Error): void {
  this[owner]?.onError(error);
}

function onClose(this: OwnedSocket): void {
  this[owner]?.onClosed();
}
