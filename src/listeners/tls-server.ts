import { createHash } from 'node:crypto';
import { createServer as createTcpServer, type Server as TcpServer, type Socket } from 'node:net';
import { createServer, type Server, type TlsOptions, type TLSSocket } from 'node:tls';
import { DavylampError, messageOf } from '#base';
import { clientRejectionOf } from './network-error.ts';
import { plainAddress } from './peer.ts';
import { SessionCache } from './session-cache.ts';
import type { SocketListener } from './socket-listener.ts';
import { readTlsFiles } from './tls-files.ts';

const handshakeTimeoutMs = 10_000;
const sessionSeconds = 7200;

/** Classic curves only: the post-quantum share of Node's default adds 2.3 KB to each handshake, dear on metered links. */
export const curves = 'X25519:P-256';

/** What the listeners with TLS share: a server of 1.2 and 1.3, with or without client certificates. */
export class TlsServer {
  readonly #base: SocketListener;
  readonly #onSecure: (socket: TLSSocket) => void;
  readonly #sessions = new SessionCache();
  /** Connections whose handshake is not over, by peer address and port. */
  readonly #handshakes = new Map<string, Socket>();
  /** Addresses whose handshake ended in this turn of the event loop without having been told of. */
  readonly #closedInHandshake: string[] = [];

  /** `onSecure` gets each connection whose handshake has succeeded. */
  constructor(base: SocketListener, onSecure: (socket: TLSSocket) => void) {
    this.#base = base;
    this.#onSecure = onSecure;
    base.handshakeCounts.push(() => this.#handshakes.size);
  }

  /**
   * Reads the files and makes the server, which does not listen yet: one of TCP, which hands what may come in to one of
   * TLS. Rejects with `TLS_INVALID` or `FILE_UNREADABLE`.
   */
  async create(): Promise<TcpServer> {
    const server = this.#createServer(await this.#tlsOptions());
    server.on('secureConnection', (socket) => {
      this.#handshakes.delete(peerKey(socket));
      this.#onSecure(socket);
    });
    server.on('tlsClientError', (error, socket) => this.#onFailure(error, socket));
    // Node's own server forgets session ids: without these two, an ESP8266 does a full handshake of seconds each time.
    server.on('newSession', (id, data, done) => {
      this.#sessions.set(id, data);
      done();
    });
    server.on('resumeSession', (id, done) => done(null, this.#sessions.get(id)));
    return createTcpServer({ noDelay: true }, (socket) => {
      if (!this.#base.admitsHandshake(socket)) return;
      this.#onConnection(socket);
      server.emit('connection', socket);
    });
  }

  /** Ends the handshakes that are going on. */
  close(): void {
    for (const socket of this.#handshakes.values()) socket.destroy();
  }

  async #tlsOptions(): Promise<TlsOptions> {
    const { tls, requireCertificate, identityFromCertificate, name } = this.#base.config;
    const { title } = this.#base;
    if (tls === null || tls.certificateFile === null || tls.keyFile === null) {
      throw new DavylampError('TLS_INVALID', `${title}: TLS needs a certificate file and a key file`);
    }
    const { ca, cert, key } = await readTlsFiles(tls, title);
    const asksForCertificate = requireCertificate || identityFromCertificate;
    if (asksForCertificate && ca === undefined) {
      throw new DavylampError(
        'TLS_INVALID',
        `${title}: client certificates need a CA file to check them against`,
      );
    }
    return {
      ca,
      cert,
      key,
      minVersion: 'TLSv1.2',
      honorCipherOrder: true,
      ecdhCurve: curves,
      requestCert: asksForCertificate,
      rejectUnauthorized: requireCertificate,
      handshakeTimeout: handshakeTimeoutMs,
      sessionTimeout: sessionSeconds,
      // A session of one listener must not open another, whose rules may be stricter.
      sessionIdContext: createHash('sha256').update(name).digest('hex').slice(0, 32),
    };
  }

  #createServer(options: TlsOptions): Server {
    try {
      return createServer(options);
    } catch (error) {
      const reason = messageOf(error);
      const message = `${this.#base.title}: the certificate files cannot be used for TLS: ${reason}`;
      throw new DavylampError('TLS_INVALID', message, { cause: error });
    }
  }

  #onConnection(socket: Socket): void {
    const key = peerKey(socket);
    this.#handshakes.set(key, socket);
    const { remoteAddress } = socket;
    socket.once('close', () => {
      if (this.#handshakes.get(key) !== socket) return;
      this.#handshakes.delete(key);
      if (remoteAddress === undefined) return;
      // A certificate that fails verification: the socket is closed first and the failure told right after, without
      // an address. This is the only place that still knows it.
      this.#closedInHandshake.push(remoteAddress);
      setImmediate(() => (this.#closedInHandshake.length = 0));
    });
  }

  #onFailure(error: Error, socket: TLSSocket): void {
    // Set only where the client's certificate was looked at and found wanting.
    const reason = clientRejectionOf(error, socket.authorizationError ?? undefined);
    this.#base.statistics.handshakeFailures += 1;
    const { remoteAddress } = socket;
    if (remoteAddress !== undefined) this.#handshakes.delete(peerKey(socket));
    const peer = remoteAddress ?? this.#closedInHandshake.shift();
    this.#base.context.log.notice(`TLS handshake failed: ${reason}`, {
      peer: peer === undefined ? undefined : plainAddress(peer),
    });
    socket.destroy();
  }
}

function peerKey(socket: Socket): string {
  return `${socket.remoteAddress} ${socket.remotePort}`;
}
