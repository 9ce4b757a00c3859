/**
 * A server for those who work on the screen: plausible data in the shape of the API, and `web/dist`. Not a part of the
 * product, and nothing that it shows is measured.
 *
 *   npx vite build web
 *   node --conditions=source web/dev/preview.ts [--port 4180] [--extra 486] [--leak north/d2] [--mute-after 10]
 *
 * `--extra n`: n more detectors. `--leak site/detector`: with a leak that is open from the start (may be repeated).
 * `--mute-after s`: the feed falls silent after s seconds, for the look of stale data.
 * With hot reload instead of the built page: leave this running and start `npx vite web` beside it.
 */
import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { extname, join, normalize } from 'node:path';
import { parseArgs } from 'node:util';
import type { LiveEvent } from '../../src/api/types.ts';
import { FakePlatform } from './fake-platform.ts';

const types = new Map([
  ['.html', 'text/html; charset=utf-8'],
  ['.js', 'text/javascript'],
  ['.css', 'text/css'],
  ['.svg', 'image/svg+xml'],
]);
const dist = join(import.meta.dirname, '../dist');

const { values: options } = parseArgs({
  options: {
    port: { type: 'string', default: '4180' },
    extra: { type: 'string', default: '0' },
    leak: { type: 'string', multiple: true, default: [] },
    'mute-after': { type: 'string', default: '0' },
  },
});
const platform = new FakePlatform(Number(options.extra));
for (const place of options.leak) platform.leak(place.split('/')[0] ?? '', place.split('/')[1] ?? '', 2000);
const muteAt =
  Number(options['mute-after']) > 0 ? Date.now() + 1000 * Number(options['mute-after']) : Infinity;

setInterval(() => platform.step(), 1000);
createServer((request, response) => {
  answer(request, response).catch(() => response.writeHead(500).end());
}).listen(Number(options.port), '127.0.0.1', () => console.log(`http://127.0.0.1:${options.port}/`));

async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const url = new URL(request.url ?? '/', 'http://x');
  const path = url.pathname;
  if (path === '/api/v1/live') return live(response);
  if (!path.startsWith('/api/v1/')) return file(path, response);
  const body = request.method === 'POST' ? ((await jsonOf(request)) as Record<string, string>) : null;
  const result = route(
    path.slice('/api/v1/'.length).split('/').map(decodeURIComponent),
    body,
    url.searchParams.get('metric'),
  );
  const isFound = result !== undefined;
  response.writeHead(isFound ? 200 : 404, { 'content-type': 'application/json' });
  response.end(
    JSON.stringify(isFound ? result : { error: 'NOT_FOUND', message: 'There is nothing of that name.' }),
  );
  return undefined;
}

function route(
  [first, id = '', last]: readonly string[],
  body: Record<string, string> | null,
  metric: string | null,
): unknown {
  const by = body?.['by'] ?? '';
  if (first === 'status') return platform.status();
  if (first === 'alarms' && id === '') return [...platform.alarms.values()];
  if (first === 'alarms' && last === 'transitions')
    return platform.transitions.filter((row) => row.alarmId === id);
  if (first === 'alarms' && last === 'acknowledge')
    return platform.acknowledge(id, by, body?.['comment'] ?? '');
  if (first === 'commands') return [...platform.commands.values()];
  if (first === 'demo' && id === 'rooms') return [...platform.rooms.values()];
  if (first === 'demo')
    return platform.leak(body?.['site'] ?? '', body?.['detector'] ?? '', Number(body?.['litresPerHour']));
  if (first !== 'devices') return undefined;
  const device = platform.devices.get(id);
  if (id === '') return [...platform.devices.values()];
  if (last === 'readings')
    return platform.readings
      .get(id)
      ?.filter((reading) => metric === null || reading.metric === metric)
      .slice(-500)
      .reverse();
  if (last === 'events') return platform.events.filter((event) => event.deviceId === id);
  if (last === 'approve') return platform.approve(id);
  if (last !== 'commands' || device === undefined) return device;
  const name = body?.['name'] === 'Sleep' ? 'Sleep' : 'Request';
  return platform.command(device, name, body?.['seconds'] === undefined ? null : Number(body['seconds']), by);
}

function live(response: ServerResponse): void {
  response.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-store' });
  const send = (event: LiveEvent): void => {
    if (Date.now() < muteAt) response.write(`event: ${event.kind}\ndata: ${JSON.stringify(event)}\n\n`);
  };
  send({ kind: 'devices', devices: [...platform.devices.values()] });
  send({ kind: 'alarms', alarms: [...platform.alarms.values()] });
  send({ kind: 'status', status: platform.status() });
  response.on('close', platform.listen(send));
}

async function file(path: string, response: ServerResponse): Promise<void> {
  const name = join(dist, normalize(path === '/' ? '/index.html' : path));
  const found = name.startsWith(dist) && (await stat(name).catch(() => null))?.isFile() === true;
  if (!found) {
    response.writeHead(404).end('Not found. Was the screen built? Run: npx vite build web\n');
    return;
  }
  // The policy of the real server, so that whatever breaks it is seen here first.
  response.writeHead(200, {
    'content-type': types.get(extname(name)) ?? 'application/octet-stream',
    'content-security-policy':
      "default-src 'self'; img-src 'self' data:; object-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
  });
  createReadStream(name).pipe(response);
}

async function jsonOf(request: IncomingMessage): Promise<unknown> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return JSON.parse(Buffer.concat(chunks).toString()) as unknown;
}
