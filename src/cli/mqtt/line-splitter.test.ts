import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import * as fc from 'fast-check';
import { LineSplitter } from './line-splitter.ts';

describe('line splitter', () => {
  it('gives the same lines however the stream is cut', () => {
    const piece = fc.array(fc.constantFrom(0x0a, 0x0d, 0x61, 0xc3, 0x00), { maxLength: 12 });
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 12 }), (pieces) => {
        const splitter = new LineSplitter(1000);
        const lines = pieces.flatMap((bytes) =>
          [...splitter.push(Buffer.from(bytes))].map((line) => line.toString('hex')),
        );
        const last = splitter.end();
        if (last !== null) lines.push(last.toString('hex'));
        const whole = Buffer.from(pieces.flat()).toString('latin1').split('\n');
        if (whole.at(-1) === '') whole.pop();
        assert.deepEqual(
          lines,
          whole.map((line) => Buffer.from(line, 'latin1').toString('hex')),
        );
      }),
    );
  });

  it('refuses a line that is too long, before it is whole', () => {
    const splitter = new LineSplitter(4);
    assert.deepEqual([...splitter.push(Buffer.from('abcd\nab'))].map(String), ['abcd']);
    assert.throws(() => [...splitter.push(Buffer.from('cde'))], RangeError);
    assert.throws(() => [...new LineSplitter(4).push(Buffer.from('abcde\n'))], RangeError);
  });
});
