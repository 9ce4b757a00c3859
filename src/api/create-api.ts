import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { getRequestListener } from '@hono/node-server';
import { Hono } from 'hono';
import { DavylampError, messageOf, systemCodeOf, type Clock, type Logger } from '#base';
import type { ApiApp, ApiContext, ApiEnvironment } from './context.ts';
import { isLoopback, refusalOf, setSafeHeaders } from './guard.ts';
import { LiveFeed } from './live/live-feed.ts';
import { Problem, problemOf, problemResponse } from './problem.ts';
import { addAlarmRoutes } from './routes/alarms.ts';
import { addBridgeRoutes } from './routes/bridges.ts';
import { addCommandRoutes } from './routes/commands.ts';
import { addDemoRoutes } from './routes/demo.ts';
import { addDeviceRoutes } from './routes/devices.ts';
import { addEventRoutes } from './routes/events.ts';
import { addLiveRoutes } from './routes/live.ts';
import { addQuarantineRoutes } from './routes/quarantine.ts';
import { addReadingRoutes } from './routes/readings.ts';
import { addStatusRoutes } from './routes/status.ts';
import { serveFile } from './static-files.ts';
import type { PlatformPort } from './types.ts';

export interface ApiOptions {
  readonly platform: PlatformPort;
  /** The built screen. It need not be there yet: until then the page says what to do. */
  readonly webFolder: string;
  readonly log: Logger;
  readonly clock: Clock;
  /** Sent with every answer as `davylamp-version`. */
  readonly version: string;
}

/** The HTTP server of a cloud: REST, live feed and screen. */
export interface Api {
  /** Listens; port 0 takes a free one. Fails with `PORT_TAKEN` or `LISTEN_FAILED`. */
  start(address: string, port: number): Promise<{ readonly port: number }>;
  /** Ends the streams, lets answers under way finish for a second, then closes. May be called without a start. */
  close(): Promise<void>;
}

const closeGraceMs = 1_000;

/** Makes the API of a platform. It does nothing before `start`. */
export function createApi(options: ApiOptions): Api {
  const live = new LiveFeed(options);
  const app = createApp({ platform: options.platform, live }, options);
  let server: Server | undefined;
  return {
    async start(address, port) {
      if (!isLoopback(address)) {
        options.log.warning('screen: whoever reaches this address may act, there is no sign-in', { address });
      }
      server = createHttpServer(app, address, options.version);
      const bound = await listen(server, address, port);
      // A connection that cannot be accepted (too many open files) is no reason to stop.
      server.on('error', (error) =>
        options.log.error('screen: a connection failed', { reason: messageOf(error) }),
      );
      return { port: bound };
    },
    async close() {
      live.close();
      if (server?.listening !== true) return;
      const closing = server;
      server = undefined;
      const timer = options.clock.after(closeGraceMs, () => closing.closeAllConnections());
      await new Promise((resolve) => closing.close(resolve));
      timer.cancel();
    },
  };
}

/** The routes, in the order in which they are tried. */
export function createApp(context: ApiContext, options: Pick<ApiOptions, 'webFolder' | 'log'>): ApiApp {
  const app: ApiApp = new Hono<ApiEnvironment>();
  addStatusRoutes(app, context);
  addBridgeRoutes(app, context);
  addDeviceRoutes(app, context);
  addReadingRoutes(app, context);
  addEventRoutes(app, context);
  addAlarmRoutes(app, context);
  addQuarantineRoutes(app, context);
  addCommandRoutes(app, context);
  addLiveRoutes(app, context);
  addDemoRoutes(app, context);
  refuseOtherMethods(app);
  app.all('/api/*', (c) => {
    throw new Problem('NOT_FOUND', `${c.req.path} is not known; docs/reference/api.md lists all`);
  });
  app.get('*', async (c) =>
    serveFile(options.webFolder, new URL(c.req.url).pathname, c.req.header('if-none-match')),
  );
  app.notFound((c) => problemResponse(new Problem('NOT_FOUND', `${c.req.path} takes no ${c.req.method}`)));
  app.onError((error, c) => {
    const problem = problemOf(error);
    if (problem !== error) {
      options.log.error('api: a request failed', { path: c.req.path, reason: messageOf(error) });
    }
    return problemResponse(problem);
  });
  return app;
}

function refuseOtherMethods(app: ApiApp): void {
  const methods = new Map<string, string[]>();
  for (const { path, method } of app.routes) methods.set(path, [...(methods.get(path) ?? []), method]);
  for (const [path, allowed] of methods) {
    app.all(path, (c) => {
      c.header('allow', allowed.join(', '));
      const problem = new Problem('METHOD_NOT_ALLOWED', `${c.req.path} takes ${allowed.join(' or ')} only`);
      return c.json({ error: problem.code, message: problem.message }, 405);
    });
  }
}

function createHttpServer(app: ApiApp, address: string, version: string): Server {
  const answer = getRequestListener(app.fetch, {
    // The process keeps its own Request and Response.
    overrideGlobalObjects: false,
    errorHandler: () => problemResponse(new Problem('BAD_INPUT', 'the request cannot be read')),
  });
  const server = createServer(
    { headersTimeout: 10_000, requestTimeout: 20_000, keepAliveTimeout: 5_000, maxHeaderSize: 16_384 },
    (request, response) => {
      setSafeHeaders(response);
      response.setHeader('davylamp-version', version);
      const refusal = refusalOf(request, address);
      if (refusal === undefined) {
        void answer(request, response);
        return;
      }
      // Before anything else looks at the request; its body is not read.
      response.writeHead(403, { 'content-type': 'application/json', connection: 'close' });
      response.end(JSON.stringify({ error: refusal.code, message: refusal.message }));
    },
  );
  server.maxConnections = 512;
  return server;
}

function listen(server: Server, address: string, port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    const onError = (error: Error): void => reject(listenError(error, address, port));
    server.once('error', onError);
    server.listen(port, address, () => {
      server.off('error', onError);
      resolve((server.address() as AddressInfo).port);
    });
  });
}

function listenError(error: unknown, address: string, port: number): DavylampError {
  const cause = { cause: error };
  if (systemCodeOf(error) === 'EADDRINUSE') {
    const message = `screen: port ${port} of ${address} is taken; choose another port or stop the program that uses it`;
    return new DavylampError('PORT_TAKEN', message, cause);
  }
  const message = `screen: cannot listen on ${address} port ${port}: ${messageOf(error)}; choose another address`;
  return new DavylampError('LISTEN_FAILED', message, cause);
}
