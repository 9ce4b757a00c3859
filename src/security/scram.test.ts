import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { localPeer } from '#listeners';
import type { AuthenticationStep, Credentials } from '#broker';
import type { ClientAuthentication } from '#client';
import { ReasonCode } from '#mqtt';
import { scramSha256 } from './scram-client.ts';
import { createScramAuthenticator, ScramFile } from './scram-server.ts';
import {
  deriveKeys,
  escapeName,
  hashScram,
  parseScramKeys,
  prepareText,
  saltPassword,
  unescapeName,
} from './scram-sha-256.ts';

/** The example exchange of RFC 7677, section 3. */
const example = {
  salt: 'W22ZaJ0SNY7soEsUEjb6gQ==',
  clientNonce: 'rOprNGfwEbeRWgbNEkqO',
  serverNonce: '%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0',
  clientFirst: 'n,,n=user,r=rOprNGfwEbeRWgbNEkqO',
  serverFirst: 'r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096',
  clientFinal:
    'c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=',
  serverFinal: 'v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=',
};

const credentials: Credentials = {
  clientId: 'c',
  username: undefined,
  password: undefined,
  peer: localPeer,
};

async function exampleLine(name = 'user'): Promise<string> {
  const salted = await saltPassword('pencil', Buffer.from(example.salt, 'base64'), 4096);
  const { storedKey, serverKey } = deriveKeys(salted);
  return `${name}:SCRAM-SHA-256$4096:${example.salt}$${storedKey.toString('base64')}:${serverKey.toString('base64')}\n`;
}

function server(file: string, nonce?: string, requireCertificate = false) {
  const users = new ScramFile(file, 'scram');
  return createScramAuthenticator({
    users,
    requireCertificate,
    ...(nonce === undefined ? {} : { nonce: () => nonce }),
  }).begin('SCRAM-SHA-256', credentials);
}

const dataOf = (step: AuthenticationStep): string =>
  step.kind === 'failure' ? `failure: ${step.detail}` : (step.data?.toString() ?? '');

/** A whole exchange: the server's verdict, and the client's on the server. */
async function exchange(
  file: string,
  authentication: ClientAuthentication,
): Promise<{ readonly verdict: AuthenticationStep; readonly isProven: boolean }> {
  const users = new ScramFile(file, 'scram');
  const theirs = createScramAuthenticator({ users, requireCertificate: false }).begin(
    authentication.method,
    credentials,
  );
  const ours = authentication.begin();
  const challenge = await theirs.step(ours.first());
  if (challenge.kind !== 'continue') return { verdict: challenge, isProven: false };
  const verdict = await theirs.step(await ours.answer(challenge.data));
  return { verdict, isProven: verdict.kind === 'success' && ours.isProven(verdict.data) };
}

test('both sides speak the example of RFC 7677 to the letter', async () => {
  const theirs = server(await exampleLine(), example.serverNonce);
  const ours = scramSha256({
    username: 'user',
    password: 'pencil',
    nonce: () => example.clientNonce,
  }).begin();
  assert.equal(ours.first()?.toString(), example.clientFirst);
  const challenge = await theirs.step(Buffer.from(example.clientFirst));
  assert.deepEqual([challenge.kind, dataOf(challenge)], ['continue', example.serverFirst]);
  assert.equal((await ours.answer(Buffer.from(example.serverFirst)))?.toString(), example.clientFinal);
  const verdict = await theirs.step(Buffer.from(example.clientFinal));
  const ticket = 'scram:WG5d8oPm3OtcPnkdi4Uo7BkeZkBFzpcXkuLmtbsT4qY='; // the user's stored key
  assert.deepEqual(verdict, {
    kind: 'success',
    name: 'user',
    ticket,
    data: Buffer.from(example.serverFinal),
  });
  assert.equal(ours.isProven(Buffer.from(example.serverFinal)), true);
});

test('names with commas, equals signs and letters of any script sign in, with what hashScram made', async () => {
  const password = 'pàss, wörd=秘密';
  const keys = await hashScram(password, 4096);
  for (const name of ['a,b=c', 'Ünïcode', 'ガス', 'x'.repeat(300)]) {
    const { verdict, isProven } = await exchange(
      `${name}:${keys}`,
      scramSha256({ username: name, password }),
    );
    assert.equal(verdict.kind === 'success' && verdict.name, name);
    assert.ok(isProven);
  }
});

test('a wrong password and an unknown name are refused alike, and no keys can be told from others', async () => {
  const file = await exampleLine();
  const wrong = await exchange(file, scramSha256({ username: 'user', password: 'pen' }));
  const unknown = await exchange(file, scramSha256({ username: 'nobody', password: 'pencil' }));
  assert.deepEqual(wrong.verdict, {
    kind: 'failure',
    reasonCode: ReasonCode.BadUserNameOrPassword,
    detail: 'wrong user name or password',
  });
  assert.deepEqual(unknown.verdict, wrong.verdict);
  const challengeOf = async (name: string): Promise<string> =>
    dataOf(await server(file, 'S').step(Buffer.from(`n,,n=${name},r=C`)));
  const one = await challengeOf('nobody');
  // The same salt each time, as long as a real one, and another for another name.
  assert.equal(await challengeOf('nobody'), one);
  assert.notEqual(await challengeOf('nobody2'), one);
  assert.equal(one.length, (await challengeOf('user')).length);
});

test('first messages that cannot be accepted', async () => {
  const file = await exampleLine();
  const cases: readonly (readonly [string, RegExp])[] = [
    ['p=tls-unique,,n=user,r=C', /channel binding/],
    ['n,a=admin,n=user,r=C', /somebody else/],
    ['n,,m=x,n=user,r=C', /malformed/],
    ['n,,n=user', /malformed/],
    ['n,,n=,r=C', /malformed/],
    ['n,,n=us=er,r=C', /malformed/],
    ['n,,n=user,r=', /malformed/],
    ['n,,n=user,r=a b', /malformed/],
    [`n,,n=user,r=${'x'.repeat(513)}`, /malformed/],
    ['q,,n=user,r=C', /malformed/],
    ['', /malformed/],
  ];
  for (const [message, reason] of cases)
    assert.match(dataOf(await server(file).step(Buffer.from(message))), reason, message);
  assert.match(dataOf(await server(file).step(undefined)), /missing/);
  assert.match(dataOf(await server(file).step(Buffer.from([0x6e, 0x2c, 0xff]))), /no UTF-8/);
  for (const accepted of ['y,,n=user,r=C', 'n,a=user,n=user,r=C', 'n,,n=user,r=C,x=1'])
    assert.equal((await server(file).step(Buffer.from(accepted))).kind, 'continue', accepted);
});

test('final messages that belong to another exchange or were changed', async () => {
  const file = await exampleLine();
  const { clientFinal: final } = example;
  const changed = [
    final.replace('c=biws', 'c=eSws'),
    final.replace('r=rOpr', 'r=sOpr'),
    final.replace('p=dHz', 'p=eHz'),
    final.replace('p=dHzb', 'p='),
    final.replace(',p=', ',q='),
    `${final}=`,
    'c=biws',
    '',
  ];
  for (const message of changed) {
    const theirs = server(file, example.serverNonce);
    await theirs.step(Buffer.from(example.clientFirst));
    assert.equal((await theirs.step(Buffer.from(message))).kind, 'failure', message);
  }
});

test('the client believes no challenge out of bounds and no broker that cannot prove itself', async () => {
  const begin = () =>
    scramSha256({ username: 'user', password: 'pencil', nonce: () => example.clientNonce }).begin();
  const { serverFirst } = example;
  const challenges = [
    serverFirst.replace('i=4096', 'i=4095'),
    serverFirst.replace('i=4096', 'i=1000001'),
    serverFirst.replace('i=4096', 'i=1e9'),
    serverFirst.replace('r=rOpr', 'r=xOpr'),
    `r=${example.clientNonce},s=${example.salt},i=4096`,
    serverFirst.replace('s=W22Z', 's=!!!!'),
    `m=new,${serverFirst}`,
    'e=other-error',
    '',
  ];
  for (const challenge of challenges) {
    await assert.rejects(async () => begin().answer(Buffer.from(challenge)), { code: 'PROTOCOL' }, challenge);
  }
  await assert.rejects(async () => begin().answer(undefined), { code: 'PROTOCOL' });
  const ours = begin();
  assert.equal(ours.isProven(Buffer.from(example.serverFinal)), false, 'before anything was asked');
  await ours.answer(Buffer.from(serverFirst));
  await assert.rejects(async () => ours.answer(Buffer.from(serverFirst)), { code: 'PROTOCOL' });
  for (const final of [undefined, '', 'e=invalid-proof', 'v=', example.serverFinal.replace('6rri', '7rri')])
    assert.equal(ours.isProven(final === undefined ? undefined : Buffer.from(final)), false, final);
  assert.equal(ours.isProven(Buffer.from(`${example.serverFinal},x=1`)), true);
  assert.throws(() => scramSha256({ username: '', password: 'x' }), { code: 'USAGE' });
});

test('a client without a certificate is refused where one is required, whatever it says', async () => {
  const step = await server(await exampleLine(), undefined, true).step(Buffer.from(example.clientFirst));
  assert.match(dataOf(step), /no client certificate/);
});

test('a SCRAM file is read whole or not at all, with file and line of the fault', async () => {
  const line = await exampleLine();
  assert.equal(new ScramFile(`# users\n\n${line.trimEnd()}\r\n`, 'f').size, 1);
  const cases: readonly (readonly [string, RegExp])[] = [
    ['user', /^f:1: not a line of the form/],
    [line + line, /^f:2: user "user" stands here a second time/],
    [line.replace('4096', '4095'), /^f:1: user "user": the iterations must be/],
    [line.replace('SCRAM-SHA-256', 'SCRAM-SHA-1'), /not hashed for SCRAM-SHA-256/],
    [line.replace('=:', ':'), /damaged/],
    [`${line.trimEnd()}$x`, /damaged/],
    ['user:secret', /not hashed/],
  ];
  for (const [text, message] of cases)
    assert.throws(() => new ScramFile(text, 'f'), { code: 'CREDENTIALS_INVALID', message });
  const file = new ScramFile(line, 'f');
  assert.throws(() => file.replace('broken', 'f'));
  assert.equal(file.keysOf('user').salt.toString('base64'), example.salt);
  file.replace(await exampleLine('other'), 'f');
  assert.notEqual(file.keysOf('user').salt.toString('base64'), example.salt);
});

test('hashScram makes what can be read again, a new salt each time, and refuses what cannot be used', async () => {
  const [one, other] = [await hashScram('secret', 4096), await hashScram('secret', 4096)];
  assert.notEqual(one, other);
  const keys = parseScramKeys(one);
  assert.ok(typeof keys !== 'string');
  assert.equal(keys.iterations, 4096);
  const { storedKey, serverKey } = deriveKeys(await saltPassword('secret', keys.salt, 4096));
  assert.deepEqual([keys.storedKey, keys.serverKey], [storedKey, serverKey]);
  await assert.rejects(hashScram('', 4096), { code: 'USAGE' });
  await assert.rejects(hashScram('a\u0007', 4096), { code: 'USAGE' });
  await assert.rejects(hashScram('secret', 100), { code: 'USAGE' });
});

test('SASLprep: the examples of RFC 4013', () => {
  assert.equal(prepareText('I\u00adX'), 'IX');
  assert.equal(prepareText('user'), 'user');
  assert.equal(prepareText('USER'), 'USER');
  assert.equal(prepareText('\u00aa'), 'a');
  assert.equal(prepareText('\u2168'), 'IX');
  assert.equal(prepareText('\u0007'), undefined);
  assert.equal(prepareText('a\u00a0b'), 'a b');
  assert.equal(prepareText('\ud800'), undefined);
});

test('every name survives its escape, and no hostile bytes make either side throw', async () => {
  const file = await exampleLine();
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme', minLength: 1 }), (name) => {
      const escaped = escapeName(name);
      assert.doesNotMatch(escaped, /,/);
      assert.equal(unescapeName(escaped), name);
    }),
  );
  await fc.assert(
    fc.asyncProperty(fc.uint8Array({ maxLength: 80 }), fc.string(), async (bytes, text) => {
      assert.equal((await server(file).step(Buffer.from(bytes))).kind, 'failure');
      const theirs = server(file);
      await theirs.step(Buffer.from('n,,n=user,r=C'));
      assert.equal((await theirs.step(Buffer.from(text))).kind, 'failure');
    }),
  );
});
