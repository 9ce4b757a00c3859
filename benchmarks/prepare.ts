import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import process from 'node:process';
import { createAuthority, issueCertificate } from '#security';
import type { RunContext } from './bench.ts';

const debianPackages = [
  { name: 'gcc', file: '/usr/bin/cc' },
  { name: 'libc6-dev', file: '/usr/include/stdio.h' },
  { name: 'libssl-dev', file: '/usr/include/openssl/ssl.h' },
  { name: 'mosquitto', file: '/usr/sbin/mosquitto' },
];
const competitors = path.join(import.meta.dirname, 'competitors');

/** Installs what is missing where that is allowed (root on Debian; npm), and says what it could not. */
export function installMissing(): void {
  const missing = debianPackages.filter(({ file }) => !existsSync(file)).map(({ name }) => name);
  if (missing.length > 0) installFromDebian(missing);
  if (!existsSync(path.join(competitors, 'node_modules', 'aedes'))) installCompetitors();
}

function installFromDebian(missing: readonly string[]): void {
  const isDebian = existsSync('/etc/debian_version');
  if (!isDebian || process.getuid?.() !== 0) {
    const why = isDebian ? 'only root may install them' : 'this is not Debian';
    console.error(`not installed: ${missing.join(', ')} (${why}); what needs them is left out`);
    return;
  }
  console.error(`installing ${missing.join(', ')} …`);
  const apt = (...args: readonly string[]): boolean =>
    spawnSync('apt-get', ['-qq', ...args], {
      stdio: ['ignore', 'ignore', 'inherit'],
      env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' },
    }).status === 0;
  if (!apt('update') || !apt('install', '-y', '--no-install-recommends', ...missing))
    console.error(`apt-get could not install ${missing.join(', ')}; what needs them is left out`);
}

function installCompetitors(): void {
  console.error('installing aedes …');
  const args = ['ci', '--prefix', competitors, '--no-audit', '--no-fund', '--loglevel=error'];
  const { status } = spawnSync('npm', args, { stdio: ['ignore', 'ignore', 'inherit'] });
  if (status !== 0) console.error("aedes is left out: 'npm ci' in benchmarks/competitors failed");
}

/** A folder for this run with the certificates of its TLS doors. The caller removes it. */
export async function prepareRun(mqload: string, seconds: number): Promise<RunContext> {
  const folder = mkdtempSync(path.join(tmpdir(), 'davylamp-bench-'));
  const authority = await createAuthority({ commonName: 'benchmark', days: 2 });
  const server = await issueCertificate({
    authority,
    commonName: 'benchmark broker',
    hosts: ['127.0.0.1', 'localhost'],
    usage: 'server',
    days: 2,
  });
  const write = (name: string, text: string): string => {
    const file = path.join(folder, name);
    writeFileSync(file, text, { mode: 0o600 });
    return file;
  };
  return {
    mqload,
    seconds,
    folder,
    authorityFile: write('authority.pem', authority.certificatePem),
    certificateFile: write('broker.pem', server.certificatePem),
    keyFile: write('broker-key.pem', server.keyPem),
  };
}
