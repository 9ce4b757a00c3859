import assert from 'node:assert/strict';
import { mkdir, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { ApiUnderTest } from './api-under-test.ts';

test('until the screen is built, the page says what to do', async () => {
  await using subject = await ApiUnderTest.start();
  const answer = await subject.ask('/');
  assert.equal(answer.status, 503);
  assert.match(answer.headers['content-type'] ?? '', /^text\/html/);
  assert.match(answer.text, /npm run build/);
  assert.doesNotMatch(answer.text, /<script|style/);
  assert.equal((await subject.ask('/assets/index.js')).status, 404);
  await subject.writeWebFile('index.html', 'screen');
  assert.equal((await subject.ask('/')).text, 'screen');
});

test('files have their type and their time to live', async () => {
  await using subject = await ApiUnderTest.start();
  await subject.writeWebFile('index.html', '<!doctype html>');
  await subject.writeWebFile('assets/index-B4x_9.js', 'export {}');
  await subject.writeWebFile('assets/index-B4x_9.css', 'a{}');
  await subject.writeWebFile('assets/data.xyz', '?');
  const cases: readonly [string, string, string][] = [
    ['/', 'text/html; charset=utf-8', 'no-cache'],
    ['/index.html', 'text/html; charset=utf-8', 'no-cache'],
    ['/assets/index-B4x_9.js', 'text/javascript; charset=utf-8', 'public, max-age=31536000, immutable'],
    ['/assets/index-B4x_9.css?x=1', 'text/css; charset=utf-8', 'public, max-age=31536000, immutable'],
    ['/assets/data.xyz', 'application/octet-stream', 'public, max-age=31536000, immutable'],
  ];
  for (const [path, type, cache] of cases) {
    const { status, headers } = await subject.ask(path);
    assert.equal(status, 200, path);
    assert.equal(headers['content-type'], type);
    assert.equal(headers['cache-control'], cache);
  }
});

test('a file that has not changed is not sent again', async () => {
  await using subject = await ApiUnderTest.start();
  await subject.writeWebFile('index.html', 'one');
  const etag = (await subject.ask('/')).headers.etag as string;
  const same = await subject.ask('/', { headers: { 'if-none-match': etag } });
  assert.equal(same.status, 304);
  assert.equal(same.text, '');
  await subject.writeWebFile('index.html', 'two');
  const other = await subject.ask('/', { headers: { 'if-none-match': etag } });
  assert.equal(other.status, 200);
  assert.equal(other.text, 'two');
});

test('nothing outside the folder is served, by no spelling', async () => {
  await using subject = await ApiUnderTest.start();
  const { folder, webFolder } = subject;
  await subject.writeWebFile('index.html', 'screen');
  await subject.writeWebFile('.env', 'secret');
  await subject.writeWebFile('.git/config', 'secret');
  await writeFile(join(folder, 'secret.txt'), 'secret');
  await mkdir(join(folder, 'web-other'));
  await writeFile(join(folder, 'web-other', 'secret.txt'), 'secret');
  await symlink(join(folder, 'secret.txt'), join(webFolder, 'link.txt'));
  await symlink(folder, join(webFolder, 'up'));
  await symlink(join(folder, 'web-other'), join(webFolder, 'other'));
  const attempts = [
    ['/../secret.txt', '/..%2fsecret.txt', '/%2e%2e/secret.txt', '/%2e%2e%2fsecret.txt', '/..%5csecret.txt'],
    [
      '/assets/../../secret.txt',
      '/./../secret.txt',
      '//secret.txt',
      '/..;/secret.txt',
      '/%252e%252e/secret.txt',
    ],
    [
      '/../web-other/secret.txt',
      '/link.txt',
      '/up/secret.txt',
      '/other/secret.txt',
      '/.env',
      '/.git/config',
      '/%2eenv',
    ],
    [
      '/index.html%00.js',
      '/index.html/',
      '/assets',
      '/%',
      '/%ff',
      `/${'a'.repeat(5_000)}`,
      `${folder}/secret.txt`,
    ],
    ['/\\..\\secret.txt', '/....//secret.txt', '/..%c0%afsecret.txt', '/file:///etc/passwd', '/etc/passwd'],
  ].flat();
  for (const path of attempts) {
    const answer = await subject.ask(path);
    assert.ok(answer.status === 404 || answer.status === 400, `${path}: ${answer.status}`);
    assert.doesNotMatch(answer.text, /secret\n?$|root:/, path);
  }
});
