import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import * as fc from 'fast-check';
import type { Decoded, Stamp } from '#model';
import { Decoders } from './decoders.ts';

const topic = 'outTopic/23.17.224.11/192.168.1.11';
const reading = '495-Gas Sensor IP:192.168.1.11 MAC:AD:18:14:7F:CF:5C Reading value=0';
const now = 1_700_000_000_000;

function decode(
  text: string | Buffer,
  onTopic = topic,
  stamp?: Stamp,
  sites?: ReadonlyMap<string, string>,
): Decoded {
  const decoders = new Decoders({ siteAddresses: sites ?? new Map() });
  return decoders.decode(onTopic, typeof text === 'string' ? Buffer.from(text, 'latin1') : text, stamp, now);
}

function reasonOf(decoded: Decoded): string {
  assert.equal(decoded.kind, 'unreadable');
  return decoded.kind === 'unreadable' ? decoded.reason : '';
}

describe('a legacy reading', () => {
  test('is read to the letter', () => {
    assert.deepEqual(decode(reading), {
      kind: 'readings',
      message: {
        protocol: 'legacy',
        deviceId: '5ccf7f1418ad',
        mac: '5C:CF:7F:14:18:AD',
        macSent: 'AD:18:14:7F:CF:5C',
        ip: '192.168.1.11',
        sensorType: 'Gas',
        site: '23.17.224.11',
        topic,
        commandTopic: 'InTopic/23.17.224.11/192.168.1.11',
        sequence: 495,
        bootId: undefined,
        requested: false,
        deviceTime: undefined,
        receivedAt: now,
        stampId: '',
      },
      values: [{ metric: 'gas', value: 0, unit: '1' }],
    });
  });

  test('is marked when it was asked for, and keeps value 1', () => {
    const decoded = decode(`REQUESTED-${reading.replace('value=0', 'value=1')}`);
    assert.ok(decoded.kind === 'readings');
    assert.equal(decoded.message.requested, true);
    assert.equal(decoded.message.sequence, 495);
    assert.equal(decoded.values[0]?.value, 1);
  });

  test('has the site and the hour of its stamp', () => {
    const decoded = decode(reading, topic, { site: 'north', receivedAt: now - 3_600_000, id: 'k3j2-5' });
    assert.ok(decoded.kind === 'readings');
    assert.deepEqual(
      [decoded.message.site, decoded.message.receivedAt, decoded.message.stampId],
      ['north', now - 3_600_000, 'k3j2-5'],
    );
  });

  test('has the site of its address where the configuration names it', () => {
    const decoded = decode(reading, topic, undefined, new Map([['23.17.224.11', 'south']]));
    assert.ok(decoded.kind === 'readings');
    assert.equal(decoded.message.site, 'south');
  });

  test('of another type is another metric', () => {
    const decoded = decode(reading.replace('Gas', 'Temperature'));
    assert.ok(decoded.kind === 'readings');
    assert.deepEqual([decoded.message.sensorType, decoded.values[0]?.metric], ['Temperature', 'temperature']);
  });

  test('keeps a lower-case MAC as it was sent and shows the true one in upper case', () => {
    const decoded = decode(reading.replace('AD:18:14:7F:CF:5C', 'ad:18:14:7f:cf:5c'));
    assert.ok(decoded.kind === 'readings');
    assert.deepEqual(
      [decoded.message.macSent, decoded.message.mac],
      ['ad:18:14:7f:cf:5c', '5C:CF:7F:14:18:AD'],
    );
  });

  test('of the longest type is read; beyond 140 bytes nothing is looked at', () => {
    const sensor = (type: string): string => reading.replace('Gas', type);
    const longest = sensor('G'.repeat(32));
    assert.equal(decode(longest).kind, 'readings');
    assert.equal(reasonOf(decode(reading.padEnd(141))), '141 bytes: expected at most 140');
    assert.match(reasonOf(decode(reading.padEnd(140))), /^character \d+: expected the end$/);
  });
});

test('a hello is read to the letter and names no device', () => {
  const decoded = decode('IOT Gas sensor prompt, HELLO!');
  assert.ok(decoded.kind === 'hello');
  const { deviceId, mac, ip, sensorType, sequence, commandTopic } = decoded.message;
  assert.deepEqual([deviceId, mac, ip, sequence], [undefined, null, null, undefined]);
  assert.deepEqual([sensorType, commandTopic], ['Gas', 'InTopic/23.17.224.11/192.168.1.11']);
});

describe('what is not as it must be is unreadable, and the reason names the place', () => {
  const sequence = 'a sequence number (0 to 4294967295, no leading zeros)';
  const part = 'a part of an IPv4 address (0 to 255, no leading zeros)';
  const type = 'a sensor type (a letter, then letters, digits, _ or -, at most 32)';
  const cases: readonly (readonly [name: string, text: string, reason: string])[] = [
    ['nothing', '', `character 1: expected ${sequence}, but the text ends`],
    ['no sequence', '-Gas Sensor', `character 1: expected ${sequence}`],
    ['a negative sequence', `-${reading}`, `character 1: expected ${sequence}`],
    ['a leading zero', `0${reading}`, `character 1: expected ${sequence}`],
    ['a sequence beyond 32 bits', reading.replace('495', '4294967296'), `character 1: expected ${sequence}`],
    ['a space before', ` ${reading}`, `character 1: expected ${sequence}`],
    ['requested twice', `REQUESTED-REQUESTED-${reading}`, `character 11: expected ${sequence}`],
    ['requested in lower case', `requested-${reading}`, `character 1: expected ${sequence}`],
    ['no dash', reading.replace('-', ' '), 'character 4: expected "-"'],
    ['no type', reading.replace('Gas', ''), `character 5: expected ${type}`],
    ['a type too long', reading.replace('Gas', 'G'.repeat(33)), `character 5: expected ${type}`],
    ['a type beyond ASCII', reading.replace('Gas', 'Gäs'), 'character 6: expected " Sensor "'],
    ['no word Sensor', reading.replace('Sensor', 'sensor'), 'character 8: expected " Sensor "'],
    ['no IP', reading.replace('IP:', 'ip:'), 'character 16: expected "IP:"'],
    ['three parts', reading.replace('192.168.1.11', '192.168.1'), 'character 28: expected "."'],
    ['a part of 256', reading.replace('192.', '256.'), `character 19: expected ${part}`],
    ['a part 01', reading.replace('.1.', '.01.'), `character 27: expected ${part}`],
    ['five parts', reading.replace('1.11', '1.11.1'), 'character 31: expected " "'],
    ['no MAC', reading.replace('MAC:', 'MAC '), 'character 32: expected "MAC:"'],
    [
      'a MAC digit G',
      reading.replace('CF', 'CG'),
      'character 49: expected a hexadecimal digit of a MAC address',
    ],
    ['a MAC with dashes', reading.replace('AD:18', 'AD-18'), 'character 38: expected ":" of a MAC address'],
    ['five MAC bytes', reading.replace(':5C', ''), 'character 50: expected ":" of a MAC address'],
    ['seven MAC bytes', reading.replace(':5C', ':5C:00'), 'character 53: expected " "'],
    ['no value', reading.slice(0, -1), 'character 68: expected 0 or 1, but the text ends'],
    ['value 2', reading.replace('value=0', 'value=2'), 'character 68: expected 0 or 1'],
    ['value 10', reading.replace('value=0', 'value=10'), 'character 69: expected the end'],
    ['a line feed behind', `${reading}\n`, 'character 69: expected the end'],
    ['a NUL behind', `${reading}\0`, 'character 69: expected the end'],
    ['a hello cut short', 'IOT Gas sensor prompt, HELLO', 'character 8: expected " sensor prompt, HELLO!"'],
    ['a hello without type', 'IOT  sensor prompt, HELLO!', `character 5: expected ${type}`],
    ['a hello with more', 'IOT Gas sensor prompt, HELLO!!', 'character 30: expected the end'],
  ];
  for (const [name, text, reason] of cases) {
    test(name, () => assert.equal(reasonOf(decode(text)), reason));
  }

  const topics: readonly (readonly [onTopic: string, reason: RegExp])[] = [
    ['outTopic', /^topic: expected outTopic\//],
    ['outTopic/a', /^topic: expected outTopic\//],
    ['outTopic/a/b/c', /^topic: expected outTopic\//],
    ['outTopic//b', /^topic level 2: /],
    ['outTopic/a/', /^topic level 3: /],
    ['outTopic/a/b c', /^topic level 3: /],
    [`outTopic/${'a'.repeat(65)}/b`, /^topic level 2: /],
    ['outTopic/a/\u0001', /^topic level 3: /],
    ['outtopic/a/b', /^topic: no decoder knows it$/],
  ];
  for (const [onTopic, reason] of topics) {
    test(`topic ${JSON.stringify(onTopic)}`, () => assert.match(reasonOf(decode(reading, onTopic)), reason));
  }

  test('every cut of a reading', () => {
    for (let length = 0; length < reading.length; length += 1) reasonOf(decode(reading.slice(0, length)));
  });
});

test('any bytes give an answer, and a changed byte gives no other device, value or sequence unnoticed', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
      assert.equal(decode(Buffer.from(bytes)).kind, 'unreadable');
    }),
  );
  fc.assert(
    fc.property(fc.nat(reading.length - 1), fc.integer({ min: 0, max: 255 }), (at, byte) => {
      const bytes = Buffer.from(reading, 'latin1');
      bytes[at] = byte;
      const decoded = decode(bytes);
      if (decoded.kind !== 'readings') return;
      const { message, values } = decoded;
      const written = `${message.sequence}-${message.sensorType} Sensor IP:${message.ip} MAC:${message.macSent} Reading value=${values[0]?.value}`;
      assert.equal(written, bytes.toString('latin1'));
    }),
  );
});
