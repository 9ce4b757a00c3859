import assert from 'node:assert/strict';
import { chmod, mkdtemp, readFile, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { listenerConfig } from '../../test/helpers/listener-config.ts';
import {
  hashPassword,
  hashScram,
  loadTrust,
  scramSha256,
  privacyWarnings,
  type Trust,
  writePrivate,
  writePublic,
} from './index.ts';

const plain = listenerConfig({ allowAnonymous: false });

async function folderFor(context: TestContext): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'davylamp-trust-'));
  context.after(() => rm(folder, { recursive: true }));
  return folder;
}

test('a listener with its files: who is right comes in, and may do what the list says', async (context) => {
  const folder = await folderFor(context);
  const passwordFile = join(folder, 'passwords');
  const accessFile = join(folder, 'access');
  await writePrivate(passwordFile, `alice:${await hashPassword('secret', 1000)}\n`);
  await writePublic(accessFile, 'user alice\ntopic write a/#\n');
  const trust = await loadTrust({ ...plain, passwordFile, requirePassword: true, accessFile });
  const result = await trust.authenticator.authenticate({
    clientId: 'c',
    username: 'alice',
    password: Buffer.from('secret'),
    peer,
  });
  assert.equal(result.reasonCode, 0);
  assert.equal('name' in result && result.name, 'alice');
  assert.equal(trust.authorizer.mayPublish({ name: 'alice', clientId: 'c' }, 'a/b'), true);
  assert.equal(trust.authorizer.mayPublish({ name: 'alice', clientId: 'c' }, 'b'), false);
  assert.deepEqual(trust.warnings, []);
});

test('files that cannot be read or understood are errors that name listener, file and line', async (context) => {
  const folder = await folderFor(context);
  const missing = join(folder, 'missing');
  const broken = join(folder, 'broken');
  await writeFile(broken, 'nonsense\n');
  const code = 'FILE_UNREADABLE';
  const message = (what: string): RegExp =>
    new RegExp(`^listener detectors: ${what} .*missing cannot be read \\(ENOENT\\)`);
  await assert.rejects(loadTrust({ ...plain, passwordFile: missing }), {
    code,
    message: message('password file'),
  });
  await assert.rejects(loadTrust({ ...plain, accessFile: missing }), {
    code,
    message: message('access file'),
  });
  for (const files of [{ passwordFile: broken }, { accessFile: broken }]) {
    await assert.rejects(loadTrust({ ...plain, ...files }), {
      code: 'CREDENTIALS_INVALID',
      message: /^listener detectors: .*broken:1: /,
    });
  }
});

test(
  'secrets that others can read are told',
  { skip: process.platform === 'win32' ? 'file modes say nothing here' : false },
  async (context) => {
    const folder = await folderFor(context);
    const passwordFile = join(folder, 'passwords');
    await writePrivate(passwordFile, '');
    await chmod(passwordFile, 0o644);
    const { warnings } = await loadTrust({ ...plain, passwordFile, allowAnonymous: true });
    assert.deepEqual(warnings, [
      `listener detectors: ${passwordFile}: other users of this machine can read it; run chmod o= on it`,
    ]);
    assert.deepEqual(await privacyWarnings([join(folder, 'missing')]), []);
  },
);

test(
  'a secret is written for this user alone, and whole',
  { skip: process.platform === 'win32' ? 'file modes say nothing here' : false },
  async (context) => {
    const folder = await folderFor(context);
    const path = join(folder, 'key');
    await writeFile(path, 'a longer text that was there before', { mode: 0o666 });
    await writePrivate(path, 'new');
    assert.equal(await readFile(path, 'utf8'), 'new');
    assert.equal((await stat(path)).mode & 0o777, 0o600);
    await writePublic(path, 'newer');
    assert.equal((await stat(path)).mode & 0o777, 0o644);
    assert.deepEqual(await readdir(folder), ['key'], 'nothing is left beside it');
    await assert.rejects(writePrivate(join(folder, 'no', 'such', 'folder'), 'x'), {
      code: 'FILE_UNWRITABLE',
      message: /cannot be written \(ENOENT\)/,
    });
  },
);

test('a SCRAM file opens its method, and only that: no password is taken in the clear', async (context) => {
  const folder = await folderFor(context);
  const scramFile = join(folder, 'scram');
  await writePrivate(scramFile, `alice:${await hashScram('secret', 4096)}\n`);
  const { authenticator, enhancedAuthenticator } = await loadTrust({
    ...plain,
    scramFile,
    requirePassword: true,
  });
  const credentials = {
    clientId: 'c',
    username: 'alice',
    password: Buffer.from('secret'),
    peer: { address: '192.0.2.1', port: 1, certificate: null },
  };
  assert.equal((await authenticator.authenticate(credentials)).reasonCode, 0x87);
  assert.deepEqual(enhancedAuthenticator?.methods, ['SCRAM-SHA-256']);
  const ours = scramSha256({ username: 'alice', password: 'secret' }).begin();
  const theirs = enhancedAuthenticator?.begin('SCRAM-SHA-256', credentials);
  const challenge = await theirs?.step(ours.first());
  assert.equal(challenge?.kind, 'continue');
  const verdict = await theirs?.step(await ours.answer(challenge.data));
  assert.equal(verdict?.kind === 'success' && verdict.name, 'alice');
  assert.equal((await loadTrust({ ...plain, allowAnonymous: true })).enhancedAuthenticator, null);
  await writePrivate(scramFile, 'alice:secret\n');
  await assert.rejects(loadTrust({ ...plain, scramFile }), {
    code: 'CREDENTIALS_INVALID',
    message: /^listener detectors: .*scram:1: user "alice"/,
  });
  await assert.rejects(loadTrust({ ...plain, scramFile: join(folder, 'none') }), {
    code: 'FILE_UNREADABLE',
    message: /^listener detectors: SCRAM file /,
  });
});

const peer = { address: '127.0.0.1', port: 1, certificate: null };
const signIn = (trust: Trust, username: string, password: string) =>
  trust.authenticator.authenticate({ clientId: 'c', username, password: Buffer.from(password), peer });

test('a reload in two steps: nothing has changed until it is committed, then everything has', async (context) => {
  const folder = await folderFor(context);
  const passwordFile = join(folder, 'passwords');
  const accessFile = join(folder, 'access');
  await writePrivate(passwordFile, `alice:${await hashPassword('secret', 1000)}\n`);
  await writePublic(accessFile, 'user alice\ntopic write a/#\n');
  const listener = { ...plain, passwordFile, requirePassword: true, accessFile };
  const trust = await loadTrust(listener);
  const { authenticator, authorizer } = trust;
  const { generation } = authorizer;
  const alice = { name: 'alice', clientId: 'c' };
  await writePrivate(passwordFile, `alice:${await hashPassword('other', 1000)}\n`);
  await writePublic(accessFile, 'user alice\ntopic write b/#\n');
  const prepared = await trust.prepareReload(listener);
  assert.equal((await signIn(trust, 'alice', 'secret')).reasonCode, 0);
  assert.equal(authorizer.mayPublish(alice, 'a/1'), true);
  assert.equal(authorizer.generation, generation);
  prepared.commit();
  assert.equal((await signIn(trust, 'alice', 'secret')).reasonCode, 0x86);
  assert.equal((await signIn(trust, 'alice', 'other')).reasonCode, 0);
  assert.equal(authorizer.mayPublish(alice, 'a/1'), false);
  assert.equal(authorizer.mayPublish(alice, 'b/1'), true);
  assert.notEqual(authorizer.generation, generation);
  assert.equal(trust.authenticator, authenticator);
  assert.equal(trust.authorizer, authorizer);
});

test('a broken file at a reload is an error, and the old rules stand', async (context) => {
  const folder = await folderFor(context);
  const passwordFile = join(folder, 'passwords');
  const accessFile = join(folder, 'access');
  await writePrivate(passwordFile, `alice:${await hashPassword('secret', 1000)}\n`);
  await writePublic(accessFile, 'user alice\ntopic write a/#\n');
  const listener = { ...plain, passwordFile, requirePassword: true, accessFile };
  const trust = await loadTrust(listener);
  for (const [file, text] of [
    [passwordFile, 'alice:plain text\n'],
    [accessFile, 'topic read a/#/b\n'],
  ] as const) {
    const before = await readFile(file, 'utf8');
    await writeFile(file, text);
    await assert.rejects(trust.prepareReload(listener), { code: 'CREDENTIALS_INVALID' });
    await rm(file);
    await assert.rejects(trust.prepareReload(listener), { code: 'FILE_UNREADABLE' });
    await writeFile(file, before);
  }
  assert.equal((await signIn(trust, 'alice', 'secret')).reasonCode, 0);
  assert.equal(trust.authorizer.mayPublish({ name: 'alice', clientId: 'c' }, 'a/1'), true);
});

test('who came in stays as long as what it came in by does', async (context) => {
  const folder = await folderFor(context);
  const passwordFile = join(folder, 'passwords');
  const scramFile = join(folder, 'scram');
  const bob = `bob:${await hashPassword('secret', 1000)}\n`;
  await writePrivate(passwordFile, `alice:${await hashPassword('secret', 1000)}\n${bob}`);
  await writePrivate(scramFile, `carol:${await hashScram('secret', 4096)}\n`);
  const open = { ...plain, passwordFile, scramFile, allowAnonymous: true };
  const trust = await loadTrust(open);
  const ticketOf = async (username?: string): Promise<string> => {
    const password = username === undefined ? undefined : Buffer.from('secret');
    const result = await trust.authenticator.authenticate({ clientId: 'c', username, password, peer });
    return 'name' in result ? (result.ticket ?? '') : 'refused';
  };
  const client = scramSha256({ username: 'carol', password: 'secret' }).begin();
  const credentials = { clientId: 'c', username: undefined, password: undefined, peer };
  const exchange = trust.enhancedAuthenticator?.begin('SCRAM-SHA-256', credentials);
  const challenge = await exchange?.step(client.first());
  assert.equal(challenge?.kind, 'continue');
  const proof = await client.answer(challenge.data ?? Buffer.alloc(0));
  const done = await exchange?.step(proof ?? undefined);
  assert.equal(done?.kind, 'success');
  const tickets = [
    ['alice', await ticketOf('alice')],
    ['bob', await ticketOf('bob')],
    ['carol', done.ticket ?? ''],
    [null, await ticketOf()],
  ] as const;
  const welcome = (): boolean[] =>
    tickets.map(
      ([name, ticket]) => trust.authenticator.isStillWelcome?.({ name, clientId: 'c' }, ticket) ?? false,
    );
  assert.deepEqual(welcome(), [true, true, true, true]);
  await writePrivate(passwordFile, bob);
  (await trust.prepareReload({ ...open, allowAnonymous: false, requirePassword: true })).commit();
  assert.deepEqual(welcome(), [false, true, true, false]);
  await writePrivate(scramFile, `carol:${await hashScram('changed', 4096)}\n`);
  (await trust.prepareReload({ ...open, passwordFile: null })).commit();
  assert.deepEqual(welcome(), [false, false, false, true]);
  (await trust.prepareReload({ ...plain, allowAnonymous: true })).commit();
  assert.equal(trust.enhancedAuthenticator, null);
  assert.deepEqual(welcome(), [false, false, false, true]);
});
