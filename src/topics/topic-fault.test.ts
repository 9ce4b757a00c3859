import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ReasonCode } from '#mqtt';
import { parseShare, topicFilterFault, topicNameFault } from './index.ts';

test('topic names: what may stand and what may not [MQTT-4.7.3-1] [MQTT-4.7.3-2] [MQTT-3.3.2-2]', () => {
  for (const topic of [
    'a',
    '/',
    '//',
    '/a//b/',
    ' ',
    'a b',
    '$SYS/x',
    '$share/g/a',
    '__proto__/constructor',
    'Ünïcödé/😀',
    'a'.repeat(65_535),
  ]) {
    assert.equal(topicNameFault(topic, 5), ReasonCode.Success, topic.slice(0, 40));
  }
  for (const topic of ['', '#', '+', 'a/#', 'a+', 'a#b', 'a/+/b', 'a\0b', '\0']) {
    assert.equal(topicNameFault(topic, 5), ReasonCode.TopicNameInvalid, JSON.stringify(topic));
  }
});

test('half a surrogate pair has no UTF-8, so it names nothing [MQTT-1.5.4-1]', () => {
  for (const text of ['\ud83d', 'a/\ude00', '\ude00\ud83d/b']) {
    assert.equal(topicNameFault(text, 5), ReasonCode.TopicNameInvalid, JSON.stringify(text));
    assert.equal(topicFilterFault(text, 5), ReasonCode.TopicFilterInvalid, JSON.stringify(text));
    assert.equal(
      topicFilterFault(`$share/g/${text}`, 5),
      ReasonCode.TopicFilterInvalid,
      JSON.stringify(text),
    );
  }
});

test('topic names: levels are counted', () => {
  assert.equal(topicNameFault('a/b/c', 3), ReasonCode.Success);
  assert.equal(topicNameFault('a/b/c/', 3), ReasonCode.TopicNameInvalid);
  assert.equal(topicNameFault('/'.repeat(65_535), 128), ReasonCode.TopicNameInvalid);
});

test('topic filters: wildcards stand alone in their level, # only at the end [MQTT-4.7.1-1] [MQTT-4.7.1-2]', () => {
  for (const filter of [
    '#',
    '+',
    '+/#',
    'a/+/b',
    '+/+',
    '/+',
    '+/',
    'a/#',
    '//#',
    '$SYS/#',
    '$share',
    '$shared/a',
    'a/$share/b',
  ]) {
    assert.equal(topicFilterFault(filter, 5), ReasonCode.Success, filter);
  }
  for (const filter of [
    '',
    'a#',
    'a/b#',
    '#/',
    '#/a',
    'a/#/b',
    '##',
    '+a',
    'a+',
    'a/b+/c',
    'a/+b',
    '++',
    '+#',
    '\0',
    'a/\0/+',
    'a/b/c/d/e/f',
  ]) {
    assert.equal(topicFilterFault(filter, 5), ReasonCode.TopicFilterInvalid, JSON.stringify(filter));
  }
});

test('shared filters: the name is one level without wildcards, and a filter follows [MQTT-4.8.2-1] [MQTT-4.8.2-2]', () => {
  for (const filter of [
    '$share/g/a',
    '$share/g/#',
    '$share/g/+/b',
    '$share/g//',
    '$share/__proto__/constructor',
    '$share/g/$SYS/x',
    '$share/$/a',
  ]) {
    assert.equal(topicFilterFault(filter, 2), ReasonCode.Success, filter);
  }
  for (const filter of [
    '$share/',
    '$share//',
    '$share//a',
    '$share/g',
    '$share/g/',
    '$share/+/a',
    '$share/a#/a',
    '$share/g\0/a',
    '$share/g/a#',
    '$share/g/#/b',
    '$share/g/a/b/c',
    '$share/g/$share/h/a',
  ]) {
    assert.equal(topicFilterFault(filter, 2), ReasonCode.TopicFilterInvalid, JSON.stringify(filter));
  }
});

test('a shared filter comes apart into group and filter', () => {
  assert.deepEqual(parseShare('$share/g/a/+/#'), { group: 'g', filter: 'a/+/#' });
  assert.deepEqual(parseShare('$share/g//'), { group: 'g', filter: '/' });
  assert.equal(parseShare('a/b'), null);
  assert.equal(parseShare('$share'), null);
  assert.equal(parseShare('$shared/g/a'), null);
});
