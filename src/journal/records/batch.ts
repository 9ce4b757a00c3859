import { utf8Length } from '#mqtt';
import { batchHeaderSize } from './format.ts';

/** Methods of Node's Buffer that skip the checks of `write`. */
interface DirectBuffer extends Buffer {
  latin1Write(text: string, offset: number, length: number): number;
  utf8Write(text: string, offset: number, length: number): number;
}

/** Room that a fresh batch has. */
const initialSize = 64 * 1024;

/**
 * Records on their way to the disk, behind room for the batch's header. Writers call `reserve` with an upper bound
 * first; nothing else looks at the end of the buffer.
 */
export class Batch {
  /** LSN of its header. */
  readonly lsn: number;
  bytes: Buffer;
  /** Bytes in use, with the header. */
  length = batchHeaderSize;
  /** Bytes of records that the index points to. */
  liveBytes = 0;
  /** Number of the last record in it; set when it is closed. */
  sequence = 0;
  /** What is not needed any more once this batch is on the disk; set when it is closed. */
  headLsn = 0;

  /** `bytes` may be a buffer of an earlier batch. */
  constructor(lsn: number, bytes: Buffer | null) {
    this.lsn = lsn;
    this.bytes = bytes ?? Buffer.allocUnsafeSlow(initialSize);
  }

  /** LSN of the next record. */
  get end(): number {
    return this.lsn + this.length;
  }

  /** Makes room for so many bytes. */
  reserve(bytes: number): void {
    const needed = this.length + bytes;
    if (needed <= this.bytes.length) return;
    let size = this.bytes.length * 2;
    while (size < needed) size *= 2;
    const grown = Buffer.allocUnsafeSlow(size);
    this.bytes.copy(grown, 0, 0, this.length);
    this.bytes = grown;
  }

  byte(value: number): void {
    this.bytes[this.length++] = value;
  }

  /** A whole number below 2^53 in groups of seven bits, lowest first; at most eight bytes. */
  varint(value: number): void {
    const { bytes } = this;
    let at = this.length;
    let rest = value;
    while (rest > 0x7fff_ffff) {
      bytes[at++] = (rest % 128) | 0x80;
      rest = Math.floor(rest / 128);
    }
    while (rest > 127) {
      bytes[at++] = (rest & 127) | 0x80;
      rest >>>= 7;
    }
    bytes[at++] = rest;
    this.length = at;
  }

  /** UTF-8 with its length in front. */
  text(value: string): void {
    const length = utf8Length(value);
    this.varint(length);
    const bytes = this.bytes as DirectBuffer;
    if (length === value.length) bytes.latin1Write(value, this.length, length);
    else bytes.utf8Write(value, this.length, length);
    this.length += length;
  }

  /** Bytes of another buffer, as they are. */
  raw(from: Buffer, start: number, end: number): void {
    this.length += from.copy(this.bytes, this.length, start, end);
  }
}

/** Upper bound of what `text` takes: three bytes a character and the length. */
export function textBound(value: string): number {
  return value.length * 3 + 5;
}
