import { createPrivateKey, X509Certificate, type KeyObject } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createSecureContext, type SecureContextOptions } from 'node:tls';
import { DavylampError, messageOf, systemCodeOf } from '#base';
import type { TlsFilesConfig } from '#config';
import { contentOf, elementsOf } from './der.ts';
import { revocationLists } from './revocation-lists.ts';

/** What TLS needs from files, read and checked. */
export interface TlsMaterial {
  /** Of CA file and CA folder, a certificate each; `undefined` = neither is named. */
  readonly ca: readonly string[] | undefined;
  readonly cert: string | undefined;
  readonly key: string | undefined;
  readonly crl: string | undefined;
  readonly dhparam: string | undefined;
  /** For the log: what is allowed and probably not meant. */
  readonly warnings: readonly string[];
}

const certificateBlock =
  /-----BEGIN (?:TRUSTED |X509 )?CERTIFICATE-----[^-]+-----END (?:TRUSTED |X509 )?CERTIFICATE-----/g;

/**
 * Reads the TLS files of `owner` (`listener detectors`, `bridge cloud`) and checks that they fit together. Rejects with
 * `FILE_UNREADABLE` or `TLS_INVALID`, naming the file. No text of a key gets into a message.
 */
export async function readTlsFiles(
  files: TlsFilesConfig,
  owner: string,
  nowMs = Date.now(),
): Promise<TlsMaterial> {
  const [ca, folder, cert, key, crl, dhparam] = await Promise.all([
    readOptional(files.caFile, owner, 'CA file'),
    readFolder(files.caFolder, owner),
    readOptional(files.certificateFile, owner, 'certificate file'),
    readOptional(files.keyFile, owner, 'key file'),
    readOptional(files.crlFile, owner, 'CRL file'),
    readOptional(files.dhParametersFile, owner, 'DH parameters file'),
  ]);
  const authorities = ca === undefined ? [] : certificatesOf(ca, owner, 'CA file', files.caFile ?? '');
  const warnings: string[] = [];
  if ((cert === undefined) !== (key === undefined)) {
    const [given, missing] = cert === undefined ? ['key', 'certificate'] : ['certificate', 'key'];
    throw new DavylampError(
      'TLS_INVALID',
      `${owner}: there is a ${given} file but no ${missing} file; name both`,
    );
  }
  if (cert !== undefined && key !== undefined) {
    const [first] = certificatesOf(cert, owner, 'certificate file', files.certificateFile ?? '');
    checkPair(new X509Certificate(first ?? ''), key, files, owner);
    warnings.push(...dateWarnings(new X509Certificate(first ?? ''), files, owner, nowMs));
  }
  if (crl !== undefined) checkCrl(crl, files.crlFile ?? '', owner);
  if (dhparam !== undefined) checkDhParameters(dhparam, files.dhParametersFile ?? '', owner);
  const all = [...new Set([...authorities, ...folder])];
  const hasAuthorities = ca !== undefined || files.caFolder !== undefined;
  return { ca: hasAuthorities ? all : undefined, cert, key, crl, dhparam, warnings };
}

/** Tries options with TLS itself. Throws `TLS_INVALID`, beginning with `what`. */
export function checkWithTls(options: SecureContextOptions, what: string): void {
  try {
    createSecureContext(options);
  } catch (error) {
    throw new DavylampError('TLS_INVALID', `${what}: ${opensslReason(error)}`, { cause: error });
  }
}

/** `error:0A0000B9:SSL routines::no cipher match` → `no cipher match`. */
function opensslReason(error: unknown): string {
  return messageOf(error).replace(/^error:[0-9A-F]+:[^:]*:[^:]*:/, '');
}

async function readOptional(
  file: string | null | undefined,
  owner: string,
  what: string,
): Promise<string | undefined> {
  if (file === null || file === undefined) return undefined;
  try {
    return await readFile(file, 'utf8');
  } catch (error) {
    throw unreadable(error, `${owner}: ${what} ${file}`);
  }
}

/** The certificates in the files of a folder; other files are left out, as OpenSSL does. */
async function readFolder(folder: string | undefined, owner: string): Promise<readonly string[]> {
  if (folder === undefined) return [];
  const what = `${owner}: CA folder ${folder}`;
  let entries;
  try {
    entries = await readdir(folder, { withFileTypes: true });
  } catch (error) {
    throw unreadable(error, what);
  }
  const names = entries
    .filter((entry) => !entry.isDirectory() && !entry.name.startsWith('.'))
    .map((entry) => entry.name);
  const certificates: string[] = [];
  for (const name of names.toSorted()) {
    const file = join(folder, name);
    const text = await readFile(file, 'utf8').catch((error: unknown) => {
      // A link to a folder is no certificate either.
      if (systemCodeOf(error) === 'EISDIR') return '';
      throw unreadable(error, `${what}: ${name}`);
    });
    if (text.match(certificateBlock) !== null)
      certificates.push(...certificatesOf(text, owner, 'CA file', file));
  }
  if (certificates.length === 0)
    throw new DavylampError('TLS_INVALID', `${what} holds no certificate in PEM form`);
  return certificates;
}

function unreadable(error: unknown, what: string): DavylampError {
  const reason = unreadableReasons.get(systemCodeOf(error) ?? '') ?? messageOf(error);
  return new DavylampError('FILE_UNREADABLE', `${what}: ${reason}`, { cause: error });
}

const unreadableReasons = new Map([
  ['ENOENT', 'there is no such file'],
  ['ENOTDIR', 'it is no folder'],
  ['EACCES', 'it may not be read by this user'],
  ['EISDIR', 'it is a folder'],
]);

/** All certificates of a PEM text, checked; one at least. */
function certificatesOf(text: string, owner: string, what: string, file: string): string[] {
  const blocks = text.match(certificateBlock);
  if (blocks === null) {
    throw new DavylampError('TLS_INVALID', `${owner}: ${what} ${file} holds no certificate in PEM form`);
  }
  try {
    return blocks.filter((block) => new X509Certificate(block).raw.length > 0);
  } catch (error) {
    throw new DavylampError('TLS_INVALID', `${owner}: ${what} ${file} holds a damaged certificate`, {
      cause: error,
    });
  }
}

function checkPair(certificate: X509Certificate, key: string, files: TlsFilesConfig, owner: string): void {
  if (certificate.checkPrivateKey(parseKey(key, owner, files.keyFile ?? ''))) return;
  const message = `key file ${files.keyFile} does not belong to certificate file ${files.certificateFile}`;
  throw new DavylampError('TLS_INVALID', `${owner}: ${message}`);
}

/** The other side will refuse it, and will not say why to us. */
function dateWarnings(
  certificate: X509Certificate,
  files: TlsFilesConfig,
  owner: string,
  nowMs: number,
): string[] {
  const file = `${owner}: certificate file ${files.certificateFile}`;
  if (certificate.validToDate.getTime() < nowMs)
    return [`${file} expired on ${certificate.validToDate.toISOString()}; renew it`];
  if (certificate.validFromDate.getTime() > nowMs)
    return [`${file} is not valid before ${certificate.validFromDate.toISOString()}; is the clock right?`];
  return [];
}

function checkCrl(text: string, file: string, owner: string): void {
  try {
    revocationLists(text);
  } catch (error) {
    const message = `${owner}: CRL file ${file} ${messageOf(error)}`;
    throw new DavylampError('TLS_INVALID', message, { cause: error });
  }
}

/** TLS passes over what it cannot read, and refuses primes below 1024 bits. */
function checkDhParameters(text: string, file: string, owner: string): void {
  const what = `${owner}: DH parameters file ${file}`;
  const block = /-----BEGIN (?:X9\.42 )?DH PARAMETERS-----([^-]+)-----END/.exec(text);
  const [sequence] = elementsOf(Buffer.from(block?.[1] ?? '', 'base64'));
  const [prime, generator] = elementsOf(contentOf(sequence));
  if (prime?.[0] !== 2 || generator?.[0] !== 2)
    throw new DavylampError('TLS_INVALID', `${what} holds no DH parameters in PEM form`);
  if (contentOf(prime).length < 128)
    throw new DavylampError('TLS_INVALID', `${what}: the prime is shorter than 1024 bits; make one of 2048`);
  checkWithTls({ dhparam: text }, what);
}

function parseKey(text: string, owner: string, file: string): KeyObject {
  try {
    return createPrivateKey(text);
  } catch (error) {
    const isLocked = systemCodeOf(error) === 'ERR_MISSING_PASSPHRASE' || text.includes('ENCRYPTED');
    const why = isLocked
      ? 'is protected by a passphrase, which cannot be asked for; write it without one (openssl pkey)'
      : 'holds no private key in PEM form';
    throw new DavylampError('TLS_INVALID', `${owner}: key file ${file} ${why}`);
  }
}
