/** Reads the fields of records, which a checksum has vouched for. A field that reaches beyond `end` leaves `at` there. */
export class RecordReader {
  bytes: Buffer;
  at: number;
  end: number;

  constructor(bytes: Buffer, at: number, end: number) {
    this.bytes = bytes;
    this.at = at;
    this.end = end;
  }

  /** More is read than there is: the record is not what it should be. */
  get isOverrun(): boolean {
    return this.at > this.end;
  }

  byte(): number {
    return this.bytes[this.at++] ?? 0;
  }

  varint(): number {
    let value = this.bytes[this.at++] ?? 0;
    if (value < 128) return value;
    value &= 127;
    for (let factor = 128; ; factor *= 128) {
      const byte = this.bytes[this.at++] ?? 0;
      value += (byte & 127) * factor;
      if (byte < 128) return value;
    }
  }

  text(): string {
    const length = this.varint();
    const start = this.at;
    this.at += length;
    return this.bytes.toString('utf8', start, Math.min(this.at, this.bytes.length));
  }

  /** Passes over a text or other bytes with their length in front. */
  skipSized(): void {
    const length = this.varint();
    this.at += length;
  }
}
