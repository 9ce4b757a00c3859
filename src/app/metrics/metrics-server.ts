import { createHash, timingSafeEqual } from 'node:crypto';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { DavylampError, messageOf, systemCodeOf, type Clock, type Logger } from '#base';
import { isLoopback, type MetricsConfig } from '#config';
import type { Readiness } from './readiness.ts';
import type { RequestResult, Requests } from './requests.ts';

/** What the server answers with. */
export interface MetricsSource {
  /** What belongs into `Content-Type` of the metrics. */
  readonly contentType: string;
  /** All metrics in Prometheus' text format. */
  text(): Promise<string>;
  readiness(): Readiness;
}

export interface MetricsServerOptions {
  readonly config: MetricsConfig;
  /** Bearer token; `null` = none is asked for. */
  readonly token: string | null;
  readonly source: MetricsSource;
  readonly requests: Requests;
  readonly clock: Clock;
  readonly log: Logger;
}

interface Answer {
  readonly status: Exclude<RequestResult, 'dropped'>;
  readonly type: string;
  readonly body: string;
  readonly headers?: Readonly<Record<string, string>>;
}

/** Longest that a request may take to come, and an answer to be taken. */
const requestMs = 5000;
/** Prometheus, probes and a person with a browser; the next ones are closed at once. */
const maximumConnections = 16;
const maximumHeaderBytes = 8192;

const plain = 'text/plain; charset=utf-8';
const json = 'application/json';

/**
 * Answers `GET /metrics`, `/healthz` and `/readyz` over HTTP. It shares the event loop with the broker: one scrape at a
 * time, one request per connection, small requests, short waits.
 */
export class MetricsServer {
  readonly config: MetricsConfig;
  /** False while a reload may still fail: every answer is 503. */
  isOpen = false;
  readonly #source: MetricsSource;
  readonly #requests: Requests;
  readonly #clock: Clock;
  readonly #log: Logger;
  readonly #server: Server;
  #token: Buffer | null;
  #isScraping = false;

  constructor({ config, token, source, requests, clock, log }: MetricsServerOptions) {
    this.config = config;
    this.#source = source;
    this.#requests = requests;
    this.#clock = clock;
    this.#log = log;
    this.#token = token === null ? null : digestOf(token);
    const limits = {
      maxHeaderSize: maximumHeaderBytes,
      headersTimeout: requestMs,
      requestTimeout: requestMs,
      connectionsCheckingInterval: 1000,
    };
    this.#server = createServer(limits, (request, response) => void this.#onRequest(request, response));
    this.#server.maxConnections = maximumConnections;
    // Of a socket on which nothing moves: an answer that nobody takes.
    this.#server.timeout = requestMs;
    this.#server.on('drop', () => requests.count('dropped'));
  }

  /** Where it listens: `127.0.0.1:9464`. */
  get place(): string {
    const { address, family, port } = this.#server.address() as AddressInfo;
    return `${family === 'IPv6' ? `[${address}]` : address}:${port}`;
  }

  /** Asks for this token from now on; `null` = for none. */
  changeToken(token: string | null): void {
    this.#token = token === null ? null : digestOf(token);
  }

  /** Listens. Rejects with `PORT_TAKEN` or `LISTEN_FAILED`. */
  start(): Promise<void> {
    const { address, port } = this.config;
    return new Promise((resolve, reject) => {
      const onError = (error: Error): void => reject(listenError(error, address, port));
      this.#server.once('error', onError);
      this.#server.listen(port, address, () => {
        this.#server.off('error', onError);
        this.#server.on('error', (error) => this.#log.error(`metrics: ${messageOf(error)}`));
        resolve();
      });
    });
  }

  /** Ends at once, also what it is just answering. */
  async close(): Promise<void> {
    await new Promise<void>((resolve) => {
      this.#server.close(() => resolve());
      this.#server.closeAllConnections();
    });
  }

  async #onRequest(request: IncomingMessage, response: ServerResponse): Promise<void> {
    let answer: Answer;
    try {
      answer = await this.#answer(request, response);
    } catch (error) {
      this.#log.error(`BUG, please report it: metrics: ${messageOf(error)}`);
      answer = textAnswer('500', 'the metrics cannot be told; the log says why');
    }
    this.#requests.count(answer.status);
    response.writeHead(Number(answer.status), {
      'content-type': answer.type,
      'content-length': Buffer.byteLength(answer.body),
      'cache-control': 'no-store',
      'x-content-type-options': 'nosniff',
      connection: 'close',
      ...answer.headers,
    });
    response.end(request.method === 'HEAD' ? undefined : answer.body);
  }

  #answer(request: IncomingMessage, response: ServerResponse): Answer | Promise<Answer> {
    const [path] = (request.url ?? '').split('?', 1);
    const isKnown = path === '/metrics' || path === '/healthz' || path === '/readyz';
    if (!isKnown) return textAnswer('404', 'there is /metrics, /healthz and /readyz');
    if (request.method !== 'GET' && request.method !== 'HEAD')
      return textAnswer('405', 'only GET and HEAD', { allow: 'GET, HEAD' });
    if (!this.isOpen) return textAnswer('503', 'not open yet', { 'retry-after': '1' });
    if (!this.#isOwnHost(request)) return textAnswer('403', 'Host must be the address of this machine');
    if (path === '/healthz') return jsonAnswer('200', { status: 'ok' });
    if (path === '/readyz') return this.#readiness(request);
    if (!this.#isAuthorized(request))
      return textAnswer('401', 'Authorization: Bearer … is missing or wrong', {
        'www-authenticate': 'Bearer realm="metrics"',
      });
    return this.#metrics(response);
  }

  /** Probes often cannot send a token: without it they see whether, but not what. */
  #readiness(request: IncomingMessage): Answer {
    const readiness = this.#source.readiness();
    const { status } = readiness;
    return jsonAnswer(
      status === 'ready' ? '200' : '503',
      this.#isAuthorized(request) ? readiness : { status },
    );
  }

  /** One at a time, until its answer has been taken. */
  async #metrics(response: ServerResponse): Promise<Answer> {
    if (this.#isScraping) return textAnswer('503', 'another one is being answered', { 'retry-after': '1' });
    this.#isScraping = true;
    // Whoever takes it drop by drop would keep all others out.
    const limit = this.#clock.after(requestMs, () => response.destroy());
    response.once('close', () => {
      limit.cancel();
      this.#isScraping = false;
    });
    const { contentType } = this.#source;
    return { status: '200', type: contentType, body: await this.#source.text() };
  }

  /** A web page that lets its name point to this machine must not read what is meant for it alone. */
  #isOwnHost(request: IncomingMessage): boolean {
    if (this.#token !== null || !isLoopback(this.config.address)) return true;
    const host = /^(.*?)(:\d*)?$/.exec(request.headers.host ?? '')?.[1] ?? '';
    return isLoopback(host.toLowerCase().replaceAll(/^\[|\]$/g, ''));
  }

  #isAuthorized(request: IncomingMessage): boolean {
    if (this.#token === null) return true;
    const given = /^Bearer +(\S+)$/i.exec(request.headers.authorization ?? '')?.[1];
    // Digests: of the same length, whatever was given.
    return given !== undefined && timingSafeEqual(digestOf(given), this.#token);
  }
}

function digestOf(token: string): Buffer {
  return createHash('sha256').update(token).digest();
}

function textAnswer(status: Answer['status'], line: string, headers: Answer['headers'] = {}): Answer {
  return { status, type: plain, body: `${line}\n`, headers };
}

function jsonAnswer(status: Answer['status'], value: unknown): Answer {
  return { status, type: json, body: `${JSON.stringify(value)}\n` };
}

function listenError(error: unknown, address: string, port: number): DavylampError {
  const cause = { cause: error };
  if (systemCodeOf(error) === 'EADDRINUSE') {
    const message = `metrics: port ${port} of ${address} is taken; choose another port or stop the program that uses it`;
    return new DavylampError('PORT_TAKEN', message, cause);
  }
  const message = `metrics: cannot listen on ${address} port ${port}: ${messageOf(error)}; choose another address`;
  return new DavylampError('LISTEN_FAILED', message, cause);
}
