import { createHash } from 'node:crypto';
import type { Socket } from 'node:net';
import { createServer, type Server, type TlsOptions, type TLSSocket } from 'node:tls';
import { DavylampError, messageOf, type PeerInfo } from '#base';
import type { ListenerConfig } from '#config';
import type { PreparedReload } from './listener.ts';
import { clientRejectionOf } from './network-error.ts';
import { defaultHandshakeTimeoutMs, type ProxiedPeer } from './proxy-stage.ts';
import { SessionCache } from './session-cache.ts';
import type { SocketListener } from './socket-listener.ts';
import { TlsIdentity } from './tls-identity.ts';
import { listenerTls, type ListenerTls } from './tls-options.ts';

const sessionSeconds = 7200;

/** A connection whose handshake is not over. */
interface Handshake {
  readonly socket: Socket;
  readonly peer: ProxiedPeer;
}

/** One state of certificates and rules. A reload makes another; handshakes that have begun end with theirs. */
interface Generation {
  readonly server: Server;
  readonly sessions: SessionCache;
  /** Of everything but certificate and key: where it is the same, sessions may be resumed. */
  readonly trustKey: string;
}

/** What the listeners with TLS share: handshakes of 1.2 and 1.3, and who the client is. Does not listen: it is given sockets. */
export class TlsServer {
  readonly #base: SocketListener;
  readonly #onSecure: (socket: TLSSocket, peer: PeerInfo) => void;
  /** By the address and port of the other end. */
  readonly #handshakes = new Map<string, Handshake>();
  /** Addresses whose handshake ended in this turn of the event loop without having been told of. */
  readonly #closedInHandshake: string[] = [];
  #current: Generation | null = null;

  /** `onSecure` gets each connection whose handshake has succeeded, with who the client has proved to be. */
  constructor(base: SocketListener, onSecure: (socket: TLSSocket, peer: PeerInfo) => void) {
    this.#base = base;
    this.#onSecure = onSecure;
    base.handshakeCounts.push(() => this.#handshakes.size);
  }

  /** Reads the files. Rejects with `TLS_INVALID`, `CREDENTIALS_INVALID` or `FILE_UNREADABLE`. */
  async start(): Promise<void> {
    const prepared = await this.prepare(this.#base.config);
    for (const warning of prepared.warnings) this.#base.context.log.warning(warning);
    prepared.commit();
  }

  /** Reads what `config` names and tries it; nothing is changed before `commit`. Rejects as `start` does. */
  async prepare(config: ListenerConfig): Promise<PreparedReload> {
    const tls = await listenerTls(config, this.#base.title, this.#base.context.clock);
    const generation = this.#createGeneration(config, tls);
    return {
      warnings: tls.warnings,
      commit: () => {
        this.#current = generation;
      },
    };
  }

  /** Begins the handshake of a new connection, where it may come in. */
  begin(socket: Socket, peer: ProxiedPeer): void {
    if (!this.#base.admitsHandshake(socket, peer)) return;
    this.#watch(socket, peer);
    this.#current?.server.emit('connection', socket);
  }

  /** Ends the handshakes that are going on. */
  close(): void {
    for (const { socket } of this.#handshakes.values()) socket.destroy();
  }

  #createGeneration(config: ListenerConfig, tls: ListenerTls): Generation {
    const before = this.#current;
    const keepsSessions = before !== null && before.trustKey === tls.trustKey;
    const sessions = keepsSessions ? before.sessions : new SessionCache();
    const identity = new TlsIdentity(config, tls);
    const server = this.#createServer({
      ...tls.options,
      ...identity.options,
      handshakeTimeout: this.#base.context.handshakeTimeoutMs ?? defaultHandshakeTimeoutMs,
      sessionTimeout: sessionSeconds,
      // A session of one listener must not open another, whose rules may be stricter.
      sessionIdContext: createHash('sha256').update(config.name).digest('hex').slice(0, 32),
    });
    if (keepsSessions) server.setTicketKeys(before.server.getTicketKeys());
    server.on('secureConnection', (socket) => this.#onHandshake(socket, identity));
    server.on('tlsClientError', (error, socket) => this.#onFailure(error, socket));
    // Node's own server forgets session ids: without these two, an ESP8266 does a full handshake of seconds each time.
    // With keys shared beforehand there is nothing to save, and a session would not say whose key it was. TLS 1.3 goes
    // on with tickets alone, and without these two Node does a fifth less for each handshake.
    if (!identity.takesPsk && tls.options.minVersion !== 'TLSv1.3') {
      server.on('newSession', (id, data, done) => {
        sessions.set(id, data);
        done();
      });
      server.on('resumeSession', (id, done) => done(null, sessions.get(id)));
    }
    const { keyLog } = this.#base.context;
    if (keyLog !== undefined) server.on('keylog', (line) => keyLog(line));
    return { server, sessions, trustKey: tls.trustKey };
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

  #watch(socket: Socket, peer: ProxiedPeer): void {
    const key = socketKey(socket);
    const handshake = { socket, peer };
    this.#forget(key); // the end of one with the same port, in this very moment, is not told of yet
    this.#handshakes.set(key, handshake);
    this.#base.handshakeShares.take(peer.address);
    socket.once('close', () => {
      if (this.#handshakes.get(key) !== handshake) return;
      this.#forget(key);
      // A certificate that fails verification: the socket is closed first and the failure told right after, without
      // an address. This is the only place that still knows it.
      this.#closedInHandshake.push(peer.address);
      setImmediate(() => (this.#closedInHandshake.length = 0));
    });
  }

  #onHandshake(socket: TLSSocket, identity: TlsIdentity): void {
    const key = socketKey(socket);
    const peer = this.#forget(key);
    // Gone in the same moment.
    if (peer === undefined) {
      socket.destroy();
      return;
    }
    const proved = identity.of(socket, peer);
    if (typeof proved === 'string') this.#refuse(socket, proved, peer.address);
    else this.#onSecure(socket, proved);
  }

  #onFailure(error: Error, socket: TLSSocket): void {
    const key = socketKey(socket);
    const peer = socket.remoteAddress === undefined ? undefined : this.#forget(key);
    const timeoutMs = this.#base.context.handshakeTimeoutMs ?? defaultHandshakeTimeoutMs;
    // The error of the verification is set only where the client's certificate was looked at and found wanting.
    const reason = clientRejectionOf(error, socket.authorizationError ?? undefined, timeoutMs);
    this.#refuse(socket, reason, peer?.address ?? this.#closedInHandshake.shift());
  }

  /** The handshake is over, well or badly; `undefined` the second time. */
  #forget(key: string): ProxiedPeer | undefined {
    const handshake = this.#handshakes.get(key);
    if (handshake === undefined) return undefined;
    this.#handshakes.delete(key);
    this.#base.handshakeShares.release(handshake.peer.address);
    return handshake.peer;
  }

  #refuse(socket: TLSSocket, reason: string, address: string | undefined): void {
    this.#base.statistics.handshakeFailures += 1;
    this.#base.log.notice(`TLS handshake failed: ${reason}`, { peer: address });
    socket.on('error', () => {});
    socket.destroy();
  }
}

function socketKey(socket: Socket): string {
  return `${socket.remoteAddress} ${socket.remotePort}`;
}
