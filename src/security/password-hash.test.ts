import assert from 'node:assert/strict';
import { argon2Sync, randomBytes } from 'node:crypto';
import { test } from 'node:test';
import {
  generatePassword,
  hashPassword,
  parsePasswordHash,
  verifyPassword,
  type PasswordHash,
} from './password-hash.ts';

function parsed(text: string): PasswordHash {
  const hash = parsePasswordHash(text);
  if (typeof hash === 'string') assert.fail(`${text}: ${hash}`);
  return hash;
}

async function fits(text: string, password: string): Promise<boolean> {
  return verifyPassword(parsed(text), Buffer.from(password));
}

test('what hashPassword writes verifies, and only with the same password', async () => {
  const text = await hashPassword('correct horse');
  assert.match(text, /^\$7\$10000\$/);
  assert.equal(await fits(text, 'correct horse'), true);
  assert.equal(await fits(text, 'correct horsE'), false);
  assert.equal(await fits(text, ''), false);
  assert.notEqual(
    await hashPassword('correct horse', 1000),
    await hashPassword('correct horse', 1000),
    'each has its own salt',
  );
});

test('hashes that mosquitto_passwd 2.0 wrote verify: $7$ and $6$', async () => {
  for (const text of [
    '$7$101$/EnmtSxEipMqWQ7x$TY507nYXH9V/E5MhPNWJhry5UG5wHuW+3YpwCRQEO+LP61dD9rCUyaWcTT/vPtL+OCtY1v0pZ9yIRJaGuzEfwg==',
    '$6$8w8p0gt08BRWFrUA$MQLDIoc84bDtwqOFMzvF1Illqilryy/M5rkN2Ny07/Yjfxstk2TgdrXVDC+GNnOMGW5K25et9Sk1s7zqTgYC2w==',
  ]) {
    assert.equal(await fits(text, 'secret'), true);
    assert.equal(await fits(text, 'Secret'), false);
  }
});

test('argon2id verifies', async () => {
  const nonce = randomBytes(16);
  const tag = argon2Sync('argon2id', {
    message: 'secret',
    nonce,
    memory: 64,
    passes: 2,
    parallelism: 1,
    tagLength: 32,
  });
  const plain = (bytes: Buffer): string => bytes.toString('base64').replaceAll('=', '');
  const text = `$argon2id$v=19$m=64,t=2,p=1$${plain(nonce)}$${plain(tag)}`;
  assert.equal(await fits(text, 'secret'), true);
  assert.equal(await fits(text, 'secreT'), false);
});

test('damaged and dangerous hashes are refused with a reason', () => {
  const digest = Buffer.alloc(64).toString('base64');
  for (const text of [
    '',
    'plain text',
    '$',
    '$5$a$b',
    '$7$',
    `$7$0$c2FsdA==$${digest}`,
    `$7$99999999999$c2FsdA==$${digest}`,
    `$7$-1$c2FsdA==$${digest}`,
    `$7$101$$${digest}`,
    '$7$101$c2FsdA==$c2hvcnQ=',
    `$7$101$c2FsdA==$${digest}!`,
    `$7$101$c2FsdA==$${digest}$more`,
    '$6$c2FsdA==$',
    '$argon2id$v=19$m=99999999,t=1,p=1$c2FsdHNhbHQ$aGFzaGhhc2hoYXNoaGFzaA',
    '$argon2id$v=19$m=64,t=999,p=1$c2FsdHNhbHQ$aGFzaGhhc2hoYXNoaGFzaA',
    '$argon2id$v=16$m=64,t=1,p=1$c2FsdHNhbHQ$aGFzaGhhc2hoYXNoaGFzaA',
    '$argon2id$v=19$m=1,t=1,p=1$c2FsdHNhbHQ$aGFzaGhhc2hoYXNoaGFzaA',
    '$argon2id$v=19$m=64,t=1,p=1$c2FsdA$aGFzaGhhc2hoYXNoaGFzaA',
    '$argon2id$v=19$m=64,t=1,p=1$c2FsdHNhbHQ$',
  ]) {
    assert.equal(typeof parsePasswordHash(text), 'string', text);
  }
});

test('generated passwords have 24 characters that need no quoting, and never repeat', () => {
  const all = new Set(Array.from({ length: 1000 }, generatePassword));
  assert.equal(all.size, 1000);
  for (const password of all) assert.match(password, /^[A-Za-z0-9_][A-Za-z0-9_-]{23}$/);
});
