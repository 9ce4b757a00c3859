/** What a TOML file says of listeners and links does what it says, in a role that runs. */
import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { silentLogger, SystemClock } from '#base';
import { Client, type ClientOptions } from '#client';
import { readToml, type Config } from '#config';
import { createDialer } from '#listeners';
import { ReasonCode } from '#mqtt';
import { openPrefixingProxy } from '../../../test/helpers/prefixing-proxy.ts';
import { binaryProxyHeader, proxyTlsValue } from '../../../test/helpers/proxy-headers.ts';
import { TestAuthority } from '../../../test/helpers/test-certificates.ts';
import type { RoleLog } from '../logging.ts';
import { RunningRole } from '../role.ts';

const clock = new SystemClock();
const log: RoleLog = {
  logger: silentLogger,
  mosquitto: null,
  prepare: () => Promise.resolve({ warnings: [], commit: () => {}, abort: () => Promise.resolve() }),
  close: () => Promise.resolve(),
};

let folder: string;

before(async () => {
  folder = await mkdtemp(path.join(os.tmpdir(), 'davylamp-toml-'));
});

after(() => rm(folder, { recursive: true, force: true }));

/** A role of this text that keeps nothing on the disk. */
function configOf(role: 'site' | 'relay', text: string): Config {
  const whole = `role = "${role}"\nname = "${role}"\n[persistence]\nenabled = false\n${text}`;
  return readToml(whole, 'test.toml', { baseFolder: folder }).config;
}

function start(role: 'site' | 'relay', text: string): Promise<RunningRole> {
  return RunningRole.start(configOf(role, text), { clock, log, version: 'test' });
}

/** The port of the listener with this name. */
function portOf(role: RunningRole, name: string): number {
  const title = role.listening.find((one) => one.startsWith(`${name} `));
  assert.ok(title !== undefined, `${name} is open`);
  return Number(/\d+$/.exec(title)?.[0]);
}

function clientAt(port: number, change: Partial<ClientOptions> = {}): Client {
  return new Client({
    dialer: createDialer({ host: '127.0.0.1', port, tls: null }),
    clock,
    log: silentLogger,
    clientId: 'c',
    version: 5,
    cleanStart: true,
    keepAliveSeconds: 0,
    reconnect: false,
    ...change,
  });
}

/** The next message of a subscription. */
async function next(client: Client, filter: string, cause: () => unknown): Promise<string> {
  const { promise, resolve } = Promise.withResolvers<string>();
  client.onMessage = ({ topic, payload }) => resolve(`${topic}=${payload.toString()}`);
  await client.subscribe([{ filter, qos: 1 }]);
  await cause();
  return promise;
}

test('a listener has bounds, rules and a world of its own', async () => {
  await using role = await start(
    'relay',
    `[broker]
maximum_qos = 1
[[listener]]
name = "north"
port = 0
allow_anonymous = true
mount_point = "north/"
maximum_connections = 1
maximum_qos = 0
[[listener]]
name = "named"
port = 0
allow_anonymous = true
client_id_prefixes = ["north-"]
[[listener]]
name = "people"
port = 0
allow_anonymous = true
`,
  );
  await using person = clientAt(portOf(role, 'people'));
  const granted = await person.connect().then(() => person.subscribe([{ filter: 'x', qos: 2 }]));
  assert.deepEqual(granted, [1], 'the broker gives QoS 1 at most');
  await assert.rejects(clientAt(portOf(role, 'named')).connect(), { code: 'CONNECTION_REFUSED' });
  await using north = clientAt(portOf(role, 'north'), { clientId: 'north-1' });
  await north.connect();
  assert.deepEqual(await north.subscribe([{ filter: 'x', qos: 2 }]), [0], 'this listener gives QoS 0');
  const sent = (): unknown => north.publish('t', 'hello', { qos: 0 });
  assert.equal(await next(person, '#', sent), 'north/t=hello');
  await assert.rejects(clientAt(portOf(role, 'north'), { clientId: 'north-2' }).connect());
});

test('behind a load balancer the client is who it says: address, TLS and the name of the certificate', async () => {
  await writeFile(path.join(folder, 'access'), 'user tank-7\ntopic readwrite tanks/#\n', { mode: 0o600 });
  await using role = await start(
    'relay',
    `[[listener]]
name = "balanced"
port = 0
proxy_protocol = 2
proxy_requires_tls = true
require_certificate = true
identity_from_certificate = true
access_file = "access"
`,
  );
  const target = { port: portOf(role, 'balanced') };
  const values = proxyTlsValue({ commonName: 'tank-7' });
  await using balancer = await openPrefixingProxy(target, () => binaryProxyHeader({ values }));
  await using client = clientAt(balancer.port);
  await client.connect();
  assert.notEqual((await client.publish('tanks/7', 'x', { qos: 1 })).reasonCode, ReasonCode.NotAuthorized);
  assert.equal((await client.publish('else', 'x', { qos: 1 })).reasonCode, ReasonCode.NotAuthorized);
  await using plain = await openPrefixingProxy(target, () => binaryProxyHeader({}));
  await assert.rejects(clientAt(plain.port).connect());
  await assert.rejects(clientAt(target.port).connect());
});

test('a bridge with a shared key, and one that does not mind the name in a certificate', async () => {
  await using authority = await TestAuthority.create();
  const server = await authority.issue('relay', 'DNS:other.example');
  await writeFile(path.join(folder, 'keys'), 'north:00c0ffee\n', { mode: 0o600 });
  await writeFile(path.join(folder, 'relay-access'), 'user north\ntopic write keyed\n', { mode: 0o600 });
  await using relay = await start(
    'relay',
    `[[listener]]
name = "keys"
protocol = "tls"
port = 0
psk_file = "keys"
identity_from_psk = true
alpn = ["mqtt"]
tls_minimum_version = "1.3"
access_file = "relay-access"
[[listener]]
name = "certified"
protocol = "tls"
port = 0
certificate_file = "${server.certificateFile}"
key_file = "${server.keyFile}"
allow_anonymous = true
tls_maximum_version = "1.2"
[[listener]]
name = "people"
port = 0
allow_anonymous = true
`,
  );
  await using site = await start(
    'site',
    `[[listener]]
name = "inside"
port = 0
allow_anonymous = true
[[bridge]]
name = "by-key"
host = "127.0.0.1"
port = ${portOf(relay, 'keys')}
psk_file = "keys"
psk_identity = "north"
alpn = ["mqtt"]
  [[bridge.topic]]
  filter = "keyed"
[[bridge]]
name = "unchecked"
host = "127.0.0.1"
port = ${portOf(relay, 'certified')}
ca_file = "${authority.caFile}"
insecure = true
  [[bridge.topic]]
  filter = "unchecked"
`,
  );
  await using detector = clientAt(portOf(site, 'inside'));
  await detector.connect();
  for (const topic of ['keyed', 'unchecked']) {
    await using person = clientAt(portOf(relay, 'people'), { clientId: `reads ${topic}` });
    await person.connect();
    const sent = (): unknown => detector.publish(topic, 'over', { qos: 1 });
    assert.equal(await next(person, topic, sent), `${topic}=over`);
  }
});

test('a reload names what stays as it was, and takes the rest', async () => {
  const listener = '[[listener]]\nname = "a"\nport = 0\nallow_anonymous = true\n';
  await using role = await start('relay', listener);
  const next = configOf(
    'relay',
    `${listener}maximum_qos = 0\n[broker]\noverlapping_copies = "each"\nsys_interval = "5s"\n`,
  );
  const change = await role.prepare(next);
  assert.deepEqual(change.warnings, [
    'sys_interval changes at the next start',
    'how many copies overlapping subscriptions get changes at the next start',
  ]);
  change.commit();
  await using client = clientAt(portOf(role, 'a'));
  await client.connect();
  assert.deepEqual(await client.subscribe([{ filter: 'x', qos: 2 }]), [0]);
});
