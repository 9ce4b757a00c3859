import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { parse, stringify } from 'smol-toml';
import { TomlLines, type Place } from './toml-lines.ts';

test('a key is found in its own table, not in another of the same form', () => {
  const lines = new TomlLines(
    '[[a]]\nx = 1\n[[a]]\nx = 2\n[[a.b]]\nx = 3\n[[a.b]]\nx = 4\n[[a]]\n[[a.b]]\nx = 5\n[a.c]\nx = 6\n',
  );
  const found = (...place: Place): number | undefined => lines.lineOf(place);
  assert.equal(found('a', 0, 'x'), 2);
  assert.equal(found('a', 1, 'x'), 4);
  assert.equal(found('a', 1, 'b', 0, 'x'), 6);
  assert.equal(found('a', 1, 'b', 1, 'x'), 8);
  assert.equal(found('a', 2, 'b', 0, 'x'), 11);
  assert.equal(found('a', 2, 'c', 'x'), 13);
});

test('what is not there has the line of the table that it would be in', () => {
  const lines = new TomlLines('top = 1\n\n[a]\n\n[[b]]\nx = 1\n');
  assert.equal(lines.lineOf(['a', 'missing']), 3);
  assert.equal(lines.lineOf(['b', 0, 'missing']), 5);
  assert.equal(lines.lineOf(['missing']), undefined);
});

test('strings, comments, arrays and inline tables do not lead it astray', () => {
  const text = [
    'a = "x # y = 1 \\" ]"  # ] comment',
    "b = 'c:\\'",
    'c = """',
    'd = 1',
    '\\""" ',
    '"""',
    'e = [ # one',
    '  1, "two # ]", # three ]',
    '  { f = 2 },',
    ']',
    'g = { h = { i = [ 1, 2 ] }, "j.k" = 3 }',
    'l.m = 2026-01-31T00:00:00Z',
    "'n' = 1",
  ].join('\r\n');
  parse(text); // it is TOML
  const lines = new TomlLines(text);
  const expected: [Place, number][] = [
    [['a'], 1],
    [['b'], 2],
    [['c'], 3],
    [['e'], 7],
    [['e', 1], 8],
    [['e', 2, 'f'], 9],
    [['g', 'h', 'i'], 11],
    [['g', 'j.k'], 11],
    [['l', 'm'], 12],
    [['n'], 13],
  ];
  for (const [place, line] of expected) assert.equal(lines.lineOf(place), line, place.join('.'));
  assert.equal(lines.lineOf(['d']), undefined, 'a line of a text is no key');
});

test('every key of any document is found where it was written', () => {
  const key = fc
    .string({ unit: 'grapheme-ascii', minLength: 1, maxLength: 6 })
    .filter((text) => text !== '__proto__');
  const leaf = fc.oneof(
    fc.integer(),
    fc.boolean(),
    fc.string({ maxLength: 12 }),
    fc.array(fc.string({ maxLength: 4 }), { maxLength: 3 }),
  );
  const table = fc.dictionary(key, leaf, { maxKeys: 4 });
  const document = fc.dictionary(
    key,
    fc.oneof(leaf, table, fc.array(table, { minLength: 1, maxLength: 3 })),
    { maxKeys: 6 },
  );
  fc.assert(
    fc.property(document, (value) => {
      const text = stringify(value);
      const lines = new TomlLines(text);
      const rows = text.split('\n');
      for (const place of leavesOf(value, [])) {
        const row = rows[(lines.lineOf(place) ?? 0) - 1] ?? '';
        const name = String(place.at(-1));
        assert.ok(
          row.startsWith(`${name} =`) || row.startsWith(`${JSON.stringify(name)} =`),
          `${JSON.stringify(place)} in line ${JSON.stringify(row)} of ${text}`,
        );
      }
    }),
  );
});

test('any text at all comes to an end', () => {
  const piece = fc.constantFrom(
    '[',
    '[[',
    ']',
    ']]',
    '{',
    '}',
    '"',
    '"""',
    "'",
    "'''",
    '=',
    '.',
    ',',
    '#',
    '\n',
    '\\',
    'a',
    ' ',
    '1',
  );
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 60, size: 'max' }), (pieces) => {
      assert.equal(new TomlLines(pieces.join('')).lineOf([]), undefined);
    }),
    { numRuns: 1000 },
  );
});

function* leavesOf(value: unknown, place: Place): Generator<Place> {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) {
    for (const [key, inner] of Object.entries(value)) yield* leavesOf(inner, [...place, key]);
  } else if (Array.isArray(value) && typeof value[0] === 'object') {
    for (const [index, inner] of value.entries()) yield* leavesOf(inner, [...place, index]);
  } else yield place;
}
