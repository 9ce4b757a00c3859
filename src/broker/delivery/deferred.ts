/** Sends what has waited long enough. */
export interface DeferredSender {
  sendDeferred(type: number, reasonCode: number, packetId: number): void;
}

/**
 * Packets that wait, in order, until the journal has made durable what they promise.
 *
 *   sequences  | 41 | 41 | 57 |      released from the front while sequence ≤ durable
 *   packed     | type<<24 | reason<<16 | packet id |
 *
 * A ring of numbers that doubles when it is full: with a journal on a disk every acknowledgement passes through it.
 */
export class Deferred {
  #sequences = new Float64Array(16);
  #packed = new Uint32Array(16);
  #first = 0;
  #count = 0;

  get length(): number {
    return this.#count;
  }

  push(sequence: number, type: number, reasonCode: number, packetId: number): void {
    if (this.#count === this.#packed.length) this.#grow();
    const at = (this.#first + this.#count) & (this.#packed.length - 1);
    this.#sequences[at] = sequence;
    this.#packed[at] = ((type << 24) | (reasonCode << 16) | packetId) >>> 0;
    this.#count++;
  }

  /** Sends what is durable, oldest first. */
  release(durable: number, sender: DeferredSender): void {
    while (this.#count > 0 && this.#sequences[this.#first]! <= durable) {
      const packed = this.#packed[this.#first]!;
      this.#first = (this.#first + 1) & (this.#packed.length - 1);
      this.#count--;
      sender.sendDeferred(packed >>> 24, (packed >>> 16) & 0xff, packed & 0xffff);
    }
  }

  #grow(): void {
    const size = this.#packed.length;
    const sequences = new Float64Array(size * 2);
    const packed = new Uint32Array(size * 2);
    for (let i = 0; i < this.#count; i++) {
      const from = (this.#first + i) & (size - 1);
      sequences[i] = this.#sequences[from]!;
      packed[i] = this.#packed[from]!;
    }
    this.#sequences = sequences;
    this.#packed = packed;
    this.#first = 0;
  }
}
