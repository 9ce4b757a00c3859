import type { Socket } from 'node:net';
import type { TLSSocket } from 'node:tls';
import type { PeerCertificate, PeerInfo } from '#base';

/** Who is at the other end; `null` when the peer has gone before it could be asked. */
export function peerOf(socket: Socket, certificate: PeerCertificate | null): PeerInfo | null {
  const { remoteAddress, remotePort } = socket;
  if (remoteAddress === undefined || remotePort === undefined) return null;
  return { address: plainAddress(remoteAddress), port: remotePort, certificate };
}

/** The verified certificate of a TLS peer; `null` when there is none, or none that may be trusted. */
export function certificateOf(socket: TLSSocket): PeerCertificate | null {
  if (!socket.authorized) return null;
  const certificate = socket.getPeerCertificate();
  // Typed as always there; a peer without a certificate gives an empty object, several names an array.
  const commonName: unknown = (certificate.subject as { CN?: unknown } | undefined)?.CN;
  const fingerprint: string | undefined = certificate.fingerprint256;
  // Which of several names would be the identity is anybody's guess: none.
  if (typeof commonName !== 'string' || commonName === '' || fingerprint === undefined) return null;
  return { commonName, fingerprint: fingerprint.replaceAll(':', '').toLowerCase() };
}

/** `::ffff:192.0.2.5`, as a dual-stack socket writes it, is `192.0.2.5`. */
export function plainAddress(address: string): string {
  return address.startsWith('::ffff:') && address.includes('.') ? address.slice(7) : address;
}
