import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { chmod, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { DavylampError } from '#base';
import type { ListenerConfig, TlsFilesConfig } from '#config';
import { dial, exchange, hasCode, lineAfter, openDoor, type Door } from '../../test/helpers/listener-door.ts';
import { opensslClient } from '../../test/helpers/openssl-client.ts';
import { tlsParties } from '../../test/helpers/tls-parties.ts';
import { checkDialFiles } from './dial.ts';
import { parsePskFile } from './psk-file.ts';

const none: TlsFilesConfig = { caFile: null, certificateFile: null, keyFile: null };
const key = '00c0ffee0123456789';

const { server, folder } = await tlsParties();
const pskFile = path.join(folder, 'psk.txt');
await writeFile(pskFile, `# detectors\n\ntank-7:${key}\ntank 8:abc\n`, { mode: 0o600 });

const keyed = (tls: TlsFilesConfig = none): Partial<ListenerConfig> => ({ protocol: 'tls', tls, pskFile });

const versions = ['-tls1_2', '-tls1_3'] as const;

async function refusedWith(door: Door, pattern: RegExp, ...options: readonly string[]): Promise<void> {
  const count = door.lines.length;
  await opensslClient(door.port, ...options).end();
  assert.match(await lineAfter(door, count), pattern);
}

test('PSK file: identities and keys as Mosquitto reads them', () => {
  const keys = parsePskFile('a:00ff\r\n#b:1\n\nc d:ABC\ne:f', 'x');
  assert.deepEqual(
    [...keys].map(([identity, value]) => [identity, value.toString('hex')]),
    [
      ['a', '00ff'],
      ['c d', '0abc'],
      ['e', '0f'],
    ],
  );
  const cases: readonly (readonly [string, RegExp])[] = [
    ['a', /^x:1: a line is identity:key/],
    [':00', /^x:1: a line is identity:key/],
    ['a:', /^x:1: the key must be/],
    ['a:00\nb:secret', /^x:2: the key must be/],
    [`a:${'00'.repeat(257)}`, /^x:1: the key must be/],
    [`${'a'.repeat(256)}:00`, /^x:1: the identity is longer/],
    ['a:00\na:01', /^x:2: a has a key already/],
  ];
  for (const [text, pattern] of cases) {
    assert.throws(
      () => parsePskFile(text, 'x'),
      (error) => hasCode('CREDENTIALS_INVALID', pattern)(error) && !/secret/.test((error as Error).message),
    );
  }
  fc.assert(
    fc.property(fc.string(), (text) => {
      try {
        parsePskFile(text, 'x');
      } catch (error) {
        assert.ok(error instanceof DavylampError);
      }
    }),
  );
});

test('openssl comes in with a key that we know, by both versions of TLS, and is known by its identity', async () => {
  await using door = await openDoor({ ...keyed(), pskHint: 'detectors of site 4' });
  for (const version of versions) {
    const near = opensslClient(
      door.port,
      version,
      '-psk_identity',
      'tank-7',
      '-psk',
      key,
      '-quiet',
      '-no_ign_eof',
    );
    near.write('hello\n');
    const far = await door.accepted();
    await far.until(() => far.text === 'hello\n');
    assert.equal(far.transport!.peer.pskIdentity, 'tank-7');
    assert.equal(far.transport!.peer.certificate, null);
    far.transport!.write(Buffer.from('back\n'));
    await near.until(/back/);
    await near.end();
  }
  const hinted = opensslClient(
    door.port,
    '-tls1_2',
    '-psk_identity',
    'tank-7',
    '-psk',
    key,
    '-cipher',
    'PSK',
  );
  await hinted.until(/PSK identity hint: detectors of site 4/);
  await hinted.end();
});

test('who has no key, another key or no certificate to check us by is turned away with one line', async () => {
  await using door = await openDoor(keyed());
  for (const version of versions) {
    const wrong = `${key}00`;
    await refusedWith(
      door,
      /another key|PSK key is wrong/,
      version,
      '-psk_identity',
      'tank-7',
      '-psk',
      wrong,
    );
    await refusedWith(door, /shares no cipher|no suitable/, version);
  }
  await refusedWith(door, /identity is not known/, '-tls1_2', '-psk_identity', 'tank-9', '-psk', key);
  assert.equal(door.listener.statistics.accepted, 0);
  assert.doesNotMatch(door.lines.join(''), new RegExp(key));
});

test('certificate and shared keys at one listener: a name that is only claimed is none', async () => {
  await using door = await openDoor(keyed(server));
  const cases: readonly (readonly [readonly string[], string | undefined])[] = [
    [['-tls1_2', '-psk_identity', 'tank-7', '-psk', key, '-cipher', 'PSK'], 'tank-7'],
    [['-tls1_3', '-psk_identity', 'tank-7', '-psk', key], 'tank-7'],
    [['-tls1_2'], undefined],
    [['-tls1_3'], undefined],
    // A suite that a shared key cannot have: the identity is said, and the certificate used.
    [
      ['-tls1_3', '-psk_identity', 'tank-7', '-psk', `${key}99`, '-ciphersuites', 'TLS_AES_256_GCM_SHA384'],
      undefined,
    ],
  ];
  for (const [options, identity] of cases) {
    const near = opensslClient(door.port, ...options);
    const far = await door.accepted();
    assert.equal(far.transport!.peer.pskIdentity, identity, options.join(' '));
    await near.end();
  }
  await refusedWith(door, /PSK key is wrong/, '-tls1_3', '-psk_identity', 'tank-7', '-psk', `${key}99`);
});

test('nothing is resumed where keys are shared beforehand: a session would not say whose key it was', async () => {
  await using door = await openDoor(keyed(server));
  for (const [index, options] of [
    ['-tls1_3', '-psk_identity', 'tank-7', '-psk', key],
    ['-tls1_2', '-psk_identity', 'tank-7', '-psk', key, '-cipher', 'PSK'],
    ['-tls1_2'],
    ['-tls1_3'],
  ].entries()) {
    const file = path.join(folder, `session-${index}.pem`);
    const first = opensslClient(door.port, ...options, '-sess_out', file);
    await door.accepted();
    await first.until(/Verify return code/);
    await first.end();
    // TLS 1.3 has no session without a ticket.
    if (existsSync(file)) {
      const second = opensslClient(door.port, options[0]!, '-sess_in', file);
      assert.equal((await door.accepted()).transport!.peer.pskIdentity, undefined);
      await second.until(/New, TLSv1/);
      await second.end();
    } else assert.equal(options[0], '-tls1_3');
  }
});

test('our dialer comes in with a key, and only to a server that has it too', async () => {
  await using door = await openDoor(keyed());
  const psk = { identity: 'tank-7', keyHex: key };
  for (const maximumVersion of ['TLSv1.2', 'TLSv1.3'] as const) {
    const near = await dial({ port: door.port, tls: { ...none, psk, maximumVersion } });
    const far = await door.accepted();
    await exchange(near, far);
    assert.equal(far.transport!.peer.pskIdentity, 'tank-7');
    near.transport.destroy();
    await assert.rejects(
      dial({ port: door.port, tls: { ...none, psk: { ...psk, keyHex: 'ff' }, maximumVersion } }),
      DavylampError,
    );
  }
  await assert.rejects(
    dial({ port: door.port, tls: { ...none, psk: { ...psk, keyHex: 'xy' } } }),
    hasCode('TLS_INVALID', /the PSK key must be/),
  );
  // A server with a certificate of an authority that we do not know does not become ours by our having a key.
  await using certified = await openDoor({ protocol: 'tls', tls: server });
  await assert.rejects(dial({ port: certified.port, tls: { ...none, psk } }), DavylampError);
});

test('our dialer takes its key from a file, anew with each dial', async () => {
  await using door = await openDoor(keyed());
  const file = path.join(folder, 'own.txt');
  const tls = { ...none, psk: { identity: 'tank-7', file } };
  const options = { host: '127.0.0.1', port: door.port, tls };
  await writeFile(file, 'tank-7:ff\n', { mode: 0o600 });
  const wrong = await checkDialFiles(options);
  await assert.rejects(dial(options), DavylampError);
  await writeFile(file, `tank-7:${key}\n`);
  assert.notEqual(await checkDialFiles(options), wrong);
  const near = await dial(options);
  const far = await door.accepted();
  assert.equal(far.transport!.peer.pskIdentity, 'tank-7');
  near.transport.destroy();
  await writeFile(file, `tank-8:${key}\n`);
  const missing = hasCode('CREDENTIALS_INVALID', /PSK file .*own\.txt has no key of the identity tank-7/);
  await assert.rejects(dial(options), missing);
  await rm(file);
  await assert.rejects(dial(options), hasCode('FILE_UNREADABLE', /PSK file .*own\.txt cannot be read/));
});

test('a PSK file that cannot be used, and one that others can read', async () => {
  const bad = path.join(folder, 'bad.txt');
  await writeFile(bad, 'tank-7\n');
  await assert.rejects(
    openDoor({ ...keyed(), pskFile: bad }),
    hasCode('CREDENTIALS_INVALID', /^listener detectors: PSK file .*bad\.txt:1: a line is identity:key/),
  );
  await assert.rejects(
    openDoor({ ...keyed(), pskFile: path.join(folder, 'none.txt') }),
    hasCode('FILE_UNREADABLE', /PSK file .*none\.txt cannot be read/),
  );
  const open = path.join(folder, 'open.txt');
  await writeFile(open, `a:${key}\n`);
  await chmod(open, 0o644);
  await using door = await openDoor({ ...keyed(), pskFile: open });
  assert.match(door.lines.join(''), /warning .*other users of this machine can read it/);
});
