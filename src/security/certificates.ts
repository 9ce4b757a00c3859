import { X509Certificate, randomBytes, webcrypto } from 'node:crypto';
import { isIP } from 'node:net';
import type * as x509 from '@peculiar/x509';
import { DavylampError, SystemClock, messageOf, type Clock } from '#base';

/** A certificate and its private key, as PEM text. The key is PKCS #8. */
export interface CertificateAndKey {
  readonly certificatePem: string;
  readonly keyPem: string;
}

export interface AuthorityOptions {
  readonly commonName: string;
  readonly days: number;
  readonly clock?: Clock;
}

export interface CertificateOptions {
  readonly authority: CertificateAndKey;
  readonly commonName: string;
  /** DNS names and IP addresses that the certificate is good for; a server needs one at least. */
  readonly hosts: readonly string[];
  readonly usage: 'server' | 'client' | 'both';
  readonly days: number;
  readonly clock?: Clock;
}

/** What a person wants to know of a certificate. */
export interface CertificateFacts {
  readonly commonName: string;
  /** Milliseconds since 1970. */
  readonly notAfter: number;
  /** SHA-256 of the certificate, hexadecimal, lower case, no colons. */
  readonly fingerprint: string;
  readonly isAuthority: boolean;
}

type Library = typeof x509;

const keyAlgorithm = { name: 'ECDSA', namedCurve: 'P-256' } as const;
const signingAlgorithm = { name: 'ECDSA', hash: 'SHA-256' } as const;
const serverAuth = '1.3.6.1.5.5.7.3.1';
const clientAuth = '1.3.6.1.5.5.7.3.2';
const hourMs = 3_600_000;
const dayMs = 86_400_000;

/** Makes a certificate authority (ECDSA P-256) that may sign end certificates, and no further authority. */
export async function createAuthority(options: AuthorityOptions): Promise<CertificateAndKey> {
  const library = await loadLibrary();
  const keys = await generateKeys();
  const name = nameOf(library, options.commonName);
  const certificate = await library.X509CertificateGenerator.create({
    ...validity(options),
    subject: name,
    issuer: name,
    publicKey: keys.publicKey,
    signingKey: keys.privateKey,
    extensions: [
      new library.BasicConstraintsExtension(true, 0, true),
      new library.KeyUsagesExtension(library.KeyUsageFlags.keyCertSign | library.KeyUsageFlags.cRLSign, true),
      await library.SubjectKeyIdentifierExtension.create(keys.publicKey),
    ],
  });
  return { certificatePem: pemText(certificate.toString('pem')), keyPem: await keyPemOf(keys.privateKey) };
}

/** Makes an end certificate (ECDSA P-256) for a server, a client or both. Throws `TLS_INVALID` for an unusable authority. */
export async function issueCertificate(options: CertificateOptions): Promise<CertificateAndKey> {
  const { hosts, usage } = options;
  if (usage !== 'client' && hosts.length === 0) {
    throw new DavylampError(
      'USAGE',
      `certificate ${options.commonName}: a server needs a host name or address; name one at least`,
    );
  }
  const library = await loadLibrary();
  const authority = await openAuthority(library, options.authority);
  const keys = await generateKeys();
  const usages = [...(usage === 'client' ? [] : [serverAuth]), ...(usage === 'server' ? [] : [clientAuth])];
  const certificate = await library.X509CertificateGenerator.create({
    ...validity(options),
    subject: nameOf(library, options.commonName),
    issuer: authority.certificate.subjectName,
    publicKey: keys.publicKey,
    signingKey: authority.key,
    extensions: [
      new library.BasicConstraintsExtension(false, undefined, true),
      new library.KeyUsagesExtension(library.KeyUsageFlags.digitalSignature, true),
      new library.ExtendedKeyUsageExtension(usages),
      await library.SubjectKeyIdentifierExtension.create(keys.publicKey),
      await library.AuthorityKeyIdentifierExtension.create(authority.certificate.publicKey),
      ...(hosts.length === 0 ? [] : [new library.SubjectAlternativeNameExtension(hosts.map(hostName))]),
    ],
  });
  return { certificatePem: pemText(certificate.toString('pem')), keyPem: await keyPemOf(keys.privateKey) };
}

/** Reads the first certificate of a PEM text. Throws `TLS_INVALID`. */
export function certificateFacts(pem: string): CertificateFacts {
  let certificate: X509Certificate;
  try {
    certificate = new X509Certificate(pem);
  } catch (error) {
    throw new DavylampError('TLS_INVALID', `not a certificate in PEM form (${messageOf(error)})`, {
      cause: error,
    });
  }
  // The legacy object has names as they are; the text form has them escaped.
  const name: unknown = certificate.toLegacyObject().subject.CN;
  return {
    commonName: typeof name === 'string' ? name : '',
    notAfter: certificate.validToDate.getTime(),
    fingerprint: certificate.fingerprint256.replaceAll(':', '').toLowerCase(),
    isAuthority: certificate.ca,
  };
}

/** Only whoever issues certificates pays for the library. */
async function loadLibrary(): Promise<Library> {
  await import('reflect-metadata');
  return import('@peculiar/x509');
}

function generateKeys(): Promise<webcrypto.CryptoKeyPair> {
  return webcrypto.subtle.generateKey(keyAlgorithm, true, ['sign', 'verify']);
}

/** Typed, so that no character of a name is taken for the syntax of names: the library reads quotes and `#` in texts. */
function nameOf(library: Library, commonName: string): x509.Name {
  return new library.Name([{ CN: [{ utf8String: commonName }] }]);
}

function hostName(host: string): { type: 'ip' | 'dns'; value: string } {
  return { type: isIP(host) === 0 ? 'dns' : 'ip', value: host };
}

function validity({
  days,
  clock = new SystemClock(),
}: {
  readonly days: number;
  readonly clock?: Clock;
}): Pick<x509.X509CertificateCreateParams, 'serialNumber' | 'notBefore' | 'notAfter'> & {
  readonly signingAlgorithm: typeof signingAlgorithm;
} {
  const serial = randomBytes(16);
  // The first bit of a serial number is its sign, and leading zeros are not written.
  serial[0] = ((serial[0] ?? 0) & 0x7f) | 0x40;
  return {
    serialNumber: serial.toString('hex'),
    // Clocks of small machines are often behind.
    notBefore: new Date(clock.now() - hourMs),
    notAfter: new Date(clock.now() + days * dayMs),
    signingAlgorithm,
  };
}

async function openAuthority(
  library: Library,
  authority: CertificateAndKey,
): Promise<{ certificate: InstanceType<Library['X509Certificate']>; key: webcrypto.CryptoKey }> {
  try {
    const certificate = new library.X509Certificate(authority.certificatePem);
    const [block] = library.PemConverter.decode(authority.keyPem);
    const key = await webcrypto.subtle.importKey('pkcs8', block as ArrayBuffer, keyAlgorithm, false, [
      'sign',
    ]);
    return { certificate, key };
  } catch (error) {
    throw new DavylampError(
      'TLS_INVALID',
      `the authority's certificate or key cannot be used (${messageOf(error)}); make a new one with davylamp certs`,
      { cause: error },
    );
  }
}

async function keyPemOf(key: webcrypto.CryptoKey): Promise<string> {
  const bytes = Buffer.from(await webcrypto.subtle.exportKey('pkcs8', key)).toString('base64');
  return `-----BEGIN PRIVATE KEY-----\n${bytes.replaceAll(/(.{64})/g, '$1\n').trimEnd()}\n-----END PRIVATE KEY-----\n`;
}

function pemText(pem: string): string {
  return `${pem.trim()}\n`;
}
