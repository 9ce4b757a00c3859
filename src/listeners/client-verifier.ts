import { X509Certificate } from 'node:crypto';
import type { TLSSocket } from 'node:tls';
import type { Clock } from '#base';
import { pathLength } from './certificate-fields.ts';
import { revocationLists, type RevocationLists, type RevocationStatus } from './revocation-lists.ts';
import type { TlsMaterial } from './tls-files.ts';

/** What OpenSSL says where nothing else is wrong, and perhaps where something is: the date is looked at last. */
const dateFaults = new Set(['CERT_HAS_EXPIRED', 'CERT_NOT_YET_VALID']);

/** Authorities between a client's certificate and a trusted one, at most. */
const maximumDepth = 8;

/** A resumed session has the client's certificate and not its chain: the verdict is remembered, for so many and so long. */
const maximumRemembered = 4096;
const rememberedMs = 7_200_000;

const clientAuthentication = '1.3.6.1.5.5.7.3.2';

const statusReasons: Readonly<Record<Exclude<RevocationStatus, 'good'>, string>> = {
  withdrawn: 'client certificate is withdrawn',
  unknown: 'the CRL file has no list of the authority of the client certificate',
  outdated: 'the CRL file is out of date; renew it',
};

const untrusted = 'client certificate is not signed by a trusted authority or is for another use';

/**
 * What is asked of clients' certificates beyond what Node lets OpenSSL check. OpenSSL comes first in any case.
 *
 *   withdrawn   Node would want a list of every authority up to the root; here, as in Mosquitto, the client's own
 *               authority must have one, and others are looked at where they have
 *   dates       can be passed over. What OpenSSL says of a date may hide another fault, so everything else is checked
 *               again: each signature up to a trusted root, the right to sign, the length of the path, the use
 */
export class ClientVerifier {
  readonly #clock: Clock;
  readonly #ignoresDates: boolean;
  readonly #trusted: readonly X509Certificate[];
  readonly #lists: RevocationLists | null;
  /** Fingerprint → when it was found good. */
  readonly #good = new Map<string, number>();

  /** Throws what `revocationLists` does. */
  constructor(
    material: Pick<TlsMaterial, 'ca' | 'crl'>,
    options: { readonly ignoresDates: boolean; readonly clock: Clock },
  ) {
    this.#clock = options.clock;
    this.#ignoresDates = options.ignoresDates;
    this.#trusted = (material.ca ?? []).map((pem) => new X509Certificate(pem));
    this.#lists = material.crl === undefined ? null : revocationLists(material.crl);
  }

  /** Why the peer's certificate, `leaf`, does not count; `null` = it does. */
  faultOf(socket: TLSSocket, leaf: X509Certificate): string | null {
    const isDate = this.#ignoresDates && dateFaults.has(String(socket.authorizationError));
    if (!socket.authorized && !isDate) return untrusted;
    const nowMs = this.#clock.now();
    const foundAt = this.#good.get(leaf.fingerprint256);
    if (foundAt !== undefined && nowMs - foundAt < rememberedMs) return null;
    const fault = this.#tryChain(leaf, { isTrusted: socket.authorized, nowMs });
    if (fault !== null) return fault;
    if (this.#good.size >= maximumRemembered) this.#good.clear();
    this.#good.set(leaf.fingerprint256, nowMs);
    return null;
  }

  /** Authorities that a client brings along may hold keys that cannot even be tried. */
  #tryChain(
    leaf: X509Certificate,
    how: { readonly isTrusted: boolean; readonly nowMs: number },
  ): string | null {
    try {
      return this.#chainFault(leaf, how);
    } catch {
      return untrusted;
    }
  }

  /** `isTrusted`: OpenSSL has found nothing wrong; what is left are the lists. */
  #chainFault(
    leaf: X509Certificate,
    { isTrusted, nowMs }: { readonly isTrusted: boolean; readonly nowMs: number },
  ): string | null {
    const chain = chainOf(leaf);
    let subject = leaf;
    if (!isTrusted && !isForClients(subject)) return untrusted;
    for (let depth = 0; depth <= maximumDepth; depth++) {
      if (subject.checkIssued(subject)) {
        const root = subject;
        return this.#trusted.some((one) => one.raw.equals(root.raw)) ? null : untrusted;
      }
      const issuer = this.#issuerOf(subject, chain);
      if (issuer === undefined || (!isTrusted && !maySign(issuer, depth))) return untrusted;
      const fault = this.#revocationFault(subject, issuer, { isLeaf: depth === 0, nowMs });
      if (fault !== null) return fault;
      subject = issuer;
    }
    return untrusted;
  }

  /** One that is trusted, or one that the client has sent along. */
  #issuerOf(subject: X509Certificate, chain: readonly X509Certificate[]): X509Certificate | undefined {
    const hasSigned = (one: X509Certificate): boolean =>
      one !== subject && subject.checkIssued(one) && subject.verify(one.publicKey);
    return this.#trusted.find(hasSigned) ?? chain.find(hasSigned);
  }

  #revocationFault(
    subject: X509Certificate,
    issuer: X509Certificate,
    { isLeaf, nowMs }: { readonly isLeaf: boolean; readonly nowMs: number },
  ): string | null {
    if (this.#lists === null) return null;
    const status = this.#lists.statusOf(subject, issuer, this.#ignoresDates ? null : nowMs);
    if (status === 'good' || (status === 'unknown' && !isLeaf)) return null;
    return statusReasons[status];
  }
}

function isForClients(certificate: X509Certificate): boolean {
  // Typed as always there; Node gives the extended uses.
  const uses = certificate.keyUsage as readonly string[] | undefined;
  return uses === undefined || uses.includes(clientAuthentication);
}

/** An authority may say how many others may stand below it. */
function maySign(issuer: X509Certificate, below: number): boolean {
  return issuer.ca && below <= (pathLength(issuer) ?? Infinity);
}

/** The authorities that the client has sent along with its certificate. */
function chainOf(leaf: X509Certificate): X509Certificate[] {
  const chain: X509Certificate[] = [];
  for (let next = leaf.issuerCertificate; next !== undefined; next = next.issuerCertificate) {
    chain.push(next);
    if (chain.length >= maximumDepth) break;
  }
  return chain;
}
