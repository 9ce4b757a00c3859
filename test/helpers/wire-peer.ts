import type { WireLink, WireTransport } from './wire-client.ts';

/** One connection to a broker that says what it is told, byte by byte, and keeps each packet that comes. */
export class WirePeer {
  #link: WireLink | null = null;
  readonly #splitter = new FrameSplitter((frame) => void this.#frames.push(frame));
  readonly #frames: Buffer[] = [];
  #isClosed = false;
  #wake: () => void = () => {};

  async open(transport: WireTransport, port: number): Promise<this> {
    this.#link = await transport.open(port, {
      onBytes: (bytes) => {
        this.#splitter.push(bytes);
        this.#wake();
      },
      onClose: () => {
        this.#isClosed = true;
        this.#wake();
      },
    });
    return this;
  }

  get isClosed(): boolean {
    return this.#isClosed;
  }

  send(bytes: Buffer): void {
    if (!this.#isClosed) this.#link?.write(bytes);
  }

  /** The next packet, or `null` when the broker has closed the connection. `undefined` = nothing in that time. */
  async next(limitMs: number): Promise<Buffer | null | undefined> {
    const end = performance.now() + limitMs;
    while (this.#frames.length === 0 && !this.#isClosed) {
      const left = end - performance.now();
      if (left <= 0) return undefined;
      let timer: NodeJS.Timeout | undefined;
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
        timer = setTimeout(resolve, left);
      });
      clearTimeout(timer);
    }
    return this.#frames.shift() ?? null;
  }

  /** Breaks the connection off without a word. */
  drop(): void {
    this.#link?.destroy();
  }
}

/** Cuts what comes into packets, and knows nothing of them but their length. */
export class FrameSplitter {
  readonly #onFrame: (frame: Buffer) => void;
  #unread: Buffer = Buffer.alloc(0);

  constructor(onFrame: (frame: Buffer) => void) {
    this.#onFrame = onFrame;
  }

  push(chunk: Buffer): void {
    this.#unread = this.#unread.length === 0 ? chunk : Buffer.concat([this.#unread, chunk]);
    for (;;) {
      const length = frameLength(this.#unread);
      if (length === 0 || this.#unread.length < length) break;
      this.#onFrame(this.#unread.subarray(0, length));
      this.#unread = this.#unread.subarray(length);
    }
  }
}

/** Bytes of the packet that begins here; 0 = not known yet. */
function frameLength(bytes: Buffer): number {
  let length = 0;
  for (let at = 1; at < bytes.length && at < 5; at++) {
    length |= (bytes[at]! & 0x7f) << (7 * (at - 1));
    if (bytes[at]! < 128) return at + 1 + length;
  }
  return 0;
}
