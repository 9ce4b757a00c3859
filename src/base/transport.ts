/**
 * A stream of bytes to a peer, whatever carries it: TCP, TLS, a Unix socket, or memory. The broker and the client know
 * only this; level 3 (`listeners`) makes it from sockets.
 */
export interface Transport {
  readonly peer: PeerInfo;
  /** Set by the owner before the first byte can arrive. */
  handler: TransportHandler;
  /**
   * Queues `bytes` for sending as one piece; they must not change until `onSent` of that write.
   * Callers gather what a tick produces and call this once: a write costs about 4 µs, whatever its size.
   */
  write(bytes: Uint8Array): void;
  /** As `write` of one piece after the other, but with one call of the system where that can be. Absent = it cannot. */
  writeAll?(pieces: readonly Uint8Array[]): void;
  /** Bytes handed to `write` that the system has not taken yet. */
  readonly pendingBytes: number;
  /** Stops and restarts reading. While paused the peer's sending is slowed by TCP itself. */
  pause(): void;
  resume(): void;
  /**
   * Bounds what may be gathered of a message before it is handed on. Only transports of messages (WebSocket) gather and
   * have this; a message that is larger ends them.
   */
  gatherUpTo?(bytes: number): void;
  /** Bytes of such a message that have come. */
  readonly gatheredBytes?: number;
  /** Memory that what is pending takes where the process does not count it: of TLS, as much again. Absent = none. */
  readonly uncountedBytes?: number;
  /** Sends what is pending, then closes. Destroys after a short time if the peer does not take it. */
  end(): void;
  /**
   * The peer has said that it leaves, so nobody waits for our end: closes at once where nothing is pending. Else, and
   * where it is absent, `end` is due.
   */
  hangUp?(): void;
  /** Closes at once and forgets what is pending. */
  destroy(): void;
}

export interface TransportHandler {
  /**
   * It looks at `pendingBytes` after each write, so it need not be told what it saw: `onDrain` may be left out for a
   * write that the system took at once. Absent = every write is followed by `onDrain`.
   */
  readonly looksAfterWrite?: boolean;
  /** A view of the transport's buffer: valid only during the call. Whoever keeps bytes copies them. */
  onBytes(chunk: Buffer): void;
  /** So many bytes have come and are kept by the transport until their message is whole. */
  onGathering?(bytes: number): void;
  /** All writes so far have been taken by the system: `pendingBytes` is 0 again. */
  onDrain(): void;
  /** The transport is gone. Called once; nothing follows. `error` is `undefined` for an orderly end. */
  onClose(error: Error | undefined): void;
}

/** What is known about the peer before it says anything. */
export interface PeerInfo {
  /** Address without port, e.g. `192.0.2.5`; `local` for Unix sockets and memory. Behind a proxy: the client's, not the proxy's. */
  readonly address: string;
  readonly port: number;
  /** TLS: the verified client certificate; `null` without TLS or certificate. */
  readonly certificate: PeerCertificate | null;
  /** TLS-PSK: the identity whose key the client has proved to know. */
  readonly pskIdentity?: string;
  /** Where the client came by way of a proxy that says so (PROXY protocol): the proxy's address. */
  readonly proxyAddress?: string;
}

export interface PeerCertificate {
  /** Common name of the subject: the identity. Empty where it has none, or several. */
  readonly commonName: string;
  /** SHA-256 of the certificate, hexadecimal, lower case, no colons. Empty where only a proxy has seen the certificate. */
  readonly fingerprint: string;
  /** The whole subject (RFC 2253, as OpenSSL prints it: `CN=tank-7,O=Example`), where the listener makes it the identity. */
  readonly subject?: string;
}

/** Opens a transport to one fixed destination. Rejects with `CONNECT_FAILED` or `TLS_INVALID`. */
export interface Dialer {
  /** For people: `mqtts://relay.example:8883`. Holds no secret. */
  readonly target: string;
  dial(handler: TransportHandler, signal: AbortSignal): Promise<Transport>;
}
