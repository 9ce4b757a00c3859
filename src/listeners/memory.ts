import {
  SystemClock,
  type Clock,
  type Dialer,
  type PeerInfo,
  type Timer,
  type Transport,
  type TransportHandler,
} from '#base';
import { localPeer } from './listener.ts';

/** A peer that does not take our last bytes is closed on after this time, as with sockets. */
const lingerMs = 2000;

const nobody: TransportHandler = { onBytes: () => {}, onDrain: () => {}, onClose: () => {} };

/**
 * A dialer into this process: `accept` gets the other end, as from a listener. Bytes are not copied; they arrive in a
 * later turn of the event loop, in order, so that neither side ever runs inside the other.
 */
export function createMemoryDialer(
  accept: (transport: Transport) => void,
  peer: PeerInfo = localPeer,
  clock: Clock = new SystemClock(),
): Dialer {
  return {
    target: 'our own broker',
    dial(handler, signal) {
      if (signal.aborted) return Promise.reject(signal.reason as Error);
      const near = new MemoryTransport(localPeer, clock);
      const far = new MemoryTransport(peer, clock);
      near.handler = handler;
      near.join(far);
      far.join(near);
      accept(far);
      return Promise.resolve(near);
    },
  };
}

/** One end of a pipe within this process. What is written at one end is delivered at the other. */
class MemoryTransport implements Transport {
  readonly peer: PeerInfo;
  handler: TransportHandler = nobody;
  readonly #clock: Clock;
  readonly #deliver: () => void;
  #other: MemoryTransport | null = null;
  #pieces: Buffer[] = [];
  #head = 0;
  #pendingBytes = 0;
  #isScheduled = false;
  #isPaused = false;
  #isEnding = false;
  #isClosed = false;
  #linger: Timer | null = null;

  constructor(peer: PeerInfo, clock: Clock) {
    this.peer = peer;
    this.#clock = clock;
    this.#deliver = () => {
      this.#isScheduled = false;
      this.#deliverPieces();
    };
  }

  get pendingBytes(): number {
    return this.#pendingBytes;
  }

  join(other: MemoryTransport): void {
    this.#other = other;
  }

  write(bytes: Uint8Array): void {
    if (this.#isEnding || this.#isClosed || bytes.length === 0) return;
    const piece = Buffer.isBuffer(bytes)
      ? bytes
      : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.#pieces.push(piece);
    this.#pendingBytes += piece.length;
    this.#schedule();
  }

  pause(): void {
    this.#isPaused = true;
  }

  resume(): void {
    this.#isPaused = false;
    if (this.#other !== null) this.#other.#schedule();
  }

  end(): void {
    if (this.#isEnding || this.#isClosed) return;
    this.#isEnding = true;
    this.#linger = this.#clock.after(lingerMs, () => this.destroy());
    this.#schedule();
  }

  destroy(): void {
    if (this.#isClosed) return;
    this.#close();
    if (this.#other !== null) this.#other.#close();
  }

  #schedule(): void {
    if (this.#isScheduled || this.#isClosed) return;
    this.#isScheduled = true;
    setImmediate(this.#deliver);
  }

  #deliverPieces(): void {
    const other = this.#other;
    if (other === null) return;
    // What is written during this turn waits for the next one.
    const end = this.#pieces.length;
    while (this.#head < end && !this.#isClosed && !other.#isPaused) {
      const piece = this.#pieces[this.#head]!;
      this.#head += 1;
      this.#pendingBytes -= piece.length;
      // An end that has said goodbye does not listen any more.
      if (!other.#isEnding) other.handler.onBytes(piece);
    }
    if (this.#isClosed || this.#head < this.#pieces.length) return;
    if (this.#head > 0) {
      this.#pieces = [];
      this.#head = 0;
      this.handler.onDrain();
    }
    if (this.#isEnding) this.destroy();
  }

  /** Both ends close at once; each hears of it in a turn of its own. */
  #close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#linger?.cancel();
    this.#pieces = [];
    this.#head = 0;
    this.#pendingBytes = 0;
    setImmediate(() => this.handler.onClose(undefined));
  }
}
