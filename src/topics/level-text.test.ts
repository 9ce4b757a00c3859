import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { LevelText } from './level-text.ts';

test('the levels of any text are those that it has when it is split', () => {
  const unit = fc.constantFrom('/', 'a', '.', '0', '\0', '\u007f', 'é', 'ï', '¯', '日', '😀');
  const text = new LevelText();
  fc.assert(
    fc.property(fc.string({ unit, maxLength: 40 }), (whole) => {
      text.put(whole);
      const levels: string[] = [];
      for (let start = 0; start <= text.length;) {
        const end = text.endOfLevel(start);
        levels.push(Buffer.from(text.copy(start, end)).toString());
        start = end + 1;
      }
      assert.deepEqual(levels, whole.split('/'));
    }),
    { numRuns: 2000 },
  );
});

test('a text that is longer than those before has room', () => {
  const text = new LevelText();
  text.put('é'.repeat(40_000));
  assert.equal(text.length, 80_000);
  assert.equal(text.endOfLevel(0), 80_000);
  text.put('a/b');
  assert.equal(text.endOfLevel(0), 1);
  assert.equal(text.endOfLevel(2), 3);
});

test('a text that just fits is read to its end', () => {
  for (let length = 330; length < 350; length++) {
    for (const head of ['', '/', 'a/', 'ab/', 'abc/']) {
      const text = new LevelText();
      text.put(head + '日'.repeat(length));
      assert.equal(text.endOfLevel(head.length), head.length + length * 3);
    }
  }
});
