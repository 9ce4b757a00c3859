import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { copyFile, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { test } from 'node:test';
import { promisify } from 'node:util';
import * as fc from 'fast-check';
import type { TlsFilesConfig } from '#config';
import { dial, exchange, lineAfter, openDoor } from '../../test/helpers/listener-door.ts';
import { certificateOptions, opensslClient } from '../../test/helpers/openssl-client.ts';
import { TestAuthority } from '../../test/helpers/test-certificates.ts';
import { tlsParties } from '../../test/helpers/tls-parties.ts';
import { revocationLists } from './revocation-lists.ts';

const run = promisify(execFile);

const { authority, stranger, detector, folder, mutual } = await tlsParties();
const expired = await authority.issue('detector-1', '', -1);

test('withdrawn certificates do not come in', async () => {
  const withdrawn = await authority.issue('detector-9');
  const crlFile = await authority.revoke([withdrawn]);
  await using door = await openDoor(mutual({ crlFile }));
  const near = await dial({ host: 'localhost', port: door.port, tls: detector });
  await exchange(near, await door.accepted());
  near.transport.destroy();
  await opensslClient(door.port, ...certificateOptions(withdrawn)).end();
  assert.match(await lineAfter(door, 0), /client certificate is withdrawn/);
  const old = await authority.revoke([], 'old.pem', -1);
  await using late = await openDoor(mutual({ crlFile: old }));
  await opensslClient(late.port, ...certificateOptions(detector)).end();
  assert.match(await lineAfter(late, 0), /CRL file is out of date/);
});

test('without a look at dates: what has expired comes in, and nothing else that would not', async () => {
  const withdrawn = await authority.issue('detector-8', '', -1);
  const foreign = await stranger.issue('detector-1', '', -1);
  const forServers = await authority.issue('other-broker', 'DNS:other', -1);
  const crlFile = await authority.revoke([withdrawn], 'dateless.pem', -1);
  await using door = await openDoor(mutual({ ignoresDates: true, crlFile }));
  for (const files of [expired, detector]) {
    const near = await dial({ host: 'localhost', port: door.port, tls: files });
    const far = await door.accepted();
    await exchange(near, far);
    assert.equal(far.transport!.peer.certificate?.commonName, 'detector-1');
    near.transport.destroy();
  }
  let count = 0;
  for (const [files, reason] of [
    [withdrawn, /client certificate is withdrawn/],
    [foreign, /not signed by a trusted/],
    [forServers, /another use/],
  ] as const) {
    await opensslClient(door.port, ...certificateOptions(files)).end();
    assert.match(await lineAfter(door, count), reason);
    count += 1;
  }
  await opensslClient(door.port).end();
  assert.match(await lineAfter(door, count), /client certificate is missing/);
  assert.equal(door.listener.statistics.accepted, 2);
  assert.equal(door.listener.statistics.handshakeFailures, 4);
});

test('without a look at dates: sessions are resumed by an expired certificate', async () => {
  await using door = await openDoor(mutual({ ignoresDates: true }));
  const session = path.join(folder, 'dateless.session');
  for (const [option, pattern] of [
    ['-sess_out', /New, TLSv1/],
    ['-sess_in', /Reused, TLSv1/],
  ] as const) {
    const near = opensslClient(door.port, '-tls1_2', ...certificateOptions(expired), option, session);
    await near.until(pattern);
    const far = await door.accepted();
    assert.equal(far.transport!.peer.certificate?.commonName, 'detector-1');
    await near.end();
  }
});

test('without a look at dates: authorities in between must have the right to sign', async () => {
  const make = async (name: string, extensions: string, issuer: string): Promise<void> => {
    await writeFile(path.join(folder, `${name}.ext`), extensions);
    const request = `req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj /CN=${name} -keyout ${name}.key -out ${name}.csr`;
    await run('openssl', request.split(' '), { cwd: folder });
    const sign = `x509 -req -in ${name}.csr -CA ${issuer}.pem -CAkey ${issuer}.key -CAcreateserial -days -1 -extfile ${name}.ext -out ${name}.pem`;
    await run('openssl', sign.split(' '), { cwd: folder });
  };
  await copyFile(authority.caFile, path.join(folder, 'root.pem'));
  await copyFile(path.join(authority.folder, 'ca.key'), path.join(folder, 'root.key'));
  await make('between', 'basicConstraints=critical,CA:TRUE,pathlen:0', 'root');
  await make('below', 'basicConstraints=critical,CA:TRUE', 'between');
  await make('plain', 'basicConstraints=critical,CA:FALSE', 'root');
  const leaf = 'extendedKeyUsage=clientAuth';
  await make('good', leaf, 'between');
  await make('too-deep', leaf, 'below');
  await make('by-nobody', leaf, 'plain');
  await using door = await openDoor(mutual({ ignoresDates: true }));
  const enter = async (name: string, ...between: readonly string[]): Promise<void> => {
    const chain = path.join(folder, `${name}.chain`);
    const texts = between.map((one) => readFile(path.join(folder, `${one}.pem`), 'utf8'));
    await writeFile(chain, (await Promise.all(texts)).join(''));
    const own = ['-cert', path.join(folder, `${name}.pem`), '-key', path.join(folder, `${name}.key`)];
    await opensslClient(door.port, ...own, '-cert_chain', chain).end();
  };
  await enter('good', 'between');
  assert.equal((await door.accepted()).transport!.peer.certificate?.commonName, 'good');
  await enter('too-deep', 'below', 'between');
  assert.match(await lineAfter(door, 0), /not signed by a trusted authority/);
  await enter('by-nobody', 'plain');
  assert.match(await lineAfter(door, 1), /not signed by a trusted authority/);
  assert.equal(door.listener.statistics.accepted, 1);
});

test('without a look at dates: an authority that brings a key of no use is none, and harms nobody', async () => {
  const openssl = (words: string): Promise<unknown> => run('openssl', words.split(' '), { cwd: folder });
  await writeFile(path.join(folder, 'odd.ext'), 'basicConstraints=critical,CA:TRUE');
  await openssl(
    'req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=odd -keyout odd.key -out odd.pem',
  );
  await openssl('genpkey -algorithm X25519 -out x25519.key');
  await openssl('pkey -in x25519.key -pubout -out x25519.pub');
  await openssl('req -new -key odd.key -subj /CN=odd -out odd.csr');
  await openssl(
    'x509 -req -in odd.csr -CA odd.pem -CAkey odd.key -CAcreateserial -days 2 -force_pubkey x25519.pub -extfile odd.ext -out odd-x25519.pem',
  );
  await openssl(
    'req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj /CN=leaf -keyout leaf.key -out leaf.csr',
  );
  await openssl('x509 -req -in leaf.csr -CA odd.pem -CAkey odd.key -CAcreateserial -days -1 -out leaf.pem');
  await using door = await openDoor(mutual({ ignoresDates: true }));
  const own = ['-cert', path.join(folder, 'leaf.pem'), '-key', path.join(folder, 'leaf.key')];
  await opensslClient(door.port, ...own, '-cert_chain', path.join(folder, 'odd-x25519.pem')).end();
  assert.match(await lineAfter(door, 0), /not signed by a trusted authority/);
  const near = await dial({ host: 'localhost', port: door.port, tls: detector });
  await exchange(near, await door.accepted());
  near.transport.destroy();
});

test('a list of the client’s own authority is enough, as with Mosquitto; those between it and the root count where they have one', async () => {
  await using root = await TestAuthority.create('root');
  await using signing = await root.createBelow('signing');
  const chain = path.join(folder, 'all.pem');
  await writeFile(chain, `${await readFile(root.caFile, 'utf8')}${await readFile(signing.caFile, 'utf8')}`);
  const good = await signing.issue('good');
  const withdrawn = await signing.issue('withdrawn');
  const direct = await root.issue('direct');
  const crlFile = await signing.revoke([withdrawn]);
  await using door = await openDoor(mutual({ caFile: chain, crlFile }));
  const visit = (files: TlsFilesConfig): Promise<string> =>
    opensslClient(door.port, ...certificateOptions(files)).end();
  await visit(good);
  assert.equal((await door.accepted()).transport!.peer.certificate?.commonName, 'good');
  await visit(withdrawn);
  assert.match(await lineAfter(door, 0), /client certificate is withdrawn/);
  await visit(direct);
  assert.match(await lineAfter(door, 1), /no list of the authority of the client certificate/);
  const both = path.join(folder, 'both.pem');
  const below = await root.revoke([{ ...good, certificateFile: signing.caFile }]);
  await writeFile(both, `${await readFile(crlFile, 'utf8')}${await readFile(below, 'utf8')}`);
  const prepared = await door.listener.prepareReload({
    ...door.config,
    ...mutual({ caFile: chain, crlFile: both }),
  });
  prepared.commit();
  await visit(good);
  assert.match(await lineAfter(door, 2), /client certificate is withdrawn/);
  assert.equal(door.listener.statistics.accepted, 1);
});

test('a list that somebody else has signed in the authority’s name is none', async () => {
  await using twin = await TestAuthority.create();
  const withdrawn = await authority.issue('detector-7');
  // Of the same name, with another key.
  const crlFile = await twin.revoke([]);
  await using door = await openDoor(mutual({ crlFile }));
  await opensslClient(door.port, ...certificateOptions(withdrawn)).end();
  assert.match(await lineAfter(door, 0), /no list of the authority/);
});

test('of two lists of one authority the later counts', async () => {
  const withdrawn = await authority.issue('detector-6');
  const early = await authority.revoke([withdrawn], 'early.pem', -1);
  const late = await authority.revoke([], 'late.pem');
  for (const files of [
    [early, late],
    [late, early],
  ]) {
    const crlFile = path.join(folder, 'two.pem');
    await writeFile(crlFile, (await Promise.all(files.map((file) => readFile(file, 'utf8')))).join(''));
    await using door = await openDoor(mutual({ crlFile }));
    await opensslClient(door.port, ...certificateOptions(withdrawn)).end();
    await door.accepted();
  }
});

test('who is not required to have a certificate has none when it is withdrawn', async () => {
  const withdrawn = await authority.issue('detector-5');
  const crlFile = await authority.revoke([withdrawn], 'optional.pem');
  await using door = await openDoor({
    ...mutual({ crlFile }),
    requireCertificate: false,
    identityFromCertificate: true,
  });
  for (const [files, name] of [
    [withdrawn, undefined],
    [detector, 'detector-1'],
  ] as const) {
    await opensslClient(door.port, ...certificateOptions(files)).end();
    assert.equal((await door.accepted()).transport!.peer.certificate?.commonName, name);
  }
});

test('whatever stands in a list, it is read or refused', async () => {
  const withdrawn = await authority.issue('detector-4');
  const text = await readFile(await authority.revoke([withdrawn], 'sound.pem'), 'utf8');
  const der = Buffer.from(text.replaceAll(/-----[^-]+-----/g, ''), 'base64');
  const change = fc.array(fc.tuple(fc.nat(der.length - 1), fc.nat(255)), { minLength: 1, maxLength: 5 });
  fc.assert(
    fc.property(change, fc.nat(der.length), (changes, length) => {
      const bytes = Buffer.from(der);
      for (const [at, value] of changes) bytes[at] = value;
      const pem = `-----BEGIN X509 CRL-----\n${bytes.subarray(0, length).toString('base64')}\n-----END X509 CRL-----\n`;
      try {
        revocationLists(pem);
      } catch (error) {
        assert.match((error as Error).message, /^(?:holds|is) /);
      }
    }),
    { numRuns: 500 },
  );
});
