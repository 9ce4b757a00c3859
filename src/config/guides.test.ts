import assert from 'node:assert/strict';
import { readFileSync, readdirSync } from 'node:fs';
import { test } from 'node:test';
import { readToml } from './index.ts';

const folder = new URL('../../docs/guides/', import.meta.url);
const listener = '[[listener]]\nname = "the-guide"\nport = 1\nallow_anonymous = true\n';

for (const page of readdirSync(folder).filter((name) => name.endsWith('.md'))) {
  const text = readFileSync(new URL(page, folder), 'utf8');
  for (const [index, [, block = '']] of [...text.matchAll(/^```toml\n(.*?)^```$/gms)].entries()) {
    test(`docs/guides/${page}: TOML block ${index + 1} can be used`, () => {
      const head = block.startsWith('role') ? '' : 'role = "relay"\nname = "x"\n';
      const rest = block.includes('[[listener]]') ? '' : listener;
      const { config } = readToml(`${head}${block}${rest}`, page, { baseFolder: '/' });
      assert.ok(config.listeners.length > 0);
    });
  }
}

test('the guide to listeners shows files', () => {
  const text = readFileSync(new URL('listeners.md', folder), 'utf8');
  assert.ok([...text.matchAll(/^```toml$/gm)].length >= 8);
});
