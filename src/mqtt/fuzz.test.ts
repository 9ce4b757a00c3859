import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { anyPacket } from './arbitraries.test.ts';
import {
  createAckRecord,
  decodeAck,
  decodePacket,
  encodePacket,
  FrameReader,
  type FrameSink,
  type ProtocolVersion,
} from './index.ts';

const version = fc.constantFrom<ProtocolVersion>(3, 4, 5);
const margin = 64;

/** A buffer whose reads outside of `[from, to)` are an error of the test. */
function guarded(bytes: Buffer, from: number, to: number): Buffer {
  return new Proxy(bytes, {
    get(target, key) {
      if (typeof key === 'string' && /^-?\d+$/.test(key)) {
        const index = Number(key);
        assert.ok(index >= from && index < to, `read at ${index}, outside of [${from}, ${to})`);
      }
      const value: unknown = Reflect.get(target, key, target);
      return typeof value === 'function'
        ? guardedMethod(target, value as (...list: number[]) => unknown, String(key), from, to)
        : value;
    },
  });
}

/** Buffer's own methods that the codec uses, with their ranges checked. */
function guardedMethod(
  target: Buffer,
  method: (...list: number[]) => unknown,
  name: string,
  from: number,
  to: number,
): unknown {
  return (...list: number[]) => {
    const ranges: Record<string, [number | undefined, number | undefined]> = {
      latin1Slice: [list[0], list[1]],
      utf8Slice: [list[0], list[1]],
      subarray: [list[0], list[1]],
      copy: [list[2], list[3]],
      readUInt32BE: [list[0], list[0]! + 4],
    };
    const range = ranges[name];
    assert.ok(range !== undefined, `the codec calls ${name}, which this test does not watch`);
    assert.ok(
      range[0]! >= from && range[1]! <= to,
      `${name} reads [${range[0]}, ${range[1]}), outside of [${from}, ${to})`,
    );
    return Reflect.apply(method, target, list);
  };
}

/** Decodes `[type and flags, body]` in the middle of a buffer that must not be read elsewhere. */
function decodeGuarded(
  first: number,
  body: Uint8Array,
  level: ProtocolVersion,
): ReturnType<typeof decodePacket> {
  const bytes = Buffer.alloc(margin * 2 + 2 + body.length, 0x01);
  bytes[margin] = first;
  bytes[margin + 1] = body.length;
  bytes.set(body, margin + 2);
  const end = margin + 2 + body.length;
  const watched = guarded(bytes, margin, end);
  if (first >> 4 >= 4 && first >> 4 <= 7)
    decodeAck(watched, margin, margin + 2, end, level, createAckRecord());
  return decodePacket(watched, margin, margin + 2, end, level);
}

function assertJudged(decoded: ReturnType<typeof decodePacket>): void {
  if (decoded.type !== 0) return;
  assert.ok(decoded.reasonCode >= 0x80, 'a fault has a reason');
  assert.ok(decoded.detail.length > 0, 'a fault has a detail');
}

test('random bytes never throw and are never read outside of the packet', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 0, max: 255 }),
      fc.uint8Array({ maxLength: 100 }),
      version,
      (first, body, level) => {
        assertJudged(decodeGuarded(first, body, level));
      },
    ),
    { numRuns: 3000 },
  );
});

test('packets that were tampered with never throw and are never read outside of the packet', () => {
  const tampering = fc.array(fc.tuple(fc.nat(), fc.integer({ min: 0, max: 255 })), { maxLength: 4 });
  const cut = fc.integer({ min: 0, max: 20 });
  for (const level of [3, 4, 5] as const) {
    fc.assert(
      fc.property(anyPacket(level), tampering, cut, (packet, changes, missing) => {
        const frame = encodePacket(packet, level);
        let bodyStart = 1;
        while (frame[bodyStart]! > 127) bodyStart += 1;
        const body = Buffer.from(
          frame.subarray(bodyStart + 1, Math.max(bodyStart + 1, frame.length - missing)),
        );
        for (const [at, byte] of changes) if (body.length > 0) body[at % body.length] = byte;
        assertJudged(decodeGuarded(frame[0]!, body, level));
      }),
      { numRuns: 1500 },
    );
  }
});

test('what is accepted from tampered bytes can be encoded, and means the same again', () => {
  fc.assert(
    fc.property(anyPacket(5), fc.nat(), fc.integer({ min: 0, max: 255 }), (packet, at, byte) => {
      const frame = encodePacket(packet, 5);
      let bodyStart = 1;
      while (frame[bodyStart]! > 127) bodyStart += 1;
      bodyStart += 1;
      if (frame.length > bodyStart) frame[bodyStart + (at % (frame.length - bodyStart))] = byte;
      const decoded = decodePacket(frame, 0, bodyStart, frame.length, 5);
      if (decoded.type === 0) return;
      const level = decoded.type === 1 ? decoded.version : 5;
      const again = encodePacket(decoded, level);
      bodyStart = 1;
      while (again[bodyStart]! > 127) bodyStart += 1;
      assert.deepEqual(decodePacket(again, 0, bodyStart + 1, again.length, level), decoded);
    }),
    { numRuns: 3000 },
  );
});

test('a stream of random bytes never throws, and holds no more than has come', () => {
  const sink: FrameSink = {
    onFrame: (bytes, start, bodyStart, end) => {
      const decoded = decodePacket(bytes, start, bodyStart, end, 5);
      return decoded.type === 0 ? decoded.reasonCode : 0;
    },
  };
  fc.assert(
    fc.property(fc.array(fc.uint8Array({ maxLength: 50 }), { maxLength: 20 }), (chunks) => {
      const reader = new FrameReader(sink, 300_000_000);
      let arrived = 0;
      for (const chunk of chunks) {
        reader.push(Buffer.from(chunk));
        arrived += chunk.length;
        assert.ok(reader.heldBytes <= Math.max(256, arrived * 2));
      }
    }),
    { numRuns: 1000 },
  );
});
