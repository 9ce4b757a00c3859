const slash = 0x2f;
const slashInEachByte = 0x2f2f2f2f;
const lowestBitOfEachByte = 0x01010101;
const highestBitOfEachByte = 0x80808080;

/** Words are read whole: so many bytes behind the closing `/` are looked at and mean nothing. */
const slack = 8;

/**
 * The topic or filter that is being followed, as bytes (UTF-8) with a `/` behind the last level, so that every level
 * ends with one. Read by words of four bytes, which may begin anywhere: to ask a string for its characters one by one
 * takes longer than all the rest of a walk, to have it written as bytes a sixth of it.
 */
export class LevelText {
  #length = 0;
  #bytes = Buffer.alloc(1024);
  #view = new DataView(this.#bytes.buffer);

  /** Bytes of the text; its closing `/` stands here. */
  get length(): number {
    return this.#length;
  }

  /** Takes a text in place of the one before. */
  put(text: string): void {
    // No UTF-16 unit takes more than three bytes.
    const most = text.length * 3 + slack;
    if (most > this.#bytes.length) this.#makeRoom(most);
    this.#length = this.#bytes.write(text, 0, 'utf8');
    this.#bytes[this.#length] = slash;
  }

  #makeRoom(length: number): void {
    this.#bytes = Buffer.alloc(2 ** Math.ceil(Math.log2(length)));
    this.#view = new DataView(this.#bytes.buffer);
  }

  byteAt(at: number): number {
    return this.#bytes[at] as number;
  }

  /** Four bytes, the first of them lowest. */
  wordAt(at: number): number {
    return this.#view.getInt32(at, true);
  }

  /** The last word of a level that has fewer than four bytes left: 0 where it has none. */
  restAt(at: number, end: number): number {
    return this.#view.getInt32(at, true) & ((1 << ((end - at) << 3)) - 1);
  }

  /** Where the level that begins at `start` ends: the place of its `/`. Looks at four bytes at a time. */
  endOfLevel(start: number): number {
    for (let at = start; ; at += 4) {
      const difference = this.#view.getInt32(at, true) ^ slashInEachByte;
      // The lowest bit that is set belongs to the first byte that is zero; those above it may be wrong.
      const zeros = (difference - lowestBitOfEachByte) & ~difference & highestBitOfEachByte;
      if (zeros !== 0) return at + ((31 - Math.clz32(zeros & -zeros)) >>> 3);
    }
  }

  /** True when `[start, end)` is this one character. */
  isByte(start: number, end: number, byte: number): boolean {
    return end - start === 1 && this.#bytes[start] === byte;
  }

  /** A copy of the bytes `[start, end)`. */
  copy(start: number, end: number): Uint8Array {
    return new Uint8Array(this.#bytes.subarray(start, end));
  }

  /** True when these bytes stand at `start`. */
  hasAt(bytes: Uint8Array, start: number): boolean {
    return this.#bytes.compare(bytes, 0, bytes.length, start, start + bytes.length) === 0;
  }
}
