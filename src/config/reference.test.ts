import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { configReference, readToml } from './index.ts';

const page = new URL('../../docs/reference/configuration.md', import.meta.url);

test('the reference page is what the schema says', () => {
  assert.equal(readFileSync(page, 'utf8'), configReference(), 'run scripts/reference.ts --write');
});

test('every default on the page can be written into a file and gives what leaving it out gives', () => {
  const rest = '[[listener]]\nname = "x"\npassword_file = "p"\n';
  const plain = readToml(`role = "site"\nname = "x"\n${rest}`, 'x', { baseFolder: '/' });
  const [, broker = ''] = configReference().split('## `[broker]`');
  const rows = [...(broker.split('\n## ')[0] ?? '').matchAll(/^\| `(\w+)` \| [^|]*? \| `([^`|]+)` \| /gm)];
  assert.ok(rows.length > 40);
  const written = rows.map(([, key, value = '']) => `${key} = ${value}`);
  const full = readToml(`role = "site"\nname = "x"\n[broker]\n${written.join('\n')}\n${rest}`, 'x', {
    baseFolder: '/',
  });
  assert.deepEqual(full, plain);
});
