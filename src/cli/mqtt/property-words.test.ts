import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { PropertyCollector } from './property-words.ts';

describe('property words', () => {
  it('are collected by packet', () => {
    const collector = new PropertyCollector();
    for (const words of [
      'CONNECT session-expiry-interval 0x10',
      'connect request-problem-information 0',
      'publish correlation-data abc',
      'publish user-property a 1',
      'publish user-property a 2',
      'subscribe subscription-identifier 268435455',
      'will will-delay-interval 5',
      'disconnect session-expiry-interval 0',
    ])
      assert.equal(collector.add(words.split(' ')), null, words);
    assert.deepEqual(collector.all, {
      connect: { sessionExpiry: 16, requestProblemInformation: false },
      publish: {
        correlationData: Buffer.from('abc'),
        userProperties: [
          ['a', '1'],
          ['a', '2'],
        ],
      },
      subscribe: { subscriptionIdentifier: 268_435_455 },
      unsubscribe: {},
      disconnect: { sessionExpiry: 0 },
      will: { delay: 5 },
    });
  });

  const faults: readonly (readonly [string, RegExp])[] = [
    ['pub content-type x', /'pub' is no packet with properties/],
    ['__proto__ content-type x', /is no packet/],
    ['puback reason-string x', /cannot be given properties/],
    ['publish color x', /no property 'color'/],
    ['publish subscription-identifier 1', /no property of publish, but of subscribe/],
    ['publish topic-alias 0', /takes a whole number from 1 to 65535, not '0'/],
    ['publish message-expiry-interval 4294967296', /from 0 to 4294967295/],
    ['publish message-expiry-interval x', /takes a whole number/],
    ['publish payload-format-indicator 2', /from 0 to 1/],
    ['connect request-problem-information yes', /takes 0 or 1/],
    [`publish correlation-data ${'x'.repeat(65_536)}`, /at most 65535 bytes/],
  ];
  for (const [words, expected] of faults)
    it(`refuse '${words.slice(0, 60)}'`, () =>
      assert.match(new PropertyCollector().add(words.split(' ')) ?? '', expected));

  it('refuse what is given twice', () => {
    const collector = new PropertyCollector();
    assert.equal(collector.add(['publish', 'content-type', 'a']), null);
    assert.match(
      collector.add(['publish', 'content-type', 'b']) ?? '',
      /content-type of publish is given twice/,
    );
  });
});
