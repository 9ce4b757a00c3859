import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { DavylampError } from '#base';
import { optionFileWords, readOptionWords } from './option-words.ts';
import type { ToolName } from './options.ts';

const read = (tool: ToolName, ...words: readonly string[]): (readonly string[])[] =>
  readOptionWords(tool, words).map(({ option, values }) => [option.name].concat(values));

describe('option words', () => {
  it('take long and short forms, and keep their order', () => {
    assert.deepEqual(read('sub', '-t', 'a', '--topic', 'b', '-v', '-t', 'c'), [
      ['topic', 'a'],
      ['topic', 'b'],
      ['verbose'],
      ['topic', 'c'],
    ]);
  });

  it('take the next word as value, whatever it looks like', () => {
    assert.deepEqual(read('pub', '-m', '--topic', '-t', '-m', '-P', '-5'), [
      ['message', '--topic'],
      ['topic', '-m'],
      ['pw', '-5'],
    ]);
  });

  it('take three words for a property, and four for a user property', () => {
    assert.deepEqual(
      read('pub', '-D', 'publish', 'content-type', 'x', '-D', 'publish', 'user-property', 'a', 'b', '-r'),
      [
        ['property', 'publish', 'content-type', 'x'],
        ['property', 'publish', 'user-property', 'a', 'b'],
        ['retain'],
      ],
    );
  });

  it('take no bundles, no equals sign and no options of the other tools', () => {
    for (const [tool, words, expected] of [
      ['sub', ['-vd'], /unknown option -vd/],
      ['sub', ['--qos=1'], /unknown option --qos=1/],
      ['sub', ['-m', 'x'], /unknown option -m/],
      ['pub', ['-C', '1'], /unknown option -C/],
      ['pub', ['-v'], /unknown option -v/],
      ['rr', ['-l'], /unknown option -l/],
      ['pub', ['--retian'], /unknown option --retian; did you mean --retain\?/],
      ['pub', ['x'], /unexpected argument 'x'/],
      ['pub', ['-t'], /-t needs a value \(TOPIC\)/],
      ['pub', ['-D', 'publish', 'user-property', 'a'], /-D needs a value/],
    ] as const) {
      assert.throws(
        () => readOptionWords(tool, words),
        (error: unknown) =>
          error instanceof DavylampError && error.code === 'USAGE' && expected.test(error.message),
        words.join(' '),
      );
    }
  });
});

describe('an options file', () => {
  it('holds an option and the rest of the line as its value', () => {
    const text = '# -t no\n-h broker.example\r\n\n-m two words  and more\n-d\n  -q 1';
    assert.deepEqual(optionFileWords(text), '-h|broker.example|-m|two words  and more|-d|-q|1'.split('|'));
  });

  it('holds the words of a property, the last with its spaces', () => {
    assert.deepEqual(
      optionFileWords('-D publish user-property key a b c\n-D publish content-type text/plain'),
      '-D|publish|user-property|key|a b c|-D|publish|content-type|text/plain'.split('|'),
    );
  });
});
