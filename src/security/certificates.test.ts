import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { connect, createServer, type TLSSocket } from 'node:tls';
import { X509Certificate } from 'node:crypto';
import { DavylampError, FakeClock, SystemClock } from '#base';
import {
  certificateFacts,
  createAuthority,
  issueCertificate,
  writePrivate,
  writePublic,
  type CertificateAndKey,
} from './index.ts';

const authority = await createAuthority({ commonName: 'Davylamp "test", #authority', days: 30 });
const server = await issueCertificate({
  authority,
  commonName: 'relay',
  hosts: ['localhost', 'relay.example', '127.0.0.1', '::1'],
  usage: 'server',
  days: 30,
});
const client = await issueCertificate({
  authority,
  commonName: 'north',
  hosts: [],
  usage: 'client',
  days: 30,
});

/** Shakes hands over a real socket; gives the client's name as the server saw it, or the failure's code. */
async function shakeHands(
  identity: CertificateAndKey | undefined,
  trusted: CertificateAndKey,
  servername: string,
): Promise<string> {
  const listener = createServer({
    key: server.keyPem,
    cert: server.certificatePem,
    ca: authority.certificatePem,
    requestCert: true,
    rejectUnauthorized: true,
  });
  listener.on('tlsClientError', () => {});
  listener.on('secureConnection', (socket: TLSSocket) => {
    socket.on('error', () => {});
    const { subject } = socket.getPeerCertificate();
    socket.end(String(subject.CN));
  });
  listener.listen(0, '127.0.0.1');
  await once(listener, 'listening');
  const { port } = listener.address() as AddressInfo;
  const keys = identity === undefined ? {} : { key: identity.keyPem, cert: identity.certificatePem };
  const socket = connect({ host: '127.0.0.1', port, servername, ca: trusted.certificatePem, ...keys });
  try {
    return await new Promise<string>((resolve) => {
      let text = '';
      socket.on('data', (bytes: Buffer) => (text += bytes.toString()));
      socket.on('end', () => resolve(text));
      socket.on('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? 'failed'));
    });
  } finally {
    socket.destroy();
    listener.close();
  }
}

test('mutual TLS over a real socket, by name and by address', async () => {
  assert.equal(await shakeHands(client, authority, 'localhost'), 'north');
  assert.equal(await shakeHands(client, authority, 'relay.example'), 'north');
});

test('a client without a certificate, of another authority, or with a server certificate is not let in', async () => {
  const other = await createAuthority({ commonName: 'Davylamp "test", #authority', days: 30 });
  const forged = await issueCertificate({
    authority: other,
    commonName: 'north',
    hosts: [],
    usage: 'client',
    days: 30,
  });
  for (const identity of [undefined, forged, server])
    assert.notEqual(await shakeHands(identity, authority, 'localhost'), 'north');
  assert.match(await shakeHands(client, other, 'localhost'), /SIGNATURE|SELF_SIGNED|UNABLE/);
  assert.equal(await shakeHands(client, authority, 'elsewhere.example'), 'ERR_TLS_CERT_ALTNAME_INVALID');
});

test('a certificate that has expired is worth nothing', async () => {
  const now = new SystemClock().now();
  const clock = new FakeClock(now - 10 * 86_400_000);
  const expired = await issueCertificate({
    authority,
    commonName: 'north',
    hosts: [],
    usage: 'client',
    days: 1,
    clock,
  });
  assert.notEqual(await shakeHands(expired, authority, 'localhost'), 'north');
  assert.ok(certificateFacts(expired.certificatePem).notAfter < now);
});

test('the facts of a certificate', async () => {
  const facts = certificateFacts(client.certificatePem);
  const { notAfter, ...others } = facts;
  const fingerprint = new X509Certificate(client.certificatePem).fingerprint256
    .replaceAll(':', '')
    .toLowerCase();
  assert.deepEqual(others, { commonName: 'north', fingerprint, isAuthority: false });
  assert.ok(notAfter > 1_700_000_000_000);
  assert.equal(certificateFacts(authority.certificatePem).isAuthority, true);
  assert.throws(() => certificateFacts('nonsense'), { code: 'TLS_INVALID' });
  const odd = 'a,b=c+d "e" <f>; #g\\h ü';
  const named = await issueCertificate({ authority, commonName: odd, hosts: [], usage: 'client', days: 1 });
  assert.equal(
    await shakeHands(named, authority, 'localhost'),
    odd,
    'no character of a name is taken for syntax',
  );
});

test('a server certificate without a host, and an unusable authority, are errors', async () => {
  await assert.rejects(
    issueCertificate({ authority, commonName: 'x', hosts: [], usage: 'both', days: 1 }),
    (error: unknown) => error instanceof DavylampError && error.code === 'USAGE',
  );
  const broken = { certificatePem: authority.certificatePem, keyPem: 'nonsense' };
  await assert.rejects(
    issueCertificate({ authority: broken, commonName: 'x', hosts: [], usage: 'client', days: 1 }),
    { code: 'TLS_INVALID' },
  );
});

const hasOpenssl = spawnSync('openssl', ['version']).error === undefined;

test(
  'openssl agrees, for every purpose and for no other',
  { skip: hasOpenssl ? false : 'openssl is not installed' },
  async () => {
    const folder = await mkdtemp(join(tmpdir(), 'davylamp-certificates-'));
    try {
      const both = await issueCertificate({
        authority,
        commonName: 'site',
        hosts: ['site.example'],
        usage: 'both',
        days: 1,
      });
      const verify = async (certificate: CertificateAndKey, purpose: string): Promise<number | null> => {
        await writePublic(join(folder, 'ca.pem'), authority.certificatePem);
        await writePublic(join(folder, 'end.pem'), certificate.certificatePem);
        await writePrivate(join(folder, 'end.key'), certificate.keyPem);
        assert.equal(
          spawnSync('openssl', ['pkey', '-in', join(folder, 'end.key'), '-noout', '-check']).status,
          0,
        );
        const arguments_ = [
          'verify',
          '-x509_strict',
          '-purpose',
          purpose,
          '-CAfile',
          join(folder, 'ca.pem'),
          join(folder, 'end.pem'),
        ];
        return spawnSync('openssl', arguments_).status;
      };
      assert.equal(await verify(server, 'sslserver'), 0);
      assert.equal(await verify(client, 'sslclient'), 0);
      assert.equal(await verify(both, 'sslserver'), 0);
      assert.equal(await verify(both, 'sslclient'), 0);
      assert.notEqual(await verify(server, 'sslclient'), 0);
      assert.notEqual(await verify(client, 'sslserver'), 0);
      assert.notEqual(await verify(await createAuthority({ commonName: 'x', days: 1 }), 'sslclient'), 0);
    } finally {
      await rm(folder, { recursive: true });
    }
  },
);
