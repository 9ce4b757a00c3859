import assert from 'node:assert/strict';
import { connect as connectSocket } from 'node:net';
import {
  decodePacket,
  encodePacket,
  FrameReader,
  ReasonCode,
  type Packet,
  type ProtocolVersion,
} from '#mqtt';

/** The raw end of a connection, whatever carries it. */
export interface WireLink {
  write(bytes: Buffer): void;
  /** Ends it at once, without a word. */
  destroy(): void;
}

interface WireLinkEvents {
  readonly onBytes: (bytes: Buffer) => void;
  readonly onClose: () => void;
}

/** A way to reach a broker: the same tables run over each of them. */
export interface WireTransport {
  /** For the names of tests. */
  readonly name: string;
  /** The listener that it needs. */
  readonly protocol: 'tcp' | 'ws';
  open(port: number, events: WireLinkEvents): Promise<WireLink>;
}

export const overTcp: WireTransport = {
  name: 'TCP',
  protocol: 'tcp',
  open: (port, events) =>
    new Promise((resolve, reject) => {
      const socket = connectSocket({ host: '127.0.0.1', port, noDelay: true }, () =>
        resolve({ write: (bytes) => void socket.write(bytes), destroy: () => socket.destroy() }),
      );
      socket.on('error', reject); // after `resolve` without effect: the close tells all
      socket.on('data', events.onBytes);
      socket.on('close', events.onClose);
    }),
};

/** A frame as it came, and what it is. */
export interface ReceivedFrame {
  readonly frame: Buffer;
  readonly packet: Packet;
}

/** A client that sends exactly what it is told and gives what came in order. */
export class WireClient {
  readonly version: ProtocolVersion;
  #link: WireLink | null = null;
  #isClosed = false;
  readonly #received: ReceivedFrame[] = [];
  #wake: (() => void) | null = null;
  readonly #reader: FrameReader;

  constructor(version: ProtocolVersion) {
    this.version = version;
    this.#reader = new FrameReader(
      {
        onFrame: (bytes, start, body, end) =>
          this.#onFrame(Buffer.from(bytes.subarray(start, end)), body - start),
      },
      0x0fff_ffff,
    );
  }

  async open(transport: WireTransport, port: number): Promise<this> {
    this.#link = await transport.open(port, {
      onBytes: (bytes) => {
        assert.equal(this.#reader.push(bytes), ReasonCode.Success, 'the broker sent what is no MQTT');
        this.#notify();
      },
      onClose: () => {
        this.#isClosed = true;
        this.#notify();
      },
    });
    return this;
  }

  send(...packets: readonly Packet[]): void {
    this.write(Buffer.concat(packets.map((packet) => encodePacket(packet, this.version))));
  }

  /** Bytes as one piece. */
  write(bytes: Buffer): void {
    this.#link?.write(bytes);
  }

  /** The next packet; fails when the connection ends before it. */
  async receive(): Promise<ReceivedFrame> {
    await this.#until(() => this.#received.length > 0 || this.#isClosed);
    const next = this.#received.shift();
    assert.ok(next !== undefined, 'the broker closed the connection');
    return next;
  }

  /** The broker closes the connection, without another packet. */
  async expectClosed(): Promise<void> {
    await this.#until(() => this.#received.length > 0 || this.#isClosed);
    assert.deepEqual(
      this.#received.map((one) => one.packet),
      [],
      'a packet came instead of the end',
    );
  }

  /** Ends the connection without DISCONNECT. */
  destroy(): void {
    this.#link?.destroy();
  }

  #onFrame(frame: Buffer, bodyStart: number): ReasonCode {
    const packet = decodePacket(frame, 0, bodyStart, frame.length, this.version);
    assert.ok(packet.type !== 0, `the broker sent a malformed packet: ${frame.toString('hex')}`);
    this.#received.push({ frame, packet });
    return ReasonCode.Success;
  }

  async #until(condition: () => boolean): Promise<void> {
    while (!condition()) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }

  #notify(): void {
    this.#wake?.();
    this.#wake = null;
  }
}

/**
 * The bytes of a packet: hexadecimal, `*` for the remaining length of all that follows, `{…}` for a property length and
 * properties, `"text"` for a length and UTF-8: `82 * 0001 {} "a/b" 01`.
 */
export function wire(text: string): Buffer {
  const tokens = text.match(/"[^"]*"|[*{}]|[0-9a-fA-F]{2}/g) ?? [];
  assert.equal(
    tokens.join('').length,
    text.replaceAll(/(?<=^[^"]*(?:"[^"]*"[^"]*)*) /g, '').length,
    `unreadable: ${text}`,
  );
  return assemble(tokens, { at: 0 });
}

/** Assembles up to the end or a closing brace. */
function assemble(tokens: readonly string[], cursor: { at: number }): Buffer {
  const parts: Buffer[] = [];
  while (cursor.at < tokens.length) {
    const token = tokens[cursor.at++]!;
    if (token === '}') break;
    if (token === '*') {
      const rest = assemble(tokens, cursor);
      parts.push(varint(rest.length), rest);
    } else if (token === '{') {
      const inner = assemble(tokens, cursor);
      parts.push(varint(inner.length), inner);
    } else if (token.startsWith('"')) {
      const bytes = Buffer.from(token.slice(1, -1));
      parts.push(Buffer.from([bytes.length >> 8, bytes.length & 0xff]), bytes);
    } else parts.push(Buffer.from(token, 'hex'));
  }
  return Buffer.concat(parts);
}

function varint(value: number): Buffer {
  const bytes: number[] = [];
  let rest = value;
  do {
    bytes.push((rest & 0x7f) | (rest > 127 ? 0x80 : 0));
    rest >>= 7;
  } while (rest > 0);
  return Buffer.from(bytes);
}
