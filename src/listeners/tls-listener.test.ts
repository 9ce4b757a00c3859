import assert from 'node:assert/strict';
import { readFile, writeFile } from 'node:fs/promises';
import { constants } from 'node:crypto';
import { once } from 'node:events';
import { createConnection } from 'node:net';
import path from 'node:path';
import { test } from 'node:test';
import { connect as connectTls, type TLSSocket } from 'node:tls';
import { type DavylampError } from '#base';
import type { TlsFilesConfig } from '#config';
import { dial, exchange, hasCode, lineAfter, openDoor, Recorder } from '../../test/helpers/listener-door.ts';
import { tlsParties } from '../../test/helpers/tls-parties.ts';

const { authority, stranger, server, detector, folder, mutual } = await tlsParties();

test('mutual TLS: the certificate names the peer', async () => {
  await using door = await openDoor(mutual());
  const near = await dial({ host: 'localhost', port: door.port, tls: detector });
  const far = await door.accepted();
  await exchange(near, far);
  assert.equal(far.transport!.peer.certificate?.commonName, 'detector-1');
  assert.match(far.transport!.peer.certificate.fingerprint, /^[0-9a-f]{64}$/);
  assert.equal(near.transport.peer.certificate?.commonName, 'broker');
  near.transport.end();
  await far.until(() => far.closes === 1);
});

test('TLS without client certificates', async () => {
  await using door = await openDoor({ protocol: 'tls', tls: { ...server, caFile: null } });
  const near = await dial({
    port: door.port,
    tls: { caFile: authority.caFile, certificateFile: null, keyFile: null },
  });
  const far = await door.accepted();
  await exchange(near, far);
  assert.equal(far.transport!.peer.certificate, null);
  near.transport.destroy();
});

test('a client certificate of another authority is no identity, even where none is required', async () => {
  const foreign = await stranger.issue('detector-1');
  await using door = await openDoor({ protocol: 'tls', tls: server, identityFromCertificate: true });
  const near = await dial({ port: door.port, tls: { ...foreign, caFile: authority.caFile } });
  const far = await door.accepted();
  assert.equal(far.transport!.peer.certificate, null);
  near.transport.destroy();
});

test('mutual TLS: who has no good certificate is turned away, with one clear line', async () => {
  const foreign = await stranger.issue('detector-1');
  const expired = await authority.issue('detector-1', '', -1);
  const cases: readonly [TlsFilesConfig, RegExp][] = [
    [{ caFile: authority.caFile, certificateFile: null, keyFile: null }, /client certificate is missing/],
    [{ ...foreign, caFile: authority.caFile }, /client certificate is signed by an unknown authority/],
    [expired, /client certificate has expired/],
  ];
  await using door = await openDoor(mutual());
  for (const [tls, pattern] of cases) {
    const count = door.lines.length;
    const near = await dial({ port: door.port, tls }).catch((error: unknown) => error as DavylampError);
    if (near instanceof Recorder) {
      await near.until(() => near.closes === 1);
      if (near.error !== undefined)
        assert.match(near.error.message, /our certificate was refused|ECONNRESET/);
    } else {
      assert.match(near.message, /our certificate was refused|closed during the handshake|reset/);
    }
    const line = await lineAfter(door, count);
    assert.match(line, pattern);
    assert.match(line, /^\S+ notice listener:detectors: .*peer=127\.0\.0\.1\n$/);
  }
  assert.equal(door.lines.length, cases.length);
  assert.equal(door.listener.statistics.handshakeFailures, cases.length);
  assert.equal(door.listener.statistics.accepted, 0);
});

test('rubbish towards a TLS port is one counted line', async () => {
  await using door = await openDoor(mutual());
  const socket = createConnection({ host: '127.0.0.1', port: door.port });
  socket.on('error', () => {});
  socket.write('GET / HTTP/1.1\r\n\r\n');
  await new Promise((resolve) => socket.once('close', resolve));
  assert.match(await lineAfter(door, 0), /the client does not speak TLS/);
});

test('TLS files: each fault names the file', async () => {
  const other = await authority.issue('other', 'DNS:other');
  const missing = path.join(folder, 'missing.pem');
  const text = path.join(folder, 'text.pem');
  const bent = path.join(folder, 'bent.pem');
  await writeFile(text, 'no certificate');
  await writeFile(bent, '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n');
  const cases: readonly [Partial<TlsFilesConfig>, string, RegExp][] = [
    [
      { certificateFile: missing },
      'FILE_UNREADABLE',
      /certificate file .*missing\.pem: there is no such file/,
    ],
    [
      { keyFile: other.keyFile },
      'TLS_INVALID',
      /key file .*other\.key does not belong to certificate file .*broker\.pem/,
    ],
    [{ caFile: text }, 'TLS_INVALID', /CA file .*text\.pem holds no certificate/],
    [{ certificateFile: bent }, 'TLS_INVALID', /certificate file .*bent\.pem holds a damaged certificate/],
    [{ keyFile: text }, 'TLS_INVALID', /key file .*text\.pem holds no private key/],
    [{ keyFile: null }, 'TLS_INVALID', /needs a certificate file and a key file/],
    [{ caFile: null }, 'TLS_INVALID', /need a CA file/],
  ];
  for (const [change, code, pattern] of cases) {
    await assert.rejects(openDoor({ ...mutual(), tls: { ...server, ...change } }), hasCode(code, pattern));
  }
});

/** A handshake with options that our own dialer would not use. */
async function handshake(
  port: number,
  options: object,
): Promise<{ socket: TLSSocket; session: Buffer | undefined }> {
  const socket = connectTls({ host: '127.0.0.1', port, rejectUnauthorized: false, ...options });
  let session: Buffer | undefined;
  socket.on('session', (data) => {
    session = data;
  });
  await new Promise((resolve, reject) => {
    socket.once('secureConnect', resolve);
    socket.once('error', reject);
  });
  return { socket, session };
}

test('TLS 1.2 sessions are resumed by session id, as an ESP8266 does, and keep their identity', async () => {
  const cert = await readFile(detector.certificateFile!);
  const key = await readFile(detector.keyFile!);
  await using door = await openDoor(mutual());
  const options = { cert, key, maxVersion: 'TLSv1.2', secureOptions: constants.SSL_OP_NO_TICKET };
  const first = await handshake(door.port, options);
  await door.accepted();
  assert.equal(first.socket.isSessionReused(), false);
  const session = first.socket.getSession();
  first.socket.destroy();
  const second = await handshake(door.port, { ...options, session });
  const far = await door.accepted();
  assert.equal(second.socket.isSessionReused(), true);
  assert.equal(far.transport!.peer.certificate?.commonName, 'detector-1');
  second.socket.destroy();
  await assert.rejects(handshake(door.port, { maxVersion: 'TLSv1.1', ciphers: 'DEFAULT@SECLEVEL=0' }));
});

test('where TLS 1.3 alone is allowed, sessions are resumed by ticket and keep their identity', async () => {
  const cert = await readFile(detector.certificateFile!);
  const key = await readFile(detector.keyFile!);
  await using door = await openDoor(mutual({ minimumVersion: 'TLSv1.3' }));
  const first = await handshake(door.port, { cert, key });
  await door.accepted();
  // Tickets come behind the handshake.
  const session = first.session ?? ((await once(first.socket, 'session')) as [Buffer])[0];
  first.socket.destroy();
  const second = await handshake(door.port, { cert, key, session });
  const far = await door.accepted();
  assert.equal(second.socket.isSessionReused(), true);
  assert.equal(far.transport!.peer.certificate?.commonName, 'detector-1');
  second.socket.destroy();
});
