import type { Clock, Transport } from '#base';
import type { FrameLease } from './frame-memory.ts';
import { largeSlab, noSlab, type Slab, type SlabPool } from './slab-pool.ts';
import type { Statistics } from './statistics.ts';
import type { Turn } from './turn.ts';

const nothingLent: Slab[] = [];
const nothingCut: Buffer[] = [];
const nothingUsed: FrameLease[] = [];

/** Pieces are written as soon as they are so many bytes together: what the system takes waits for nothing. */
const manyBytes = 256 * 1024;

/** Is told when an outbox that was congested has room again. */
export interface OutboxOwner {
  onRelief(): void;
}

export interface OutboxContext {
  readonly clock: Clock;
  readonly turn: Turn;
  readonly slabs: SlabPool;
  readonly statistics: Statistics;
  /** What may wait for anybody now: a bound while memory is tight, else `Infinity`. */
  readonly tightBound: number;
}

/**
 * Gathers the frames that one turn makes for one connection, so that they leave in one write.
 *
 *   room(n) → offset      the caller encodes into `slab` at `offset`, exactly n bytes
 *   slab     |frame|frame|frame|……|      small first; moves to a larger one when it is full, is written when a large one is
 *   append   a payload goes out where it stands: what is gathered is cut before it
 *              #pieces: slab[0, a) · payload · slab[a, b) · payload ·, then slab[#from, #used), not cut yet
 *   flush()  → transport.write(slab[0, used)), or writeAll(pieces)
 *
 * Invariant: bytes below `#used` are written, never above. A slab goes back to the pool only inside `flush` or
 * `onDrain`, so bytes of this turn's frames stay readable (and may be copied to other outboxes) until the turn ends.
 */
export class Outbox {
  /** Bytes that the transport has not handed over, as far as is known, and those that are gathered. */
  waiting = 0;
  /** Frames that were gathered since the transport had last handed everything over. */
  waitingFrames = 0;
  /** Monotonic time since which `waiting` has been above the bound; 0 = it is not. */
  congestedSince = 0;

  readonly #context: OutboxContext;
  readonly #transport: Transport;
  readonly #owner: OutboxOwner;
  readonly #bound: number;
  #slab = noSlab;
  #used = 0;
  /** What stands before it in the slab is cut into `#pieces`, or written. */
  #from = 0;
  #pieces = nothingCut;
  #pieceBytes = 0;
  #isDirty = false;
  /** When it last looked, the transport had not handed everything over. */
  #isBehind = false;
  #isClosed = false;
  /** Slabs that the transport may still read from; `nothingLent`, which is never changed, while there are none. */
  #lent = nothingLent;
  /** Of pieces that it, or the transport, may still read from. */
  #leases = nothingUsed;

  /** `bound`: bytes that may wait before it is congested. */
  constructor(context: OutboxContext, transport: Transport, owner: OutboxOwner, bound: number) {
    this.#context = context;
    this.#transport = transport;
    this.#owner = owner;
    this.#bound = bound;
  }

  /** Where the frame that `room` made way for is written. */
  get slab(): Buffer {
    return this.#slab.bytes;
  }

  /** The client takes its bytes more slowly than they come: QoS 0 is dropped, QoS 1 and 2 stay queued. */
  get isCongested(): boolean {
    return this.waiting > this.#bound || this.waiting > this.#context.tightBound;
  }

  /** The bound is passed four times over: what can be dropped was dropped, the rest is the client's own doing. */
  get isHopeless(): boolean {
    return this.waiting > this.#bound * 4;
  }

  /** Makes way for a frame of `length` bytes in `slab` and returns where it begins. */
  room(length: number): number {
    const offset = this.#used;
    const end = offset + length;
    if (!this.#isDirty) this.#markDirty();
    this.waiting += length;
    this.waitingFrames++;
    this.#context.statistics.packetsSent++;
    if (end <= this.#slab.bytes.length) {
      this.#used = end;
      return offset;
    }
    return this.#moreRoom(length);
  }

  /**
   * Sends `bytes` as a piece of its own, without a copy: they must not change any more, or not before the outbox has
   * released their lease.
   */
  append(bytes: Buffer, lease: FrameLease | null): void {
    if (!this.#isDirty) this.#markDirty();
    if (lease !== null) this.#use(lease);
    this.waiting += bytes.length;
    this.#cut();
    this.#addPiece(bytes);
    if (this.#pieceBytes < manyBytes) return;
    this.#writePieces();
    this.waiting = this.#transport.pendingBytes;
  }

  /** Hands everything gathered to the transport. True = not all of it was taken at once. */
  flush(): boolean {
    this.#isDirty = false;
    if (this.#isClosed) {
      this.release();
      return false;
    }
    const used = this.#used;
    if (this.#from > 0 || this.#pieces !== nothingCut) this.#writeSlab();
    else if (used > 0) {
      const slab = this.#slab;
      this.#slab = noSlab;
      this.#used = 0;
      // Behind what waits already it will wait itself: a few bytes must not hold a slab so long.
      const isCopied = this.#isBehind && used <= slab.bytes.length / 2;
      this.#write(isCopied ? Buffer.from(slab.head(used)) : slab.head(used));
      // Most writes are taken at once: then the slab is free again, and nothing has to be remembered.
      if (isCopied || this.#transport.pendingBytes === 0) this.#context.slabs.give(slab);
      else this.#lend(slab);
    }
    this.#look();
    return this.#isBehind;
  }

  /** The transport has taken everything. */
  onDrain(): void {
    this.#look();
  }

  /** Writes what is gathered; nothing is written any more after that. */
  finish(): void {
    this.#writeSlab();
    this.release();
  }

  /** Forgets what is gathered. Slabs and leases are left to the collector: the transport or this turn may still read them. */
  release(): void {
    this.#isClosed = true;
    this.#slab = noSlab;
    this.#used = 0;
    this.#from = 0;
    this.#pieces = nothingCut;
    this.#pieceBytes = 0;
    this.#lent = nothingLent;
    this.#leases = nothingUsed;
  }

  #markDirty(): void {
    this.#isDirty = true;
    this.#context.turn.addOutbox(this);
  }

  #moreRoom(length: number): number {
    const used = this.#used;
    const isWhole = this.#from === 0 && this.#pieces === nothingCut;
    if (isWhole && used + length <= largeSlab && this.slab.length < largeSlab) {
      const larger = this.#context.slabs.take(used + length);
      if (used > 0) this.slab.copy(larger.bytes, 0, 0, used);
      // The smaller slab is kept until the flush: a frame in it may still be copied from.
      if (this.#slab !== noSlab) this.#lend(this.#slab);
      this.#slab = larger;
      this.#used = used + length;
      return used;
    }
    this.#writeSlab();
    this.waiting = this.#transport.pendingBytes + length; // a socket that keeps up has taken it already
    this.#slab = this.#context.slabs.take(Math.max(length, largeSlab));
    this.#used = length;
    return 0;
  }

  #writeSlab(): void {
    this.#cut();
    const slab = this.#slab;
    this.#slab = noSlab;
    this.#used = 0;
    this.#from = 0;
    if (slab !== noSlab) this.#lend(slab);
    this.#writePieces();
  }

  #cut(): void {
    const used = this.#used;
    if (used === this.#from) return;
    this.#addPiece(this.slab.subarray(this.#from, used));
    this.#from = used;
  }

  #addPiece(bytes: Buffer): void {
    if (this.#pieces === nothingCut) this.#pieces = [bytes];
    else this.#pieces.push(bytes);
    this.#pieceBytes += bytes.length;
  }

  #writePieces(): void {
    const pieces = this.#pieces;
    if (pieces === nothingCut) return;
    const bytes = this.#pieceBytes;
    this.#pieces = nothingCut;
    this.#pieceBytes = 0;
    if (pieces.length === 1 || this.#transport.writeAll === undefined) {
      for (const piece of pieces) this.#write(piece);
      return;
    }
    if (this.#isClosed) return;
    this.#context.statistics.bytesSent += bytes;
    this.#transport.writeAll(pieces);
  }

  #write(bytes: Buffer): void {
    if (this.#isClosed) return;
    this.#context.statistics.bytesSent += bytes.length;
    this.#transport.write(bytes);
  }

  #lend(slab: Slab): void {
    if (this.#lent === nothingLent) this.#lent = [slab];
    else this.#lent.push(slab);
  }

  #use(lease: FrameLease): void {
    lease.use();
    if (this.#leases === nothingUsed) this.#leases = [lease];
    else this.#leases.push(lease);
  }

  #takeBack(): void {
    for (const slab of this.#lent) this.#context.slabs.give(slab);
    this.#lent = nothingLent;
    if (this.#leases === nothingUsed || this.#pieceBytes > 0) return;
    for (const lease of this.#leases) lease.release();
    this.#leases = nothingUsed;
  }

  /** Asks the transport how much waits; gives the slabs back when nothing does. */
  #look(): void {
    const wasCongested = this.isCongested || this.congestedSince !== 0;
    const pending = this.#transport.pendingBytes;
    this.waiting = pending + this.#used - this.#from + this.#pieceBytes;
    this.#isBehind = pending > 0;
    if (pending === 0) {
      this.waitingFrames = 0;
      if (this.#lent !== nothingLent || this.#leases !== nothingUsed) this.#takeBack();
    }
    if (this.isCongested) {
      if (this.congestedSince === 0) this.congestedSince = this.#context.clock.monotonic();
      return;
    }
    this.congestedSince = 0;
    if (wasCongested) this.#owner.onRelief();
  }
}
