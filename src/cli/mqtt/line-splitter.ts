/** Cuts a stream of bytes into lines. A line is a view of its chunk, or a copy where it goes over several. */
export class LineSplitter {
  readonly #maximumLength: number;
  #parts: Buffer[] = [];
  #length = 0;

  /** `maximumLength` of a line in bytes. */
  constructor(maximumLength: number) {
    this.#maximumLength = maximumLength;
  }

  /** The lines that end in this chunk, without their `\n`. Throws a RangeError for a line that is too long. */
  *push(chunk: Buffer): Generator<Buffer> {
    let start = 0;
    for (let end = chunk.indexOf(0x0a); end !== -1; end = chunk.indexOf(0x0a, start)) {
      const line = chunk.subarray(start, end);
      start = end + 1;
      if (this.#length + line.length > this.#maximumLength) throw this.#tooLong();
      yield this.#finish(line);
    }
    if (start === chunk.length) return;
    const rest = chunk.subarray(start);
    this.#length += rest.length;
    if (this.#length > this.#maximumLength) throw this.#tooLong();
    this.#parts.push(rest);
  }

  /** What stands behind the last `\n`; `null` where nothing does. */
  end(): Buffer | null {
    return this.#length === 0 ? null : this.#finish(Buffer.alloc(0));
  }

  #finish(last: Buffer): Buffer {
    if (this.#parts.length === 0) return last;
    const line = Buffer.concat([...this.#parts, last]);
    this.#parts = [];
    this.#length = 0;
    return line;
  }

  #tooLong(): RangeError {
    return new RangeError(`a line is longer than ${this.#maximumLength} bytes`);
  }
}
