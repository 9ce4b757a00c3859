import { createConnection, isIP, type Socket } from 'node:net';
import { connect as connectTls, TLSSocket } from 'node:tls';
import {
  SystemClock,
  systemCodeOf,
  type Clock,
  type Dialer,
  type PeerInfo,
  type Transport,
  type TransportHandler,
} from '#base';
import type { TlsFilesConfig } from '#config';
import { localPeer } from './listener.ts';
import { dialErrorOf } from './network-error.ts';
import { certificateOf, peerOf } from './peer.ts';
import { SocketTransport } from './socket-transport.ts';
import { readTlsFiles } from './tls-files.ts';
import { curves } from './tls-server.ts';
import { openWebSocket } from './websocket-dial.ts';

const dialTimeoutMs = 10_000;

/** One destination. */
export interface DialOptions {
  readonly host: string;
  readonly port: number;
  /** `null`: plain TCP. Without a CA file, the system's authorities are trusted. */
  readonly tls: TlsFilesConfig | null;
  /** The name that the server's certificate must hold, where it is not `host`. */
  readonly servername?: string;
  /** A Unix socket, instead of host and port. */
  readonly path?: string;
  /** Speaks WebSocket, over TLS where there is `tls`: the path of the URL, such as `/mqtt`. */
  readonly webSocketPath?: string;
  /** The address of this machine to connect from. */
  readonly localAddress?: string;
  /** Default: the system's. */
  readonly clock?: Clock;
}

/** Makes a dialer of real sockets. Files are read with each dial, so renewed certificates are used. */
export function createDialer(options: DialOptions): Dialer {
  return new SocketDialer(options);
}

class SocketDialer implements Dialer {
  readonly target: string;
  readonly #options: DialOptions;
  readonly #clock: Clock;
  /** The last TLS session with this server: the next handshake is short. */
  #session: Buffer | undefined;

  constructor(options: DialOptions) {
    const { host, port, tls, path, webSocketPath } = options;
    const place = isIP(host) === 6 ? `[${host}]` : host;
    const scheme = `${webSocketPath === undefined ? 'mqtt' : 'ws'}${tls === null ? '' : 's'}`;
    this.target = path === undefined ? `${scheme}://${place}:${port}${webSocketPath ?? ''}` : `unix:${path}`;
    this.#options = options;
    this.#clock = options.clock ?? new SystemClock();
  }

  async dial(handler: TransportHandler, signal: AbortSignal): Promise<Transport> {
    const { tls, path, host, servername, webSocketPath } = this.#options;
    signal.throwIfAborted();
    const isTls = tls !== null && path === undefined;
    const socket = isTls ? await this.#openTls(tls) : this.#open();
    // Whatever happens between two owners of the socket must not be an unhandled error.
    socket.on('error', () => {});
    try {
      if (webSocketPath === undefined) {
        return await this.#connected(socket, isTls, signal, (peer) => {
          return new SocketTransport(socket, peer, this.#clock, handler);
        });
      }
      const peer = await this.#connected(socket, isTls, signal, (connected) => connected);
      return await openWebSocket({ socket, peer, url: this.target, clock: this.#clock, handler, signal });
    } catch (error) {
      // A session that the server does not like must not stand in the way of the next try.
      this.#session = undefined;
      socket.destroy();
      if (signal.aborted) throw signal.reason;
      throw dialErrorOf(isTls && isCut(error) ? cutInHandshake() : error, this.target, servername ?? host);
    }
  }

  #open(): Socket {
    const { host, port, path, localAddress } = this.#options;
    if (path !== undefined) return createConnection({ path });
    return createConnection({
      host,
      port,
      noDelay: true,
      ...(localAddress === undefined ? {} : { localAddress }),
    });
  }

  async #openTls(files: TlsFilesConfig): Promise<Socket> {
    const { host, port, localAddress, servername } = this.#options;
    const { ca, cert, key } = await readTlsFiles(files, this.target);
    // A server name is a name: an address is checked against the certificate all the same (RFC 6066, 3).
    const name = servername ?? (isIP(host) === 0 ? host : '');
    const socket = connectTls({
      host,
      port,
      servername: name,
      minVersion: 'TLSv1.2',
      ecdhCurve: curves,
      ...(ca === undefined ? {} : { ca }),
      ...(cert === undefined ? {} : { cert, key }),
      ...(localAddress === undefined ? {} : { localAddress }),
      ...(this.#session === undefined ? {} : { session: this.#session }),
    });
    socket.on('session', (session) => {
      this.#session = session;
    });
    return socket;
  }

  /** Calls `make` in the very moment of success: nothing that follows can be missed. */
  #connected<T>(
    socket: Socket,
    isTls: boolean,
    signal: AbortSignal,
    make: (peer: PeerInfo) => T,
  ): Promise<T> {
    return new Promise((resolve, reject) => {
      // Aborted while the files were read: no event will tell.
      if (signal.aborted) {
        reject(signal.reason as Error);
        return;
      }
      const settle = (): void => {
        timer.cancel();
        signal.removeEventListener('abort', onAbort);
        socket.off('error', onError);
        socket.off('close', onClose);
      };
      const fail = (error: Error): void => {
        settle();
        reject(error);
      };
      const onAbort = (): void => fail(signal.reason as Error);
      const onError = (error: Error): void => fail(error);
      const onClose = (): void => fail(cutInHandshake());
      const timer = this.#clock.after(dialTimeoutMs, () =>
        fail(new Error(`timed out after ${dialTimeoutMs / 1000} s`)),
      );
      signal.addEventListener('abort', onAbort, { once: true });
      socket.on('error', onError);
      socket.on('close', onClose);
      socket.once(isTls ? 'secureConnect' : 'connect', () => {
        const peer = this.#peerOf(socket);
        if (peer === null) {
          fail(new Error('the connection was closed at once'));
          return;
        }
        settle();
        resolve(make(peer));
      });
    });
  }

  #peerOf(socket: Socket): PeerInfo | null {
    if (this.#options.path !== undefined) return localPeer;
    return peerOf(socket, socket instanceof TLSSocket ? certificateOf(socket) : null);
  }
}

/** Closed without a word, as a broker without TLS does when it reads a TLS hello. */
function isCut(error: unknown): boolean {
  const code = systemCodeOf(error);
  return code === 'ECONNRESET' || code === 'EPIPE';
}

function cutInHandshake(): Error {
  return new Error('the connection was closed during the TLS handshake; does that port speak TLS?');
}
