import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';

const root = new URL('../../', import.meta.url);

test('every step of docs/life-of-a-publish.md is a function of the file that it names', () => {
  const text = readFileSync(new URL('docs/life-of-a-publish.md', root), 'utf8');
  const rows = [...text.matchAll(/^\|[^|]*\| `(src\/[^`]+)` \| `([^`]+)` \|/gm)];
  assert.ok(rows.length >= 20, `rows found: ${rows.length}`);
  let lastStep = 0;
  for (const [row, file, name] of rows) {
    const source = readFileSync(new URL(file!, root), 'utf8');
    const isThere = new RegExp(`^(export )?function ${name}\\(|^  #?${name}\\(`, 'm').test(source);
    assert.ok(isThere, `${name} is not in ${file}`);
    const step = Number(/^\| (\d) /.exec(row)?.[1] ?? lastStep);
    assert.ok(step >= lastStep, 'steps are in order');
    lastStep = step;
  }
  assert.equal(lastStep, 8);
});

test('the steps of a handler stand in its file in the order in which they run', () => {
  const source = readFileSync(new URL('src/broker/handlers/publish.ts', root), 'utf8');
  const steps = [
    'onPublish',
    'resolveAlias',
    'validateTopic',
    'authorize',
    'applyLimits',
    'createMessage',
    'route',
    'acknowledge',
  ];
  const places = steps.map((name) => source.search(new RegExp(`^(export )?function ${name}\\(`, 'm')));
  assert.ok(
    places.every((place, i) => place >= 0 && (i === 0 || place > places[i - 1]!)),
    places.join(' '),
  );
});
