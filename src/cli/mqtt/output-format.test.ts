import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { createPublishProperties } from '#client';
import { localTime } from './local-time.ts';
import { compileFormat, type PrintedMessage } from './output-format.ts';

const complaints: string[] = [];
const context = {
  time: localTime(BigInt(new Date(2026, 0, 4, 5, 6, 7).getTime()) * 1_000_000n + 89_012_345n),
  pretty: false,
  complain: (what: string) => void complaints.push(what),
};

const message: PrintedMessage = {
  topic: 'f/tópic',
  payload: Buffer.from('hello'),
  qos: 1,
  retain: true,
  packetId: 12,
  properties: createPublishProperties({
    contentType: 'text',
    correlationData: Buffer.from([0x80, 0x41]),
    messageExpiry: 60,
    payloadFormat: 1,
    responseTopic: 'r/t',
    subscriptionIdentifiers: [9],
    topicAlias: 3,
    userProperties: [
      ['a', '1'],
      ['a', 'é'],
    ],
  }),
};

function print(format: string, changes: Partial<PrintedMessage> = {}): Buffer {
  const compiled = compileFormat(format);
  if (typeof compiled === 'string') assert.fail(compiled);
  return Buffer.from(compiled.print({ ...message, ...changes }, context), 'latin1');
}

describe('output format', () => {
  const cases: readonly (readonly [format: string, printed: string])[] = [
    ['%t|%p|%q|%r|%m|%l', 'f/tópic|hello|1|1|12|5'],
    ['%A %C %E %F %R %S', '3 text 60 1 r/t 9'],
    ['%P', 'a:1 a:é'],
    // Widths count bytes: ó has two.
    ['[%10t] [%-10t] [%.3t] [%-6.3t]', '[  f/tópic] [f/tópic  ] [f/t] [f/t   ]'],
    ['[%05l] [%-5l] [%5m]', '[00005] [5    ] [   12]'],
    ['[%3p] [%8p] [%-8p] [%08p]', '[hel] [   hello] [hello   ] [000hello]'],
    ['%x %X', '68656c6c6f 68656C6C6F'],
    ['[%12x] [%.2x] [%.4:X] [%4.2-x]', '[  68656c6c6f] [68 65 6c 6c 6f] [6865:6C6C:6F] [68-65-6c-6c]'],
    ['%% @@ \\\\ \\n\\t\\e', '% @ \\ \n\t\u001b'],
    ['@Y-@m-@d @H:@M:@S.@N', '2026-01-04 05:06:07.089012345'],
    ['@a @j @U @W @V @G @u @w @e', 'Sun 004 01 00 01 2026 7 0  4'],
    ['ü', 'ü'],
  ];
  for (const [format, printed] of cases)
    it(`prints '${format}'`, () => assert.equal(print(format).toString(), printed));

  it('prints bytes as they are', () => {
    assert.deepEqual(print('%D', {}), Buffer.from([0x80, 0x41]));
    assert.deepEqual(
      print('<%p>', { payload: Buffer.from([0xff, 0, 0xc3]) }),
      Buffer.from([0x3c, 0xff, 0, 0xc3, 0x3e]),
    );
  });

  it('leaves blank what a message does not have', () => {
    assert.equal(print('[%A%C%D%E%F%P%R%S] [%03E] [%3C]', { properties: null }).toString(), '[] [000] [   ]');
  });

  it('prints JSON with the payload as text', () => {
    assert.deepEqual(JSON.parse(print('%j').toString()), {
      tst: JSON.parse(print('%j').toString()).tst,
      topic: 'f/tópic',
      qos: 1,
      retain: true,
      payloadlen: 5,
      mid: 12,
      properties: {
        'payload-format-indicator': 1,
        'content-type': 'text',
        'response-topic': 'r/t',
        'correlation-data': '\ufffdA',
        'subscription-identifier': 9,
        'topic-alias': 3,
        'user-properties': [{ a: '1' }, { a: 'é' }],
        'message-expiry-interval': 60,
      },
      payload: 'hello',
    });
    assert.match(print('%j').toString(), /^\{"tst":"2026-01-04T05:06:07\.089012[+-]\d{4}","topic"/);
    assert.match(
      print('%j', { payload: Buffer.alloc(0), qos: 0 }).toString(),
      /"payloadlen":0,"properties":.*"payload":null}$/,
    );
  });

  it('prints JSON with the payload within, and complains of one that is none', () => {
    const printed = print('%J', { payload: Buffer.from(' {"b": 1.0} '), properties: null });
    assert.match(printed.toString(), /"payload":\{"b":1\}\}$/);
    assert.equal(print('%J').toString(), '');
    assert.equal(complaints.pop(), 'Error: Message payload is not valid JSON on topic f/tópic.');
  });

  it('prints floats and doubles', () => {
    const double = Buffer.alloc(8);
    double.writeDoubleLE(-1.5);
    const float = Buffer.alloc(4);
    float.writeFloatLE(0.1);
    assert.equal(
      print('[%d] [%.1d] [%08.2d]', { payload: double }).toString(),
      '[-1.500000] [-1.5] [-0001.50]',
    );
    assert.equal(print('%.3f', { payload: float }).toString(), '0.100');
    assert.equal(print('%f').toString(), '');
    assert.match(complaints.pop() ?? '', /no float: it has 5 bytes, not 4/);
  });

  for (const format of ['%', '100%', '%5', '%k', '%5.', '@', '\\', '\\q', '%-'])
    it(`refuses '${format}'`, () => assert.equal(typeof compileFormat(format), 'string'));
});
