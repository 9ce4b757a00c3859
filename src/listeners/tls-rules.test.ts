import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { X509Certificate } from 'node:crypto';
import { copyFile, mkdir, readFile, symlink, writeFile } from 'node:fs/promises';
import { createConnection } from 'node:net';
import path from 'node:path';
import { test } from 'node:test';
import { promisify } from 'node:util';
import type { TlsFilesConfig } from '#config';
import { dial, exchange, hasCode, lineAfter, openDoor, type Door } from '../../test/helpers/listener-door.ts';
import { certificateOptions, opensslClient } from '../../test/helpers/openssl-client.ts';
import { tlsParties } from '../../test/helpers/tls-parties.ts';
import { subjectOf } from './certificate-subject.ts';

const run = promisify(execFile);

const { authority, stranger, server, detector, folder, secure, mutual } = await tlsParties();

/** What openssl agreed upon, or its alert. */
async function agreed(door: Door, ...options: readonly string[]): Promise<string> {
  const output = await opensslClient(door.port, ...options).end();
  const cipher = /(?:New|Reused), (TLSv1\.\d), Cipher is (\S+)/.exec(output);
  return cipher === null ? (/alert [a-z ]+/.exec(output)?.[0] ?? 'nothing') : `${cipher[1]} ${cipher[2]}`;
}

test('versions, ciphers of both versions and curves are those of the configuration', async () => {
  const ec = 'ECDHE-ECDSA-AES128-GCM-SHA256';
  const cases: readonly (readonly [Partial<TlsFilesConfig>, string, string])[] = [
    [{ minimumVersion: 'TLSv1.3' }, '-tls1_2', 'alert protocol version'],
    [{ maximumVersion: 'TLSv1.2', ciphers: ec }, '-tls1_2', `TLSv1.2 ${ec}`],
    [{ maximumVersion: 'TLSv1.2' }, '-tls1_3', 'alert protocol version'],
    [{ ciphers: ec }, '-tls1_2', `TLSv1.2 ${ec}`],
    [{ ciphers: ec }, '-tls1_3', 'TLSv1.3 TLS_AES_256_GCM_SHA384'],
    [{ ciphersTls13: 'TLS_CHACHA20_POLY1305_SHA256' }, '-tls1_3', 'TLSv1.3 TLS_CHACHA20_POLY1305_SHA256'],
    [{ ciphers: 'ECDHE-RSA-AES128-GCM-SHA256' }, '-tls1_2', 'alert handshake failure'],
  ];
  for (const [tls, option, expected] of cases) {
    await using door = await openDoor(secure(tls));
    assert.equal(await agreed(door, option), expected, JSON.stringify(tls));
  }
  await using usual = await openDoor(secure());
  for (const [groups, chosen] of [
    ['X25519:P-384', /X25519/],
    ['P-384', /secp384r1/],
  ] as const) {
    const client = opensslClient(usual.port, '-groups', groups);
    await client.until(chosen);
    await client.end();
  }
  await using curved = await openDoor(secure({ curves: 'P-384' }));
  const near = opensslClient(curved.port);
  await near.until(/Server Temp Key: ECDH, secp384r1/);
  await near.end();
  assert.equal(await agreed(curved, '-groups', 'X25519'), 'alert handshake failure');
});

test('DH parameters of a file are used where a cipher asks for them', async () => {
  const file = path.join(folder, 'dh.pem');
  // A group of RFC 7919: making one of our own would take half a minute.
  const group = ['-genparam', '-algorithm', 'DH', '-pkeyopt', 'group:ffdhe2048'];
  await run('openssl', ['genpkey', ...group, '-out', file]);
  const rsa = { certificateFile: path.join(folder, 'rsa.pem'), keyFile: path.join(folder, 'rsa.key') };
  const words = 'req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=localhost -keyout rsa.key -out rsa.pem';
  await run('openssl', words.split(' '), { cwd: folder });
  const ciphers = 'DHE-RSA-AES128-GCM-SHA256';
  await using door = await openDoor(secure({ ...rsa, dhParametersFile: file, ciphers }));
  assert.equal(await agreed(door, '-tls1_2'), `TLSv1.2 ${ciphers}`);
});

test('application protocols (ALPN): those of the list, and clients that offer none', async () => {
  await using door = await openDoor(secure({ alpn: ['mqtt', 'x-amzn-mqtt-ca'] }));
  const near = opensslClient(door.port, '-alpn', 'h2,mqtt');
  await near.until(/ALPN protocol: mqtt/);
  await near.end();
  assert.match(await agreed(door, '-alpn', 'h2'), /alert no application protocol/);
  assert.match(await lineAfter(door, 0), /no application protocol \(ALPN\) that is allowed here/);
  assert.match(await agreed(door), /^TLSv1.3/);
  const tls = { ...detector, alpn: ['mqtt'] };
  const dialed = await dial({ host: 'localhost', port: door.port, tls });
  dialed.transport.destroy();
  await assert.rejects(
    dial({ host: 'localhost', port: door.port, tls: { ...detector, alpn: ['other'] } }),
    hasCode('CONNECT_FAILED', /no application protocol/),
  );
});

test('authorities from a folder, as files and links, beside those of the file', async () => {
  const authorities = path.join(folder, 'authorities');
  await mkdir(path.join(authorities, 'empty'), { recursive: true });
  await copyFile(stranger.caFile, path.join(authorities, 'stranger.crt'));
  await symlink('stranger.crt', path.join(authorities, '5ad8a5d6.0'));
  await writeFile(path.join(authorities, 'README'), 'not a certificate');
  const foreign = await stranger.issue('detector-2');
  await using door = await openDoor(mutual({ caFolder: authorities }));
  for (const files of [detector, foreign]) {
    const near = await dial({
      host: 'localhost',
      port: door.port,
      tls: { ...files, caFile: authority.caFile },
    });
    const far = await door.accepted();
    await exchange(near, far);
    near.transport.destroy();
  }
  await using only = await openDoor(mutual({ caFile: null, caFolder: authorities }));
  await opensslClient(only.port, ...certificateOptions(detector)).end();
  assert.match(await lineAfter(only, 0), /unknown authority/);
  // A client takes the same.
  const trusting = { ...detector, caFile: null, caFolder: authority.folder };
  const near = await dial({ host: 'localhost', port: door.port, tls: trusting });
  near.transport.destroy();
  await assert.rejects(
    openDoor(mutual({ caFile: null, caFolder: path.join(authorities, 'empty') })),
    hasCode('TLS_INVALID', /CA folder .*empty holds no certificate/),
  );
});

const subjects = [
  '/C=CH/O=Example, Inc./OU=A\\+B/CN=tank-7',
  '/CN=Zürich #1/emailAddress=a@b.example',
  '/CN=#7 "q"<>;/O= lead',
  '/C=DE/OU=x\\+y+CN=multi \\+ one+serialNumber=5/CN=b',
  '/DC=org/DC=example/UID=u/CN=\\\\',
  '/CN=a\\\\/O=b\\\\+CN=c',
  '/CN=中文🔥/title=Dr/GN=A/SN=B',
  '/CN=bits/1.3.6.1.4.1.99999.1=hello',
];

test('the whole subject of a certificate, as openssl and Mosquitto write it', async () => {
  const config = path.join(folder, 'oid.conf');
  await writeFile(
    config,
    'oid_section=own\n[own]\nthing=1.3.6.1.4.1.99999.1\n[req]\ndistinguished_name=d\n[d]\n',
  );
  const file = path.join(folder, 'subject.pem');
  for (const subject of subjects) {
    const named = subject.replace('1.3.6.1.4.1.99999.1', 'thing');
    const make = ['req', '-x509', '-config', config, '-key', authority.folder + '/ca.key', '-utf8'];
    await run('openssl', [...make, '-multivalue-rdn', '-subj', named, '-out', file]);
    const { stdout } = await run('openssl', [
      'x509',
      '-in',
      file,
      '-noout',
      '-subject',
      '-nameopt',
      'RFC2253',
    ]);
    const expected = stdout.replace(/^subject=/, '').replace(/\n$/, '');
    assert.equal(subjectOf(new X509Certificate(await readFile(file))), expected);
  }
  assert.match(
    subjectOf(new X509Certificate(await readFile(file))),
    /^1\.3\.6\.1\.4\.1\.99999\.1=#0C0568656C6C6F,CN=bits$/,
  );
});

test('the subject is the identity where the listener says so, with a common name or without', async () => {
  const nameless = await authority.issue('nameless', '', 2, '/O=Example/OU=Detectors');
  const named = await authority.issue('named', '', 2, '/O=Example/CN=tank-7');
  await using door = await openDoor({ ...secure(), certificateIdentity: 'subject' });
  for (const [files, commonName, subject] of [
    [nameless, '', 'OU=Detectors,O=Example'],
    [named, 'tank-7', 'CN=tank-7,O=Example'],
  ] as const) {
    const near = await dial({ host: 'localhost', port: door.port, tls: files });
    const far = await door.accepted();
    assert.equal(far.transport!.peer.certificate?.commonName, commonName);
    assert.equal(far.transport!.peer.certificate.subject, subject);
    near.transport.destroy();
  }
});

test('small records for those who ask for them (max_fragment_length, RFC 6066)', async () => {
  await using door = await openDoor(secure());
  for (const version of ['-tls1_2', '-tls1_3']) {
    const near = opensslClient(door.port, version, '-maxfraglen', '512', '-msg');
    const far = await door.accepted();
    far.transport!.write(Buffer.alloc(5000, 'x'));
    far.transport!.write(Buffer.from('END\n'));
    await near.until(/END/);
    const output = await near.end();
    // Content and what encryption adds: a nonce of 8 bytes and a tag of 16 (1.2), a type and a tag of 16 (1.3).
    const headers = output.matchAll(
      /<<< (?:TLS 1\.\d, RecordHeader|\?\?\?)[^\n]*\n\s+17 03 03 ([0-9a-f]{2}) ([0-9a-f]{2})/g,
    );
    const lengths = [...headers].map(([, high, low]) => Number.parseInt(`${high}${low}`, 16));
    assert.ok(lengths.length >= 10, output.slice(0, 3000));
    assert.ok(Math.max(...lengths) <= 512 + 24, lengths.join(' '));
  }
});

test('what cannot be used is told by its name', async () => {
  const locked = path.join(folder, 'locked.key');
  await run('openssl', [
    'pkey',
    '-in',
    server.keyFile!,
    '-aes256',
    '-passout',
    'pass:secret',
    '-out',
    locked,
  ]);
  const text = path.join(folder, 'text.pem');
  await writeFile(text, 'nothing');
  const bent = path.join(folder, 'bent.pem');
  await writeFile(bent, '-----BEGIN X509 CRL-----\nAAAA\n-----END X509 CRL-----\n');
  const cases: readonly (readonly [Partial<TlsFilesConfig>, RegExp])[] = [
    [{ keyFile: locked }, /key file .*locked\.key is protected by a passphrase, which cannot be asked for/],
    [{ ciphers: 'NONSENSE' }, /^listener detectors: ciphers NONSENSE: no cipher match$/],
    [{ ciphersTls13: 'TLS_NONSENSE' }, /^listener detectors: ciphers of TLS 1\.3 TLS_NONSENSE: /],
    [{ curves: 'P-1' }, /^listener detectors: curves P-1: /],
    [{ crlFile: text }, /CRL file .*text\.pem holds no list in PEM form/],
    [{ crlFile: bent }, /CRL file .*bent\.pem is damaged$/],
    [{ dhParametersFile: text }, /DH parameters file .*text\.pem holds no DH parameters/],
    [{ minimumVersion: 'TLSv1.3', maximumVersion: 'TLSv1.2' }, /TLS from TLSv1\.3 to TLSv1\.2 is nothing/],
  ];
  for (const [tls, pattern] of cases)
    await assert.rejects(openDoor(secure(tls)), hasCode('TLS_INVALID', pattern), JSON.stringify(tls));
  await assert.rejects(
    openDoor(secure({ caFolder: path.join(folder, 'none') })),
    hasCode('FILE_UNREADABLE', /CA folder .*none: there is no such file/),
  );
});

test('a certificate of our own that has expired is told at the start', async () => {
  const old = await authority.issue('old-broker', 'DNS:localhost', -1);
  await using door = await openDoor(secure({ certificateFile: old.certificateFile, keyFile: old.keyFile }));
  assert.match(
    door.lines.join(''),
    /warning .*certificate file .*old_broker-expired\.pem expired on 20\d\d-/,
  );
});

test('the secrets of sessions go to the key log, for both versions and both ends', async () => {
  const lines: string[] = [];
  const keyLog = (line: Buffer): void => {
    lines.push(line.toString());
  };
  await using door = await openDoor(secure(), 100, undefined, { keyLog });
  assert.match(await agreed(door, '-tls1_3'), /TLSv1.3/);
  assert.match(await agreed(door, '-tls1_2'), /TLSv1.2/);
  assert.match(lines.join(''), /^SERVER_HANDSHAKE_TRAFFIC_SECRET [0-9a-f]{64} [0-9a-f]+\n/m);
  assert.match(lines.join(''), /^CLIENT_RANDOM [0-9a-f]{64} [0-9a-f]{96}\n/m);
  const own: string[] = [];
  await using other = await openDoor(secure());
  const near = await dial({
    host: 'localhost',
    port: other.port,
    tls: detector,
    keyLog: (line) => own.push(line.toString()),
  });
  assert.match(own.join(''), /^CLIENT_TRAFFIC_SECRET_0 /m);
  near.transport.destroy();
});

test('a handshake has the time that it is given', async () => {
  await using door = await openDoor(secure(), 100, undefined, { handshakeTimeoutMs: 50 });
  const socket = createConnection({ host: '127.0.0.1', port: door.port });
  socket.resume();
  await new Promise((resolve) => socket.once('close', resolve));
  assert.match(await lineAfter(door, 0), /the handshake took longer than 0\.05 s/);
});

test('a client may skip the check of the name of the server, trust the system as well, and say which versions', async () => {
  await using door = await openDoor(secure({ minimumVersion: 'TLSv1.3' }));
  const none = { caFile: null, certificateFile: null, keyFile: null };
  await assert.rejects(dial({ port: door.port, tls: none }), hasCode('TLS_INVALID', /not signed by our CA/));
  const ours = { ...none, caFile: authority.caFile };
  const named = { port: door.port, servername: 'elsewhere.example' };
  await assert.rejects(dial({ ...named, tls: ours }), hasCode('TLS_INVALID', /elsewhere\.example/));
  const insecure = await dial({ ...named, tls: { ...ours, isInsecure: true } });
  insecure.transport.destroy();
  await assert.rejects(dial({ ...named, tls: { ...none, isInsecure: true } }), hasCode('TLS_INVALID', /CA/));
  const both = await dial({
    port: door.port,
    tls: { ...none, caFile: authority.caFile, trustsSystem: true },
  });
  both.transport.destroy();
  await assert.rejects(
    dial({ port: door.port, tls: { ...none, caFile: authority.caFile, maximumVersion: 'TLSv1.2' } }),
    hasCode('CONNECT_FAILED', /protocol version/),
  );
});
