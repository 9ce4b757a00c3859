import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FakeClock } from '#base';
import { hashPasswordAs, PasswordFile, passwordHashKinds } from './index.ts';

for (const kind of passwordHashKinds) {
  test(`a password hashed as ${kind} verifies in a password file, and no other does`, async () => {
    const [hash, other] = [await hashPasswordAs(kind, 'pässword'), await hashPasswordAs(kind, 'pässword')];
    assert.notEqual(hash, other, 'each has its own salt');
    const file = new PasswordFile(`alice:${hash}\n`, 'passwords', new FakeClock());
    assert.equal(await file.verify('alice', Buffer.from('pässword')), 'right');
    assert.equal(await file.verify('alice', Buffer.from('password')), 'wrong');
  });
}

test('the iterations of sha512-pbkdf2 stand in the hash', async () => {
  assert.match(await hashPasswordAs('sha512-pbkdf2', 'x', 1234), /^\$7\$1234\$/);
});
