import type { Socket } from 'node:net';
import { WebSocket } from 'ws';
import type { Clock, PeerInfo, Timer, Transport, TransportHandler } from '#base';
import { tlsErrorOf } from './network-error.ts';
import { uncountedBytes } from './uncounted-bytes.ts';

/** A peer that does not take our last bytes, or does not close, is closed on after this time. */
export const lingerMs = 2000;

/** Status codes of a close frame (RFC 6455, 7.4.1). */
const normalClosure = 1000;
const unsupportedData = 1003;
const messageTooBig = 1009;

/** A client frame's header with a short length, and its mask: what a ping takes beside its data. */
const pingOverhead = 6;

const nobody: TransportHandler = { onBytes: () => {}, onDrain: () => {}, onClose: () => {} };

/** What both ends ask of `ws`; the rest of its defaults stand. */
export const webSocketOptions = {
  // MQTT over WebSocket is short frames already gathered: deflate would cost 300 KB of memory for each connection.
  perMessageDeflate: false,
  // `gatherUpTo` bounds what a message may hold, by who the peer is; this is only the library's own last bound.
  maxPayload: 0x7fff_ffff,
  // Text is refused whatever it holds.
  skipUTF8Validation: true,
  // Pings are answered by the transport, which counts what it has written.
  autoPong: false,
  closeTimeout: lingerMs,
} as const;

/**
 * A WebSocket as a `Transport`: binary messages are pieces of the stream, wherever they are cut [MQTT-6.0.0-2]; each
 * write is one message. A text message ends the connection with 1003 [MQTT-6.0.0-1].
 */
export class WebSocketTransport implements Transport {
  readonly peer: PeerInfo;
  handler: TransportHandler;
  readonly #web: WebSocket;
  readonly #socket: Socket;
  readonly #clock: Clock;
  readonly #onWritten: (error?: Error | null) => void;
  readonly #onPonged: (error?: Error | null) => void;
  #isWriting = false;
  #isPonging = false;
  /** The latest ping that came while a pong was on its way: the only one that needs an answer (RFC 6455, 5.5.3). */
  #nextPong: Buffer | null = null;
  #isEnding = false;
  #error: Error | undefined;
  #linger: Timer | null = null;
  #gatherLimit = Infinity;
  /** Bytes of the message that is coming in, within one chunk. */
  #gathered = 0;
  /** Bytes of the largest write so far. */
  #largest = 0;

  /** `web` must be open, over `socket`; from now on both belong to the transport. */
  constructor(
    web: WebSocket,
    socket: Socket,
    peer: PeerInfo,
    clock: Clock,
    handler: TransportHandler = nobody,
  ) {
    this.#web = web;
    this.#socket = socket;
    this.peer = peer;
    this.#clock = clock;
    this.handler = handler;
    this.#onWritten = () => {
      if (!this.#isWriting || this.pendingBytes !== 0) return;
      this.#isWriting = false;
      this.handler.onDrain();
    };
    this.#onPonged = (error) => {
      this.#isPonging = false;
      const next = this.#nextPong;
      this.#nextPong = null;
      if (next !== null && !error) this.#pong(next);
      // The pong may have been what stood behind the last message.
      this.#onWritten();
    };
    this.#listen();
  }

  get pendingBytes(): number {
    return this.#web.bufferedAmount;
  }

  write(bytes: Uint8Array): void {
    if (this.#isEnding || this.#web.readyState !== WebSocket.OPEN) return;
    this.#isWriting = true;
    if (bytes.length > this.#largest) this.#largest = bytes.length;
    this.#web.send(bytes, this.#onWritten);
  }

  writeAll(pieces: readonly Uint8Array[]): void {
    this.#socket.cork();
    for (const piece of pieces) this.write(piece);
    this.#socket.uncork();
  }

  pause(): void {
    if (!this.#isEnding) this.#web.pause();
  }

  resume(): void {
    this.#web.resume();
  }

  get uncountedBytes(): number {
    return uncountedBytes(this.#socket, this.#largest);
  }

  get gatheredBytes(): number {
    return this.#gathered;
  }

  gatherUpTo(bytes: number): void {
    this.#gatherLimit = bytes;
  }

  end(): void {
    if (!this.#isEnding) this.#close(normalClosure);
  }

  destroy(): void {
    this.#isEnding = true;
    this.#web.terminate();
  }

  #listen(): void {
    const web = this.#web;
    const socket = this.#socket;
    // Before the library's own listener: a chunk counts for the message that it is a part of.
    socket.prependListener('data', (chunk: Buffer) => this.#onChunk(chunk.length));
    socket.on('error', (error) => {
      this.#error ??= tlsErrorOf(error) ?? error;
    });
    web.on('message', (data, isBinary) => this.#onMessage(data as Buffer, isBinary));
    web.on('ping', (data) => this.#onPing(data));
    web.on('pong', (data) => {
      this.#gathered -= Math.min(this.#gathered, data.length + pingOverhead);
    });
    web.on('error', (error) => {
      // The library has sent its close frame already.
      this.#error ??= error;
      this.#close(normalClosure);
    });
    web.on('close', () => {
      this.#linger?.cancel();
      this.#isEnding = true;
      this.handler.onClose(this.#error);
    });
  }

  #onMessage(data: Buffer, isBinary: boolean): void {
    this.#gathered = 0;
    if (this.#isEnding) return;
    if (isBinary) {
      if (data.length > 0) this.handler.onBytes(data);
      return;
    }
    this.#error ??= new Error('the client sent a WebSocket message of text; MQTT is binary');
    this.#close(unsupportedData);
  }

  /** A message is handed on when it is whole: until then its bytes are held, and that must have a bound. */
  #onChunk(length: number): void {
    this.#gathered += length;
    if (this.#gathered <= this.#gatherLimit + length) {
      this.handler.onGathering?.(length);
      return;
    }
    this.#error ??= new Error(
      `a WebSocket message is larger than the ${this.#gatherLimit} bytes allowed now`,
    );
    if (!this.#isEnding) this.#close(messageTooBig);
    // What still comes is not held: the library would.
    this.#web.pause();
  }

  #onPing(data: Buffer): void {
    this.#gathered -= Math.min(this.#gathered, data.length + pingOverhead);
    if (this.#isEnding) return;
    // Copy: a view would pin the chunk for as long as the peer does not read.
    if (this.#isPonging) this.#nextPong = Buffer.from(data);
    else this.#pong(data);
  }

  #pong(data: Buffer): void {
    if (this.#web.readyState !== WebSocket.OPEN) return;
    this.#isPonging = true;
    this.#web.pong(data, undefined, this.#onPonged);
  }

  #close(code: number): void {
    this.#isEnding = true;
    // Goes on reading, for nobody, until the other side's close frame has come.
    this.#web.resume();
    this.#web.close(code);
    this.#linger ??= this.#clock.after(lingerMs, () => this.#web.terminate());
  }
}
