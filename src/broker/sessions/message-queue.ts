import type { Delivery } from '../message.ts';

/**
 * Messages of one session that wait to be sent: a ring, bounded by count and by bytes.
 *
 *   #ring  |  ·  | d7 | d8 | d9 |  ·  |      #first = index of d7, #count = 3; the length is a power of two
 */
export class MessageQueue {
  readonly #maximumCount: number;
  readonly #maximumBytes: number;
  #ring: (Delivery | null)[] = [];
  #first = 0;
  #count = 0;
  #bytes = 0;

  constructor(maximumCount: number, maximumBytes: number) {
    this.#maximumCount = maximumCount;
    this.#maximumBytes = maximumBytes;
  }

  get length(): number {
    return this.#count;
  }

  get bytes(): number {
    return this.#bytes;
  }

  get isAboveHalf(): boolean {
    return this.#count * 2 > this.#maximumCount || this.#bytes * 2 > this.#maximumBytes;
  }

  get isBelowQuarter(): boolean {
    return this.#count * 4 < this.#maximumCount && this.#bytes * 4 < this.#maximumBytes;
  }

  /** Puts a message at the end; false when the queue is at a bound. */
  push(delivery: Delivery): boolean {
    const size = delivery.size;
    if (this.#count >= this.#maximumCount || this.#bytes + size > this.#maximumBytes) return false;
    if (this.#count === this.#ring.length) this.#grow();
    this.#ring[(this.#first + this.#count) & (this.#ring.length - 1)] = delivery;
    this.#count++;
    this.#bytes += size;
    return true;
  }

  shift(): Delivery | null {
    if (this.#count === 0) return null;
    const delivery = this.#ring[this.#first] ?? null;
    this.#ring[this.#first] = null;
    this.#first = (this.#first + 1) & (this.#ring.length - 1);
    this.#count--;
    this.#bytes -= delivery === null ? 0 : delivery.size;
    if (this.#count === 0 && this.#ring.length > 1024) this.clear();
    return delivery;
  }

  /** Looks at each message, oldest first. */
  forEach(visit: (delivery: Delivery) => void): void {
    for (let i = 0; i < this.#count; i++) {
      const delivery = this.#ring[(this.#first + i) & (this.#ring.length - 1)];
      if (delivery !== null && delivery !== undefined) visit(delivery);
    }
  }

  clear(): void {
    this.#ring = [];
    this.#first = 0;
    this.#count = 0;
    this.#bytes = 0;
  }

  #grow(): void {
    const size = this.#ring.length;
    const ring: (Delivery | null)[] = new Array<Delivery | null>(size === 0 ? 8 : size * 2).fill(null);
    for (let i = 0; i < this.#count; i++) ring[i] = this.#ring[(this.#first + i) & (size - 1)] ?? null;
    this.#ring = ring;
    this.#first = 0;
  }
}
