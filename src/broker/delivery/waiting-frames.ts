interface WaitingFrame {
  readonly sequence: number;
  readonly frame: Buffer;
}

/** Frames that wait at once; who makes us write more is not read until the journal has caught up. */
const maximumWaiting = 64;

/**
 * SUBACK and UNSUBACK that wait until the journal has made durable what they promise. Bound: a connection with 64 of
 * them is not read, so that a slow disk slows who subscribes, and nothing grows.
 */
export class WaitingFrames {
  #frames: WaitingFrame[] = [];

  get length(): number {
    return this.#frames.length;
  }

  get isFull(): boolean {
    return this.#frames.length >= maximumWaiting;
  }

  push(sequence: number, frame: Buffer): void {
    this.#frames.push({ sequence, frame });
  }

  /** Writes what is durable, oldest first. */
  release(durable: number, write: (frame: Buffer) => void): void {
    const ready = this.#frames.findIndex(({ sequence }) => sequence > durable);
    const released = ready === -1 ? this.#frames : this.#frames.slice(0, ready);
    this.#frames = ready === -1 ? [] : this.#frames.slice(ready);
    for (const { frame } of released) write(frame);
  }
}
