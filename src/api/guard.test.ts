import assert from 'node:assert/strict';
import { connect } from 'node:net';
import { test } from 'node:test';
import { ApiUnderTest, lampId } from './api-under-test.ts';

const codeOf = (answer: { readonly json: unknown }) => (answer.json as { error?: string }).error;

test('a Host that is not this machine is refused everywhere: DNS rebinding', async () => {
  await using subject = await ApiUnderTest.start();
  await subject.writeWebFile('index.html', 'screen');
  const foreign = [
    'evil.example',
    'evil.example:80',
    'localhost.evil.example',
    '127.0.0.1.evil.example',
    '192.0.2.1',
  ];
  const odd = ['localhost:80:80', 'user@localhost', '[::1', 'localhost/', '127.0.0.1 x'];
  for (const host of [...foreign, ...odd]) {
    for (const path of ['/', '/api/v1/devices', '/api/v1/live']) {
      const answer = await subject.ask(path, { headers: { host } });
      assert.equal(answer.status, 403, `${host} ${path}`);
      assert.equal(codeOf(answer), 'HOST_REFUSED');
      assert.equal(answer.headers['x-content-type-options'], 'nosniff');
    }
  }
  const own = [
    'localhost',
    `localhost:${subject.port}`,
    'LOCALHOST:1',
    '127.0.0.1',
    '127.8.9.1:80',
    '[::1]:80',
  ];
  for (const host of own) {
    assert.equal((await subject.ask('/api/v1/devices', { headers: { host } })).status, 200, host);
  }
});

test('a request without a Host is refused', async () => {
  await using subject = await ApiUnderTest.start();
  const answer = await rawRequest(subject.port, 'GET /api/v1/devices HTTP/1.0\r\n\r\n');
  assert.match(answer, /^HTTP\/1\.1 403 [^]*HOST_REFUSED/);
});

test('a POST from another page is refused before its body is read', async () => {
  await using subject = await ApiUnderTest.start();
  const path = `/api/v1/devices/${lampId}/approve`;
  const own = `127.0.0.1:${subject.port}`;
  const refused: Record<string, string>[] = [
    { origin: 'http://evil.example' },
    { origin: 'null' },
    { origin: `http://${own}.evil.example` },
    { origin: `http://evil.example#http://${own}` },
    { origin: `http://127.0.0.1:${subject.port + 1}` },
    { origin: `http://localhost:${subject.port}` },
    { 'sec-fetch-site': 'cross-site' },
    { 'sec-fetch-site': 'same-site' },
    { 'sec-fetch-site': 'same-origin', origin: 'http://evil.example' },
  ];
  for (const headers of refused) {
    const answer = await subject.post(path, { by: 'Ada' }, headers);
    assert.equal(answer.status, 403, JSON.stringify(headers));
    assert.equal(codeOf(answer), 'ORIGIN_REFUSED');
  }
  assert.equal(subject.platform.deviceList[0]?.registration, 'new');
  const allowed: Record<string, string>[] = [
    {},
    { origin: `http://${own}`, 'sec-fetch-site': 'same-origin' },
    { 'sec-fetch-site': 'none' },
  ];
  for (const headers of allowed) assert.equal((await subject.post(path, { by: 'Ada' }, headers)).status, 200);
});

test('no answer may be read by, framed by or sniffed by another page', async () => {
  await using subject = await ApiUnderTest.start();
  await subject.writeWebFile('index.html', '<p>screen');
  for (const path of ['/', '/none', '/api/v1/devices', '/api/v1/none']) {
    const { headers } = await subject.ask(path, { headers: { origin: 'http://evil.example' } });
    assert.equal(headers['access-control-allow-origin'], undefined);
    assert.equal(headers['x-content-type-options'], 'nosniff');
    assert.equal(headers['referrer-policy'], 'no-referrer');
    assert.equal(headers['cross-origin-resource-policy'], 'same-origin');
    const policy = headers['content-security-policy'] as string;
    assert.match(policy, /default-src 'self'/);
    assert.match(policy, /frame-ancestors 'none'/);
    assert.doesNotMatch(policy, /unsafe/);
  }
});

test('what is not HTTP is closed and hurts nobody', async () => {
  await using subject = await ApiUnderTest.start();
  assert.match(
    await rawRequest(subject.port, '\x10\x0c\x00\x04MQTT\x04\x02\x00\x3c\x00\x00\r\n\r\n'),
    /^HTTP\/1\.1 400/,
  );
  const absolute = `GET http://evil.example/api/v1/devices HTTP/1.1\r\nHost: evil.example\r\n\r\n`;
  assert.match(await rawRequest(subject.port, absolute), /^HTTP\/1\.1 403/);
  assert.equal((await subject.ask('/api/v1/devices')).status, 200);
});

/** Sends bytes as they are and returns what comes until the server closes. */
function rawRequest(port: number, bytes: string): Promise<string> {
  return new Promise((resolve, reject) => {
    let answer = '';
    const socket = connect(port, '127.0.0.1', () => socket.write(bytes, 'latin1'));
    socket.on('data', (chunk) => (answer += chunk.toString('latin1')));
    socket.on('close', () => resolve(answer));
    socket.on('error', reject);
  });
}
