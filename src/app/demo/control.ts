import http from 'node:http';
import { rm } from 'node:fs/promises';
import * as v from 'valibot';
import { messageOf, type Logger } from '#base';
import type { RoomView } from '#api';
import type { ProcessInfo } from './record.ts';

/** What the control server asks the supervisor. */
export interface ControlPort {
  rooms(): Promise<readonly RoomView[]>;
  leak(site: string, detector: string, litresPerHour: number): Promise<RoomView | undefined>;
  processes(): readonly ProcessInfo[];
}

const LeakRequest = v.object({
  site: v.pipe(v.string(), v.maxLength(64)),
  detector: v.pipe(v.string(), v.maxLength(64)),
  litresPerHour: v.pipe(v.number(), v.minValue(0), v.maxValue(100_000)),
});

/**
 * The demo's own door, a Unix socket that only this user can open: `GET /rooms`, `POST /leaks`, `GET /processes`.
 * The screen's server and `davylamp demo leak|status` come in here.
 */
export class ControlServer {
  readonly #server: http.Server;
  readonly #path: string;

  constructor(socketPath: string, port: ControlPort, log: Logger) {
    this.#path = socketPath;
    this.#server = http.createServer((request, response) => {
      answer(request, port).then(
        ([status, body]) => {
          response.writeHead(status, { 'content-type': 'application/json' });
          response.end(typeof body === 'string' ? body : JSON.stringify(body));
        },
        (error: unknown) => {
          log.error('control request failed', { reason: messageOf(error) });
          response.writeHead(500).end('the demo could not do that');
        },
      );
    });
  }

  async start(): Promise<void> {
    await rm(this.#path, { force: true });
    await new Promise<void>((resolve, reject) => {
      this.#server.once('error', reject);
      this.#server.listen(this.#path, resolve);
    });
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise<void>((resolve) => {
      this.#server.close(() => resolve());
    });
    await rm(this.#path, { force: true });
  }
}

async function answer(request: http.IncomingMessage, port: ControlPort): Promise<readonly [number, unknown]> {
  const route = `${request.method} ${request.url}`;
  if (route === 'GET /rooms') return [200, await port.rooms()];
  if (route === 'GET /processes') return [200, port.processes()];
  if (route !== 'POST /leaks') return [404, 'no such route'];
  const parsed = v.safeParse(LeakRequest, await readJson(request));
  if (!parsed.success) return [400, `leak: ${parsed.issues[0].message}`];
  const { site, detector, litresPerHour } = parsed.output;
  const room = await port.leak(site, detector, litresPerHour);
  return room === undefined
    ? [404, `there is no virtual detector ${site}/${detector} in this demo`]
    : [200, room];
}

async function readJson(request: http.IncomingMessage): Promise<unknown> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > 16_384) return undefined;
    chunks.push(chunk);
  }
  try {
    return JSON.parse(Buffer.concat(chunks).toString('utf8'));
  } catch {
    return undefined;
  }
}
