import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  legacyHelloText,
  legacyInTopic,
  legacyOutTopic,
  legacyReadingText,
  parseLegacyCommand,
  reversedMac,
} from './legacy-texts.ts';

const reading = {
  sequence: 495,
  sensorType: 'Gas',
  ip: '192.168.1.11',
  macSent: 'AD:18:14:7F:CF:5C',
  value: 0,
  requested: false,
} as const;

test('a reading, to the letter', () => {
  assert.equal(
    legacyReadingText(reading),
    '495-Gas Sensor IP:192.168.1.11 MAC:AD:18:14:7F:CF:5C Reading value=0',
  );
});

test('an answer to a request is the same behind REQUESTED-', () => {
  assert.equal(
    legacyReadingText({ ...reading, value: 1, requested: true }),
    'REQUESTED-495-Gas Sensor IP:192.168.1.11 MAC:AD:18:14:7F:CF:5C Reading value=1',
  );
});

test('a text never exceeds the 140 bytes of the firmware', () => {
  assert.equal(legacyReadingText({ ...reading, sensorType: 'x'.repeat(200) }).length, 140);
  assert.equal(legacyHelloText('x'.repeat(200)).length, 140);
});

test('hello, MAC and topics', () => {
  assert.equal(legacyHelloText('Gas'), 'IOT Gas sensor prompt, HELLO!');
  assert.equal(reversedMac('5C:CF:7F:14:18:AD'), 'AD:18:14:7F:CF:5C');
  assert.equal(legacyOutTopic('23.17.224.11', '192.168.1.11'), 'outTopic/23.17.224.11/192.168.1.11');
  assert.equal(legacyInTopic('23.17.224.11', '192.168.1.11'), 'InTopic/23.17.224.11/192.168.1.11');
});

test('commands that the firmware knows', () => {
  assert.deepEqual(parseLegacyCommand('Request'), { kind: 'request' });
  for (const [text, seconds] of [
    ['Sleep5-', 5],
    ['Sleep0.01-', 0.01],
    ['Sleep2.5-', 2.5],
    ['Sleep.5-', 0.5],
    ['Sleep10.-', 10],
    ['Sleep86400-', 86_400],
  ] as const) {
    assert.deepEqual(parseLegacyCommand(text), { kind: 'sleep', seconds }, text);
  }
});

test('commands that it does not know', () => {
  const malformed = [
    '',
    'request',
    'Request ',
    'Sleep',
    'Sleep-',
    'Sleep5',
    'sleep5-',
    'Sleep-5-',
    'Sleep5--',
    'Sleep0-',
    'Sleep1e3-',
    'Sleep1.2.3-',
    'Sleep.-',
    'Sleep 5-',
    'SleepNaN-',
    'SleepInfinity-',
    'Sleep99999999999-',
    `Sleep${'9'.repeat(100_000)}-`,
  ];
  for (const text of malformed) assert.equal(parseLegacyCommand(text), undefined, text.slice(0, 40));
});
