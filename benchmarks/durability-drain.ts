import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import process from 'node:process';
import { SystemClock, silentLogger } from '#base';
import { Client } from '#client';
import { createDialer } from '#listeners';
import { createAuthority, issueCertificate } from '#security';
import { cpuSecondsOf } from './process-figures.ts';
import { BenchRole, benchToml, freePort, openListener } from './durability-role.ts';

const clock = new SystemClock();

/**
 * So many messages of 64 bytes wait for a bridge (QoS 1, MQTT 5, mutual TLS, journals on both sides); then the other
 * broker is there. Until the last one is with a persistent subscriber of that broker.
 */
export async function measureDrains(rounds: number, messages: number): Promise<void> {
  console.log('| bridge under mutual TLS | messages/s | s | CPU µs/message, near | far | near peak MiB |');
  console.log('|---|---|---|---|---|---|');
  for (let round = 0; round < rounds; round++) await measureOne(messages);
}

async function measureOne(messages: number): Promise<void> {
  const folder = mkdtempSync(path.join(process.env['TMPDIR'] ?? os.tmpdir(), 'davylamp-bench-'));
  await using stack = new AsyncDisposableStack();
  stack.defer(() => rmSync(folder, { recursive: true, force: true }));
  await issueTrust(folder);
  const [nearPort, farPort, linkPort] = [await freePort(), await freePort(), await freePort()];
  const near = await BenchRole.start(
    folder,
    benchToml('near', true) + openListener(nearPort) + bridge(linkPort),
  );
  stack.defer(() => near.stop());
  await publishAll(nearPort, messages);
  const farToml = benchToml('far', true) + openListener(farPort);
  await subscribeOnce(folder, farToml, farPort);
  const far = await BenchRole.start(folder, farToml + tlsListener(linkPort));
  stack.defer(() => far.stop());
  const drained = Promise.withResolvers<number>();
  let came = 0;
  let first = 0;
  const subscriber = client('subscriber', farPort, false);
  stack.defer(() => subscriber.close());
  subscriber.onMessage = () => {
    if (came === 0) first = performance.now();
    if (++came === messages) drained.resolve(performance.now() - first);
  };
  const cpu = [cpuSecondsOf(near.pid), cpuSecondsOf(far.pid)];
  await subscriber.connect();
  const seconds = (await drained.promise) / 1000;
  const perMessage = [near, far].map(({ pid }, index) =>
    (((cpuSecondsOf(pid) - (cpu[index] ?? 0)) * 1e6) / messages).toFixed(1),
  );
  const rate = Math.round(messages / seconds).toLocaleString('en');
  console.log(
    `| ${messages.toLocaleString('en')} waited | ${rate} | ${seconds.toFixed(1)} | ${perMessage.join(' | ')} | ${Math.round(near.peakBytes / 1024 / 1024)} |`,
  );
}

/** The session is there before the bridge finds the other broker: what comes first waits in it. */
async function subscribeOnce(folder: string, toml: string, port: number): Promise<void> {
  const role = await BenchRole.start(folder, toml);
  const subscriber = client('subscriber', port, true);
  await subscriber.connect();
  await subscriber.subscribe([{ filter: 'site/#', qos: 1 }]);
  await subscriber.close();
  await role.stop();
}

async function publishAll(port: number, messages: number): Promise<void> {
  const publisher = client('publisher', port, true);
  await publisher.connect();
  const payload = Buffer.alloc(64, 'x');
  let left = messages;
  while (left > 0 || publisher.inflight > 0) {
    for (; left > 0 && publisher.inflight < 5000; left--)
      void publisher.publish(`site/${left % 100}/detector/reading`, payload, { qos: 1 });
    await new Promise(setImmediate);
  }
  await publisher.close();
}

function client(clientId: string, port: number, cleanStart: boolean): Client {
  return new Client({
    dialer: createDialer({ host: '127.0.0.1', port, tls: null, clock }),
    clock,
    log: silentLogger,
    clientId,
    version: 5,
    cleanStart,
    sessionExpirySeconds: 3600,
    keepAliveSeconds: 0,
    reconnect: false,
  });
}

function bridge(port: number): string {
  return `
[[bridge]]
name = "far"
host = "127.0.0.1"
port = ${port}
client_id = "near"
retry_maximum = "2s"
ca_file = "ca.pem"
certificate_file = "bench.pem"
key_file = "bench.key"

[[bridge.topic]]
filter = "#"
direction = "out"
qos = 1
`;
}

function tlsListener(port: number): string {
  return `
[[listener]]
name = "link"
protocol = "tls"
address = "127.0.0.1"
port = ${port}
ca_file = "ca.pem"
certificate_file = "bench.pem"
key_file = "bench.key"
require_certificate = true
allow_anonymous = true
`;
}

async function issueTrust(folder: string): Promise<void> {
  const authority = await createAuthority({ commonName: 'benchmark', days: 2 });
  const both = await issueCertificate({
    authority,
    commonName: 'bench',
    hosts: ['127.0.0.1'],
    usage: 'both',
    days: 2,
  });
  const write = (name: string, text: string): void =>
    writeFileSync(path.join(folder, name), text, { mode: 0o600 });
  write('ca.pem', authority.certificatePem);
  write('bench.pem', both.certificatePem);
  write('bench.key', both.keyPem);
}
