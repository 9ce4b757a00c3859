import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { DavylampError } from '#base';
import { readOptionWords } from './option-words.ts';
import { toolOptions, type ToolName } from './options.ts';
import { readSettings } from './read-settings.ts';
import type { ToolSettings } from './settings.ts';

const minimal: Readonly<Record<ToolName, readonly string[]>> = {
  pub: ['-t', 'a', '-m', 'x'],
  sub: ['-t', 'a'],
  rr: ['-t', 'a', '-m', 'x', '-e', 'b'],
};

const read = (tool: ToolName, ...words: readonly string[]): ToolSettings =>
  readSettings(tool, readOptionWords(tool, words));

const faultOf = (tool: ToolName, ...words: readonly string[]): string => {
  try {
    read(tool, ...words);
  } catch (error) {
    if (error instanceof DavylampError) return error.message;
    throw error;
  }
  return '';
};

describe('settings', () => {
  for (const tool of ['pub', 'sub', 'rr'] as const) {
    it(`take every option of ${tool}, or refuse it with a reason`, () => {
      // Nothing that an option says may be lost on the way: it changes something, or is named in an error.
      for (const option of toolOptions(tool)) {
        const form = option.isShortOnly === true ? `-${option.short}` : `--${option.name}`;
        if (['--nodelay', '-o'].includes(form)) continue; // always so; read before
        const base = needed(tool, option.name);
        const before = outcomeOf(tool, base);
        const values = option.value === undefined ? [''] : sampleValues;
        const isTaken = values.some((value) => {
          const words = [form, ...(option.value === undefined ? [] : value.split(' '))];
          const after = outcomeOf(tool, [...base, ...words]);
          return after !== before && !/ needs a value|unknown option/.test(after);
        });
        assert.ok(isTaken, `${form} changes nothing and is not refused`);
      }
    });
  }

  it('are what the mosquitto tools have as defaults', () => {
    const { version, qos, keepAliveSeconds, maximumInflight, cleanSession } = read('pub', ...minimal.pub);
    assert.deepEqual(
      { version, qos, keepAliveSeconds, maximumInflight, cleanSession },
      {
        version: 4,
        qos: 0,
        keepAliveSeconds: 60,
        maximumInflight: 20,
        cleanSession: true,
      },
    );
    assert.equal(read('rr', ...minimal.rr).version, 5);
  });

  it('take the last of an option that is given twice, but every filter', () => {
    assert.deepEqual(read('pub', '-t', 'a', '-t', 'b', '-m', 'x').topics, ['b']);
    assert.deepEqual(read('sub', '-t', 'a', '-t', 'b').topics, ['a', 'b']);
    assert.equal(read('sub', '-t', 'a', '-q', '1', '-q', '2').qos, 2);
  });

  it('turn to MQTT 5 for what only it has', () => {
    assert.equal(read('sub', '-t', 'a', '-D', 'connect', 'user-property', 'a', 'b').version, 5);
    assert.equal(read('sub', '-t', 'a', '-x', '10').version, 5);
    assert.equal(read('sub', '-t', 'a', '-i', 'x', '-x', '∞').sessionExpiry, 0xffff_ffff);
  });

  it('read a URL', () => {
    const settings = read('pub', '-L', 'wss://me:pass@host/a/b', '-m', 'x');
    assert.equal(settings.host, 'host');
    assert.equal(settings.port, 8883);
    assert.equal(settings.isWebSocket, true);
    assert.equal(settings.tls.useSystemAuthorities, true);
    assert.deepEqual([settings.username, settings.password, settings.topics], ['me', 'pass', ['a/b']]);
  });

  const faults: readonly (readonly [ToolName, string, RegExp])[] = [
    ['pub', '-t a', /a message is missing/],
    ['pub', '-m x', /a topic is missing/],
    ['pub', '-t a/# -m x', /-t: cannot publish on topic 'a\/#'/],
    ['pub', '-t a -m x -n', /-n: only one of/],
    ['pub', '-t a -m x -q 3', /-q: takes a whole number from 0 to 2, not '3'/],
    ['pub', '-t a -m x -k 4', /-k: takes a whole number from 5 to 65535/],
    ['pub', '-t a -m x -i a -I b', /-I: cannot be used with -i/],
    ['pub', '-t a -m x -c', /-c needs a client id/],
    ['pub', '-t a -m x -V 5 -c', /a session that never ends needs a client id/],
    ['pub', '-t a -m x -P x', /-P without -u needs MQTT 5/],
    ['pub', '-t a -m x --will-payload x', /a will needs a topic/],
    ['pub', '-t a -m x --cert x', /--cert and --key belong together/],
    ['pub', '-t a -m x --psk 0g', /--psk: takes the key in hexadecimal/],
    ['pub', '-t a -m x --psk 00', /--psk needs --psk-identity/],
    ['pub', '-t a -m x --psk 00 --psk-identity a --cafile x', /cannot be used together/],
    ['pub', '-t a -m x --tls-version tlsv1.1', /tlsv1.1 is broken and not supported/],
    ['pub', '-t a -m x --keyform engine', /engines are not supported/],
    ['pub', '-t a -m x --tls-engine e', /engines are not supported/],
    ['pub', '-t a -m x --mptcp', /Multipath TCP is not supported/],
    ['pub', '-t a -m x --unix s --ws', /--unix and --ws cannot/],
    ['pub', '-t a -m x -D auth authentication-method x', /auth packets cannot be given properties/],
    ['sub', '-v', /a topic is missing/],
    ['sub', '-t a/#/b', /is no topic filter/],
    ['sub', '-t a -C 0', /-C: takes a whole number from 1/],
    ['sub', '-t a -R --retained-only', /cannot be used together/],
    ['sub', '-t a --retain-handling often', /takes always, new or never/],
    ['sub', '-t a --random-filter 0', /takes a number from 0.1 to 100/],
    ['sub', '-t a --message-rate', /--message-rate: is not supported/],
    ['rr', '-t a -m x', /the topic of the response is missing/],
    ['rr', '-t a -m x -e b -D publish response-topic c', /the response topic is given twice/],
  ];
  for (const [tool, words, expected] of faults)
    it(`refuse '${tool} ${words}'`, () => assert.match(faultOf(tool, ...words.split(' ')), expected));
});

const sampleValues = [
  'new',
  '7',
  '1',
  'tlsv1.2',
  'pem',
  'mqtt://h/t',
  'socks5h://h',
  '00',
  'publish user-property a b',
];

/** The settings as text, or the error that the words give. */
function outcomeOf(tool: ToolName, words: readonly string[]): string {
  try {
    const settings = read(tool, ...words);
    return JSON.stringify({ ...settings, properties: settings.properties.all });
  } catch (error) {
    if (error instanceof DavylampError) return error.message;
    throw error;
  }
}

/** What an option cannot do without. */
function needed(tool: ToolName, name: string): readonly string[] {
  const isMessage = ['message', 'file', 'stdin-line', 'stdin-file', 'null-message'].includes(name);
  const base = tool === 'sub' ? ['-t', 'a'] : ['-t', 'a', ...(tool === 'rr' ? ['-e', 'b'] : [])];
  const message = tool === 'sub' || isMessage ? [] : ['-m', 'x'];
  const also: Readonly<Record<string, readonly string[]>> = {
    'disable-clean-session': ['-i', 'x'],
    'will-payload': ['--will-topic', 'w'],
    'will-retain': ['--will-topic', 'w'],
    cert: ['--key', 'k'],
    key: ['--cert', 'c'],
    keyform: ['--cert', 'c', '--key', 'k'],
    psk: ['--psk-identity', 'i'],
    pw: ['-u', 'u'],
  };
  return [...base, ...message, ...(also[name] ?? [])];
}
