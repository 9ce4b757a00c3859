import {
  createServer as createHttpServer,
  type IncomingMessage,
  type Server,
  type ServerResponse,
} from 'node:http';
import type { Socket } from 'node:net';
import { WebSocketServer, type WebSocket } from 'ws';
import { DavylampError, messageOf, systemCodeOf, type PeerInfo, type Timer } from '#base';
import type { ListenerConfig } from '#config';
import { serveFile } from './http-folder.ts';
import { listenPlaces } from './listen-places.ts';
import type {
  BoundAddress,
  Listener,
  ListenerBounds,
  ListenerContext,
  ListenerStatistics,
  OnTransport,
  PreparedReload,
} from './listener.ts';
import { defaultHandshakeTimeoutMs } from './proxy-stage.ts';
import { SocketListener } from './socket-listener.ts';
import { TlsServer } from './tls-server.ts';
import { refusalOf, refusalText, subprotocolOf, type Refusal } from './websocket-request.ts';
import { lingerMs, webSocketOptions, WebSocketTransport } from './websocket-transport.ts';

const maximumHeaderBytes = 8192;

/** A connection that has not become a WebSocket yet. */
interface Handshake {
  readonly peer: PeerInfo;
  timer: Timer;
  /** It gets a file: the next request of this connection is not answered. */
  isServed: boolean;
}

/**
 * MQTT over WebSocket, plain or over TLS (MQTT 5, 6). HTTP is spoken by a server that does not listen: it gets the
 * connections that the socket or TLS server has taken, so those two are the same as for MQTT without WebSocket.
 */
export class WebSocketListener implements Listener {
  readonly #base: SocketListener;
  readonly #tls: TlsServer | null;
  readonly #http: Server;
  readonly #upgrader: WebSocketServer;
  readonly #handshakes = new Map<Socket, Handshake>();

  constructor(config: ListenerConfig, onTransport: OnTransport, context: ListenerContext) {
    this.#base = new SocketListener(config, context, {
      onTransport,
      onSocket: (socket, peer) => {
        if (this.#tls !== null) this.#tls.begin(socket, peer);
        else if (this.#base.admitsHandshake(socket, peer)) this.#onSocket(socket, peer);
      },
    });
    this.#base.handshakeCounts.push(() => this.#handshakes.size);
    checkConfig(config);
    const onSecure = (socket: Socket, peer: PeerInfo): void => this.#onSocket(socket, peer);
    this.#tls = config.protocol === 'wss' ? new TlsServer(this.#base, onSecure) : null;
    this.#http = this.#createHttp();
    this.#upgrader = new WebSocketServer({
      ...webSocketOptions,
      noServer: true,
      clientTracking: false,
      handleProtocols: (offered) => subprotocolOf([...offered]) ?? false,
    });
    this.#upgrader.on('wsClientError', (error, _socket, request) => {
      this.#refuse(request.socket, { status: 400, reason: error.message });
    });
  }

  get statistics(): Readonly<ListenerStatistics> {
    return this.#base.statistics;
  }

  async start(): Promise<BoundAddress> {
    await this.#tls?.start();
    return this.#base.listen(await listenPlaces(this.#base.config));
  }

  async prepareReload(config: ListenerConfig, bounds?: ListenerBounds): Promise<PreparedReload> {
    this.#base.checkSameDoor(config);
    checkConfig(config);
    const tls = await this.#tls?.prepare(config);
    return {
      warnings: tls?.warnings ?? [],
      commit: () => {
        this.#base.change(config, bounds);
        tls?.commit();
      },
    };
  }

  close(): Promise<void> {
    this.#base.close();
    this.#tls?.close();
    for (const socket of this.#handshakes.keys()) socket.destroy();
    return Promise.resolve();
  }

  #createHttp(): Server {
    const http = createHttpServer({ maxHeaderSize: maximumHeaderBytes });
    http.on('upgrade', (request: IncomingMessage, socket: Socket, head: Buffer) => {
      this.#onUpgrade(request, socket, head);
    });
    http.on('request', (request, response) => this.#onRequest(request, response));
    // The method of proxies.
    http.on('connect', (request: IncomingMessage) => this.#refuse(request.socket, notWebSocket));
    http.on('clientError', (error: Error, socket: Socket) => this.#onClientError(error, socket));
    return http;
  }

  get #timeoutMs(): number {
    return this.#base.context.handshakeTimeoutMs ?? defaultHandshakeTimeoutMs;
  }

  #onSocket(socket: Socket, peer: PeerInfo): void {
    const timer = this.#base.context.clock.after(this.#timeoutMs, () => {
      this.#refuse(socket, { status: 408, reason: `no whole request within ${this.#timeoutMs / 1000} s` });
    });
    this.#handshakes.set(socket, { peer, timer, isServed: false });
    this.#base.handshakeShares.take(peer.address);
    socket.once('close', () => this.#endHandshake(socket));
    // Behind a proxy it was held up; goes on with the next turn.
    if (peer.proxyAddress !== undefined) socket.resume();
    this.#http.emit('connection', socket);
  }

  /** A request that does not ask for WebSocket: a web browser that wants a file, where there are any. */
  #onRequest(request: IncomingMessage, response: ServerResponse): void {
    const { httpFolder } = this.#base.config;
    const { socket } = request;
    const handshake = this.#handshakes.get(socket);
    if (handshake?.isServed === true) return;
    if (httpFolder === undefined || handshake === undefined) {
      this.#refuse(socket, notWebSocket);
      return;
    }
    handshake.isServed = true;
    // It has as much time again whenever it has taken something.
    const renew = (): void => {
      handshake.timer.cancel();
      if (!socket.destroyed)
        handshake.timer = this.#base.context.clock.after(this.#timeoutMs, () => socket.destroy());
    };
    renew();
    response.on('drain', renew);
    serveFile(httpFolder, request, response).catch((error: unknown) => {
      // A client that goes away in the middle is its own affair.
      if (!socket.destroyed)
        this.#base.log.warning('a file could not be served', { reason: messageOf(error) });
      socket.destroy();
    });
  }

  #onUpgrade(request: IncomingMessage, socket: Socket, head: Buffer): void {
    // Behind a request that is being answered with a file.
    if (this.#handshakes.get(socket)?.isServed === true) {
      socket.destroy();
      return;
    }
    const { webSocket } = this.#base.config;
    const refusal = webSocket === null ? notWebSocket : refusalOf(request, webSocket);
    if (refusal !== null) {
      this.#refuse(socket, refusal);
      return;
    }
    this.#upgrader.handleUpgrade(request, socket, head, (web) => this.#onWebSocket(web, socket));
  }

  #onWebSocket(web: WebSocket, socket: Socket): void {
    const handshake = this.#endHandshake(socket);
    if (handshake === undefined) {
      web.terminate();
      return;
    }
    this.#base.handOn(new WebSocketTransport(web, socket, handshake.peer, this.#base.context.clock));
  }

  #onClientError(error: Error, socket: Socket): void {
    const code = systemCodeOf(error) ?? '';
    // Gone before it said anything: a port scan, or a load balancer that looks whether we live.
    if (code === 'ECONNRESET' || !this.#handshakes.has(socket)) {
      socket.destroy();
      return;
    }
    const reason = code.startsWith('HPE_')
      ? 'the client does not speak HTTP; MQTT without WebSocket needs another listener'
      : messageOf(error);
    this.#refuse(socket, { status: code === 'HPE_HEADER_OVERFLOW' ? 431 : 400, reason });
  }

  /** One answer in plain text, one line in the log, then the end. */
  #refuse(socket: Socket, refusal: Refusal): void {
    const handshake = this.#endHandshake(socket);
    if (handshake === undefined) return;
    this.#base.statistics.handshakeFailures += 1;
    this.#base.log.notice(`WebSocket handshake refused: ${refusal.reason}`, {
      peer: handshake.peer.address,
      status: refusal.status,
    });
    socket.on('error', () => {});
    socket.end(refusalText(refusal));
    // Goes on reading, for nobody: unread bytes would reset the connection and take the answer with them.
    socket.resume();
    const linger = this.#base.context.clock.after(lingerMs, () => socket.destroy());
    socket.once('close', () => linger.cancel());
  }

  /** Once for each connection; `undefined` the second time. */
  #endHandshake(socket: Socket): Handshake | undefined {
    const handshake = this.#handshakes.get(socket);
    if (handshake === undefined) return undefined;
    handshake.timer.cancel();
    this.#handshakes.delete(socket);
    this.#base.handshakeShares.release(handshake.peer.address);
    return handshake;
  }
}

const notWebSocket: Refusal = { status: 426, reason: 'the request does not ask for WebSocket' };

function checkConfig(config: ListenerConfig): void {
  if (config.webSocket === null) throw new DavylampError('BUG', `listener ${config.name} has no path`);
}
