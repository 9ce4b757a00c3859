import { STATUS_CODES, type IncomingMessage } from 'node:http';
import type { WebSocketConfig } from '#config';

/** Why a request does not become a WebSocket: in plain words, for the log and for the client. */
export interface Refusal {
  readonly status: 400 | 403 | 404 | 408 | 426 | 431;
  readonly reason: string;
}

/** Names of MQTT over WebSocket (MQTT 5, 6: `mqtt`; MQTT 3.1 had a name of its own), the better first. */
const subprotocols = ['mqtt', 'mqttv3.1'];

/** What is shown of a peer's text in a log line. */
const longestQuote = 100;

/** The one of the offered names that we speak [MQTT-6.0.0-4]. */
export function subprotocolOf(offered: readonly string[]): string | undefined {
  return subprotocols.find((name) => offered.includes(name));
}

/** Checks path, origin and subprotocol of a request for WebSocket; `null` = it may go on. */
export function refusalOf(request: IncomingMessage, config: WebSocketConfig): Refusal | null {
  const { url = '/', headers } = request;
  const [path = '/'] = url.split('?', 1);
  if (path !== '/' && path !== config.path && config.path !== '*') {
    return { status: 404, reason: `there is nothing at ${quote(path)}; the path is ${config.path}` };
  }
  const { origin } = headers;
  if (origin !== undefined && !isAllowed(origin, headers.host, config.allowedOrigins)) {
    return { status: 403, reason: `pages of ${quote(origin)} may not connect; see allowed_origins` };
  }
  const offered = headers['sec-websocket-protocol'];
  const names = offered === undefined ? [] : offered.split(',').map((name) => name.trim());
  if (subprotocolOf(names) === undefined) {
    const what = offered === undefined ? 'no subprotocol is' : `only ${quote(offered)} is`;
    return { status: 400, reason: `${what} offered; MQTT needs the subprotocol mqtt` }; // [MQTT-6.0.0-3]
  }
  return null;
}

/** The whole answer to a request that is refused. */
export function refusalText({ status, reason }: Refusal): string {
  const body = `This is an MQTT broker for WebSocket clients: ${reason}.\n`;
  return [
    `HTTP/1.1 ${status} ${STATUS_CODES[status]}`,
    'Connection: close',
    ...(status === 426 ? ['Upgrade: websocket'] : []),
    'Content-Type: text/plain; charset=utf-8',
    'X-Content-Type-Options: nosniff',
    `Content-Length: ${Buffer.byteLength(body)}`,
    '',
    body,
  ].join('\r\n');
}

/**
 * A browser says whose page connects, and would do so with the client certificate or the place in the network of whoever
 * looks at that page. So only pages of the same host and port may, and those that the configuration names.
 */
function isAllowed(origin: string, host: string | undefined, allowedOrigins: readonly string[]): boolean {
  if (allowedOrigins.includes('*') || allowedOrigins.includes(origin)) return true;
  const page = URL.parse(origin);
  // A port that is the scheme's own may be left out in the one and not in the other.
  const own = page === null || host === undefined ? null : URL.parse(`${page.protocol}//${host}`);
  return own !== null && own.host !== '' && own.host === page?.host;
}

function quote(text: string): string {
  return JSON.stringify(text.length > longestQuote ? `${text.slice(0, longestQuote)}…` : text);
}
