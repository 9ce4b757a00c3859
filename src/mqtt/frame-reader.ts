import { ReasonCode } from './reason-code.ts';

/** Takes the whole control packets that a `FrameReader` cuts out of a stream. */
export interface FrameSink {
  /**
   * One whole control packet: `bytes[start, end)`, its body from `bodyStart`. A view: valid during the call only, but
   * where the reader `handsOver` its bytes.
   * 0 = go on; anything else stops the reader for good. Must not call `push` of the same reader.
   */
  onFrame(bytes: Buffer, start: number, bodyStart: number, end: number): ReasonCode;
}

/** Where a reader takes the memory for frames that are cut by chunk borders. */
export interface FrameMemory {
  /** At least `length` bytes, of any content. */
  take(length: number): Buffer;
  /** Takes back what a frame has outgrown: the reader has copied it. */
  give(memory: Buffer): void;
}

const nothing = Buffer.alloc(0);

const freshMemory: FrameMemory = { take: (length) => Buffer.allocUnsafe(length), give: () => {} };

/** The least that is allocated for a frame cut by a chunk border, unless the frame is smaller. */
const smallestHold = 256;

/** A fixed header: one byte of type and flags, at most four of length (MQTT 5, 1.5.5). */
const longestHeader = 5;

/**
 * Cuts a stream of chunks into control packets.
 *
 *   chunk   |…tail of A|  B  |  C  |head of D…|
 *              │         └──┬──┘      └─ held until the next chunk (a copy: a view would pin the whole chunk)
 *              │            └─ delivered from the chunk itself, no copy
 *              └─ gathered with the head that was held, delivered from there
 *
 * Invariant: `#held[#start, #end)` are bytes that have arrived and are not delivered: less than one frame, or, while
 * suspended, all that came since. What is held grows with what has arrived, never with what a length field claims.
 */
export class FrameReader {
  /** Bytes of a whole packet, fixed header included. May be changed between packets. */
  maximumPacketSize: number;

  readonly #sink: FrameSink;
  readonly #memory: FrameMemory;
  #held: Buffer = nothing;
  #start = 0;
  #end = 0;
  #suspended = false;
  #handsOver = false;
  /** Once not 0, the stream is beyond repair and nothing of it is delivered any more. */
  #fault: ReasonCode = ReasonCode.Success;

  /** `memory`: new for each frame unless given. What the reader `handsOver` is its sink's to give back. */
  constructor(sink: FrameSink, maximumPacketSize: number, memory = freshMemory) {
    this.#sink = sink;
    this.#memory = memory;
    this.maximumPacketSize = maximumPacketSize;
  }

  /** Memory that is held for bytes not yet delivered. */
  get heldBytes(): number {
    return this.#held.length;
  }

  /** During `onFrame`: the frame was gathered in memory of its own, hardly larger, that may be kept and not be copied. */
  get handsOver(): boolean {
    return this.#handsOver;
  }

  /**
   * Delivers every frame that is complete with this chunk. 0, or `MalformedPacket` (a length of more than four bytes),
   * `PacketTooLarge` (known from the header, before the body came), or what `onFrame` returned; after any of these
   * every further call returns the same.
   */
  push(chunk: Buffer): ReasonCode {
    if (this.#fault !== ReasonCode.Success) return this.#fault;
    if (this.#suspended) {
      this.#hold(chunk, 0, chunk.length, Infinity);
      return ReasonCode.Success;
    }
    if (this.#end > this.#start) return this.#complete(chunk);
    return this.#scan(chunk, 0, chunk.length);
  }

  /** Delivers no further frame until `resume()`; what arrives meanwhile is copied and held. */
  suspend(): void {
    this.#suspended = true;
  }

  /** Goes on with what was held; the result is as of `push`. */
  resume(): ReasonCode {
    if (this.#fault !== ReasonCode.Success) return this.#fault;
    this.#suspended = false;
    return this.#scan(this.#held, this.#start, this.#end);
  }

  /** Forgets what is held, and whatever still comes. Not during `onFrame`. */
  abandon(): void {
    this.#fail(ReasonCode.UnspecifiedError);
  }

  #scan(bytes: Buffer, from: number, limit: number): ReasonCode {
    let at = from;
    while (!this.#suspended && limit - at >= 2) {
      let bodyStart = at + 2;
      let length = bytes[at + 1]!;
      if (length > 127) {
        bodyStart = endOfHeader(bytes, at, limit);
        if (bodyStart === 0) break;
        if (bodyStart < 0) return this.#fail(ReasonCode.MalformedPacket);
        length = longLength(bytes, at, bodyStart);
      }
      const end = bodyStart + length;
      if (end - at > this.maximumPacketSize) return this.#fail(ReasonCode.PacketTooLarge);
      if (end > limit) return this.#keepRest(bytes, at, limit, end - at);
      const code = this.#sink.onFrame(bytes, at, bodyStart, end);
      if (code !== ReasonCode.Success) return this.#fail(code);
      at = end;
    }
    return this.#keepRest(bytes, at, limit, Infinity);
  }

  /** Keeps what a scan has left: where it stands if it stood there already and may be long, else as a copy. */
  #keepRest(bytes: Buffer, at: number, limit: number, most: number): ReasonCode {
    if (bytes === this.#held) {
      if (this.#suspended && at < limit) {
        this.#start = at;
        return ReasonCode.Success;
      }
      this.#release();
    }
    return at < limit ? this.#hold(bytes, at, limit, most) : ReasonCode.Success;
  }

  /** Adds to the cut frame that is held just what it lacks, delivers it, and scans the rest of the chunk. */
  #complete(chunk: Buffer): ReasonCode {
    let taken = 0;
    let bodyStart = endOfHeader(this.#held, this.#start, this.#end);
    while (bodyStart === 0 && taken < chunk.length) {
      this.#hold(chunk, taken, taken + 1, longestHeader);
      taken += 1;
      bodyStart = endOfHeader(this.#held, this.#start, this.#end);
    }
    if (bodyStart === 0) return ReasonCode.Success;
    if (bodyStart < 0) return this.#fail(ReasonCode.MalformedPacket);
    const size = bodyStart - this.#start + longLength(this.#held, this.#start, bodyStart);
    if (size > this.maximumPacketSize) return this.#fail(ReasonCode.PacketTooLarge);
    const missing = size - (this.#end - this.#start);
    const rest = Math.min(taken + missing, chunk.length);
    if (rest > taken) this.#hold(chunk, taken, rest, size);
    if (rest < taken + missing) return ReasonCode.Success;

    const bytes = this.#held;
    const start = this.#start;
    const body = endOfHeader(bytes, start, this.#end);
    this.#release();
    const code = this.#handOver(bytes, start, body, start + size);
    if (code !== ReasonCode.Success) return this.#fail(code);
    return this.#scan(chunk, rest, chunk.length);
  }

  #handOver(bytes: Buffer, start: number, bodyStart: number, end: number): ReasonCode {
    this.#handsOver = true;
    try {
      return this.#sink.onFrame(bytes, start, bodyStart, end);
    } finally {
      this.#handsOver = false;
    }
  }

  /** Copies `bytes[from, to)` behind what is held; `most` bounds the memory where the frame's size is known. */
  #hold(bytes: Buffer, from: number, to: number, most: number): ReasonCode {
    const kept = this.#end - this.#start;
    const needed = kept + to - from;
    if (this.#end + to - from > this.#held.length) {
      const capacity = Math.max(needed, Math.min(most, Math.max(smallestHold, needed * 2)));
      const outgrown = this.#held;
      this.#held = this.#memory.take(capacity);
      outgrown.copy(this.#held, 0, this.#start, this.#end);
      this.#memory.give(outgrown);
      this.#start = 0;
      this.#end = kept;
    }
    bytes.copy(this.#held, this.#end, from, to);
    this.#end += to - from;
    return ReasonCode.Success;
  }

  #release(): void {
    this.#held = nothing;
    this.#start = 0;
    this.#end = 0;
  }

  #fail(code: ReasonCode): ReasonCode {
    this.#fault = code;
    this.#release();
    return code;
  }
}

/** Where the body begins; 0 = the header is not complete before `limit`; -1 = the length has more than four bytes. */
function endOfHeader(bytes: Buffer, start: number, limit: number): number {
  for (let at = start + 1; at < limit; at++) {
    if (bytes[at]! < 128) return at + 1;
    if (at - start === longestHeader - 1) return -1;
  }
  return 0;
}

/** The remaining length that stands in `bytes[start + 1, bodyStart)` (MQTT 5, 1.5.5). */
function longLength(bytes: Buffer, start: number, bodyStart: number): number {
  let length = 0;
  for (let at = bodyStart - 1; at > start; at--) length = (length << 7) | (bytes[at]! & 0x7f);
  return length;
}
