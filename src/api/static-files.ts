import { createHash } from 'node:crypto';
import { readFile, realpath, stat } from 'node:fs/promises';
import { extname, join, sep } from 'node:path';
import { systemCodeOf } from '#base';

const contentTypes = new Map([
  ['.html', 'text/html; charset=utf-8'],
  ['.js', 'text/javascript; charset=utf-8'],
  ['.mjs', 'text/javascript; charset=utf-8'],
  ['.css', 'text/css; charset=utf-8'],
  ['.json', 'application/json'],
  ['.map', 'application/json'],
  ['.webmanifest', 'application/manifest+json'],
  ['.svg', 'image/svg+xml'],
  ['.png', 'image/png'],
  ['.ico', 'image/x-icon'],
  ['.woff2', 'font/woff2'],
  ['.txt', 'text/plain; charset=utf-8'],
]);

const notBuilt = `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<title>Davylamp: the screen is not built</title>
<h1>The screen is not built</h1>
<p>Everything else runs. Run <code>npm run build</code> in the folder of Davylamp, then load this page again.</p>
</html>
`;

/**
 * Answers `path` (as it stands in the URL) with a file of the screen. Only regular files inside `folder` are served,
 * none whose name begins with a dot, none behind a link that leads out.
 */
export async function serveFile(
  folder: string,
  path: string,
  ifNoneMatch: string | undefined,
): Promise<Response> {
  const wanted = path === '/' ? '/index.html' : path;
  const file = await find(folder, wanted);
  if (file === undefined) return wanted === '/index.html' ? page(notBuilt, 503) : text('not found\n', 404);
  const content = await readFile(file);
  const tag = `"${createHash('sha256').update(content).digest('base64url').slice(0, 27)}"`;
  const headers = {
    // What lies in `assets` has its hash in its name; everything else is asked for again.
    'cache-control': wanted.startsWith('/assets/') ? 'public, max-age=31536000, immutable' : 'no-cache',
    etag: tag,
  };
  if (ifNoneMatch === tag) return new Response(null, { status: 304, headers });
  const type = contentTypes.get(extname(file).toLowerCase()) ?? 'application/octet-stream';
  return new Response(content, { headers: { ...headers, 'content-type': type } });
}

async function find(folder: string, path: string): Promise<string | undefined> {
  const segments = segmentsOf(path);
  if (segments === undefined) return undefined;
  try {
    const root = await realpath(folder);
    const file = await realpath(join(root, ...segments));
    return file.startsWith(root + sep) && (await stat(file)).isFile() ? file : undefined;
  } catch (error) {
    const code = systemCodeOf(error);
    if (code === 'ENOENT' || code === 'ENOTDIR' || code === 'ENAMETOOLONG' || code === 'ELOOP')
      return undefined;
    throw error;
  }
}

/** The names that a path is made of; `undefined` where one of them is not a plain name. */
function segmentsOf(path: string): readonly string[] | undefined {
  const segments: string[] = [];
  for (const encoded of path.slice(1).split('/')) {
    let segment: string;
    try {
      segment = decodeURIComponent(encoded);
    } catch {
      return undefined;
    }
    if (!/^[A-Za-z0-9_-][A-Za-z0-9_.@ -]*$/.test(segment)) return undefined;
    segments.push(segment);
  }
  return segments;
}

function page(html: string, status: number): Response {
  return new Response(html, { status, headers: { 'content-type': 'text/html; charset=utf-8' } });
}

function text(line: string, status: number): Response {
  return new Response(line, { status, headers: { 'content-type': 'text/plain; charset=utf-8' } });
}
