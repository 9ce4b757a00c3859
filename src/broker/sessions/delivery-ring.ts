import type { Delivery } from '../message.ts';

/**
 * Deliveries in order: taken from the front, put at the end.
 *
 *   #ring  |  ·  | d7 | d8 | d9 |  ·  |      #first = index of d7, length = 3; the size is a power of two
 */
export class DeliveryRing {
  length = 0;
  /** Of topics and payloads. */
  bytes = 0;
  #ring: (Delivery | null)[] = [];
  #first = 0;

  /** The one that is taken next. */
  get front(): Delivery | null {
    return this.length === 0 ? null : (this.#ring[this.#first] ?? null);
  }

  get back(): Delivery | null {
    return this.length === 0
      ? null
      : (this.#ring[(this.#first + this.length - 1) & (this.#ring.length - 1)] ?? null);
  }

  push(delivery: Delivery): void {
    if (this.length === this.#ring.length) this.#grow();
    this.#ring[(this.#first + this.length) & (this.#ring.length - 1)] = delivery;
    this.length++;
    this.bytes += delivery.size;
  }

  shift(): Delivery | null {
    if (this.length === 0) return null;
    const delivery = this.#ring[this.#first] ?? null;
    this.#ring[this.#first] = null;
    this.#first = (this.#first + 1) & (this.#ring.length - 1);
    this.length--;
    this.bytes -= delivery === null ? 0 : delivery.size;
    if (this.length === 0 && this.#ring.length > 1024) this.clear();
    return delivery;
  }

  /** Looks at each delivery, oldest first. */
  forEach(visit: (delivery: Delivery) => void): void {
    for (let i = 0; i < this.length; i++) {
      const delivery = this.#ring[(this.#first + i) & (this.#ring.length - 1)];
      if (delivery !== null && delivery !== undefined) visit(delivery);
    }
  }

  clear(): void {
    this.#ring = [];
    this.#first = 0;
    this.length = 0;
    this.bytes = 0;
  }

  #grow(): void {
    const size = this.#ring.length;
    const ring: (Delivery | null)[] = new Array<Delivery | null>(size === 0 ? 8 : size * 2).fill(null);
    for (let i = 0; i < this.length; i++) ring[i] = this.#ring[(this.#first + i) & (size - 1)] ?? null;
    this.#ring = ring;
    this.#first = 0;
  }
}
