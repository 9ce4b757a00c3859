import { mkdtemp, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { after } from 'node:test';
import type { ListenerConfig, TlsFilesConfig } from '#config';
import { TestAuthority } from './test-certificates.ts';

/** Who takes part in the TLS tests of a file, and a folder for more of their files. */
export interface TlsParties {
  readonly authority: TestAuthority;
  /** An authority that nobody trusts. */
  readonly stranger: TestAuthority;
  readonly server: TlsFilesConfig;
  readonly detector: TlsFilesConfig;
  readonly folder: string;
  /** A listener with the certificate of `server`. */
  readonly secure: (tls?: Partial<TlsFilesConfig>) => Partial<ListenerConfig>;
  /** The same, and it asks for a certificate. */
  readonly mutual: (tls?: Partial<TlsFilesConfig>) => Partial<ListenerConfig>;
}

/** Makes them before the first test of the file, and removes them after its last. */
export async function tlsParties(): Promise<TlsParties> {
  const folder = await mkdtemp(path.join(os.tmpdir(), 'davylamp-listeners-'));
  const [authority, stranger] = await Promise.all([TestAuthority.create(), TestAuthority.create('stranger')]);
  after(async () => {
    await authority[Symbol.asyncDispose]();
    await stranger[Symbol.asyncDispose]();
    await rm(folder, { recursive: true, force: true });
  });
  const server = await authority.issue('broker', 'DNS:localhost,IP:127.0.0.1');
  const detector = await authority.issue('detector-1');
  const secure: TlsParties['secure'] = (tls = {}) => ({ protocol: 'tls', tls: { ...server, ...tls } });
  const mutual: TlsParties['mutual'] = (tls) => ({ ...secure(tls), requireCertificate: true });
  return { authority, stranger, server, detector, folder, secure, mutual };
}
