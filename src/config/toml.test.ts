import assert from 'node:assert/strict';
import { readFileSync, readdirSync } from 'node:fs';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { DavylampError } from '#base';
import { readToml } from './index.ts';
import type { TableSpec } from './key-type.ts';
import { schema } from './schema.ts';

/**
 * Each golden file: a configuration, a line of dashes, and what comes of it: `error: …` lines, or `warning: …` lines
 * and the whole `Config` as JSON.
 */
const folder = new URL('golden/', import.meta.url);
const separator = '\n----------\n';

for (const name of readdirSync(folder)) {
  test(`configuration: ${name}`, () => {
    const [input = '', expected] = readFileSync(new URL(name, folder), 'utf8').split(separator);
    assert.equal(outcomeOf(input), expected);
  });
}

test('there are golden files at all', () => {
  assert.ok(readdirSync(folder).length >= 12);
});

test('every key stands in a golden file', () => {
  const used = new Set(
    readdirSync(folder).flatMap((name) => {
      const [input = ''] = readFileSync(new URL(name, folder), 'utf8').split(separator);
      return [...input.matchAll(/^\s*(\w+) = /gm)].map(([, key]) => key);
    }),
  );
  const keysOf = (table: TableSpec): string[] => [
    ...table.keys.map(({ key }) => key),
    ...table.tables.flatMap(keysOf),
  ];
  const keys = keysOf(schema);
  assert.ok(keys.length > 150);
  assert.deepEqual(
    keys.filter((key) => !used.has(key)),
    [],
  );
});

test('a role that is asked for may be left out of the file, and may not be another', () => {
  const rest = 'name = "x"\n[[listener]]\nname = "x"\npassword_file = "p"\n';
  const options = { baseFolder: '/', role: 'relay' } as const;
  assert.equal(readToml(rest, 'x', options).config.role, 'relay');
  assert.equal(readToml(`role = "relay"\n${rest}`, 'x', options).config.role, 'relay');
  assert.throws(() => readToml(`\nrole = "cloud"\n${rest}`, 'x', options), {
    code: 'CONFIG_INVALID',
    message: 'x:2: role = "cloud": this file is for davylamp cloud, not for davylamp relay',
  });
});

test('whatever the file holds, the answer is a configuration or an error that names lines of it', () => {
  const piece = fc.oneof(
    fc.constantFrom(
      'role = ',
      'name = ',
      '[broker]',
      '[[listener]]',
      '[[bridge]]',
      '[[bridge.topic]]',
      '[platform]',
      '[platform.site_addresses]',
      '[[alarm]]',
      '[commands]',
    ),
    fc.constantFrom(
      '"site"',
      '"x"',
      '1',
      '-1.5',
      'nan',
      'true',
      '[]',
      '[[]]',
      '{}',
      '{ a = 1 }',
      '1979-05-27',
      '""',
      '=',
      '\n',
      '\n',
      '\n',
    ),
    fc.constantFrom(
      'port = ',
      'filter = ',
      'set_point = ',
      'password_file = ',
      'maximum_packet_size = ',
      '__proto__ = ',
      'accept = ',
    ),
  );
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 30, size: 'max' }), (pieces) => {
      const text = pieces.join('');
      const outcome = outcomeOf(text);
      const height = text.split('\n').length;
      for (const [, line] of outcome.matchAll(/^error: test\.toml:(\d+): ./gm))
        assert.ok(Number(line) >= 1 && Number(line) <= height + 1);
      if (outcome.startsWith('error')) assert.match(outcome, /^(error: test\.toml:\d+: .+\n)+$/);
    }),
    { numRuns: 2000 },
  );
});

function outcomeOf(text: string): string {
  try {
    const { config, warnings } = readToml(text, 'test.toml', { baseFolder: '/etc/davylamp' });
    const lines = warnings.map(({ file, line, message }) => `warning: ${file}:${line}: ${message}\n`);
    return `${lines.join('')}${JSON.stringify(config, mapsAsObjects, 2)}\n`;
  } catch (error) {
    assert.ok(error instanceof DavylampError, String(error));
    assert.equal(error.code, 'CONFIG_INVALID');
    return error.message.replaceAll(/^/gm, 'error: ').concat('\n');
  }
}

function mapsAsObjects(_key: string, value: unknown): unknown {
  return value instanceof Map ? Object.fromEntries(value) : value;
}
