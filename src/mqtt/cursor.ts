import { ReasonCode } from './reason-code.ts';
import { decodeText } from './utf8.ts';

const nothing = Buffer.alloc(0);

/**
 * Reads the fields of one packet, in order, never past its end. The first fault sticks: what is read after it is
 * empty, and whoever reads looks at `code` once, at the end. `what` names the field for the fault's text.
 */
export class Cursor {
  readonly bytes: Buffer;
  readonly start: number;
  at: number;
  end: number;
  code: ReasonCode = ReasonCode.Success;
  detail = '';
  /** The protocol level of a CONNECT, without the bridge bit, as soon as it was read. */
  protocolLevel = 0;

  constructor(bytes: Buffer, at: number, end: number) {
    this.bytes = bytes;
    this.start = at;
    this.at = at;
    this.end = end;
  }

  get remaining(): number {
    return this.end - this.at;
  }

  /** Notes the first fault and lets nothing more be read. */
  fail(code: ReasonCode, detail: string): void {
    if (this.code !== ReasonCode.Success) return;
    this.code = code;
    this.detail = detail;
    this.at = this.end;
  }

  byte(what: string): number {
    if (this.end - this.at < 1) return this.#cutShort(what);
    const value = this.bytes[this.at]!;
    this.at += 1;
    return value;
  }

  /** Two Byte Integer (MQTT 5, 1.5.2). */
  uint16(what: string): number {
    if (this.end - this.at < 2) return this.#cutShort(what);
    const value = (this.bytes[this.at]! << 8) | this.bytes[this.at + 1]!;
    this.at += 2;
    return value;
  }

  /** Four Byte Integer (MQTT 5, 1.5.3). */
  uint32(what: string): number {
    if (this.end - this.at < 4) return this.#cutShort(what);
    const value = this.bytes.readUInt32BE(this.at);
    this.at += 4;
    return value;
  }

  /** Variable Byte Integer (MQTT 5, 1.5.5): at most four bytes, and no more of them than needed [MQTT-1.5.5-1]. */
  varint(what: string): number {
    let value = 0;
    for (let shift = 0; shift < 28; shift += 7) {
      if (this.at >= this.end) return this.#cutShort(what);
      const byte = this.bytes[this.at]!;
      this.at += 1;
      value |= (byte & 0x7f) << shift;
      if (byte > 127) continue;
      if (byte === 0 && shift > 0)
        this.fail(ReasonCode.MalformedPacket, `${what} is longer than it needs to be`);
      return value;
    }
    this.fail(ReasonCode.MalformedPacket, `${what} has more than four bytes`);
    return 0;
  }

  /** UTF-8 Encoded String (MQTT 5, 1.5.4). */
  string(what: string): string {
    const length = this.#length(what);
    const end = this.at + length;
    const text = decodeText(this.bytes, this.at, end);
    if (text === undefined) {
      this.fail(ReasonCode.MalformedPacket, `${what} is not well-formed UTF-8`);
      return '';
    }
    this.at = end;
    return text;
  }

  /** Binary Data (MQTT 5, 1.5.6). A copy: what is read here outlives the chunk. */
  binary(what: string): Buffer {
    const length = this.#length(what);
    if (length === 0) return nothing;
    const copy = Buffer.allocUnsafeSlow(length);
    this.bytes.copy(copy, 0, this.at, this.at + length);
    this.at += length;
    return copy;
  }

  /** Packet Identifier: never 0 ([MQTT-2.2.1-3]; 3.1.1: [MQTT-2.3.1-1]). */
  packetId(): number {
    const packetId = this.uint16('packet identifier');
    if (packetId === 0) this.fail(ReasonCode.ProtocolError, 'packet identifier is 0');
    return packetId;
  }

  #length(what: string): number {
    const length = this.uint16(what);
    return length <= this.end - this.at ? length : this.#cutShort(what);
  }

  #cutShort(what: string): 0 {
    this.fail(ReasonCode.MalformedPacket, `${what} is cut short`);
    return 0;
  }
}
