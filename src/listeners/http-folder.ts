import { createReadStream } from 'node:fs';
import { realpath, stat } from 'node:fs/promises';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { extname, join, sep } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { systemCodeOf } from '#base';

const contentTypes = new Map([
  ['.html', 'text/html; charset=utf-8'],
  ['.htm', 'text/html; charset=utf-8'],
  ['.js', 'text/javascript; charset=utf-8'],
  ['.mjs', 'text/javascript; charset=utf-8'],
  ['.css', 'text/css; charset=utf-8'],
  ['.txt', 'text/plain; charset=utf-8'],
  ['.xml', 'application/xml'],
  ['.json', 'application/json'],
  ['.webmanifest', 'application/manifest+json'],
  ['.wasm', 'application/wasm'],
  ['.svg', 'image/svg+xml'],
  ['.png', 'image/png'],
  ['.jpg', 'image/jpeg'],
  ['.jpeg', 'image/jpeg'],
  ['.gif', 'image/gif'],
  ['.webp', 'image/webp'],
  ['.ico', 'image/x-icon'],
  ['.woff2', 'font/woff2'],
]);

const common = { Connection: 'close', 'X-Content-Type-Options': 'nosniff' } as const;

/** What stands in the way of an answer is the machine's fault: names that do not exist or lead nowhere. */
const missingCodes = new Set(['ENOENT', 'ENOTDIR', 'ENAMETOOLONG', 'ELOOP', 'EACCES', 'EINVAL']);

/**
 * Answers one request with a file below `folder`, and with nothing else: regular files only, none whose name begins with
 * a dot, none behind a link that leads out. One answer to a connection. Rejects where the client goes away or a file
 * cannot be read to its end.
 */
export async function serveFile(
  folder: string,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const { method = '', url = '/', headers } = request;
  if (method !== 'GET' && method !== 'HEAD') {
    answer(response, 405, 'only GET and HEAD are answered here', { Allow: 'GET, HEAD' });
    return;
  }
  const found = await findFile(folder, url.split('?', 1)[0] ?? '/');
  if (found === null) {
    answer(response, 404, 'there is nothing here');
    return;
  }
  const { file, size, changedMs } = found;
  const tag = `"${size.toString(36)}-${Math.trunc(changedMs).toString(36)}"`;
  const validators = { ...common, ETag: tag, 'Cache-Control': 'no-cache' };
  if (headers['if-none-match'] === tag) {
    response.writeHead(304, validators).end();
    return;
  }
  const type = contentTypes.get(extname(file).toLowerCase()) ?? 'application/octet-stream';
  response.writeHead(200, { ...validators, 'Content-Type': type, 'Content-Length': size });
  if (method === 'HEAD' || size === 0) response.end();
  // A file that grows meanwhile is cut at the length that was promised.
  else await pipeline(createReadStream(file, { end: size - 1 }), response);
}

function answer(
  response: ServerResponse,
  status: number,
  reason: string,
  headers: Readonly<Record<string, string>> = {},
): void {
  const body = `This is an MQTT broker for WebSocket clients: ${reason}.\n`;
  const length = Buffer.byteLength(body);
  const type = 'text/plain; charset=utf-8';
  response.writeHead(status, { ...common, ...headers, 'Content-Type': type, 'Content-Length': length });
  response.end(body);
}

interface FoundFile {
  readonly file: string;
  readonly size: number;
  readonly changedMs: number;
}

async function findFile(folder: string, path: string): Promise<FoundFile | null> {
  const names = namesOf(path);
  if (names === null) return null;
  try {
    const root = await realpath(folder);
    const file = await realpath(join(root, ...names));
    if (!file.startsWith(root.endsWith(sep) ? root : root + sep)) return null;
    const entry = await stat(file);
    return entry.isFile() ? { file, size: entry.size, changedMs: entry.mtimeMs } : null;
  } catch (error) {
    if (missingCodes.has(systemCodeOf(error) ?? '')) return null;
    throw error;
  }
}

/** The names that a path is made of, `index.html` for a folder; `null` where one of them is not a plain name. */
function namesOf(path: string): readonly string[] | null {
  if (!path.startsWith('/')) return null;
  const names: string[] = [];
  const wanted = path.endsWith('/') ? `${path}index.html` : path;
  for (const encoded of wanted.slice(1).split('/')) {
    let name: string;
    try {
      name = decodeURIComponent(encoded);
    } catch {
      return null;
    }
    if (name === '' || name.startsWith('.') || /[/\\\0]/.test(name)) return null;
    names.push(name);
  }
  return names;
}
