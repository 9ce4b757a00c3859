import { createServer as createHttpServer, type IncomingMessage, type Server } from 'node:http';
import { createServer as createTcpServer, type Socket } from 'node:net';
import type { TLSSocket } from 'node:tls';
import { WebSocketServer, type WebSocket } from 'ws';
import { DavylampError, messageOf, systemCodeOf, type PeerInfo, type Timer } from '#base';
import type { ListenerConfig, WebSocketConfig } from '#config';
import type { BoundAddress, Listener, ListenerContext, ListenerStatistics, OnTransport } from './listener.ts';
import { certificateOf } from './peer.ts';
import { SocketListener } from './socket-listener.ts';
import { TlsServer } from './tls-server.ts';
import { refusalOf, refusalText, subprotocolOf, type Refusal } from './websocket-request.ts';
import { lingerMs, webSocketOptions, WebSocketTransport } from './websocket-transport.ts';

/** From the connection (with TLS: from the end of its handshake) to a whole request. */
const handshakeTimeoutMs = 10_000;

const maximumHeaderBytes = 8192;

/** A connection that has not become a WebSocket yet. */
interface Handshake {
  readonly peer: PeerInfo;
  readonly timer: Timer;
}

/**
 * MQTT over WebSocket, plain or over TLS (MQTT 5, 6). HTTP is spoken by a server that does not listen: it gets the
 * connections that the socket or TLS server has taken, so those two are the same as for MQTT without WebSocket.
 */
export class WebSocketListener implements Listener {
  readonly #base: SocketListener;
  readonly #config: WebSocketConfig;
  readonly #tls: TlsServer | null;
  readonly #http: Server;
  readonly #upgrader: WebSocketServer;
  readonly #handshakes = new Map<Socket, Handshake>();

  constructor(config: ListenerConfig, onTransport: OnTransport, context: ListenerContext) {
    this.#base = new SocketListener(config, onTransport, context);
    this.#base.handshakeCounts.push(() => this.#handshakes.size);
    if (config.webSocket === null) throw new DavylampError('BUG', `${this.#base.title} has no path`);
    this.#config = config.webSocket;
    const onSecure = (socket: TLSSocket): void => this.#onSocket(socket, certificateOf(socket));
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
    const { address, port } = this.#base.config;
    const server =
      this.#tls === null
        ? createTcpServer({ noDelay: true }, (socket) => this.#onSocket(socket, null))
        : await this.#tls.create();
    return this.#base.listen(server, { host: address, port }, `${address}:${port}`);
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
    // The latter is the method of proxies.
    for (const event of ['request', 'connect']) {
      http.on(event, (request: IncomingMessage) => {
        this.#refuse(request.socket, { status: 426, reason: 'the request does not ask for WebSocket' });
      });
    }
    http.on('clientError', (error: Error, socket: Socket) => this.#onClientError(error, socket));
    return http;
  }

  #onSocket(socket: Socket, certificate: PeerInfo['certificate']): void {
    // With TLS it was asked about before that.
    if (this.#tls === null && !this.#base.admitsHandshake(socket)) return;
    const peer = this.#base.peerOf(socket, certificate);
    if (peer === null) return;
    const timer = this.#base.context.clock.after(handshakeTimeoutMs, () => {
      this.#refuse(socket, { status: 408, reason: `no whole request within ${handshakeTimeoutMs / 1000} s` });
    });
    this.#handshakes.set(socket, { peer, timer });
    socket.once('close', () => this.#endHandshake(socket));
    this.#http.emit('connection', socket);
  }

  #onUpgrade(request: IncomingMessage, socket: Socket, head: Buffer): void {
    const refusal = refusalOf(request, this.#config);
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
    this.#base.context.log.notice(`WebSocket handshake refused: ${refusal.reason}`, {
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
    handshake?.timer.cancel();
    this.#handshakes.delete(socket);
    return handshake;
  }
}
