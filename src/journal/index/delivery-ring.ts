const wordsEach = 7;
const initialCapacity = 4;

/** Bits of the last word, above the packet id. */
const Flag = { Received: 0x1_0000, Gone: 0x2_0000, Urgent: 0x4_0000 } as const;

/**
 * Deliveries of one session in the order of their serials: 28 bytes each, no objects.
 *
 *   words of one  | serial ×2 | lsn ×2 | message slot | size | flags, packet id |
 *   #words        |  ·  | s4 | s5 | gone | s9 |  ·  |     #first = place of s4, #count = 4 with the one that is gone
 *
 * The capacity is a power of two. Those that are gone in the middle stay until the ring would have to grow.
 * `place` is a number from `find`, `first` or `next`: good until something is appended or removed.
 */
export class DeliveryRing {
  #words = new Uint32Array(0);
  #capacity = 0;
  #first = 0;
  #count = 0;
  #size = 0;

  /** Deliveries that are not gone. */
  get size(): number {
    return this.#size;
  }

  /** Serial of the last one, also of one that is gone; 0 = none. */
  get lastSerial(): number {
    return this.#count === 0 ? 0 : this.serialAt(this.#count - 1);
  }

  /** `serial` must be above all others. */
  append(serial: number, lsn: number, slot: number, size: number, isUrgent: boolean): void {
    if (this.#count === this.#capacity) this.#makeRoom();
    const at = this.#offset(this.#count);
    const words = this.#words;
    words[at] = serial;
    words[at + 1] = serial / 0x1_0000_0000;
    words[at + 2] = lsn;
    words[at + 3] = lsn / 0x1_0000_0000;
    words[at + 4] = slot;
    words[at + 5] = size;
    words[at + 6] = isUrgent ? Flag.Urgent : 0;
    this.#count++;
    this.#size++;
  }

  /** The place of a delivery, or -1. */
  find(serial: number): number {
    const place = this.#lowest(serial);
    if (place === this.#count || this.serialAt(place) !== serial || this.#isGone(place)) return -1;
    return place;
  }

  /** The first place whose serial is above this one, or -1. */
  after(serial: number): number {
    return this.#present(this.#lowest(serial + 1));
  }

  /** The place behind this one, or -1. */
  next(place: number): number {
    return this.#present(place + 1);
  }

  serialAt(place: number): number {
    const at = this.#offset(place);
    return this.#words[at]! + this.#words[at + 1]! * 0x1_0000_0000;
  }

  lsnAt(place: number): number {
    const at = this.#offset(place);
    return this.#words[at + 2]! + this.#words[at + 3]! * 0x1_0000_0000;
  }

  slotAt(place: number): number {
    return this.#words[this.#offset(place) + 4]!;
  }

  sizeAt(place: number): number {
    return this.#words[this.#offset(place) + 5]!;
  }

  /** 0 = not yet sent. */
  packetIdAt(place: number): number {
    return this.#words[this.#offset(place) + 6]! & 0xffff;
  }

  isReceivedAt(place: number): boolean {
    return (this.#words[this.#offset(place) + 6]! & Flag.Received) !== 0;
  }

  /** It waits to be sent in its turn: neither sent nor urgent. */
  isOrdinaryAt(place: number): boolean {
    return (this.#words[this.#offset(place) + 6]! & (0xffff | Flag.Urgent)) === 0;
  }

  isUrgentAt(place: number): boolean {
    return (this.#words[this.#offset(place) + 6]! & Flag.Urgent) !== 0;
  }

  setPacketId(place: number, packetId: number): void {
    const at = this.#offset(place) + 6;
    this.#words[at] = (this.#words[at]! & ~0xffff) | packetId;
  }

  setReceived(place: number): void {
    const at = this.#offset(place) + 6;
    this.#words[at] = this.#words[at]! | Flag.Received;
  }

  /** The record stands somewhere else now. */
  move(place: number, lsn: number, size: number): void {
    const at = this.#offset(place);
    this.#words[at + 2] = lsn;
    this.#words[at + 3] = lsn / 0x1_0000_0000;
    this.#words[at + 5] = size;
  }

  remove(place: number): void {
    const at = this.#offset(place) + 6;
    this.#words[at] = this.#words[at]! | Flag.Gone;
    this.#size--;
    if (this.#size === 0) {
      this.#count = 0;
      this.#first = 0;
      if (this.#capacity > 64) this.#resize(0);
      return;
    }
    while (this.#isGone(0)) {
      this.#first = (this.#first + 1) & (this.#capacity - 1);
      this.#count--;
    }
    while (this.#isGone(this.#count - 1)) this.#count--;
  }

  #offset(place: number): number {
    return ((this.#first + place) & (this.#capacity - 1)) * wordsEach;
  }

  #isGone(place: number): boolean {
    return (this.#words[this.#offset(place) + 6]! & Flag.Gone) !== 0;
  }

  /** The first place whose serial is not below this one. */
  #lowest(serial: number): number {
    if (this.#count === 0 || this.serialAt(0) >= serial) return 0; // the rule: acknowledged in order
    let low = 1;
    let high = this.#count;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.serialAt(middle) < serial) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  #present(from: number): number {
    for (let place = from; place < this.#count; place++) if (!this.#isGone(place)) return place;
    return -1;
  }

  #makeRoom(): void {
    if (this.#capacity === 0) this.#resize(initialCapacity);
    // Half of it is gone: one that is never acknowledged must not make the ring grow for ever.
    else this.#resize(this.#size * 2 <= this.#capacity ? this.#capacity : this.#capacity * 2);
  }

  /** Moves those that are not gone to the beginning of a ring of this capacity. */
  #resize(capacity: number): void {
    const words = new Uint32Array(capacity * wordsEach);
    let count = 0;
    for (let place = this.#present(0); place !== -1; place = this.next(place)) {
      const at = this.#offset(place);
      words.set(this.#words.subarray(at, at + wordsEach), count * wordsEach);
      count++;
    }
    this.#words = words;
    this.#capacity = capacity;
    this.#first = 0;
    this.#count = count;
  }
}
