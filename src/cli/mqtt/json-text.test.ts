import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import * as fc from 'fast-check';
import { byteText, parseJson, printJson } from './json-text.ts';

/** What is printed for a text of JSON, as UTF-8. */
function reprint(text: string, pretty = false): string | undefined {
  const node = parseJson(text);
  return node === undefined ? undefined : Buffer.from(printJson(node, pretty), 'latin1').toString();
}

describe('JSON text', () => {
  it('keeps every value, in both forms', () => {
    fc.assert(
      fc.property(fc.jsonValue(), fc.boolean(), (value, pretty) => {
        assert.deepEqual(
          JSON.parse(reprint(JSON.stringify(value), pretty) ?? ''),
          JSON.parse(JSON.stringify(value)),
        );
      }),
    );
  });

  it('keeps the order of members, and names that occur twice', () => {
    assert.equal(reprint('{"b":1,"2":2,"1":3,"b":4}'), '{"b":1,"2":2,"1":3,"b":4}');
  });

  it('writes numbers as C does', () => {
    const text =
      '[1.50, 1e5, 12345678901234567, 0.1, -0.0, 1e-7, 123456789012345680000, 0.30000000000000004]';
    assert.equal(
      reprint(text),
      '[1.5,100000,12345678901234568,0.1,-0,1e-07,1.2345678901234568e+20,0.30000000000000004]',
    );
  });

  it('escapes quotes, backslashes and control characters alone', () => {
    assert.equal(reprint('"\\u00e9\\/\\n\\u0001\\"\\\\ü"'), '"é/\\n\\u0001\\"\\\\ü"');
  });

  it('indents with tabs, arrays on one line', () => {
    assert.equal(
      reprint('{"a":[1,{"b":2}],"c":{},"d":[]}', true),
      '{\n\t"a":\t[1, {\n\t\t\t"b":\t2\n\t\t}],\n\t"c":\t{\n\t},\n\t"d":\t[]\n}',
    );
  });

  it('is refused where it is none, or too deep', () => {
    for (const text of ['', '{', "{'a':1}", '[1,]', 'x', '1 2']) assert.equal(reprint(text), undefined, text);
    assert.equal(reprint(`${'['.repeat(2000)}${']'.repeat(2000)}`), undefined);
  });

  it('reads a long text', () => {
    const long = 'x\\'.repeat(500_000);
    assert.equal(reprint(JSON.stringify(long)), JSON.stringify(long));
    assert.equal(byteText('é').length, 2);
  });
});
