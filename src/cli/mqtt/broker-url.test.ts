import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { readBrokerUrl, readProxyUrl } from './broker-url.ts';

describe('the URL of a broker', () => {
  it('has defaults for its port and may name a user', () => {
    assert.deepEqual(readBrokerUrl('mqtt://host/a/b'), {
      host: 'host',
      port: 1883,
      isTls: false,
      isWebSocket: false,
      username: undefined,
      password: undefined,
      topic: 'a/b',
    });
    assert.deepEqual(readBrokerUrl('WSS://me:pa:ss@[::1]:9001//x'), {
      host: '::1',
      port: 9001,
      isTls: true,
      isWebSocket: true,
      username: 'me',
      password: 'pa:ss',
      topic: '/x',
    });
  });

  const faults: readonly (readonly [string, RegExp])[] = [
    ['http://host/a', /must begin with mqtt:/],
    ['mqtt://host', /has no topic/],
    ['mqtt:///a', /names no host/],
    ['mqtt://host:70000/a', /port must be a number/],
    ['mqtt://host:/a', /port must be a number/],
  ];
  for (const [text, expected] of faults)
    it(`is refused as '${text}'`, () => assert.match(JSON.stringify(readBrokerUrl(text)), expected));
});

describe('the URL of a proxy', () => {
  it('may name a user, with escapes', () => {
    assert.deepEqual(readProxyUrl('socks5h://a%3Ab:c%40d%25@proxy:99'), {
      host: 'proxy',
      port: 99,
      username: 'a:b',
      password: 'c@d%',
    });
    assert.deepEqual(readProxyUrl('socks5h://[::1]'), {
      host: '::1',
      port: 1080,
      username: undefined,
      password: undefined,
    });
  });

  for (const text of ['socks4://x', 'socks5h://a:b:c@x', 'socks5h://@x', 'socks5h://a%20@x', 'socks5h://x:y'])
    it(`is refused as '${text}'`, () => assert.equal(typeof readProxyUrl(text), 'string'));
});
