/** Debian's mosquitto_pub and mosquitto_sub at every kind of listener, several at once. */
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { after, before, describe, it } from 'node:test';
import type { ListenerConfig, TlsFilesConfig } from '#config';
import { openPrefixingProxy } from '../../helpers/prefixing-proxy.ts';
import { binaryProxyHeader, proxyTlsValue } from '../../helpers/proxy-headers.ts';
import { TestAuthority } from '../../helpers/test-certificates.ts';
import { runProgram, type Outcome } from '../../helpers/demo-process.ts';
import { ListenerBroker } from '../../helpers/listener-broker.ts';
import { listenerConfig } from '../../helpers/listener-config.ts';
import { Subscriber } from '../drop-in/drop-in-broker.ts';

const isMissing = !existsSync('/usr/bin/mosquitto_pub');
const skip = isMissing ? 'mosquitto_pub is not installed (apt-get install mosquitto-clients)' : false;
const key = '00c0ffee0123456789';

let authority: TestAuthority;
let server: TlsFilesConfig;
let renewed: TlsFilesConfig;
let tank: TlsFilesConfig;
let pump: TlsFilesConfig;
let folder: string;
let broker: ListenerBroker;

before(async () => {
  if (isMissing) return;
  authority = await TestAuthority.create();
  server = await authority.issue('broker', 'DNS:localhost,IP:127.0.0.1');
  renewed = await authority.issue('renewed', 'DNS:localhost,IP:127.0.0.1');
  tank = await authority.issue('tank-7', '', 2, '/O=Example/CN=tank-7');
  pump = await authority.issue('pump-1', '', 2, '/O=Example/CN=pump-1');
  folder = await mkdtemp(path.join(os.tmpdir(), 'davylamp-listener-clients-'));
  const pskFile = path.join(folder, 'psk');
  await writeFile(pskFile, `tank-7:${key}\n`, { mode: 0o600 });
  const rules = path.join(folder, 'rules');
  await writeFile(
    rules,
    ['user tank-7', 'user CN=tank-7,O=Example', 'user pump-1']
      .map((who) => `${who}\ntopic readwrite own/${who.includes('pump') ? 'pump' : 'tank'}/#\n`)
      .join(''),
  );
  const mutual = { protocol: 'tls', tls: server, requireCertificate: true, allowAnonymous: false } as const;
  const none: TlsFilesConfig = { caFile: null, certificateFile: null, keyFile: null };
  const byRules = { accessFile: rules, allowAnonymous: false };
  broker = new ListenerBroker();
  const listeners: Readonly<Record<string, Partial<ListenerConfig>>> = {
    plain: {},
    tls: { protocol: 'tls', tls: server },
    byName: { ...mutual, ...byRules, certificateIdentity: 'common-name' },
    bySubject: { ...mutual, ...byRules, certificateIdentity: 'subject' },
    psk: { protocol: 'tls', tls: none, pskFile, identityFromPsk: true, ...byRules },
    unix: { protocol: 'unix', path: path.join(folder, 'broker.sock') },
    proxied: { proxyProtocol: 1 },
    proxiedTls: { protocol: 'tls', tls: server, proxyProtocol: 2 },
    terminated: { proxyProtocol: 2, proxyRequiresTls: true, certificateIdentity: 'common-name', ...byRules },
  };
  for (const [name, change] of Object.entries(listeners))
    await broker.open(listenerConfig({ name, ...change }));
});

after(async () => {
  if (isMissing) return;
  await broker[Symbol.asyncDispose]();
  await authority[Symbol.asyncDispose]();
  await rm(folder, { recursive: true, force: true });
});

const at = (name: string): string[] => ['-h', 'localhost', '-p', `${broker.port(name)}`];
const publish = (args: readonly string[]): Promise<Outcome> => runProgram('mosquitto_pub', args);
const trusting = (): string[] => ['--cafile', authority.caFile];
const bearing = (files: TlsFilesConfig): string[] => [
  ...trusting(),
  '--cert',
  files.certificateFile!,
  '--key',
  files.keyFile!,
];

/** Publishes at QoS 1 and tells what a subscriber without rules got of it, up to a last word. */
async function arrived(topic: string, ...publishers: readonly (readonly string[])[]): Promise<string[]> {
  const last = `last/${topic}`;
  await using subscriber = await Subscriber.start(...at('plain'), '-t', topic, '-t', last, '-v', '-q', '1');
  const send = (args: readonly string[], to: string, word: string): Promise<Outcome> =>
    publish([...args, '-t', to, '-m', word, '-q', '1']);
  for (const args of publishers) await send(args, topic, 'reading');
  await send(at('plain'), last, 'end');
  await subscriber.received(`${last} end`);
  return subscriber.messages.filter((line) => line === `${topic} reading`);
}

describe('mosquitto clients at every kind of listener', { skip }, () => {
  it('comes in by TLS, by certificate, by shared key, by Unix socket', async () => {
    assert.equal((await arrived('a/1', [...at('tls'), ...trusting()])).length, 1);
    assert.equal((await arrived('own/tank/1', [...at('byName'), ...bearing(tank)])).length, 1);
    assert.equal((await arrived('own/tank/2', [...at('bySubject'), ...bearing(tank)])).length, 1);
    assert.equal(
      (await arrived('own/tank/3', [...at('psk'), '--psk', key, '--psk-identity', 'tank-7'])).length,
      1,
    );
    assert.equal((await arrived('a/4', ['--unix', path.join(folder, 'broker.sock')])).length, 1);
  });

  it('may do what its certificate or key says, and nothing else', async () => {
    assert.equal((await arrived('own/pump/1', [...at('byName'), ...bearing(tank)])).length, 0);
    assert.equal((await arrived('own/pump/2', [...at('byName'), ...bearing(pump)])).length, 1);
    assert.equal((await arrived('own/pump/3', [...at('bySubject'), ...bearing(pump)])).length, 0);
    const stolen = ['--psk', key, '--psk-identity', 'tank-7'];
    assert.equal((await arrived('own/pump/4', [...at('psk'), ...stolen])).length, 0);
  });

  it('does not come in without a certificate, with another key or without TLS', async () => {
    const cases: readonly (readonly string[])[] = [
      [...at('byName'), ...trusting()],
      [...at('psk'), '--psk', `${key}01`, '--psk-identity', 'tank-7'],
      [...at('psk'), '--psk', key, '--psk-identity', 'tank-9'],
      [...at('tls'), '-q', '1'],
    ];
    for (const args of cases) assert.notEqual((await publish([...args, '-t', 'a', '-m', 'x'])).code, 0);
  });

  it('comes by way of a proxy, and is known by its own address and name', async () => {
    const line = Buffer.from('PROXY TCP4 192.0.2.77 198.51.100.1 6275 1883\r\n');
    await using one = await openPrefixingProxy({ port: broker.port('proxied') }, () => line);
    const binary = binaryProxyHeader({ address: '192.0.2.78' });
    await using two = await openPrefixingProxy({ port: broker.port('proxiedTls') }, () => binary);
    const named = binaryProxyHeader({ values: proxyTlsValue({ commonName: 'pump-1' }) });
    await using three = await openPrefixingProxy({ port: broker.port('terminated') }, () => named);
    const by = ({ port }: { readonly port: number }): string[] => ['-h', 'localhost', '-p', `${port}`];
    assert.equal((await arrived('p/1', by(one))).length, 1);
    assert.equal((await arrived('p/2', [...by(two), ...trusting()])).length, 1);
    assert.equal((await arrived('own/pump/5', by(three))).length, 1);
    assert.equal((await arrived('own/tank/5', by(three))).length, 0);
    for (const address of ['192.0.2.77', '192.0.2.78'])
      assert.ok(
        broker.lines.some((text) => text.includes(address)),
        `${address} is in the log`,
      );
    // Past the proxy.
    assert.notEqual((await publish([...at('proxied'), '-t', 'a', '-m', 'x', '-q', '1'])).code, 0);
  });

  it('stays while certificates are renewed and withdrawn, many at once', async () => {
    await using subscriber = await Subscriber.start(...at('tls'), ...trusting(), '-t', 'r/#', '-q', '1');
    const words: string[] = [];
    for (const [round, files] of [renewed, server, renewed].entries()) {
      await broker.reload('tls', { tls: files });
      const batch = Array.from({ length: 8 }, (_, index) => `${round}-${index}`);
      const results = await Promise.all(
        batch.map((word) => publish([...at('tls'), ...trusting(), '-t', 'r/word', '-m', word, '-q', '1'])),
      );
      for (const { code, stderr } of results) assert.equal(code, 0, stderr);
      words.push(...batch);
    }
    for (const word of words) await subscriber.received(word);
    const crlFile = await authority.revoke([pump]);
    await broker.reload('byName', { tls: { ...server, crlFile } });
    const send = (files: TlsFilesConfig): Promise<Outcome> =>
      publish([...at('byName'), ...bearing(files), '-t', 'own/x', '-m', 'x', '-q', '1']);
    assert.notEqual((await send(pump)).code, 0);
    assert.equal((await send(tank)).code, 0);
  });
});
