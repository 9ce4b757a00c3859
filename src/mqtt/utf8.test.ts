import assert from 'node:assert/strict';
import { test } from 'node:test';
import { TextDecoder } from 'node:util';
import * as fc from 'fast-check';
import { utf8Length } from './index.ts';
import { decodeText, writeText } from './utf8.ts';

const strict = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** What the platform's own strict decoder says, with MQTT's one rule more. */
function expected(bytes: Uint8Array): string | undefined {
  try {
    const text = strict.decode(bytes);
    return text.includes('\0') ? undefined : text;
  } catch {
    return undefined;
  }
}

function decode(bytes: Uint8Array): string | undefined {
  const buffer = Buffer.concat([Buffer.from([0x80]), bytes, Buffer.from([0x80])]);
  return decodeText(buffer, 1, 1 + bytes.length);
}

test('every lead byte with every second byte is judged as the platform judges it [MQTT-1.5.4-1] [MQTT-1.5.4-2]', () => {
  for (let first = 0; first < 256; first++) {
    for (let second = 0; second < 256; second++) {
      for (const tail of [[], [0x80], [0x80, 0xbf], [0x80, 0x80, 0x80], [0x7f, 0x80], [0x80, 0xc0]]) {
        const bytes = Uint8Array.from([0x61, first, second, ...tail]);
        assert.equal(decode(bytes), expected(bytes), Buffer.from(bytes).toString('hex'));
      }
    }
  }
});

test('random bytes and random texts are judged as the platform judges them', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 12 }), (bytes) => assert.equal(decode(bytes), expected(bytes))),
    { numRuns: 3000 },
  );
  const text = fc.string({ unit: 'binary', maxLength: 100 });
  fc.assert(
    fc.property(text, (value) => assert.equal(decode(Buffer.from(value)), expected(Buffer.from(value)))),
    { numRuns: 2000 },
  );
});

test('the length is what is written, also for lone surrogates', () => {
  const text = fc.oneof(
    fc.string({ unit: 'binary', maxLength: 200 }),
    fc.array(fc.integer({ min: 0, max: 0xffff })).map((units) => String.fromCharCode(...units)),
  );
  fc.assert(
    fc.property(text, (value) => {
      const length = utf8Length(value);
      assert.equal(length, Buffer.byteLength(value));
      const into = Buffer.alloc(length + 2, 0xee);
      assert.equal(writeText(into, 1, value, length), 1 + length);
      assert.equal(into.toString('hex'), `ee${Buffer.from(value).toString('hex')}ee`);
    }),
    { numRuns: 2000 },
  );
});
