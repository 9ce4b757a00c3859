/** Our tools and Debian's, against the same broker: what they print and how they end is the same. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import net from 'node:net';
import { after, before, describe, it } from 'node:test';
import { MosquittoBroker, skipWithoutMosquitto } from '../../clients/mosquitto-broker.ts';
import { ours, Program, skipWithoutTheirs, theirs, type Ended, type ToolName } from './programs.ts';

const skip = skipWithoutTheirs !== false ? skipWithoutTheirs : skipWithoutMosquitto;
let broker: MosquittoBroker | undefined;
let at: readonly string[] = [];

before(async () => {
  if (skip !== false) return;
  broker = await MosquittoBroker.start();
  at = ['-h', '127.0.0.1', '-p', String(broker.port)];
});
after(async () => {
  await broker?.[Symbol.asyncDispose]();
});

/** What Mosquitto 2.1 prints, of what Debian's 2.0.11 prints: see ChangeLog of both. */
function asIn21(output: string): string {
  return output
    .replaceAll('(null) sending', 'null sending')
    .replaceAll('(null) received', 'null received')
    .replaceAll("'(null)'", "'null'")
    .replaceAll(/("retain":\s*)(\d)/g, (_all, name: string, flag: string) => `${name}${flag === '1'}`)
    .replaceAll(/\.\d{6}Z?([+-]\d{4}")/g, '.000000$1')
    .replaceAll(/T\d\d:\d\d:\d\d\./g, 'T00:00:00.')
    .replaceAll(/"user-properties":{"([^"]+)":"([^"]*)"}/g, '"user-properties":[{"$1":"$2"}]');
}

async function both(
  tool: ToolName,
  args: readonly string[],
  input?: string,
): Promise<{ our: Ended; their: Ended }> {
  return {
    their: await theirs(tool, [...at, ...args], input),
    our: await ours(tool, [...at, ...args], input),
  };
}

async function assertSame(tool: ToolName, args: readonly string[], input?: string): Promise<void> {
  const { our, their } = await both(tool, args, input);
  assert.equal(asIn21(our.output), asIn21(their.output));
  assert.equal(our.code, their.code, `${our.errors}\n${their.errors}`);
}

describe('compared with the mosquitto tools', { skip }, () => {
  const kept: readonly (readonly [topic: string, ...words: string[]])[] = [
    ['k/text', '-m', 'hello'],
    ['k/unicode', '-m', 'é"\\/ü\t'],
    [
      'k/json',
      '-m',
      '{"b": 1.50, "2":[1,2,{"x":1e5}], "s":"\\u00e9\\n", "t":true, "e":[], "o":{}, "d":-0.25}',
    ],
    ['k/props', '-m', 'p', ...'-D publish content-type text/x -D publish user-property a b'.split(' ')],
  ];
  before(async () => {
    for (const [topic, ...words] of kept)
      assert.equal((await theirs('pub', [...at, '-V', '5', '-q', '1', '-r', '-t', topic, ...words])).code, 0);
  });

  const receiving: readonly string[] = [
    '-t k/text -C 1',
    '-t k/text -C 1 -v',
    '-t k/text -C 1 -N',
    '-t k/unicode -C 1 -v -q 1',
    '-t k/unicode -C 1 -F %j',
    '-t k/json -C 1 -F %J',
    '-t k/json -C 1 -F %J --pretty',
    '-t k/text -C 1 -F %j -q 1 -V 5 -i same',
    '-t k/props -C 1 -F %j -q 2 -V 5 -i same',
    '-t k/props -C 1 -F %t|%P|%C|%D|%R|%E|%F|%A|%S|%q|%r|%m|%l -V 5 -q 1',
    '-t k/text -C 1 -F [%20t][%-20t][%.3t][%-9.3t][%3p][%-10p][%010p][%10p][%12l][%05l][%-5l][%5m][%5q]',
    '-t k/text -C 1 -F [%x][%X][%C][%5C][%05E]%%@@\\\\\\n\\t\\a\\e\\r\\v\\0',
    '-t k/text -C 1 -d -i same',
    '-t k/text -C 1 -d',
    '-t k/text -C 1 -d -q 1 -v -i same -V mqttv5',
    '-t k/text -t none/# -C 1 -d -q 2 -i same -V mqttv31',
    '-t k/text -U none/a -U none/b -C 1 -d -i same -k 30 -c',
    '-t none -E -d -i same -V 5 --retain-as-published',
    '-t none -E -d -q 2',
    '-t k/# -T k/+ -W 1 -v',
    '-t k/text -t k/props -R -W 1',
    '-t none --will-topic w --will-payload x --will-qos 1 -E -d -i same',
  ];
  for (const words of receiving) it(`sub ${words}`, () => assertSame('sub', words.split(' ')));

  it('sub prints every field of the day', async () => {
    const format =
      '@a @A @b @B @C @d @D @e @F @g @G @h @j @m @n @t @u @U @V @w @W @x @y @Y @z @Z @% @E @O @Q @+';
    for (const TZ of ['UTC', 'Europe/Berlin', 'America/New_York', 'Asia/Kolkata', 'Asia/Tehran']) {
      const words = [...at, '-t', 'k/text', '-C', '1', '-F', format];
      const outputs: string[] = [];
      // Midnight may pass between the two: then they are asked again.
      for (let tries = 0; tries < 2 && (tries === 0 || outputs[0] !== outputs[1]); tries++) {
        outputs.length = 0;
        for (const isOurs of [true, false]) {
          await using program = new Program('sub', isOurs, words, '', { TZ });
          assert.equal(await program.ended, 0, program.errors);
          outputs.push(program.output);
        }
      }
      assert.equal(outputs[0], outputs[1], TZ);
    }
  });

  const sending: readonly (readonly [words: string, input?: string])[] = [
    ['-t s -m x -d -i same'],
    ['-t s -m x -d -i same -q 1 -V 5'],
    ['-t s -m x -d -i same -q 2 -r'],
    ['-t s -n -d -i same -q 2 -V mqttv31'],
    ['-t s -m x -d -i same -q 1 --repeat 3'],
    ['-t s -m x -d -i same --repeat 3'],
    ['-t s -n -r -d -i same -V 5 -D publish topic-alias 2 --repeat 2'],
    ['-t s -l -d -i same', 'one\ntwo\n\nlast'],
    ['-t s -l -d -i same', ''],
    ['-t s -s -d -i same', 'one\ntwo\n'],
    ['-t s -m x -d'],
  ];
  for (const [words, input] of sending) it(`pub ${words}`, () => assertSame('pub', words.split(' '), input));

  it('both lines and QoS 1: every line, in order', async () => {
    const lines = Array.from({ length: 30 }, (_, index) => `line ${index}`);
    const { our, their } = await both(
      'pub',
      ['-t', 's', '-l', '-q', '1', '-d', '-i', 'same'],
      `${lines.join('\n')}\n`,
    );
    const sent = (output: string): string[] =>
      output.split('\n').filter((line) => line.includes('sending PUBLISH'));
    assert.deepEqual(sent(our.output), sent(their.output));
    assert.equal(our.code, their.code);
  });

  const failing: readonly (readonly [ToolName, string, string?])[] = [
    ['pub', '-t s'],
    ['pub', '-m s'],
    ['pub', '-t s/# -m x'],
    ['pub', '-t s -m x -n'],
    ['pub', '-t s -m x -q 5'],
    ['pub', '-t s -m x --nothing'],
    ['pub', '-t s -f /nonexistent'],
    ['pub', '-t s -s', ''],
    ['pub', '-t s -m x -p 1'],
    ['pub', '-t s -m x -h nobody.invalid'],
    ['pub', '-t s -m x --unix /nonexistent'],
    ['pub', '-t s -m x -c'],
    ['pub', '-t s -m x -P secret'],
    ['sub', ''],
    ['sub', '-t a -F %k'],
    ['sub', '-t a -F %'],
    ['sub', '-t a/#/b'],
    ['sub', '-t a -R --retained-only'],
    ['sub', '-t none -W 1'],
    ['rr', '-t none -e none/answer -m x -W 1'],
    ['rr', '-t none -m x'],
  ];
  for (const [tool, words, input] of failing) {
    it(`${tool} ${words} fails alike`, async () => {
      const { our, their } = await both(tool, words.split(' ').filter(Boolean), input);
      assert.equal(our.code, their.code, `${our.errors}\n${their.errors}`);
      assert.notEqual(our.code, 0);
      assert.equal(our.output, '');
      assert.equal(our.errors.trimEnd().split('\n').length, 1, `one line: ${our.errors}`);
      assert.doesNotMatch(our.errors, /secret/);
    });
  }
});

/** Answers the first bytes of each connection with these, and then closes it. */
async function startScripted(reply: readonly number[]): Promise<net.Server> {
  const server = net.createServer((socket) => {
    socket.on('error', () => {});
    socket.once('data', () => socket.end(Buffer.from(reply)));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return server;
}

describe(
  'against a broker that refuses, compared with the mosquitto tools',
  { skip: skipWithoutTheirs },
  () => {
    const connack3 = (code: number): readonly number[] => [0x20, 2, 0, code];
    const connack5 = (code: number): readonly number[] => [0x20, 3, 0, code, 0];
    const cases: readonly (readonly [ToolName, string, readonly number[]])[] = [
      ['pub', '-t a -m x', connack3(5)],
      ['pub', '-t a -m x', connack3(4)],
      ['pub', '-t a -m x -V 5', connack5(0x87)],
      ['pub', '-t a -m x -V 5', connack5(0x84)],
      ['pub', '-t a -m x', []],
      ['pub', '-t a -m x -q 1', connack3(0)],
      ['pub', '-t a -m x -q 1 -V 5', [...connack5(0), 0x40, 3, 0, 1, 0x87]],
      ['sub', '-t a', connack3(5)],
      ['sub', '-t a -V 5', connack5(0x86)],
      ['sub', '-t a', [...connack3(0), 0x90, 3, 0, 1, 0x80]],
      ['sub', '-t a -V 5', [...connack5(0), 0x90, 4, 0, 1, 0, 0x87]],
      ['rr', '-t a -e b -m x', connack5(0x87)],
      ['rr', '-t a -e b -m x', connack5(0)],
    ];
    for (const [tool, words, reply] of cases) {
      it(`${tool} ${words}: ${Buffer.from(reply).toString('hex')}`, async () => {
        const server = await startScripted(reply);
        try {
          const { port } = server.address() as net.AddressInfo;
          const args = ['-h', '127.0.0.1', '-p', String(port), ...words.split(' ')];
          const [our, their] = [await ours(tool, args), await theirs(tool, args)];
          assert.equal(our.code, their.code, `${our.errors}\n${their.errors}`);
          assert.equal(our.errors.trimEnd().split('\n').length, 1, `one line: ${our.errors}`);
        } finally {
          server.close();
        }
      });
    }
  },
);

/** Says yes to everything at QoS 0 and 1, and gives all the bytes that one client sends. */
async function recordOne(version: number, run: (port: number) => Promise<unknown>): Promise<string> {
  const chunks: Buffer[] = [];
  const server = net.createServer((socket) => {
    socket.on('error', () => {});
    socket.on('data', (chunk) => {
      chunks.push(chunk);
      const type = chunk[0]! >> 4;
      const isV5 = version === 5;
      if (type === 1) socket.write(Buffer.from(isV5 ? [0x20, 3, 0, 0, 0] : [0x20, 2, 0, 0]));
      if (type === 3 && (chunk[0]! & 6) === 2) socket.write(Buffer.from([0x40, 2, 0, 1]));
      if (type === 8) socket.write(Buffer.from(isV5 ? [0x90, 4, 0, 1, 0, 0] : [0x90, 3, 0, 1, 0]));
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  try {
    await run((server.address() as net.AddressInfo).port);
  } finally {
    server.close();
  }
  return Buffer.concat(chunks).toString('hex');
}

describe('the bytes that are sent, compared with the mosquitto tools', { skip: skipWithoutTheirs }, () => {
  const cases: readonly (readonly [ToolName, number, string])[] = [
    ['pub', 3, '-V 31 -i me -t a/b -m hello -q 1 -u name -P word -k 30'],
    [
      'pub',
      4,
      '-i me -c -t a/b -m hello -q 1 -r --will-topic w --will-payload gone --will-qos 2 --will-retain',
    ],
    ['pub', 4, '-I me- -t a/b -n -u name'],
    ['pub', 5, '-V 5 -i me -x 60 -t a -m x -q 1 -D publish content-type text -D publish user-property k v'],
    ['pub', 5, '-V 5 -i me -t a -m x -D disconnect session-expiry-interval 9'],
    ['pub', 5, '-V 5 -i me -t a -m x --will-topic w -D will will-delay-interval 5 -P word'],
    ['pub', 5, '-V 5 -i me -t a -m x -D connect receive-maximum 7'],
    ['pub', 5, '-V 5 -i me -t a -m x -D publish response-topic r -D publish correlation-data c'],
    ['sub', 5, '-V 5 -i me -t a/# -q 2 -E --retain-as-published -D subscribe user-property k v'],
    ['sub', 5, '-V 5 -i me -t a -C 3 -E -R'],
    ['sub', 4, '-i me -t a/# -t b -q 1 -E'],
  ];
  for (const [tool, version, words] of cases) {
    it(`${tool} ${words}`, async () => {
      const args = (port: number): readonly string[] => [
        '-h',
        '127.0.0.1',
        '-p',
        `${port}`,
        ...words.split(' '),
      ];
      const our = await recordOne(version, (port) => ours(tool, args(port)));
      const their = await recordOne(version, (port) => theirs(tool, args(port)));
      // The process id of -I differs.
      const isPrefix = words.includes('-I');
      if (isPrefix) assert.match(Buffer.from(our, 'hex').toString('latin1'), /me-\d+/);
      else assert.equal(our, their);
    });
  }
});

describe('against a broker that breaks the protocol', () => {
  const connack = [0x20, 3, 0, 0, 0];
  const publish = (bits: number, topic: string, ...rest: readonly number[]): readonly number[] => {
    const body = [0, topic.length, ...Buffer.from(topic), ...rest];
    return [0x30 | bits, body.length, ...body];
  };
  const cases: readonly (readonly [what: string, reply: readonly number[], expected: RegExp])[] = [
    ['a packet that is none', [...connack, 0xf7, 0xff, 0xff, 0xff, 0xff], /broke the protocol/],
    [
      'a topic with a wildcard',
      [...connack, ...publish(0, 'b/#', 0)],
      /broke the protocol: topic name invalid/,
    ],
    ['an alias that was not allowed', [...connack, ...publish(0, 'b', 3, 0x23, 0, 1)], /topic alias invalid/],
    [
      'more QoS 2 messages than were allowed',
      [...connack, ...publish(4, 'b', 0, 1, 0), ...publish(4, 'b', 0, 2, 0)],
      /receive maximum exceeded/,
    ],
    ['a session that nobody asked for', [0x20, 3, 1, 0, 0], /broke the protocol/],
    [
      'no MQTT at all',
      [...Buffer.from(`HTTP/1.1 400 Bad Request\r\n\r\n${'x'.repeat(100)}`)],
      /broke the protocol/,
    ],
  ];
  for (const [what, reply, expected] of cases) {
    it(`rr ends with one line: ${what}`, async () => {
      const server = await startScripted(reply);
      try {
        const { port } = server.address() as net.AddressInfo;
        const outcome = await ours('rr', [
          '-h',
          '127.0.0.1',
          '-p',
          String(port),
          '-t',
          'a',
          '-e',
          'b',
          '-m',
          'x',
        ]);
        assert.equal(outcome.code, 7, outcome.errors);
        assert.match(outcome.errors, expected);
        assert.equal(outcome.errors.trimEnd().split('\n').length, 1, outcome.errors);
      } finally {
        server.close();
      }
    });
  }
});
