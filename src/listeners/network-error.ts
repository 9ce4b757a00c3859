import { DavylampError, messageOf, systemCodeOf } from '#base';

/** Alerts with which a TLS server turns our certificate down (RFC 8446, 6.2), as OpenSSL names them. */
const certificateAlerts =
  /ALERT_(CERTIFICATE_REQUIRED|BAD_CERTIFICATE|UNKNOWN_CA|CERTIFICATE_UNKNOWN|CERTIFICATE_EXPIRED|CERTIFICATE_REVOKED|UNSUPPORTED_CERTIFICATE|ACCESS_DENIED|DECRYPT_ERROR|HANDSHAKE_FAILURE)/;

const unknownAuthority = new Set([
  'DEPTH_ZERO_SELF_SIGNED_CERT',
  'SELF_SIGNED_CERT_IN_CHAIN',
  'UNABLE_TO_GET_ISSUER_CERT',
  'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
  'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
  'CERT_SIGNATURE_FAILURE',
]);

const plainReasons = new Map([
  ['ECONNREFUSED', 'connection refused; is a broker running there?'],
  ['ENOTFOUND', 'the host name is not known; check its spelling and the name service'],
  ['EAI_AGAIN', 'the name service does not answer; is the network up?'],
  ['EHOSTUNREACH', 'the host cannot be reached; is the network up?'],
  ['ENETUNREACH', 'the network cannot be reached; is it up?'],
  ['ETIMEDOUT', 'no answer; is the host up and does a firewall let us through?'],
  ['ECONNRESET', 'the connection was reset by the other side'],
  ['EPIPE', 'the connection was closed by the other side'],
  ['ENOENT', 'there is no such socket; is the broker running?'],
  ['EACCES', 'access is denied; check who owns the socket file'],
  ['EADDRNOTAVAIL', 'the address to connect from is not one of this machine'],
]);

/** A failed verification of the server or an alert about our certificate, in plain words; else `undefined`. */
function tlsReasonOf(error: unknown, host: string): string | undefined {
  const code = systemCodeOf(error) ?? '';
  if (code === 'ERR_TLS_CERT_ALTNAME_INVALID') return `the server's certificate does not name ${host}`;
  if (unknownAuthority.has(code))
    return "the server's certificate is not signed by our CA; check the CA file";
  if (code === 'CERT_HAS_EXPIRED') return "the server's certificate has expired";
  if (code === 'CERT_NOT_YET_VALID') return "the server's certificate is not valid yet; is the clock right?";
  if (certificateAlerts.test(code)) return 'our certificate was refused; check the certificate and key files';
  if (code === 'ERR_SSL_WRONG_VERSION_NUMBER' || code === 'ERR_SSL_PACKET_LENGTH_TOO_LONG') {
    return 'the other side does not speak TLS; check the port';
  }
  return undefined;
}

/** An alert that comes after the handshake, as TLS 1.3 does for our certificate; else `undefined`. */
export function tlsErrorOf(error: unknown): DavylampError | undefined {
  if (!certificateAlerts.test(systemCodeOf(error) ?? '')) return undefined;
  const message = 'our certificate was refused; check the certificate and key files';
  return new DavylampError('TLS_INVALID', message, { cause: error });
}

/** Why a connection could not be opened, in plain words. */
export function dialErrorOf(error: unknown, target: string, host: string): DavylampError {
  if (error instanceof DavylampError) return error;
  const tlsReason = tlsReasonOf(error, host);
  if (tlsReason !== undefined)
    return new DavylampError('TLS_INVALID', `${target}: ${tlsReason}`, { cause: error });
  const code = systemCodeOf(error) ?? '';
  const reason = plainReasons.get(code) ?? messageOf(error);
  return new DavylampError('CONNECT_FAILED', `${target}: ${reason}`, { cause: error });
}

const clientReasons = new Map([
  ['ERR_SSL_UNSUPPORTED_PROTOCOL', 'the client speaks no version of TLS that is allowed here'],
  ['ERR_SSL_NO_SHARED_CIPHER', 'the client shares no cipher with us'],
  [
    'ERR_SSL_NO_APPLICATION_PROTOCOL',
    'the client offers no application protocol (ALPN) that is allowed here',
  ],
  ['ERR_SSL_PSK_IDENTITY_NOT_FOUND', 'the PSK identity is not known'],
  [
    'ERR_SSL_DECRYPTION_FAILED_OR_BAD_RECORD_MAC',
    'the client has another key than we, or what it sent was changed',
  ],
  ['ERR_SSL_BINDER_DOES_NOT_VERIFY', 'the PSK key is wrong'],
  ['ECONNRESET', 'the client closed the connection during the handshake'],
]);

/** Why a TLS client was turned away, in plain words. `authorizationError`: what the verification of its certificate said. */
export function clientRejectionOf(error: unknown, authorizationError: unknown, timeoutMs: number): string {
  const code = systemCodeOf(error) ?? '';
  const verification =
    typeof authorizationError === 'string' ? authorizationError : systemCodeOf(authorizationError);
  if (code === 'ERR_SSL_PEER_DID_NOT_RETURN_A_CERTIFICATE') return 'client certificate is missing';
  if (verification !== undefined) {
    if (unknownAuthority.has(verification)) return 'client certificate is signed by an unknown authority';
    if (verification === 'CERT_HAS_EXPIRED') return 'client certificate has expired';
    if (verification === 'CERT_NOT_YET_VALID') return 'client certificate is not valid yet';
    return `client certificate is refused: ${verification}`;
  }
  if (code === 'ERR_SSL_HTTP_REQUEST' || code === 'ERR_SSL_WRONG_VERSION_NUMBER')
    return 'the client does not speak TLS';
  if (code === 'ERR_TLS_HANDSHAKE_TIMEOUT') return `the handshake took longer than ${timeoutMs / 1000} s`;
  const reason = clientReasons.get(code);
  if (reason !== undefined) return reason;
  if (/ALERT_(UNKNOWN_CA|CERTIFICATE_UNKNOWN|BAD_CERTIFICATE)/.test(code))
    return 'the client does not trust our certificate';
  return messageOf(error);
}

/** What the system says of an address that it does not have, or of a version of IP that is switched off. */
const missingAddress = new Set(['EADDRNOTAVAIL', 'EAFNOSUPPORT']);

/** Whether a listener could not open because this machine does not have its address. */
export function isAddressMissing(error: unknown): boolean {
  const code = systemCodeOf(error instanceof DavylampError ? error.cause : error) ?? '';
  return missingAddress.has(code);
}
