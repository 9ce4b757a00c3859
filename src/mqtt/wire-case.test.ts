/** Runs tables of wire cases: bytes, the packet that they are, or the reason why they must be refused. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { decodePacket, encodePacket, ReasonCode, type Packet, type ProtocolVersion } from './index.ts';

interface WireCaseBase {
  /** Says what is shown, with the ids of the statements that it shows. */
  readonly name: string;
  /**
   * The packet: hexadecimal bytes, `*` for the remaining length of all that follows, `{…}` for a property length and
   * properties, `"text"` for a length and UTF-8.
   */
  readonly wire: string;
  /** Default: all three. */
  readonly versions?: readonly ProtocolVersion[];
}

export interface ValidCase extends WireCaseBase {
  readonly packet: Packet;
  /** False where encoding gives another, shorter form. */
  readonly canonical?: false;
}

export interface FaultCase extends WireCaseBase {
  readonly fault: keyof typeof ReasonCode;
  readonly detail?: RegExp;
  readonly protocolLevel?: number;
}

/** What surrounds the packet in the buffer: a read outside of it would see these, and the two would differ. */
const surroundings = [Buffer.alloc(16, 0xa5), Buffer.alloc(16, 0x00)] as const;

export function wireCases(cases: readonly (ValidCase | FaultCase)[]): void {
  for (const wireCase of cases) {
    for (const version of wireCase.versions ?? ([3, 4, 5] as const)) {
      test(`${wireCase.name} (level ${version})`, () => runCase(wireCase, version));
    }
  }
}

function runCase(wireCase: ValidCase | FaultCase, version: ProtocolVersion): void {
  const frame = assemble(wireCase.wire);
  const decoded = decodeFrame(frame, version);
  if ('packet' in wireCase) {
    assert.deepEqual(decoded, wireCase.packet);
    if (wireCase.canonical !== false) {
      assert.equal(encodePacket(wireCase.packet, version).toString('hex'), frame.toString('hex'));
    }
    return;
  }
  assert.ok(decoded.type === 0, 'must be refused');
  assert.equal(decoded.reasonCode, ReasonCode[wireCase.fault], decoded.detail);
  if (wireCase.detail !== undefined) assert.match(decoded.detail, wireCase.detail);
  if (wireCase.protocolLevel !== undefined) assert.equal(decoded.protocolLevel, wireCase.protocolLevel);
}

/** Decodes one frame out of the middle of larger buffers, whose other bytes must not matter. */
export function decodeFrame(frame: Buffer, version: ProtocolVersion): ReturnType<typeof decodePacket> {
  const [first, second] = surroundings.map((around) => {
    const bytes = Buffer.concat([around, frame, around]);
    const start = around.length;
    let bodyStart = start + 1;
    while (bytes[bodyStart]! > 127) bodyStart += 1;
    return decodePacket(bytes, start, bodyStart + 1, start + frame.length, version);
  });
  assert.deepEqual(first, second, 'what stands around the packet must not matter');
  return first!;
}

/** The bytes that a wire text stands for. */
export function assemble(wire: string): Buffer {
  const tokens = wire.match(/"[^"]*"|[{}*]|[0-9a-f]{2}/g) ?? [];
  return assembleUntil(tokens, 0, undefined).bytes;
}

function assembleUntil(
  tokens: readonly string[],
  from: number,
  stop: string | undefined,
): { bytes: Buffer; next: number } {
  const parts: Buffer[] = [];
  let i = from;
  while (i < tokens.length && tokens[i] !== stop) {
    const token = tokens[i]!;
    i += 1;
    if (token === '*' || token === '{') {
      const inner = assembleUntil(tokens, i, token === '*' ? stop : '}');
      parts.push(varint(inner.bytes.length), inner.bytes);
      i = inner.next;
    } else if (token.startsWith('"')) {
      const text = Buffer.from(token.slice(1, -1));
      parts.push(Buffer.from([text.length >> 8, text.length & 0xff]), text);
    } else {
      parts.push(Buffer.from(token, 'hex'));
    }
  }
  return { bytes: Buffer.concat(parts), next: stop === '}' ? i + 1 : i };
}

function varint(value: number): Buffer {
  const bytes: number[] = [];
  let rest = value;
  for (; rest > 127; rest >>= 7) bytes.push((rest & 0x7f) | 0x80);
  bytes.push(rest);
  return Buffer.from(bytes);
}
