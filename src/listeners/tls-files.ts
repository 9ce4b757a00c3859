import { createPrivateKey, X509Certificate, type KeyObject } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { DavylampError, messageOf, systemCodeOf } from '#base';
import type { TlsFilesConfig } from '#config';

/** What TLS needs from files, read and checked. */
export interface TlsMaterial {
  readonly ca: string | undefined;
  readonly cert: string | undefined;
  readonly key: string | undefined;
}

/**
 * Reads the TLS files of `owner` (`listener detectors`, `bridge cloud`) and checks that they fit together. Rejects with
 * `FILE_UNREADABLE` or `TLS_INVALID`, naming the file. No text of a key gets into a message.
 */
export async function readTlsFiles(files: TlsFilesConfig, owner: string): Promise<TlsMaterial> {
  const [ca, cert, key] = await Promise.all([
    readOptional(files.caFile, owner, 'CA file'),
    readOptional(files.certificateFile, owner, 'certificate file'),
    readOptional(files.keyFile, owner, 'key file'),
  ]);
  if (ca !== undefined) parseCertificates(ca, owner, 'CA file', files.caFile ?? '');
  if ((cert === undefined) !== (key === undefined)) {
    const [given, missing] = cert === undefined ? ['key', 'certificate'] : ['certificate', 'key'];
    throw new DavylampError(
      'TLS_INVALID',
      `${owner}: there is a ${given} file but no ${missing} file; name both`,
    );
  }
  if (cert !== undefined && key !== undefined) {
    const certificate = parseCertificates(cert, owner, 'certificate file', files.certificateFile ?? '');
    const privateKey = parseKey(key, owner, files.keyFile ?? '');
    if (!certificate.checkPrivateKey(privateKey)) {
      const message = `key file ${files.keyFile} does not belong to certificate file ${files.certificateFile}`;
      throw new DavylampError('TLS_INVALID', `${owner}: ${message}`);
    }
  }
  return { ca, cert, key };
}

async function readOptional(file: string | null, owner: string, what: string): Promise<string | undefined> {
  if (file === null) return undefined;
  try {
    return await readFile(file, 'utf8');
  } catch (error) {
    const reason = unreadableReasons.get(systemCodeOf(error) ?? '') ?? messageOf(error);
    throw new DavylampError('FILE_UNREADABLE', `${owner}: ${what} ${file}: ${reason}`, { cause: error });
  }
}

const unreadableReasons = new Map([
  ['ENOENT', 'there is no such file'],
  ['EACCES', 'it may not be read by this user'],
  ['EISDIR', 'it is a folder'],
]);

/** Checks all certificates of a PEM text and gives the first. */
function parseCertificates(text: string, owner: string, what: string, file: string): X509Certificate {
  const blocks = text.match(
    /-----BEGIN (?:TRUSTED )?CERTIFICATE-----[^-]+-----END (?:TRUSTED )?CERTIFICATE-----/g,
  );
  if (blocks === null) {
    throw new DavylampError('TLS_INVALID', `${owner}: ${what} ${file} holds no certificate in PEM form`);
  }
  try {
    return blocks.map((block) => new X509Certificate(block))[0]!;
  } catch (error) {
    throw new DavylampError('TLS_INVALID', `${owner}: ${what} ${file} holds a damaged certificate`, {
      cause: error,
    });
  }
}

function parseKey(text: string, owner: string, file: string): KeyObject {
  try {
    return createPrivateKey(text);
  } catch (error) {
    const isLocked = systemCodeOf(error) === 'ERR_MISSING_PASSPHRASE' || text.includes('ENCRYPTED');
    const why = isLocked
      ? 'is protected by a passphrase, which cannot be asked for'
      : 'holds no private key in PEM form';
    throw new DavylampError('TLS_INVALID', `${owner}: key file ${file} ${why}`);
  }
}
