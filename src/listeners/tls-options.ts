import { createHash } from 'node:crypto';
import type { TlsOptions } from 'node:tls';
import { DavylampError, type Clock } from '#base';
import type { ListenerConfig } from '#config';
import { ClientVerifier } from './client-verifier.ts';
import type { PskKeys } from './psk-file.ts';
import { readPskFile } from './read-psk-file.ts';
import { readTlsFiles } from './tls-files.ts';
import { secureSettings } from './tls-settings.ts';

/** What a listener with TLS is made of, read and checked. */
export interface ListenerTls {
  readonly options: TlsOptions;
  /** `null` where keys that are shared beforehand are not taken. */
  readonly pskKeys: PskKeys | null;
  /** Where withdrawn certificates do not come in, or expired ones do. */
  readonly verifier: ClientVerifier | null;
  /** Changes with everything but certificate and key. */
  readonly trustKey: string;
  readonly warnings: readonly string[];
}

/** Whether clients are asked for certificates. */
function asksForCertificate(config: ListenerConfig): boolean {
  return (
    config.requireCertificate || config.identityFromCertificate || config.certificateIdentity !== undefined
  );
}

/** Reads the files of a listener. Rejects with `TLS_INVALID`, `CREDENTIALS_INVALID` or `FILE_UNREADABLE`. */
export async function listenerTls(config: ListenerConfig, owner: string, clock: Clock): Promise<ListenerTls> {
  const { tls, requireCertificate } = config;
  const { pskFile } = config;
  const withPsk = pskFile !== undefined;
  if (tls === null || (!withPsk && (tls.certificateFile === null || tls.keyFile === null))) {
    throw new DavylampError('TLS_INVALID', `${owner}: TLS needs a certificate file and a key file`);
  }
  const material = await readTlsFiles(tls, owner);
  const psk = withPsk ? await readPskFile(pskFile, owner) : null;
  const asks = asksForCertificate(config) && material.cert !== undefined;
  if (asks && material.ca === undefined) {
    const why = 'client certificates need a CA file to check them against';
    throw new DavylampError('TLS_INVALID', `${owner}: ${why}`);
  }
  const settings = secureSettings(tls, material, { owner, withPsk });
  const ignoresDates = tls.ignoresDates === true;
  const isVerified = asks && (ignoresDates || material.crl !== undefined);
  const verifier = isVerified ? new ClientVerifier(material, { ignoresDates, clock }) : null;
  const rules = {
    honorCipherOrder: true,
    requestCert: asks,
    rejectUnauthorized: requireCertificate && !ignoresDates,
    ...(tls.alpn === undefined || tls.alpn.length === 0 ? {} : { ALPNProtocols: [...tls.alpn] }),
  };
  const { cert: _cert, key: _key, ...trust } = settings;
  return {
    options: { ...settings, ...rules },
    pskKeys: psk?.keys ?? null,
    verifier,
    trustKey: digest([
      trust,
      rules,
      requireCertificate,
      ignoresDates,
      material.crl ?? null,
      psk?.text ?? null,
    ]),
    warnings: [...material.warnings, ...(psk?.warnings ?? [])],
  };
}

function digest(value: unknown): string {
  return createHash('sha256').update(JSON.stringify(value)).digest('hex');
}
