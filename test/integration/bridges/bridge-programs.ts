import assert from 'node:assert/strict';
import type { TlsFilesConfig } from '#config';
import { eventually, runProgram } from '../../helpers/demo-process.ts';
import type { TestAuthority } from '../../helpers/test-certificates.ts';

/** Names under which a broker of these tests is reached. */
export const serverNames = 'DNS:localhost,IP:127.0.0.1';

/** How a program of Mosquitto's signs in with a certificate of this authority. */
export function tlsWords(files: TlsFilesConfig): string[] {
  return [
    '-h',
    'localhost',
    '--cafile',
    files.caFile,
    '--cert',
    files.certificateFile,
    '--key',
    files.keyFile,
  ].map(String);
}

/** One message by mosquitto_pub; fails when the broker did not take it. */
export async function publish(...args: readonly string[]): Promise<void> {
  const { code, stderr } = await runProgram('mosquitto_pub', args);
  assert.equal(code, 0, stderr);
}

/** A TLS listener of a mosquitto.conf that asks for certificates of `authority` and takes their name for the user's. */
export function mutualConf(port: number, authority: TestAuthority, server: TlsFilesConfig): string {
  return [
    `listener ${port} 127.0.0.1`,
    `cafile ${authority.caFile}`,
    `certfile ${server.certificateFile}`,
    `keyfile ${server.keyFile}`,
    'require_certificate true',
    'use_identity_as_username true',
    '',
  ].join('\n');
}

/** The same listener in TOML. */
export function mutualToml(
  name: string,
  port: number,
  authority: TestAuthority,
  server: TlsFilesConfig,
): string {
  return [
    '[[listener]]',
    `name = "${name}"`,
    'protocol = "tls"',
    'address = "127.0.0.1"',
    `port = ${port}`,
    `ca_file = "${authority.caFile}"`,
    `certificate_file = "${server.certificateFile}"`,
    `key_file = "${server.keyFile}"`,
    'require_certificate = true',
    '',
  ].join('\n');
}

/** What a bridge says of itself under `$SYS`, asked of its broker. */
async function bridgeState(port: number, bridge: string, what: string): Promise<string> {
  const topic = `$SYS/broker/davylamp/bridges/${bridge}/${what}`;
  const words = ['-p', String(port), '-t', topic, '-C', '1', '-W', '5'];
  return (await runProgram('mosquitto_sub', words)).stdout.trim();
}

/** Waits until it says so. */
export async function untilBridge(
  port: number,
  bridge: string,
  what: string,
  is: (value: string) => boolean,
): Promise<string> {
  let last = '';
  return eventually(`bridge ${bridge}: ${what}, last ${last}`, async () => {
    last = await bridgeState(port, bridge, what);
    return is(last) ? last : undefined;
  });
}
