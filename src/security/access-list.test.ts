import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { DavylampError } from '#base';
import { matches } from '#topics';
import { AccessList, allowAll, parseAccessRules } from './index.ts';

const listText = `# for everybody without a name
topic read public/#

user alice
topic readwrite alice/#
topic deny alice/secret/#
topic write inbox/+
topic read $SYS/broker/uptime
topic write with spaces/x

user bob
topic #

pattern write devices/%u/%c/reading
pattern read devices/%u/command
`;

function listOf(text: string): AccessList {
  return new AccessList(parseAccessRules(text, '/etc/davylamp/access'));
}

const list = listOf(listText);
const alice = { name: 'alice', clientId: 'c1' };
const bob = { name: 'bob', clientId: 'c2' };
const nobody = { name: null, clientId: 'c3' };
const stranger = { name: 'mallory', clientId: 'c4' };

test('publishing: what no rule allows is refused, deny wins', () => {
  assert.equal(list.mayPublish(alice, 'alice/x'), true);
  assert.equal(list.mayPublish(alice, 'alice'), true);
  assert.equal(list.mayPublish(alice, 'alice/secret/x'), false);
  assert.equal(list.mayPublish(alice, 'inbox/1'), true);
  assert.equal(list.mayPublish(alice, 'inbox/1/2'), false);
  assert.equal(list.mayPublish(alice, 'with spaces/x'), true);
  assert.equal(list.mayPublish(alice, '$SYS/broker/uptime'), false);
  assert.equal(
    list.mayPublish(alice, 'public/x'),
    false,
    'the rules without a name are those of clients without one',
  );
  assert.equal(list.mayPublish(nobody, 'public/x'), false);
  assert.equal(list.mayPublish(stranger, 'public/x'), false);
});

test('reading: each topic by itself', () => {
  assert.equal(list.mayRead(nobody, 'public/x'), true);
  assert.equal(list.mayRead(alice, 'alice/x'), true);
  assert.equal(list.mayRead(alice, 'alice/secret'), false);
  assert.equal(list.mayRead(alice, 'inbox/1'), false);
  assert.equal(list.mayRead(alice, '$SYS/broker/uptime'), true);
  assert.equal(list.mayRead(bob, '$SYS/broker/uptime'), false, '# does not reach $ topics');
  assert.equal(list.mayRead(bob, 'anything/at/all'), true);
});

test('subscribing: all, some or none of what the filter matches', () => {
  assert.equal(list.maySubscribe(nobody, 'public/#'), 'all');
  assert.equal(list.maySubscribe(nobody, '#'), 'some');
  assert.equal(list.maySubscribe(nobody, 'private/#'), 'none');
  assert.equal(list.maySubscribe(alice, 'alice/other/+'), 'all');
  assert.equal(list.maySubscribe(alice, 'alice/#'), 'some', 'a part of it is denied');
  assert.equal(list.maySubscribe(alice, 'alice/secret/x'), 'none');
  assert.equal(list.maySubscribe(alice, '$SYS/#'), 'some');
  assert.equal(list.maySubscribe(alice, '$SYS/broker/uptime'), 'all');
  assert.equal(list.maySubscribe(bob, '#'), 'all');
  assert.equal(list.maySubscribe(bob, '$SYS/#'), 'none');
});

test('patterns hold the name and the client id', () => {
  const device = { name: 'd1', clientId: 'esp' };
  assert.equal(list.mayPublish(device, 'devices/d1/esp/reading'), true);
  assert.equal(list.mayPublish(device, 'devices/d1/other/reading'), false);
  assert.equal(list.mayPublish(device, 'devices/d2/esp/reading'), false);
  assert.equal(list.maySubscribe(device, 'devices/d1/command'), 'all');
  assert.equal(list.maySubscribe(device, 'devices/+/command'), 'some');
  assert.equal(list.mayPublish({ name: null, clientId: 'esp' }, 'devices//esp/reading'), false);
});

test('a name never becomes a wildcard, a level or a broker topic (CVE-2017-7650)', () => {
  for (const name of ['+', '#', 'a/b', '+/x', '/', 'a\0', '$SYS', '%c', '']) {
    const device = { name, clientId: 'esp' };
    const isPlain = name === '%c';
    assert.equal(list.mayPublish(device, `devices/${name}/esp/reading`), isPlain, name);
    assert.equal(list.mayPublish(device, 'devices/d1/esp/reading'), false, name);
    assert.equal(list.maySubscribe(device, 'devices/d1/command'), 'none', name);
  }
  for (const clientId of ['+', '#', 'a/b'])
    assert.equal(
      list.mayPublish({ name: 'd1', clientId }, `devices/d1/${clientId}/reading`),
      false,
      clientId,
    );
  const levels = listOf('pattern read %u/#\n');
  assert.equal(levels.mayRead({ name: '$SYS', clientId: 'x' }, '$SYS/broker/uptime'), false);
  assert.equal(levels.mayRead({ name: '#', clientId: 'x' }, 'a'), false);
});

test('a deny that cannot be filled in closes everything', () => {
  const denied = listOf('user a/b\ntopic #\nuser ok\ntopic #\npattern deny private/%u/#\n');
  assert.equal(denied.mayPublish({ name: 'ok', clientId: 'x' }, 'public'), true);
  assert.equal(denied.mayPublish({ name: 'ok', clientId: 'x' }, 'private/ok/x'), false);
  assert.equal(denied.mayPublish({ name: 'a/b', clientId: 'x' }, 'public'), false);
  assert.equal(denied.mayRead({ name: 'a/b', clientId: 'x' }, 'public'), false);
  assert.equal(denied.maySubscribe({ name: 'a/b', clientId: 'x' }, 'public'), 'none');
});

test('maySubscribe never says more than mayRead allows, on random lists', () => {
  const level = fc.constantFrom('a', 'b', '+', '');
  const filter = fc
    .tuple(fc.array(level, { minLength: 1, maxLength: 3 }), fc.boolean())
    .map(([levels, isDeep]) => [...levels, ...(isDeep ? ['#'] : [])].join('/'))
    .filter((text) => text !== '');
  const rule = fc
    .tuple(fc.constantFrom('read', 'deny', 'readwrite', 'write'), filter)
    .map(([access, text]) => `topic ${access} ${text}`);
  const topic = fc
    .array(fc.constantFrom('a', 'b', ''), { minLength: 1, maxLength: 4 })
    .map((levels) => levels.join('/'))
    .filter((text) => text !== '');
  fc.assert(
    fc.property(
      fc.array(rule, { maxLength: 6 }),
      filter,
      fc.array(topic, { minLength: 10, maxLength: 40, size: 'max' }),
      (rules, asked, topics) => {
        const random = listOf(rules.join('\n'));
        const answer = random.maySubscribe(nobody, asked);
        for (const one of topics.filter((candidate) => matches(asked, candidate))) {
          if (answer === 'all') assert.equal(random.mayRead(nobody, one), true, `${asked} ${one}`);
          if (answer === 'none') assert.equal(random.mayRead(nobody, one), false, `${asked} ${one}`);
        }
      },
    ),
    { numRuns: 500 },
  );
});

test('a changed list holds at once, and its generation tells', () => {
  const changing = listOf('user alice\ntopic a\n');
  const before = changing.generation;
  assert.equal(changing.mayPublish(alice, 'a'), true);
  changing.replace(parseAccessRules('user alice\ntopic b\n', 'x'));
  assert.equal(changing.mayPublish(alice, 'a'), false);
  assert.equal(changing.mayPublish(alice, 'b'), true);
  assert.equal(changing.generation, before + 1);
});

test('users named like what every object has own nothing', () => {
  for (const name of ['__proto__', 'constructor', 'toString'])
    assert.equal(listOf('user alice\ntopic #\n').mayPublish({ name, clientId: 'x' }, 'a'), false);
});

test('an empty list allows nothing', () => {
  assert.equal(listOf('').mayPublish(nobody, 'a'), false);
  assert.equal(listOf('').maySubscribe(alice, 'a'), 'none');
});

test('a broken line is an error that names file and line', () => {
  const cases: [string, RegExp][] = [
    ['topic', /^\/etc\/davylamp\/access:1: "" is not a topic filter/],
    ['\n\ntopic reed a/b', /:3: "reed" is not an access; known are read, write, readwrite, deny/],
    ['topic read a/#/b', /:1: "a\/#\/b" is not a topic filter/],
    ['user', /:1: user needs a name/],
    ['topics a', /:1: "topics" is not known here; known are user, topic and pattern/],
    ['pattern read $share/g/%u', /:1: .* is not a topic filter/],
  ];
  for (const [text, message] of cases) {
    assert.throws(
      () => listOf(text),
      (error: unknown) =>
        error instanceof DavylampError && error.code === 'CREDENTIALS_INVALID' && message.test(error.message),
      text,
    );
  }
});

test('without a list, who is in may do everything', () => {
  assert.equal(allowAll.mayPublish(nobody, 'a'), true);
  assert.equal(allowAll.mayRead(nobody, 'a'), true);
  assert.equal(allowAll.maySubscribe(nobody, '#'), 'all');
});
