import type { AddressInfo, ListenOptions, Server, Socket } from 'node:net';
import {
  DavylampError,
  messageOf,
  systemCodeOf,
  type PeerCertificate,
  type PeerInfo,
  type Transport,
} from '#base';
import type { ListenerConfig } from '#config';
import type { BoundAddress, ListenerContext, ListenerStatistics, OnTransport } from './listener.ts';
import { localPeer } from './listener.ts';
import { peerOf, plainAddress } from './peer.ts';
import { SocketTransport } from './socket-transport.ts';

/** Connections that wait in the kernel until we take them: many detectors come back at once after a power cut. */
const backlog = 1024;

/** What all kinds of listeners share: opening, counting, handing on and closing. */
export class SocketListener {
  readonly statistics: ListenerStatistics = {
    accepted: 0,
    refused: 0,
    handshakesRefused: 0,
    handshakeFailures: 0,
  };
  readonly config: ListenerConfig;
  readonly context: ListenerContext;
  /** Each tells how many handshakes of one kind are under way. */
  readonly handshakeCounts: (() => number)[] = [];
  readonly #onTransport: OnTransport;
  #server: Server | null = null;

  constructor(config: ListenerConfig, onTransport: OnTransport, context: ListenerContext) {
    this.config = config;
    this.context = context;
    this.#onTransport = onTransport;
  }

  /** For people: `listener detectors`. */
  get title(): string {
    return `listener ${this.config.name}`;
  }

  /** Binds the server. `where` is for people: `127.0.0.1:1883`. */
  listen(server: Server, options: ListenOptions, where: string): Promise<BoundAddress> {
    this.#server = server;
    server.maxConnections = this.context.maximumConnections;
    server.on('drop', () => this.#onRefused(`${this.context.maximumConnections} are open already`));
    return new Promise((resolve, reject) => {
      server.once('error', (error) => {
        this.#server = null;
        reject(this.#listenError(error, where));
      });
      server.listen({ ...options, backlog }, () => {
        server.removeAllListeners('error');
        server.on('error', (error) => this.#onServerError(error));
        const address = server.address() as AddressInfo | string;
        resolve(
          typeof address === 'string'
            ? { address, port: 0 }
            : { address: address.address, port: address.port },
        );
      });
    });
  }

  /** Whether a connection may begin its handshake. If not, it is closed and counted. */
  admitsHandshake(socket: Socket): boolean {
    const { maximumHandshakes = Infinity, admit } = this.context;
    const { remoteAddress } = socket;
    let underWay = 0;
    for (const count of this.handshakeCounts) underWay += count();
    if (underWay < maximumHandshakes) {
      if (admit === undefined || remoteAddress === undefined || admit(plainAddress(remoteAddress)))
        return true;
      this.statistics.refused += 1; // whoever said no has told why
    } else {
      this.statistics.handshakesRefused += 1;
      this.#onRefused(`${maximumHandshakes} handshakes are under way`);
    }
    socket.on('error', () => {});
    socket.destroy();
    return false;
  }

  /** Makes a transport of a connected socket and hands it on. */
  accept(socket: Socket, certificate: PeerCertificate | null): void {
    const peer = this.peerOf(socket, certificate);
    if (peer !== null) this.handOn(new SocketTransport(socket, peer, this.context.clock));
  }

  /** Who has connected; `null`, and the socket destroyed, when the peer is gone already. */
  peerOf(socket: Socket, certificate: PeerCertificate | null): PeerInfo | null {
    const peer = this.config.protocol === 'unix' ? localPeer : peerOf(socket, certificate);
    if (peer === null) {
      // Gone between the kernel's accept and ours.
      socket.on('error', () => {});
      socket.destroy();
    }
    return peer;
  }

  /** Counts a connection that is ready and hands it on. */
  handOn(transport: Transport): void {
    this.statistics.accepted += 1;
    this.#onTransport(transport);
  }

  close(): void {
    // The port is free when this returns. The callback would wait for connections, and those are not ours.
    this.#server?.close();
    this.#server = null;
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
    this.context.log.error('cannot take a connection', { reason: messageOf(error) });
  }

  #onRefused(reason: string): void {
    this.statistics.refused += 1;
    // The first, then every power of two: a flood of connections must not become a flood of lines.
    const count = this.statistics.refused;
    if ((count & (count - 1)) !== 0) return;
    this.context.log.warning(`connection refused, ${reason}`, { refused: count });
  }
}

const listenReasons = new Map([
  ['EACCES', 'access is denied; use a port above 1023 or a folder that this user may write'],
  ['EADDRNOTAVAIL', 'the address is not one of this machine'],
  ['ENOTFOUND', 'the host name is not known'],
  ['ENOENT', 'the folder does not exist'],
  ['ENAMETOOLONG', 'the path is too long for a Unix socket (107 bytes)'],
  ['EINVAL', 'the address or path is not valid; a Unix socket path has at most 107 bytes'],
]);
