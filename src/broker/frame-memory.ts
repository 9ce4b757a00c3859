import type { FrameMemory } from '#mqtt';

/** Below this size a new buffer costs no more than looking for an old one. */
const smallestPooled = 16 * 1024;

/** Bound: what is more is left to the collector, the longest unused first. */
const maximumBytes = 16 * 1024 * 1024;

/**
 * Memory of large frames that nobody holds any more, for the next ones: the collector counts memory outside of its heap
 * as pressure and walks all objects each 64 MiB of it, which at 64 KiB per message costs as much as carrying them.
 */
export class FramePool implements FrameMemory {
  readonly #free: Buffer[] = [];
  #bytes = 0;

  /** Exactly `length` bytes where they are new; at most a quarter more where they are used again. */
  take(length: number): Buffer {
    if (length < smallestPooled) return Buffer.allocUnsafe(length);
    for (let i = this.#free.length - 1; i >= 0; i--) {
      const memory = this.#free[i]!;
      if (memory.length < length || memory.length > length + (length >> 2)) continue;
      this.#free.splice(i, 1);
      this.#bytes -= memory.length;
      return memory;
    }
    return Buffer.allocUnsafeSlow(length);
  }

  /** Nobody reads `memory` any more. */
  give(memory: Buffer): void {
    if (memory.length < smallestPooled || memory.length > maximumBytes) return;
    this.#free.push(memory);
    this.#bytes += memory.length;
    while (this.#bytes > maximumBytes) this.#bytes -= this.#free.shift()!.length;
  }
}

/**
 * The memory of one frame that was gathered from several chunks. It goes back to its pool when its last user is done:
 * who handles the packet, and each outbox until the transport has taken it. Who keeps it for longer never gives it back.
 */
export class FrameLease {
  readonly #memory: FrameMemory;
  readonly #bytes: Buffer;
  #users = 1;
  #isKept = false;

  /** `bytes`: the memory as it was taken. Who makes the lease is its first user. */
  constructor(memory: FrameMemory, bytes: Buffer) {
    this.#memory = memory;
    this.#bytes = bytes;
  }

  /** From now on it is left to the collector. */
  keep(): void {
    this.#isKept = true;
  }

  use(): void {
    this.#users++;
  }

  /** Once for each user. */
  release(): void {
    this.#users--;
    if (this.#users === 0 && !this.#isKept) this.#memory.give(this.#bytes);
  }
}
