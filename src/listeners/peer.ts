import type { Socket } from 'node:net';
import type { TLSSocket } from 'node:tls';
import type { PeerCertificate, PeerInfo } from '#base';
import { subjectOf } from './certificate-subject.ts';

/** Who is at the other end; `null` when the peer has gone before it could be asked. */
export function peerOf(socket: Socket, certificate: PeerCertificate | null): PeerInfo | null {
  const { remoteAddress, remotePort } = socket;
  if (remoteAddress === undefined || remotePort === undefined) return null;
  return { address: plainAddress(remoteAddress), port: remotePort, certificate };
}

/** What of a certificate is the identity of its bearer. */
export type CertificateIdentity = 'common-name' | 'subject';

/** The certificate of a TLS peer, which somebody has verified; `null` when there is none, or none that names anybody. */
export function certificateOf(socket: TLSSocket, identity: CertificateIdentity): PeerCertificate | null {
  const certificate = socket.getPeerCertificate();
  // Typed as always there; a peer without a certificate gives an empty object, several names an array.
  const name: unknown = (certificate.subject as { CN?: unknown } | undefined)?.CN;
  const fingerprint256: string | undefined = certificate.fingerprint256;
  if (fingerprint256 === undefined) return null;
  // Which of several names would be the identity is anybody's guess: none.
  const commonName = typeof name === 'string' ? name : '';
  const fingerprint = fingerprint256.replaceAll(':', '').toLowerCase();
  if (identity === 'subject') {
    const whole = socket.getPeerX509Certificate();
    const subject = whole === undefined ? '' : subjectOf(whole);
    return subject === '' ? null : { commonName, fingerprint, subject };
  }
  return commonName === '' ? null : { commonName, fingerprint };
}

/** `::ffff:192.0.2.5`, as a dual-stack socket writes it, is `192.0.2.5`. */
export function plainAddress(address: string): string {
  return address.startsWith('::ffff:') && address.includes('.') ? address.slice(7) : address;
}
