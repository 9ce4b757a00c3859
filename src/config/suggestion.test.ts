import assert from 'node:assert/strict';
import { test } from 'node:test';
import { suggestionFor } from './suggestion.ts';

const known = ['password_file', 'port', 'path', 'name', 'require_password', 'qos'];

test('what is at most two letters away, or written in another habit, is suggested', () => {
  assert.equal(suggestionFor('pasword_file', known), 'password_file');
  assert.equal(suggestionFor('passwordFile', known), 'password_file');
  assert.equal(suggestionFor('PASSWORD-FILE', known), 'password_file');
  assert.equal(suggestionFor('prot', known), 'port');
  assert.equal(suggestionFor('nam', known), 'name');
  assert.equal(suggestionFor('qso', known), undefined, 'two of three letters are no likeness');
});

test('what is like nothing gets no suggestion, however long it is', () => {
  assert.equal(suggestionFor('frobnicate', known), undefined);
  assert.equal(suggestionFor('x'.repeat(1_000_000), known), undefined);
  assert.equal(suggestionFor('', known), undefined);
});
