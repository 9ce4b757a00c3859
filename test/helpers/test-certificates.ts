import { execFile } from 'node:child_process';
import { X509Certificate } from 'node:crypto';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
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

  /** Another authority, whose certificate this one has signed. */
  async createBelow(name: string): Promise<TestAuthority> {
    const below = await TestAuthority.create(name);
    const file = (one: string): string => path.join(below.folder, one);
    const request = ['req', '-new', '-key', file('ca.key'), '-subj', `/CN=${name}`, '-out', file('ca.csr')];
    await run('openssl', request);
    await writeFile(file('ca.ext'), 'basicConstraints=critical,CA:TRUE');
    await this.#openssl('x509 -req -CA ca.pem -CAkey ca.key -CAcreateserial -days 2', [
      '-in',
      file('ca.csr'),
      '-extfile',
      file('ca.ext'),
      '-out',
      file('ca.pem'),
    ]);
    return below;
  }

  /** A certificate for `commonName`; `hosts` as in `DNS:localhost,IP:127.0.0.1` for a server. `days` < 0: expired. */
  async issue(
    commonName: string,
    hosts = '',
    days = 2,
    subject = `/CN=${commonName}`,
  ): Promise<TlsFilesConfig> {
    const base = `${commonName.replaceAll(/\W/g, '_')}${days < 0 ? '-expired' : ''}`;
    const file = (extension: string): string => path.join(this.folder, `${base}.${extension}`);
    const extensions =
      hosts === '' ? 'extendedKeyUsage=clientAuth' : `extendedKeyUsage=serverAuth\nsubjectAltName=${hosts}`;
    await writeFile(file('ext'), extensions);
    await this.#openssl('req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes', [
      '-utf8',
      '-multivalue-rdn',
      '-subj',
      subject,
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

  /** A list of withdrawn certificates in the file `name`; good for `days`, < 0: out of date. */
  async revoke(certificates: readonly TlsFilesConfig[], name = 'crl.pem', days = 2): Promise<string> {
    const rows = await Promise.all(
      certificates.map(async ({ certificateFile }) => {
        const { serialNumber } = new X509Certificate(await readFile(certificateFile ?? ''));
        return `R\t400101000000Z\t250101000000Z\t${serialNumber}\tunknown\t/CN=withdrawn\n`;
      }),
    );
    const base = name.replaceAll('.', '_');
    await writeFile(path.join(this.folder, `${base}.index`), rows.join(''));
    await writeFile(
      path.join(this.folder, `${base}.conf`),
      `[ca]\ndefault_ca=own\n[own]\ndatabase=${base}.index\ndefault_md=sha256\n`,
    );
    const dates =
      days < 0
        ? ['-crl_lastupdate', '20240101000000Z', '-crl_nextupdate', '20240102000000Z']
        : ['-crldays', `${days}`];
    const command = `ca -gencrl -config ${base}.conf -keyfile ca.key -cert ca.pem -out ${name}`;
    await this.#openssl(command, dates);
    return path.join(this.folder, name);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await rm(this.folder, { recursive: true, force: true });
  }

  async #openssl(words: string, rest: readonly string[]): Promise<void> {
    await run('openssl', [...words.split(' '), ...rest], { cwd: this.folder });
  }
}
