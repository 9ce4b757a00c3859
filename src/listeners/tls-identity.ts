import { constants } from 'node:crypto';
import type { TlsOptions, TLSSocket } from 'node:tls';
import type { PeerInfo } from '#base';
import type { ListenerConfig } from '#config';
import type { ClientVerifier } from './client-verifier.ts';
import { certificateOf, type CertificateIdentity } from './peer.ts';
import type { ProxiedPeer } from './proxy-stage.ts';
import type { PskKeys } from './psk-file.ts';
import type { ListenerTls } from './tls-options.ts';

/** Who a client has proved to be in its TLS handshake: by a certificate, or by a key that was shared beforehand. */
export class TlsIdentity {
  readonly #requiresCertificate: boolean;
  readonly #identity: CertificateIdentity;
  readonly #keys: PskKeys | null;
  readonly #hint: string | undefined;
  readonly #verifier: ClientVerifier | null;
  /** What clients have said; proved only when the handshake is over. */
  readonly #claims = new WeakMap<TLSSocket, string>();

  constructor(config: ListenerConfig, { pskKeys, verifier }: ListenerTls) {
    this.#requiresCertificate = config.requireCertificate;
    this.#identity = config.certificateIdentity ?? 'common-name';
    this.#keys = pskKeys;
    this.#hint = config.pskHint;
    this.#verifier = verifier;
  }

  get takesPsk(): boolean {
    return this.#keys !== null;
  }

  /** What the server needs for it. */
  get options(): TlsOptions {
    const keys = this.#keys;
    if (keys === null) return {};
    return {
      pskCallback: (socket, identity) => {
        const key = keys.get(identity) ?? null;
        if (key !== null) this.#claims.set(socket, identity);
        return key;
      },
      ...(this.#hint === undefined ? {} : { pskIdentityHint: this.#hint }),
      // A ticket is a key shared beforehand too, and would hide whose.
      secureOptions: constants.SSL_OP_NO_TICKET,
    };
  }

  /** After the handshake: the peer with what it has proved; a text says why it may not come in. */
  of(socket: TLSSocket, peer: ProxiedPeer): PeerInfo | string {
    const claim = this.#claims.get(socket);
    if (claim !== undefined && hasProvedKey(socket)) return { ...peer, pskIdentity: claim };
    const fault = this.#certificateFault(socket);
    if (fault !== null && this.#requiresCertificate) return fault;
    const certificate = fault === null ? certificateOf(socket, this.#identity) : null;
    // TLS that ends at the proxy names the client; the certificate seen here is then the proxy's own.
    return peer.isTlsAtProxy === true ? peer : { ...peer, certificate };
  }

  /** Where a certificate is required TLS has turned away who has none, or one that is not trusted. */
  #certificateFault(socket: TLSSocket): string | null {
    // Typed as always there.
    const certificate = socket.getPeerX509Certificate();
    if (certificate === undefined) return this.#keys === null ? 'client certificate is missing' : null;
    if (this.#verifier !== null) return this.#verifier.faultOf(socket, certificate);
    return socket.authorized ? null : 'client certificate is not trusted';
  }
}

/**
 * A client may name an identity and then go on with the server's certificate, so the name alone is no proof. In TLS 1.2
 * the cipher says how the keys were made; in TLS 1.3 a shared key is a resumption, and there is no other one here.
 */
function hasProvedKey(socket: TLSSocket): boolean {
  if (socket.getProtocol() === 'TLSv1.3') return socket.isSessionReused();
  return /(?:^|-)PSK-/.test(socket.getCipher().name);
}
