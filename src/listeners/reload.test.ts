import assert from 'node:assert/strict';
import { copyFile, readFile, writeFile } from 'node:fs/promises';
import { createConnection } from 'node:net';
import path from 'node:path';
import { test } from 'node:test';
import { connect } from 'node:tls';
import type { ListenerConfig, TlsFilesConfig } from '#config';
import { dial, exchange, hasCode, lineAfter, openDoor, type Door } from '../../test/helpers/listener-door.ts';
import { certificateOptions, opensslClient } from '../../test/helpers/openssl-client.ts';
import { tlsParties } from '../../test/helpers/tls-parties.ts';

const { authority, stranger, server, detector, folder, mutual } = await tlsParties();
const renewed = await authority.issue('renewed', 'DNS:localhost,IP:127.0.0.1');

async function reload(door: Door, change: Partial<ListenerConfig>): Promise<readonly string[]> {
  const prepared = await door.listener.prepareReload({ ...door.config, ...change });
  prepared.commit();
  return prepared.warnings;
}

/** Who the listener says it is to a new client. */
async function serverName(door: Door, tls: TlsFilesConfig = detector): Promise<string | undefined> {
  const near = await dial({ host: 'localhost', port: door.port, tls: { ...tls, caFile: authority.caFile } });
  const far = await door.accepted();
  await exchange(near, far);
  near.transport.destroy();
  return near.transport.peer.certificate?.commonName;
}

async function refused(door: Door, tls: TlsFilesConfig): Promise<string> {
  const count = door.lines.length;
  await opensslClient(door.port, ...certificateOptions(tls)).end();
  return lineAfter(door, count);
}

test('a renewed certificate is used from the next connection on; who is connected stays, the port stays open', async () => {
  const certificateFile = path.join(folder, 'own.pem');
  const keyFile = path.join(folder, 'own.key');
  await copyFile(server.certificateFile!, certificateFile);
  await copyFile(server.keyFile!, keyFile);
  await using door = await openDoor(mutual({ certificateFile, keyFile }));
  const near = await dial({ host: 'localhost', port: door.port, tls: detector });
  const far = await door.accepted();
  await copyFile(renewed.certificateFile!, certificateFile);
  // Half renewed: the key is still the old one.
  await assert.rejects(reload(door, {}), hasCode('TLS_INVALID', /key file .*own\.key does not belong/));
  assert.equal(await serverName(door), 'broker');
  await copyFile(renewed.keyFile!, keyFile);
  assert.deepEqual(await reload(door, {}), []);
  assert.equal(await serverName(door), 'renewed');
  await exchange(near, far);
  near.transport.destroy();
  assert.equal(door.listener.statistics.handshakeFailures, 0);
});

test('nothing changes before commit, and nothing at all where one file is broken', async () => {
  await using door = await openDoor(mutual());
  const tls = { ...server, certificateFile: renewed.certificateFile, keyFile: renewed.keyFile };
  const prepared = await door.listener.prepareReload({ ...door.config, tls });
  assert.equal(await serverName(door), 'broker');
  prepared.commit();
  assert.equal(await serverName(door), 'renewed');
  const text = path.join(folder, 'text.pem');
  await writeFile(text, 'nothing');
  for (const broken of [
    { caFile: text },
    { crlFile: text },
    { certificateFile: path.join(folder, 'none.pem') },
    { keyFile: detector.keyFile },
    { ciphers: 'NONSENSE' },
    { dhParametersFile: text },
  ]) {
    await assert.rejects(reload(door, { tls: { ...tls, ...broken } }));
    assert.equal(await serverName(door), 'renewed');
  }
});

test('a handshake that has begun ends with the rules that it began with', async () => {
  await using door = await openDoor(mutual());
  const raw = createConnection({ host: '127.0.0.1', port: door.port });
  await new Promise((resolve) => raw.once('connect', resolve));
  // Accepted, when a later one has been.
  assert.equal(await serverName(door), 'broker');
  await reload(door, {
    tls: { ...server, certificateFile: renewed.certificateFile, keyFile: renewed.keyFile },
  });
  const near = connect({
    socket: raw,
    ca: await readFile(authority.caFile),
    cert: await readFile(detector.certificateFile!),
    key: await readFile(detector.keyFile!),
    servername: 'localhost',
  });
  await new Promise((resolve) => near.once('secureConnect', resolve));
  assert.equal(near.getPeerCertificate().subject.CN, 'broker');
  await door.accepted();
  near.destroy();
  assert.equal(await serverName(door), 'renewed');
});

test('authorities, withdrawn certificates and rules are taken anew', async () => {
  const foreign = await stranger.issue('detector-2');
  await using door = await openDoor(mutual());
  assert.match(await refused(door, foreign), /unknown authority/);
  await reload(door, mutual({ caFile: stranger.caFile }));
  assert.equal(await serverName(door, foreign), 'broker');
  assert.match(await refused(door, detector), /unknown authority/);
  const crlFile = await authority.revoke([detector], 'reload.pem');
  await reload(door, mutual({ crlFile }));
  assert.match(await refused(door, detector), /withdrawn/);
  await authority.revoke([], 'reload.pem');
  await reload(door, mutual({ crlFile }));
  assert.equal(await serverName(door), 'broker');
  await reload(door, { ...mutual(), requireCertificate: false });
  assert.equal(await serverName(door, { ...detector, certificateFile: null, keyFile: null }), 'broker');
});

test('keys that are shared beforehand are taken anew', async () => {
  const pskFile = path.join(folder, 'psk.txt');
  await writeFile(pskFile, 'tank-7:aa11\n', { mode: 0o600 });
  const none: TlsFilesConfig = { caFile: null, certificateFile: null, keyFile: null };
  const config: Partial<ListenerConfig> = { protocol: 'tls', tls: none, pskFile };
  await using door = await openDoor(config);
  const enter = async (keyHex: string): Promise<string | undefined> => {
    const tls = { ...none, psk: { identity: 'tank-7', keyHex } };
    const near = await dial({ port: door.port, tls });
    const { peer } = (await door.accepted()).transport!;
    near.transport.destroy();
    return peer.pskIdentity;
  };
  assert.equal(await enter('aa11'), 'tank-7');
  await writeFile(pskFile, 'tank-7 without a key\n');
  await assert.rejects(reload(door, {}), hasCode('CREDENTIALS_INVALID', /psk\.txt:1/));
  assert.equal(await enter('aa11'), 'tank-7');
  await writeFile(pskFile, 'tank-7:bb22\n');
  await reload(door, {});
  await assert.rejects(enter('aa11'));
  assert.equal(await enter('bb22'), 'tank-7');
});

/** Kinds of clients that resume a session: by its id alone, by a ticket, and by TLS 1.3. */
const resuming: readonly (readonly [string, readonly string[]])[] = [
  ['TLS 1.2 by session id', ['-tls1_2', '-no_ticket']],
  ['TLS 1.2 by ticket', ['-tls1_2']],
  ['TLS 1.3', ['-tls1_3']],
];

for (const [kind, options] of resuming) {
  test(`${kind}: a session is resumed with its identity, also after the certificate was renewed, and not after anything else has changed`, async () => {
    const withdrawn = await authority.issue('detector-9');
    const crlFile = await authority.revoke([], `${options.join('')}.pem`);
    await using door = await openDoor(mutual({ crlFile }));
    const own = certificateOptions(withdrawn);
    const session = path.join(folder, `${options.join('')}.session`);
    const visit = async (word: string, ...more: readonly string[]): Promise<string> => {
      const near = opensslClient(door.port, ...options, ...own, ...more);
      const far = await door.accepted();
      assert.equal(far.transport!.peer.certificate?.commonName, 'detector-9');
      // Behind the tickets of TLS 1.3, which come after the handshake.
      far.transport!.write(Buffer.from(`${word}\n`));
      await near.until(new RegExp(word));
      return near.end();
    };
    assert.match(await visit('first', '-sess_out', session), /New, TLSv1/);
    assert.match(await visit('second', '-sess_in', session), /Reused, TLSv1/);
    const certificateFile = renewed.certificateFile;
    const after = { crlFile, certificateFile, keyFile: renewed.keyFile };
    await reload(door, mutual(after));
    assert.match(await visit('third', '-sess_in', session, '-sess_out', session), /Reused, TLSv1/);
    await authority.revoke([withdrawn], `${options.join('')}.pem`);
    await reload(door, mutual(after));
    const count = door.lines.length;
    await opensslClient(door.port, ...options, ...own, '-sess_in', session).end();
    assert.match(await lineAfter(door, count), /withdrawn/);
    assert.equal(door.listener.statistics.accepted, 3);
  });
}

test('another place or protocol is another door', async () => {
  await using door = await openDoor();
  for (const change of [
    { port: 1 },
    { address: '::1' },
    { ipVersion: 6 as const },
    { networkInterface: 'lo' },
  ]) {
    await assert.rejects(
      reload(door, change),
      hasCode('CONFIG_INVALID', /another place or protocol needs a listener of its own/),
    );
  }
  await reload(door, { name: 'renamed' });
});

test('bounds, path, origins and the proxy are taken anew', async () => {
  const webSocket = { path: '/mqtt', allowedOrigins: [] };
  await using web = await openDoor({ protocol: 'ws', webSocket });
  const here = { host: '127.0.0.1', port: web.port };
  (await dial({ ...here, webSocketPath: '/mqtt' })).transport.destroy();
  await reload(web, { webSocket: { ...webSocket, path: '/other' } });
  (await dial({ ...here, webSocketPath: '/other' })).transport.destroy();
  await assert.rejects(dial({ ...here, webSocketPath: '/mqtt' }), hasCode('CONNECT_FAILED', /HTTP 404/));

  await using door = await openDoor();
  const first = await dial({ port: door.port });
  await door.accepted();
  await reload(door, { maximumConnections: 1 });
  const second = await dial({ port: door.port }).catch(() => null);
  if (second !== null) await second.until(() => second.closes === 1);
  assert.equal(door.listener.statistics.refused, 1);
  const prepared = await door.listener.prepareReload(door.config, { maximumConnections: 2 });
  prepared.commit();
  const third = await dial({ port: door.port });
  const taken = await door.accepted();
  third.transport.destroy();
  await taken.until(() => taken.closes === 1);
  await reload(door, { proxyProtocol: 1 });
  const fourth = await dial({ port: door.port });
  fourth.transport.write(Buffer.from('PROXY TCP4 192.0.2.5 198.51.100.1 6275 1883\r\n'));
  assert.equal((await door.accepted()).transport!.peer.address, '192.0.2.5');
  for (const near of [first, fourth]) near.transport.destroy();
});

test('many clients at once while certificates are reloaded: none is turned away', async () => {
  await using door = await openDoor(mutual());
  const clients = Array.from({ length: 40 }, async (_, index) => {
    const tls = { ...detector, maximumVersion: index % 2 === 0 ? 'TLSv1.2' : 'TLSv1.3' } as const;
    const near = await dial({ host: 'localhost', port: door.port, tls });
    const far = await door.accepted();
    return { near, far };
  });
  const reloads = (async () => {
    for (let round = 0; round < 5; round++) {
      const { certificateFile, keyFile } = round % 2 === 0 ? renewed : server;
      await reload(door, mutual({ certificateFile, keyFile }));
    }
  })();
  const pairs = await Promise.all(clients);
  await reloads;
  for (const { near, far } of pairs) {
    assert.equal(far.transport!.peer.certificate?.commonName, 'detector-1');
    near.transport.write(Buffer.from('still here'));
  }
  await Promise.all(pairs.map(({ far }) => far.until(() => far.text === 'still here')));
  assert.equal(door.listener.statistics.handshakeFailures, 0);
  for (const { near } of pairs) near.transport.destroy();
});
