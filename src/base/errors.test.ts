import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DavylampError, errorCatalog, messageOf, systemCodeOf } from './errors.ts';

test('an error tells who has to act and how the program ends', () => {
  for (const code of Object.keys(errorCatalog) as (keyof typeof errorCatalog)[]) {
    const error = new DavylampError(code, 'text');
    assert.equal(error.blame, errorCatalog[code].blame);
    assert.equal(error.exitCode, errorCatalog[code].exit);
  }
  assert.equal(new DavylampError('USAGE', 'x').exitCode, 2);
  assert.equal(new DavylampError('CONFIG_INVALID', 'x').exitCode, 3);
});

test('whatever is thrown has a message of one line and perhaps a system code', () => {
  assert.equal(messageOf(new Error('one\n  two')), 'one two');
  assert.equal(messageOf('text'), 'text');
  assert.equal(systemCodeOf(Object.assign(new Error('x'), { code: 'ENOENT' })), 'ENOENT');
  assert.equal(systemCodeOf(Object.assign(new Error('x'), { code: 7 })), undefined);
  assert.equal(systemCodeOf(null), undefined);
});
