/** Of every set that nothing was put into. */
const noWords = new Uint32Array(0);

/** A set of packet ids: a bit each, so that even all 65,535 of them cost 8 KiB. */
export class PacketIdSet {
  #words = noWords;
  #size = 0;

  get size(): number {
    return this.#size;
  }

  has(packetId: number): boolean {
    const word = this.#words[packetId >>> 5];
    return word !== undefined && (word & (1 << (packetId & 31))) !== 0;
  }

  /** False when it was in the set already. */
  add(packetId: number): boolean {
    if (this.has(packetId)) return false;
    const index = packetId >>> 5;
    if (index >= this.#words.length) this.#grow(index);
    this.#words[index] = this.#words[index]! | (1 << (packetId & 31));
    this.#size++;
    return true;
  }

  /** False when it was not in the set. */
  delete(packetId: number): boolean {
    if (!this.has(packetId)) return false;
    const index = packetId >>> 5;
    this.#words[index] = this.#words[index]! & ~(1 << (packetId & 31));
    this.#size--;
    return true;
  }

  #grow(index: number): void {
    let length = Math.max(this.#words.length, 4);
    while (length <= index) length *= 2;
    const words = new Uint32Array(length);
    words.set(this.#words);
    this.#words = words;
  }
}
