import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { FakeClock, silentLogger } from '#base';
import { MemoryPlatform } from './api-under-test.ts';
import { createApp } from './create-api.ts';
import { LiveFeed } from './live/live-feed.ts';
import { problemStatus } from './problem.ts';

const page = readFileSync(new URL('../../docs/reference/api.md', import.meta.url), 'utf8');

test('docs/reference/api.md has every route, with an example, and no other', () => {
  const parts = { platform: new MemoryPlatform(), clock: new FakeClock(), log: silentLogger };
  const app = createApp(
    { platform: parts.platform, live: new LiveFeed(parts) },
    { webFolder: '/', log: silentLogger },
  );
  const routes = app.routes
    .filter((route) => route.method !== 'ALL' && route.path !== '/*' && route.path !== '*')
    .map((route) => `${route.method} ${route.path.replaceAll(/:(\w+)/g, '{$1}')}`);
  const sections = page.split(/^### /m).slice(1);
  const documented = sections
    .map((section) => /^`(.+)`/.exec(section)?.[1])
    .filter((name) => name !== undefined);
  assert.deepEqual(documented.toSorted(), routes.toSorted());
  for (const section of sections) assert.match(section, /```/, `example in: ${section.split('\n')[0]}`);
});

test('docs/reference/api.md has every problem with its status, and no other', () => {
  const rows = [...page.matchAll(/^\| `([A-Z_]+)` \| (\d+) \|/gm)].map(
    ([, code, status]) => `${code} ${status}`,
  );
  const codes = Object.entries(problemStatus).map(([code, status]) => `${code} ${status}`);
  assert.deepEqual(rows.toSorted(), codes.toSorted());
});
