/** The log: the lines of Debian's mosquitto for the same script, types, destinations, time, rotation. */
import assert from 'node:assert/strict';
import { chmod, readFile, rename } from 'node:fs/promises';
import { describe, it } from 'node:test';
import { eventually, freePort, runProgram } from '../../helpers/demo-process.ts';
import {
  asOurselves,
  ConfFolder,
  DropInBroker,
  programs,
  skipWithoutMosquitto,
  Subscriber,
} from './drop-in-broker.ts';

const open = (port: number, lines = ''): string =>
  `${asOurselves}listener ${port} 127.0.0.1\nallow_anonymous true\n${lines}`;

/** What a person does in a few minutes, each step over before the next begins. */
async function playScript(port: number): Promise<void> {
  const to = `-p ${port} -k 42 `;
  const publish = (words: string): Promise<unknown> => runProgram('mosquitto_pub', (to + words).split(' '));
  await using _sub = await Subscriber.start(...`${to}-i sub -t gas/# -q 1`.split(' '));
  await publish('-V 5 -i pub5 -t gas/1 -m payload -q 2 -r');
  await publish('-V 311 -i pub4 -t gas/2 -m payload -q 1');
  await publish('-V 31 -i pub3 -t gas/3 -m payload -q 0');
  await publish('-i with-will -t a -n --will-topic w/t --will-payload abc --will-qos 1');
  await runProgram('mosquitto_sub', `${to}-i leaving -t gas/x -U gas/x -E`.split(' '));
}

/** Without what differs from run to run: times, ports, ids that a broker gives, addresses of memory. */
function comparable(log: string, port: number): string[] {
  return log
    .split('\n')
    .filter((line) => line !== '' && !line.endsWith('Received DISCONNECT from leaving'))
    .map((line) =>
      line
        .replace(/^\d{10}: /, '')
        .replaceAll(String(port), 'PORT')
        .replaceAll(/127\.0\.0\.1:\d+/g, 'ADDRESS')
        .replaceAll(/auto-[0-9A-F-]{36}/g, 'AUTO')
        // 2.1 tells the address at the end as well, and begins with the port of the peer.
        .replace(/^New connection from 127\.0\.0\.1(?::\d+)? on/, 'New connection from ADDRESS on')
        .replace(/ \[ADDRESS\] disconnected/, ' disconnected')
        // mosquitto_sub -E may be gone before its DISCONNECT is; 2.1 has other words for it.
        .replace(/ (?:closed its connection|disconnected: connection closed by client)\.$/, ' disconnected.'),
    );
}

/** The lines of each client in their order: between clients the order is nobody's promise. */
function byClient(lines: readonly string[]): Record<string, string[]> {
  const clients: Record<string, string[]> = {};
  let client = '';
  for (const line of lines) {
    client = line.startsWith('\t')
      ? client
      : (/\b(?:sub|pub\d|with-will|leaving)\b/.exec(line)?.[0] ?? 'nobody');
    (clients[client] ??= []).push(line);
  }
  return clients;
}

/** About the program itself, which is another one. */
const aboutProgram =
  /version|Config loaded|ipv4 listen|running mosquitto|(?:Bridge|Persistence|TLS|TLS-PSK|Websockets) support|^Warning: |Opening/;

describe('the log of davylamp broker', { skip: skipWithoutMosquitto }, () => {
  it('has the lines of mosquitto -v for the same script', async () => {
    await using folder = await ConfFolder.create();
    const lines = new Map<string, Record<string, string[]>>();
    for (const program of Object.keys(programs) as (keyof typeof programs)[]) {
      const port = await freePort();
      const file = await folder.write(`${program}.conf`, open(port));
      await using broker = await DropInBroker.start(file, port, { program, args: ['-v'] });
      // Our own look at the port is a connection too; the script begins behind it.
      await eventually('that to be over', () =>
        /closed|disconnected/.test(broker.stderr) ? true : undefined,
      );
      const from = broker.stderr.length;
      await playScript(port);
      await broker.logged(/Client leaving .*(?:disconnected|closed)/, from);
      await broker.logged(/Client sub .*disconnected/, from);
      lines.set(
        program,
        byClient(comparable(broker.stderr.slice(from), port).filter((line) => !aboutProgram.test(line))),
      );
    }
    assert.deepEqual(lines.get('davylamp'), lines.get('mosquitto'));
  });

  it('has the types that are asked for, and nothing of clients with connection_messages false', async () => {
    await using folder = await ConfFolder.create();
    const expectations: readonly (readonly [string, RegExp, RegExp])[] = [
      ['log_type subscribe\n', /^\d{10}: sub 1 gas\/#$/m, /New client|Received/],
      [
        'log_type notice\n',
        /New client connected from 127\.0\.0\.1:\d+ as pub5 \(p5, c1, k42\)\./,
        /sub 1 gas|running/,
      ],
      ['log_type information\nconnection_messages true\n', /running/, /New client/],
      ['log_type all\nconnection_messages false\n', /Received PUBLISH from pub5/, /New client|disconnected/],
      ['log_timestamp false\n', /^New client connected from \S+ as sub/m, /^\d{10}/m],
    ];
    for (const [setting, wanted, unwanted] of expectations) {
      const port = await freePort();
      const file = await folder.write('m.conf', open(port, setting));
      await using broker = await DropInBroker.start(file, port);
      await playScript(port);
      await broker.stop();
      assert.match(broker.stderr, wanted, setting);
      assert.doesNotMatch(broker.stderr, unwanted, setting);
    }
  });

  it('writes the time as mosquitto does in a form of choice', async () => {
    await using folder = await ConfFolder.create();
    const form = '%Y-%m-%dT%H:%M:%S%z %a %d.%b %j';
    const shape =
      /^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d[+-]\d{4}) (\w{3} \d\d\.\w{3} \d{3}): New client connected/m;
    const found: RegExpExecArray[] = [];
    for (const program of Object.keys(programs) as (keyof typeof programs)[]) {
      const port = await freePort();
      const file = await folder.write('m.conf', open(port, `log_timestamp_format ${form}\n`));
      const environment = { TZ: 'America/New_York' };
      await using broker = await DropInBroker.start(file, port, { program, environment });
      await runProgram('mosquitto_pub', ['-p', String(port), '-t', 'a', '-m', 'b']);
      await broker.logged('New client connected');
      const match = shape.exec(broker.stderr);
      assert.ok(match, `${program}: ${broker.stderr}`);
      found.push(match);
    }
    const [ours, theirs] = found.map((match) => Date.parse(match[1]!.replace(/(\d\d)$/, ':$1')));
    assert.ok(Math.abs(ours! - theirs!) < 60_000, 'both are of the same minute, in the same zone');
  });

  it('goes to standard output, files and topics at once', async () => {
    await using folder = await ConfFolder.create();
    const port = await freePort();
    const file = await folder.write(
      'm.conf',
      open(port, `log_dest stdout\nlog_dest topic\nlog_dest file ${folder.file('x.log')}\nlog_type all\n`),
    );
    await using broker = await DropInBroker.start(file, port);
    await using watcher = await Subscriber.start(
      '-p',
      String(port),
      '-t',
      '$SYS/broker/log/#',
      '-F',
      '%t %p',
      '-i',
      'watcher',
      '-q',
      '2',
    );
    const line = /New client connected from 127\.0\.0\.1:\d+ as tank-7 \(p2, c1, k60\)\./;
    await runProgram('mosquitto_pub', ['-p', String(port), '-t', 'a', '-m', 'b', '-i', 'tank-7']);
    await eventually('the line as a message', () =>
      watcher.messages.some((message) => message.startsWith('$SYS/broker/log/N ') && line.test(message))
        ? true
        : undefined,
    );
    assert.equal(
      watcher.messages.some((message) => message.startsWith('$SYS/broker/log/D')),
      false,
    );
    await broker.stop();
    assert.match(broker.stdout, line);
    assert.match(await folder.read('x.log'), line);
    assert.equal(broker.stderr, '');
    assert.equal(await folder.read('x.log'), broker.stdout);
  });

  it('is silent with log_dest none, log_type none and -q', async () => {
    await using folder = await ConfFolder.create();
    for (const [setting, args] of [
      ['log_dest none\n', []],
      ['log_type none\n', []],
      ['log_type all\n', ['-q']],
    ] as const) {
      const port = await freePort();
      await using broker = await DropInBroker.start(await folder.write('m.conf', open(port, setting)), port, {
        args,
      });
      await runProgram('mosquitto_pub', ['-p', String(port), '-t', 'a', '-m', 'b']);
      await broker.stop();
      assert.equal(broker.stderr + broker.stdout, '', setting);
    }
  });

  it('goes to syslog by the program logger, with the facility that is asked for', async () => {
    await using folder = await ConfFolder.create();
    const port = await freePort();
    const caught = folder.file('caught');
    await chmod(
      await folder.write('bin/logger', `#!/bin/sh\necho "$@" > ${caught}\nexec cat >> ${caught}\n`),
      0o755,
    );
    const file = await folder.write('m.conf', open(port, 'log_dest syslog\nlog_facility 5\n'));
    const environment = { PATH: `${folder.file('bin')}:${process.env['PATH']}` };
    await using broker = await DropInBroker.start(file, port, { environment });
    await broker.stop();
    const text = await readFile(caught, 'utf8');
    assert.match(text, /^--tag mosquitto --id=\d+ --prio-prefix\n/);
    assert.match(text, /^<174>\d{10}: davylamp version \S+ running$/m); // local5 (21) × 8 + info (6)
  });

  it('opens its file anew at SIGHUP: log rotation loses no line', async () => {
    await using folder = await ConfFolder.create();
    const port = await freePort();
    const log = folder.file('x.log');
    const file = await folder.write('m.conf', open(port, `log_dest file ${log}\n`));
    await using broker = await DropInBroker.start(file, port);
    const say = (id: string): Promise<unknown> =>
      runProgram('mosquitto_pub', ['-p', String(port), '-t', 'a', '-m', 'b', '-i', id]);
    await say('one');
    await rename(log, `${log}.1`);
    await say('two');
    broker.kill('SIGHUP');
    await eventually('the new file', async () =>
      (await folder.read('x.log').catch(() => '')).includes('reloaded') ? true : undefined,
    );
    await say('three');
    await broker.stop();
    const [old, fresh] = [await folder.read('x.log.1'), await folder.read('x.log')];
    assert.match(old, / as one .*\n(.*\n)*.* as two /);
    assert.match(fresh, / as three .*\n(.*\n)*.*terminating\n$/);
    assert.doesNotMatch(fresh, / as (?:one|two) /);
  });

  it('has in its file why the start has failed', async () => {
    await using folder = await ConfFolder.create();
    const port = await freePort();
    await using _other = await DropInBroker.start(await folder.write('o.conf', open(port)), port);
    const file = await folder.write('m.conf', open(port, `log_dest file ${folder.file('x.log')}\n`));
    const broker = new DropInBroker(file);
    assert.equal((await broker.ended).code, 1);
    assert.match(broker.stderr, /is taken/);
    assert.match(await folder.read('x.log'), /^\d{10}: Error: listener .* is taken/m);
  });

  it('goes on on standard error where the file cannot be opened, and says so', async () => {
    await using folder = await ConfFolder.create();
    const port = await freePort();
    const file = await folder.write('m.conf', open(port, `log_dest file ${folder.file('no/x.log')}\n`));
    await using broker = await DropInBroker.start(file, port);
    await broker.logged('running');
    assert.match(broker.stderr, /Error: log file .*no\/x\.log cannot be written \(ENOENT\)/);
  });
});
