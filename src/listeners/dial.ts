import { createConnection, isIP, type Socket } from 'node:net';
import { TLSSocket } from 'node:tls';
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
import { DialTls } from './dial-tls.ts';
import { localPeer } from './listener.ts';
import { dialErrorOf } from './network-error.ts';
import { certificateOf, peerOf } from './peer.ts';
import { SocketTransport } from './socket-transport.ts';
import { askSocksProxy, type SocksProxy } from './socks-proxy.ts';
import { openWebSocket } from './websocket-dial.ts';

const dialTimeoutMs = 10_000;

/** One destination. */
export interface DialOptions {
  readonly host: string;
  readonly port: number;
  /** `null`: plain TCP. Without a CA file or folder, the system's authorities are trusted. */
  readonly tls: TlsFilesConfig | null;
  /** The name that the server's certificate must hold, where it is not `host`. */
  readonly servername?: string;
  /** A Unix socket, instead of host and port. */
  readonly path?: string;
  /** Speaks WebSocket, over TLS where there is `tls`: the path of the URL, such as `/mqtt`. */
  readonly webSocketPath?: string;
  /** The address of this machine to connect from. */
  readonly localAddress?: string;
  /** Seconds without traffic after which the system asks whether the other side still lives; absent = never. */
  readonly tcpKeepAliveSeconds?: number;
  /** Goes by way of this proxy; it looks the host's name up. */
  readonly socksProxy?: SocksProxy;
  /** Gets the secrets of the TLS session, a line each (NSS key log): whoever has them can read all. */
  readonly keyLog?: (line: Buffer) => void;
  /** Default: the system's. */
  readonly clock?: Clock;
}

/** Makes a dialer of real sockets. Files are read with each dial, so renewed certificates are used. */
export function createDialer(options: DialOptions): Dialer {
  return new SocketDialer(options);
}

/**
 * Reads and checks the TLS files of a destination, as dialing will. Gives a digest that is another one when they hold
 * something else; empty without TLS. Rejects with `TLS_INVALID` or `FILE_UNREADABLE`.
 */
export async function checkDialFiles(options: DialOptions): Promise<string> {
  const { host, tls, servername, keyLog, port } = options;
  if (tls === null) return '';
  const dialTls = new DialTls({ files: tls, target: `mqtts://${host}:${port}`, host, servername, keyLog });
  const { key } = await dialTls.prepare();
  return key;
}

class SocketDialer implements Dialer {
  readonly target: string;
  readonly #options: DialOptions;
  readonly #clock: Clock;
  /** `null`: no TLS. */
  readonly #tls: DialTls | null;

  constructor(options: DialOptions) {
    const { host, port, tls, path, webSocketPath, servername, keyLog } = options;
    const place = isIP(host) === 6 ? `[${host}]` : host;
    const scheme = `${webSocketPath === undefined ? 'mqtt' : 'ws'}${tls === null ? '' : 's'}`;
    this.target = path === undefined ? `${scheme}://${place}:${port}${webSocketPath ?? ''}` : `unix:${path}`;
    this.#options = options;
    this.#clock = options.clock ?? new SystemClock();
    const isTls = tls !== null && path === undefined;
    this.#tls = isTls ? new DialTls({ files: tls, target: this.target, host, servername, keyLog }) : null;
  }

  async dial(handler: TransportHandler, signal: AbortSignal): Promise<Transport> {
    const { host, servername, webSocketPath } = this.#options;
    signal.throwIfAborted();
    const opened: Socket[] = [];
    try {
      const make = (socket: Socket, peer: PeerInfo): Transport =>
        new SocketTransport(socket, peer, this.#clock, handler);
      if (webSocketPath === undefined) return await this.#connect(opened, signal, make);
      const [socket, peer] = await this.#connect(opened, signal, (...connected) => connected);
      return await openWebSocket({ socket, peer, url: this.target, clock: this.#clock, handler, signal });
    } catch (error) {
      this.#tls?.forgetSession();
      for (const socket of opened) socket.destroy();
      if (signal.aborted) throw signal.reason;
      const isCutInTls = this.#tls !== null && isCut(error);
      throw dialErrorOf(isCutInTls ? cutInHandshake() : error, this.target, servername ?? host);
    }
  }

  /** Calls `make` in the very moment of success: nothing that follows can be missed. `opened` gets what has to be closed. */
  async #connect<T>(
    opened: Socket[],
    signal: AbortSignal,
    make: (socket: Socket, peer: PeerInfo) => T,
  ): Promise<T> {
    const { host, port, socksProxy, path } = this.#options;
    const secured = await this.#tls?.prepare();
    if (signal.aborted) throw signal.reason;
    const own = <S extends Socket>(socket: S): S => {
      // Whatever happens between two owners of the socket must not be an unhandled error.
      socket.on('error', () => {});
      opened.push(socket);
      return socket;
    };
    const finish = (socket: Socket): T => {
      const peer = this.#peerOf(socket);
      if (peer === null) throw new Error('the connection was closed at once');
      return make(socket, peer);
    };
    const raw = own(this.#open());
    const isViaProxy = socksProxy !== undefined && path === undefined;
    const isDone = !isViaProxy && secured === undefined;
    const first = await this.#within(raw, signal, (done) =>
      raw.once('connect', () => done(isDone ? finish(raw) : null)),
    );
    if (isDone) return first as T;
    if (isViaProxy) {
      const proxied = await this.#within(raw, signal, (done, fail) => {
        const answered = (): void => done(secured === undefined ? finish(raw) : null);
        askSocksProxy(raw, { host, port }, socksProxy, { done: answered, fail });
      });
      if (secured === undefined) return proxied as T;
    }
    const socket = own(this.#tls!.open(secured!, { socket: raw }));
    return this.#within(socket, signal, (done) => socket.once('secureConnect', () => done(finish(socket))));
  }

  #open(): Socket {
    const { path, localAddress, tcpKeepAliveSeconds, socksProxy } = this.#options;
    if (path !== undefined) return createConnection({ path });
    const { host, port } = socksProxy ?? this.#options;
    return createConnection({
      host,
      port,
      noDelay: true,
      ...(localAddress === undefined ? {} : { localAddress }),
      ...(tcpKeepAliveSeconds === undefined
        ? {}
        : { keepAlive: true, keepAliveInitialDelay: tcpKeepAliveSeconds * 1000 }),
    });
  }

  /** Waits for what `begin` says is done; fails on an error, the end of the connection, an abort and after 10 s. */
  #within<T>(
    socket: Socket,
    signal: AbortSignal,
    begin: (done: (value: T) => void, fail: (error: Error) => void) => void,
  ): Promise<T> {
    return new Promise((resolve, reject) => {
      const settle = (): void => {
        timer.cancel();
        signal.removeEventListener('abort', onAbort);
        socket.off('error', fail);
        socket.off('close', onClose);
      };
      const fail = (error: Error): void => {
        settle();
        reject(error);
      };
      const onAbort = (): void => fail(signal.reason as Error);
      const onClose = (): void => fail(cutInHandshake());
      const timer = this.#clock.after(dialTimeoutMs, () =>
        fail(new Error(`timed out after ${dialTimeoutMs / 1000} s`)),
      );
      signal.addEventListener('abort', onAbort, { once: true });
      socket.on('error', fail);
      socket.on('close', onClose);
      begin((value) => {
        settle();
        resolve(value);
      }, fail);
    });
  }

  #peerOf(socket: Socket): PeerInfo | null {
    if (this.#options.path !== undefined) return localPeer;
    const isVerified = socket instanceof TLSSocket && socket.authorized;
    const certificate = isVerified ? certificateOf(socket, 'common-name') : null;
    return peerOf(socket, certificate);
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
