import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import type { TlsFilesConfig } from '#config';

const run = promisify(execFile);

/** A certificate authority of a test, in a folder of its own, made by the `openssl` command. */
export class TestAuthority {
  readonly folder: string;
  readonly caFile: string;

  constructor(folder: string) {
    this.folder = folder;
    this.caFile = path.join(folder, 'ca.pem');
  }

  static async create(name = 'test authority'): Promise<TestAuthority> {
    const authority = new TestAuthority(await mkdtemp(path.join(os.tmpdir(), 'davylamp-tls-')));
    await authority.#openssl(
      'req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -keyout ca.key -out ca.pem',
      ['-subj', `/CN=${name}`],
    );
    return authority;
  }

  /** A certificate for `commonName`; `hosts` as in `DNS:localhost,IP:127.0.0.1` for a server. `days` < 0: expired. */
  async issue(commonName: string, hosts = '', days = 2): Promise<TlsFilesConfig> {
    const base = `${commonName.replaceAll(/\W/g, '_')}${days < 0 ? '-expired' : ''}`;
    const file = (extension: string): string => path.join(this.folder, `${base}.${extension}`);
    const extensions =
      hosts === '' ? 'extendedKeyUsage=clientAuth' : `extendedKeyUsage=serverAuth\nsubjectAltName=${hosts}`;
    await writeFile(file('ext'), extensions);
    await this.#openssl('req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes', [
      '-subj',
      `/CN=${commonName}`,
      '-keyout',
      file('key'),
      '-out',
      file('csr'),
    ]);
    await this.#openssl(`x509 -req -CA ca.pem -CAkey ca.key -CAcreateserial -days ${days}`, [
      '-in',
      file('csr'),
      '-extfile',
      file('ext'),
      '-out',
      file('pem'),
    ]);
    return { caFile: this.caFile, certificateFile: file('pem'), keyFile: file('key') };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await rm(this.folder, { recursive: true, force: true });
  }

  async #openssl(words: string, rest: readonly string[]): Promise<void> {
    await run('openssl', [...words.split(' '), ...rest], { cwd: this.folder });
  }
}
