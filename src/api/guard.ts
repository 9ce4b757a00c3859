import type { IncomingMessage, ServerResponse } from 'node:http';
import { Problem } from './problem.ts';

/**
 * There is no sign-in yet, so the browser's own rules have to keep other pages out: a page that rebinds its name to
 * this address is known by its Host, a page that posts from elsewhere by its Origin. Programs send neither and may.
 */
export function refusalOf(request: IncomingMessage, boundAddress: string): Problem | undefined {
  const host = request.headers.host;
  if (host === undefined || !isOwnHost(host, boundAddress, request.socket.localAddress ?? '')) {
    return new Problem('HOST_REFUSED', 'the Host header must be the address that this server listens on');
  }
  if (request.method === 'GET' || request.method === 'HEAD') return undefined;
  const { origin, 'sec-fetch-site': site } = request.headers;
  const foreignOrigin = origin !== undefined && origin !== `http://${host}` && origin !== `https://${host}`;
  const foreignSite = site !== undefined && site !== 'same-origin' && site !== 'none';
  if (foreignOrigin || foreignSite) {
    return new Problem('ORIGIN_REFUSED', 'only the screen of this server may send this from a browser');
  }
  return undefined;
}

/** Whether a Host header names this machine's loopback, or the address that was bound or reached. Any port is fine. */
function isOwnHost(header: string, boundAddress: string, localAddress: string): boolean {
  const match = /^(\[[0-9a-f:.]+\]|[a-z0-9.-]+)(?::[0-9]{1,5})?$/i.exec(header);
  if (match === null) return false;
  const host = (match[1] as string).toLowerCase().replaceAll(/^\[|\]$/g, '');
  // An IPv4 connection to a dual-stack socket shows as ::ffff:192.0.2.1.
  const reached = localAddress.replace(/^::ffff:/, '');
  return isLoopback(host) || host === boundAddress.toLowerCase() || host === reached;
}

/** Whether an address or name reaches this machine only. */
export function isLoopback(address: string): boolean {
  return address === 'localhost' || address === '::1' || /^127(?:\.[0-9]{1,3}){3}$/.test(address);
}

const headers: readonly (readonly [string, string])[] = [
  [
    'content-security-policy',
    // Charts set their styles by script, which this allows; inline scripts and styles are refused.
    "default-src 'self'; img-src 'self' data:; object-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
  ],
  ['x-content-type-options', 'nosniff'],
  ['referrer-policy', 'no-referrer'],
  ['x-frame-options', 'DENY'],
  ['cross-origin-opener-policy', 'same-origin'],
  ['cross-origin-resource-policy', 'same-origin'],
  ['cache-control', 'no-store'],
];

/** Sets what every answer carries. Files of the screen replace `cache-control`. */
export function setSafeHeaders(response: ServerResponse): void {
  for (const [name, value] of headers) response.setHeader(name, value);
}
