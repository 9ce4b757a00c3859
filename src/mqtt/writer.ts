import { DavylampError } from '#base';
import { utf8Length, writeText } from './utf8.ts';

/** The longest text or binary field: its length has two bytes (MQTT 5, 1.5.4 and 1.5.6). */
const longestField = 0xffff;

/** The largest Variable Byte Integer (MQTT 5, 1.5.5). */
const largestVarint = 268_435_455;

/** Room in front of the content for the fixed header. */
const headroom = 5;

/** How many bytes `value` takes as a Variable Byte Integer (MQTT 5, 1.5.5). */
export function varintLength(value: number): number {
  if (value < 128) return 1;
  if (value < 16_384) return 2;
  return value < 2_097_152 ? 3 : 4;
}

/** Writes a Variable Byte Integer in as few bytes as it needs [MQTT-1.5.5-1]; gives back where it ends. */
export function writeVarint(into: Buffer, offset: number, value: number): number {
  let at = offset;
  let rest = value;
  while (rest > 127) {
    into[at] = (rest & 0x7f) | 0x80;
    at += 1;
    rest >>>= 7;
  }
  into[at] = rest;
  return at + 1;
}

/**
 * Gathers one packet of the kinds that are not sent often: grows as it is written, so that no length is computed
 * beforehand. A field that MQTT cannot carry is our own fault and throws `BUG`.
 */
export class Writer {
  #bytes = Buffer.allocUnsafe(256);
  #at = headroom;

  /** Bytes written so far. */
  get length(): number {
    return this.#at - headroom;
  }

  byte(value: number): void {
    this.#reserve(1);
    this.#bytes[this.#at] = value;
    this.#at += 1;
  }

  uint16(value: number): void {
    this.#reserve(2);
    this.#at = this.#bytes.writeUInt16BE(value, this.#at);
  }

  uint32(value: number): void {
    this.#reserve(4);
    this.#at = this.#bytes.writeUInt32BE(value, this.#at);
  }

  varint(value: number): void {
    if (value > largestVarint)
      throw new DavylampError('BUG', `MQTT: ${value} is too large for a length; shorten the packet`);
    this.#reserve(4);
    this.#at = writeVarint(this.#bytes, this.#at, value);
  }

  string(text: string): void {
    const length = utf8Length(text);
    this.#fieldLength(length);
    this.#at = writeText(this.#bytes, this.#at, text, length);
  }

  binary(bytes: Buffer): void {
    this.#fieldLength(bytes.length);
    this.raw(bytes);
  }

  /** Bytes without a length in front. */
  raw(bytes: Buffer): void {
    this.#reserve(bytes.length);
    bytes.copy(this.#bytes, this.#at);
    this.#at += bytes.length;
  }

  /** What was written, as a view: for another writer's `raw`. */
  content(): Buffer {
    return this.#bytes.subarray(headroom, this.#at);
  }

  /** The packet: `first` (type and flags), the length, and what was written. An exact copy. */
  finish(first: number): Buffer {
    const { length } = this;
    if (length > largestVarint)
      throw new DavylampError('BUG', `MQTT: a packet of ${length} bytes is too large; send less at once`);
    const start = headroom - 1 - varintLength(length);
    this.#bytes[start] = first;
    writeVarint(this.#bytes, start + 1, length);
    return Buffer.from(this.#bytes.subarray(start, this.#at));
  }

  #fieldLength(length: number): void {
    if (length > longestField)
      throw new DavylampError('BUG', `MQTT: a field of ${length} bytes is too long; at most 65,535 fit`);
    this.#reserve(2 + length);
    this.uint16(length);
  }

  #reserve(more: number): void {
    if (this.#at + more <= this.#bytes.length) return;
    const larger = Buffer.allocUnsafe(Math.max(this.#at + more, this.#bytes.length * 2));
    this.#bytes.copy(larger, headroom, headroom, this.#at);
    this.#bytes = larger;
  }
}
