import { createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { DavylampError, messageOf, SparingLog, systemCodeOf, type PeerInfo, type Transport } from '#base';
import type { ListenerConfig } from '#config';
import { HandshakeShares } from './handshake-shares.ts';
import type { ListenPlace } from './listen-places.ts';
import {
  isSameDoor,
  localPeer,
  type BoundAddress,
  type ListenerBound,
  type ListenerBounds,
  type ListenerContext,
  type ListenerStatistics,
  type OnTransport,
} from './listener.ts';
import { peerOf } from './peer.ts';
import { ProxyStage, type ProxiedPeer } from './proxy-stage.ts';
import { SocketTransport } from './socket-transport.ts';

/** Connections that wait in the kernel until we take them: many detectors come back at once after a power cut. */
const backlog = 1024;

/** Lines of one kind in ten seconds; the others are counted in one more. */
const linesOfAKind = 10;

/** Gets each connection, with who is at its other end. Behind a proxy the socket is paused and may hold bytes already. */
export type OnSocket = (socket: Socket, peer: ProxiedPeer) => void;

/** What all kinds of listeners share: opening, counting, what a proxy says, handing on and closing. */
export class SocketListener {
  readonly statistics: ListenerStatistics = {
    accepted: 0,
    refused: 0,
    handshakesRefused: 0,
    handshakeFailures: 0,
    proxyFailures: 0,
  };
  readonly context: ListenerContext;
  /** For what a peer can cause as often as it likes. */
  readonly log: SparingLog;
  /** Each tells how many handshakes of one kind are under way. */
  readonly handshakeCounts: (() => number)[] = [];
  /** Of TLS and WebSocket: behind a proxy, PROXY headers all come from its address. */
  readonly handshakeShares = new HandshakeShares();
  readonly #onTransport: OnTransport;
  readonly #onSocket: OnSocket;
  readonly #proxy: ProxyStage;
  readonly #onClosed = (): void => {
    this.#open -= 1;
  };
  #config: ListenerConfig;
  #bounds: ListenerBounds;
  #servers: Server[] = [];
  /** Counted here only where there are several servers: each counts its own. */
  #open = 0;

  constructor(
    config: ListenerConfig,
    context: ListenerContext,
    { onTransport, onSocket }: { readonly onTransport: OnTransport; readonly onSocket: OnSocket },
  ) {
    this.#config = config;
    this.context = context;
    this.log = new SparingLog(context.clock, context.log, linesOfAKind);
    this.#bounds = context;
    this.#onTransport = onTransport;
    this.#onSocket = onSocket;
    this.#proxy = new ProxyStage(context, this.statistics, onSocket);
    this.handshakeCounts.push(() => this.#proxy.count);
  }

  get config(): ListenerConfig {
    return this.#config;
  }

  /** For people: `listener detectors`. */
  get title(): string {
    return `listener ${this.#config.name}`;
  }

  /** Opens all places; none stays open where one cannot be. The first is what the listener says of itself. */
  async listen(places: readonly ListenPlace[]): Promise<BoundAddress> {
    let first: BoundAddress | null = null;
    try {
      for (const place of places) {
        // The port that the system has chosen is the same everywhere.
        const port = place.options.port === 0 && first !== null ? first.port : place.options.port;
        const options = port === undefined ? place.options : { ...place.options, port };
        const bound = await this.#bind({ ...place, options });
        first ??= bound;
      }
    } catch (error) {
      this.close();
      throw error;
    }
    if (first === null) throw new DavylampError('BUG', `${this.title} has no place to listen on`);
    return first;
  }

  /** Throws `CONFIG_INVALID` where `config` cannot be taken on by a listener that is open. */
  checkSameDoor(config: ListenerConfig): void {
    if (isSameDoor(this.#config, config)) return;
    throw new DavylampError(
      'CONFIG_INVALID',
      `${this.title}: another place or protocol needs a listener of its own`,
    );
  }

  /** Holds for every connection from now on. */
  change(config: ListenerConfig, bounds: ListenerBounds | undefined): void {
    this.#config = config;
    if (bounds !== undefined) this.#bounds = bounds;
    for (const server of this.#servers) server.maxConnections = this.#maximumConnections;
  }

  /** Whether a connection may begin its handshake. If not, it is closed and counted. */
  admitsHandshake(socket: Socket, peer: PeerInfo): boolean {
    if (this.#hasRoomForHandshake(peer.address)) {
      if (this.context.admit === undefined || this.context.admit(peer.address)) return true;
      this.statistics.refused += 1; // whoever said no has told why
    }
    discard(socket);
    return false;
  }

  /** Makes a transport of a connected socket and hands it on. */
  accept(socket: Socket, peer: PeerInfo): void {
    // Behind a proxy it was held up. Goes on with the next turn: the transport has its handler by then, or is paused.
    if (peer.proxyAddress !== undefined) socket.resume();
    this.handOn(new SocketTransport(socket, peer, this.context.clock));
  }

  /** Counts a connection that is ready and hands it on. */
  handOn(transport: Transport): void {
    this.statistics.accepted += 1;
    this.#onTransport(transport);
  }

  close(): void {
    this.#proxy.close();
    this.log.close();
    // The ports are free when this returns. The callback would wait for connections, and those are not ours.
    for (const server of this.#servers) server.close();
    this.#servers = [];
  }

  get #maximumConnections(): number {
    return Math.min(this.#bounds.maximumConnections, this.#config.maximumConnections ?? Infinity);
  }

  /** `address` = whose share counts. */
  #hasRoomForHandshake(address?: string): boolean {
    const maximum = this.#config.limits?.maximumHandshakes ?? this.#bounds.maximumHandshakes ?? 0;
    let underWay = 0;
    for (const count of this.handshakeCounts) underWay += count();
    const free = maximum === 0 ? Infinity : maximum - underWay;
    const isFull = free <= 0;
    if (!isFull && (address === undefined || this.handshakeShares.hasRoom(address, free))) return true;
    this.statistics.handshakesRefused += 1;
    this.#onRefused(
      'handshakes',
      isFull ? `${maximum} handshakes are under way` : 'its address has its share of handshakes under way',
      address,
    );
    return false;
  }

  #bind({ options, where }: ListenPlace): Promise<BoundAddress> {
    const server = createServer({ noDelay: true }, (socket) => this.#onConnection(socket));
    server.maxConnections = this.#maximumConnections;
    server.on('drop', () => this.#onFull());
    return new Promise((resolve, reject) => {
      server.once('error', (error) => reject(this.#listenError(error, where)));
      server.listen({ ...options, backlog }, () => {
        server.removeAllListeners('error');
        server.on('error', (error) => this.#onServerError(error));
        this.#servers.push(server);
        const address = server.address() as AddressInfo | string;
        resolve(
          typeof address === 'string'
            ? { address, port: 0 }
            : { address: address.address, port: address.port },
        );
      });
    });
  }

  #onConnection(socket: Socket): void {
    const peer = this.#config.protocol === 'unix' ? localPeer : peerOf(socket, null);
    // Gone between the kernel's accept and ours.
    if (peer === null) {
      discard(socket);
      return;
    }
    if (this.#servers.length > 1 && !this.#countOpen(socket)) return;
    if (this.#config.proxyProtocol === undefined) {
      this.#onSocket(socket, peer);
      return;
    }
    if (this.#hasRoomForHandshake()) this.#proxy.begin(socket, peer, this.#config);
    else discard(socket);
  }

  #countOpen(socket: Socket): boolean {
    if (this.#open >= this.#maximumConnections) {
      this.#onFull();
      discard(socket);
      return false;
    }
    this.#open += 1;
    socket.once('close', this.#onClosed);
    return true;
  }

  #onFull(): void {
    this.#onRefused('connections', `${this.#maximumConnections} are open already`);
  }

  #listenError(error: Error, where: string): DavylampError {
    const code = systemCodeOf(error);
    if (code === 'EADDRINUSE') {
      const advice = 'choose another port or stop the program that uses it';
      return new DavylampError('PORT_TAKEN', `${this.title}: ${where} is taken; ${advice}`, { cause: error });
    }
    const reason = listenReasons.get(code ?? '') ?? messageOf(error);
    return new DavylampError('LISTEN_FAILED', `${this.title}: cannot listen on ${where}: ${reason}`, {
      cause: error,
    });
  }

  #onServerError(error: Error): void {
    this.log.error('cannot take a connection', { reason: messageOf(error) });
  }

  #onRefused(bound: ListenerBound, reason: string, address?: string): void {
    this.statistics.refused += 1;
    this.context.onRefused?.(bound);
    this.log.warning(`connection refused, ${reason}`, { refused: this.statistics.refused, address });
  }
}

function discard(socket: Socket): void {
  socket.on('error', () => {});
  socket.destroy();
}

const listenReasons = new Map([
  ['EACCES', 'access is denied; use a port above 1023 or a folder that this user may write'],
  ['EADDRNOTAVAIL', 'the address is not one of this machine'],
  ['ENOTFOUND', 'the host name is not known'],
  ['ENOENT', 'the folder does not exist'],
  ['ENAMETOOLONG', 'the path is too long for a Unix socket (107 bytes)'],
  ['EINVAL', 'the address or path is not valid; a Unix socket path has at most 107 bytes'],
]);
