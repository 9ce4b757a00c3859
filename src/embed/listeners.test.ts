import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { test } from 'node:test';
import { silentLogger, SystemClock } from '#base';
import { Client, type ClientOptions } from '#client';
import type { TlsFilesConfig } from '#config';
import { createDialer } from '#listeners';
import { openPrefixingProxy } from '../../test/helpers/prefixing-proxy.ts';
import { Broker, ReasonCode, type BrokerOptions } from './index.ts';

const clock = new SystemClock();
const none: TlsFilesConfig = { caFile: null, certificateFile: null, keyFile: null };

function clientAt(
  port: number,
  change: Partial<ClientOptions> = {},
  tls: TlsFilesConfig | null = null,
): Client {
  return new Client({
    dialer: createDialer({ host: '127.0.0.1', port, tls, clock }),
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

function portOf(broker: Broker, name: string): number {
  const found = broker.listening.find((one) => one.name === name);
  assert.ok(found !== undefined, name);
  return found.port;
}

test('a listener has bounds of its own, laid over the broker’s, and a world of its own', async () => {
  await using broker = await Broker.start({
    log: silentLogger,
    limits: { maximumQos: 1 },
    listeners: [
      { name: 'small', port: 0, allowAnonymous: true, limits: { maximumPayloadSize: 3 } },
      { name: 'north', port: 0, allowAnonymous: true, mountPoint: 'north/', limits: { maximumQos: 2 } },
      { name: 'one', port: 0, allowAnonymous: true, maximumConnections: 1 },
    ],
  });
  const inside: string[] = [];
  await broker.subscribe('#', ({ topic, payload }) => void inside.push(`${topic}=${payload.toString()}`), {
    sendRetained: false,
  });
  await using small = clientAt(portOf(broker, 'small'), { clientId: 'small' });
  await small.connect();
  const answer = await small.publish('t', 'four', { qos: 1 });
  assert.equal(answer.reasonCode, ReasonCode.ImplementationSpecificError);
  assert.deepEqual(await small.subscribe([{ filter: 'x', qos: 2 }]), [1], 'of the broker');
  await using north = clientAt(portOf(broker, 'north'), { clientId: 'north' });
  await north.connect();
  assert.deepEqual(await north.subscribe([{ filter: 'x', qos: 2 }]), [2], 'of the listener');
  await north.publish('t', 'four', { qos: 2 });
  await small.publish('end', '', { qos: 1 });
  while (inside.at(-1) !== 'end=') await new Promise((resolve) => setImmediate(resolve));
  assert.deepEqual(
    inside.filter((text) => !text.startsWith('$')),
    ['north/t=four', 'end='],
  );
  await using first = clientAt(portOf(broker, 'one'), { clientId: 'first' });
  await first.connect();
  const { connectionsRefused } = broker.statistics;
  await assert.rejects(clientAt(portOf(broker, 'one'), { clientId: 'second' }).connect());
  // Refused by the listener, it counts like one that the broker refuses.
  assert.equal(broker.statistics.reached.connections, 1);
  assert.equal(broker.statistics.connectionsRefused, connectionsRefused + 1);
});

test('a listener that is optional is left out where the machine does not have its address', async () => {
  const elsewhere = { name: 'elsewhere', address: '192.0.2.1', port: 0, allowAnonymous: true };
  const here = { name: 'here', port: 0, allowAnonymous: true };
  await using broker = await Broker.start({
    log: silentLogger,
    listeners: [{ ...elsewhere, isOptional: true }, here],
  });
  assert.deepEqual(
    broker.listening.map(({ name }) => name),
    ['here'],
  );
  await assert.rejects(Broker.start({ log: silentLogger, listeners: [elsewhere] }), {
    code: 'LISTEN_FAILED',
  });
});

test('a network interface or a version of IP alone says where a listener is', async () => {
  const [loopback] = Object.entries(os.networkInterfaces()).find(([, list]) =>
    list?.some(({ address }) => address === '127.0.0.1'),
  ) ?? [''];
  const listener = { port: 0, allowAnonymous: true };
  await using broker = await Broker.start({
    log: silentLogger,
    listeners: [
      { ...listener, networkInterface: loopback, ipVersion: 4 },
      { ...listener, ipVersion: 6, isOptional: true },
    ],
  });
  const [byName, bySix] = broker.listening;
  assert.equal(byName?.address, '127.0.0.1');
  assert.equal(bySix?.address ?? '::1', '::1');
});

test('keys shared beforehand, and a load balancer', async (context) => {
  const folder = await mkdtemp(path.join(os.tmpdir(), 'davylamp-embed-'));
  context.after(() => rm(folder, { recursive: true, force: true }));
  const pskFile = path.join(folder, 'keys');
  await writeFile(pskFile, 'tank-7:00c0ffee\n', { mode: 0o600 });
  const seen: string[] = [];
  await using broker = await Broker.start({
    log: silentLogger,
    listeners: [
      { name: 'keys', port: 0, tls: {}, pskFile, identityFromPsk: true },
      { name: 'balanced', port: 0, proxyProtocol: 1 },
    ],
    hooks: {
      authenticate({ peer, verifiedName }) {
        seen.push(`${verifiedName} from ${peer.address}`);
        return true;
      },
    },
  });
  const psk = { identity: 'tank-7', keyHex: '00c0ffee' };
  await using keyed = clientAt(portOf(broker, 'keys'), {}, { ...none, psk });
  await keyed.connect();
  const header = Buffer.from('PROXY TCP4 192.0.2.5 198.51.100.1 6275 1883\r\n');
  await using balancer = await openPrefixingProxy({ port: portOf(broker, 'balanced') }, () => header);
  await using balanced = clientAt(balancer.port, { clientId: 'b' });
  await balanced.connect();
  assert.deepEqual(seen, ['tank-7 from 127.0.0.1', 'null from 192.0.2.5']);
});

test('rules that need what is not there are refused, naming the listener', async () => {
  const cases: readonly (readonly [BrokerOptions['listeners'][number], RegExp])[] = [
    [{ pskFile: '/keys', allowAnonymous: true }, /: pskFile needs TLS/],
    [{ tls: {}, identityFromPsk: true }, /: identityFromPsk needs keys/],
    [{ tls: {}, pskFile: '/keys', requireCertificate: true }, /: clients with a shared key show no cert/],
    [{ tls: {}, pskFile: '/keys' }, /: nobody could sign in/],
    [{ certificateIdentity: 'subject' }, /: certificates need TLS/],
    [{ proxyProtocol: 1, requireCertificate: true }, /: certificates need TLS/],
    [{ proxyProtocol: 1, proxyRequiresTls: true, allowAnonymous: true }, /: proxyRequiresTls needs/],
    [{ httpFolder: '/web', allowAnonymous: true }, /: httpFolder is for web browsers/],
    [{ mountPoint: 'a/#', allowAnonymous: true }, /: mountPoint is the beginning of a topic/],
    [{ mountPoint: '$SYS/', allowAnonymous: true }, /: mountPoint is the beginning of a topic/],
  ];
  for (const [listener, message] of cases)
    await assert.rejects(Broker.start({ listeners: [{ name: 'door', port: 0, ...listener }] }), {
      code: 'CONFIG_INVALID',
      message,
    });
});
