/** pub, sub and rr over longer lives: streams of lines, slow readers, cuts, signals, proxies, options files. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdir, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import net from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { after, before, describe, it } from 'node:test';
import { ClientBroker, user } from '../../clients/client-broker.ts';
import { CuttableLine } from '../../clients/mosquitto-broker.ts';
import { ours, Program, skipWithoutTheirs } from './programs.ts';

let broker: ClientBroker;
let folder = '';
let at: readonly string[] = [];

before(async () => {
  broker = await ClientBroker.start();
  folder = await mkdtemp(path.join(os.tmpdir(), 'davylamp-tools-'));
  at = ['-h', '127.0.0.1', '-p', String(broker.port('tcp'))];
});
after(async () => {
  await broker[Symbol.asyncDispose]();
  await rm(folder, { recursive: true, force: true });
});

async function subscriber(...words: readonly string[]): Promise<Program> {
  const program = new Program('sub', true, [...words, '-d']);
  await program.until('Subscribed (mid:');
  return program;
}

/** Without what `-d` prints. */
function messagesOf(program: Program): string[] {
  return program.output.split('\n').filter((line) => line !== '' && !/^(Client |Subscribed )/.test(line));
}

/** Megabytes of memory that a process had at most; Linux only. */
async function peakMemory(pid: number | undefined): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8');
  return Number(/VmHWM:\s+(\d+) kB/.exec(status)?.[1]) / 1024;
}

describe('lines from standard input', () => {
  for (const qos of ['0', '1', '2']) {
    it(`arrive all, in order, at QoS ${qos}`, async () => {
      const lines = Array.from({ length: 2000 }, (_, index) => `${index} ${'x'.repeat(index % 100)}`);
      await using reader = new Program('sub', true, [
        ...at,
        '-t',
        'lines',
        '-q',
        qos,
        '-C',
        '2000',
        '-c',
        '-i',
        `r${qos}`,
        '-d',
        '-F',
        '>%p',
      ]);
      await reader.until('Subscribed (mid:');
      const sent = await ours('pub', [...at, '-t', 'lines', '-l', '-q', qos], lines.join('\n'));
      assert.equal(sent.code, 0, sent.errors);
      assert.equal(await reader.ended, 0, reader.errors);
      const got = reader.output.split('\n').filter((line) => line.startsWith('>'));
      assert.deepEqual(
        got,
        lines.map((line) => `>${line}`),
      );
    });
  }

  it('stream without growing memory', { skip: process.platform !== 'linux' }, async () => {
    await using writer = new Program('pub', true, [...at, '-t', 'much', '-l', '-q', '1']);
    const line = Buffer.from(`${'x'.repeat(1023)}\n`);
    const block = Buffer.concat(Array.from({ length: 1024 }, () => line));
    const stdin = writer.child.stdin!;
    const peaks: number[] = [];
    for (let megabytes = 1; megabytes <= 96; megabytes++) {
      if (!stdin.write(block)) await once(stdin, 'drain');
      if (megabytes === 32 || megabytes === 96) peaks.push(await peakMemory(writer.child.pid));
    }
    stdin.end();
    assert.equal(await writer.ended, 0, writer.errors);
    const [early = 0, late = 0] = peaks;
    assert.ok(
      late - early < 48,
      `${early.toFixed(0)} MB after 32 MB of lines, ${late.toFixed(0)} MB after 96`,
    );
  });

  it('wait for a broker that went away, and lose nothing', async () => {
    await using line = await CuttableLine.to(broker.port('tcp'));
    await using reader = await subscriber(...at, '-t', 'cut', '-q', '1', '-c', '-i', 'cut-reader');
    const way = ['-h', '127.0.0.1', '-p', String(line.port)];
    await using writer = new Program('pub', true, [
      ...way,
      '-t',
      'cut',
      '-l',
      '-q',
      '1',
      '-i',
      'cut-writer',
      '-d',
    ]);
    writer.child.stdin!.write('before\n');
    await reader.until('before\n');
    await writer.until('received PUBACK (Mid: 1');
    line.cut();
    writer.child.stdin!.end('after\n');
    assert.equal(await writer.ended, 0, writer.errors);
    await reader.until('after\n');
    assert.match(writer.errors, /trying again/);
    assert.deepEqual(messagesOf(reader), ['before', 'after']);
  });
});

describe('sub', () => {
  it('subscribes again after a cut', async () => {
    await using line = await CuttableLine.to(broker.port('tcp'));
    await using reader = await subscriber('-h', '127.0.0.1', '-p', String(line.port), '-t', 'again');
    line.cut();
    await reader.until('Subscribed (mid: 2)');
    await ours('pub', [...at, '-t', 'again', '-m', 'here']);
    await reader.until('here\n');
    assert.equal(reader.errors.trimEnd().split('\n').length, 1, reader.errors);
  });

  it('stops reading while nobody takes its output', { skip: process.platform !== 'linux' }, async () => {
    await using reader = await subscriber(...at, '-t', 'flood', '-q', '1', '-N');
    reader.child.stdout!.pause();
    const lines = Buffer.from(`${'y'.repeat(2000)}\n`.repeat(15_000));
    const before = await peakMemory(reader.child.pid);
    const sent = await ours('pub', [...at, '-t', 'flood', '-l', '-q', '1'], lines);
    assert.equal(sent.code, 0, sent.errors);
    const grown = (await peakMemory(reader.child.pid)) - before;
    assert.ok(grown < 20, `30 MB came, and ${grown.toFixed(0)} MB were kept`);
  });

  it('ends when nobody reads its output any more', async () => {
    await using reader = await subscriber(...at, '-t', 'pipe');
    reader.child.stdout!.destroy();
    // The first write finds the pipe closed, or the second.
    while (reader.child.exitCode === null) await ours('pub', [...at, '-t', 'pipe', '-m', 'x']);
    assert.equal(await reader.ended, 0, reader.errors);
  });

  for (const [signal, version, expected] of [
    ['SIGTERM', 'mqttv311', 'no will'],
    ['SIGINT', 'mqttv5', 'gone'],
  ] as const) {
    it(`says goodbye at ${signal} in ${version}`, async () => {
      await using watcher = await subscriber(...at, '-t', 'wills/#', '-v');
      const will = '-t none --will-topic wills/one --will-payload gone'.split(' ');
      await using reader = await subscriber(...at, '-V', version, ...will);
      reader.child.kill(signal);
      assert.equal(await reader.ended, 0, reader.errors);
      assert.match(reader.output, /sending DISCONNECT\n$/);
      await ours('pub', [...at, '-t', 'wills/end', '-m', 'end']);
      await watcher.until('wills/end end');
      // As the mosquitto tools: in MQTT 5 it leaves with its will.
      const wills = messagesOf(watcher).filter((line) => line.startsWith('wills/one'));
      assert.deepEqual(wills, expected === 'gone' ? ['wills/one gone'] : []);
    });
  }

  it('pub ends with the code of the signal', async () => {
    await using writer = new Program('pub', true, [...at, '-t', 'x', '-l', '-d']);
    writer.child.stdin!.write('first\n');
    await writer.until('sending PUBLISH');
    writer.child.kill('SIGTERM');
    assert.equal(await writer.ended, 143);
    assert.match(writer.output, /sending DISCONNECT\n$/);
  });

  it('prints a line of the terminal for each topic with --watch', async () => {
    for (const topic of ['a', 'b'])
      await ours('pub', [...at, '-r', '-q', '1', '-t', `watch/${topic}`, '-m', topic]);
    const { output } = await ours('sub', [...at, '-t', 'watch/a', '-t', 'watch/b', '-C', '2', '-v', '-w']);
    assert.equal(
      output,
      '\u001b[2J\u001b[1;1HBroker: 127.0.0.1\n\u001b[2;1Hwatch/a a\n\u001b[2;1H\n\u001b[3;1Hwatch/b b\n\u001b[3;1H\n',
    );
  });
});

describe('ways to the broker', () => {
  it('go through a SOCKS 5 proxy with a password', async () => {
    const asked: string[] = [];
    const proxy = net.createServer((socket) => void serveSocks(socket, broker.port('tcp'), asked));
    proxy.listen(0, '127.0.0.1');
    await once(proxy, 'listening');
    try {
      const url = `socks5h://me:a%3Ab@127.0.0.1:${(proxy.address() as net.AddressInfo).port}`;
      const sent = await ours('pub', [
        '-h',
        'broker.example',
        '-p',
        '1999',
        '--proxy',
        url,
        '-t',
        'x',
        '-m',
        'y',
        '-q',
        '1',
      ]);
      assert.equal(sent.code, 0, sent.errors);
      assert.deepEqual(asked, ['me:a:b', 'broker.example:1999']);
    } finally {
      proxy.close();
    }
  });

  it('sign in with user name, password and client certificate', async () => {
    const signedIn = ['-h', '127.0.0.1', '-p', String(broker.port('private')), '-u', user.name];
    const right = await ours('pub', [
      ...signedIn,
      '-P',
      user.password,
      '-t',
      'allowed/x',
      '-m',
      'y',
      '-q',
      '1',
    ]);
    assert.equal(right.code, 0, right.errors);
    const wrong = await ours('pub', [...signedIn, '-P', 'not it', '-V', '5', '-t', 'allowed/x', '-m', 'y']);
    assert.equal(wrong.code, 134);
    assert.match(wrong.errors, /refused the connection: bad user name or password.*; check the user name/);
    const files = await broker.authority.issue('tool');
    const place = [
      '-h',
      'localhost',
      '-p',
      String(broker.port('mutual')),
      '--cafile',
      broker.authority.caFile,
    ];
    const identity = ['--cert', files.certificateFile ?? '', '--key', files.keyFile ?? ''];
    assert.equal((await ours('pub', [...place, ...identity, '-t', 'x', '-m', 'y', '-q', '1'])).code, 0);
    assert.notEqual((await ours('pub', [...place, '-t', 'x', '-m', 'y', '-q', '1'])).code, 0);
  });

  it('check the certificate, unless --insecure', async () => {
    const place = ['-h', '127.0.0.1', '-p', String(broker.port('tls')), '-t', 'x', '-m', 'y'];
    const unknown = await ours('pub', [...place, '--tls-use-os-certs']);
    assert.equal(unknown.code, 1);
    assert.match(unknown.errors, /not signed by our CA/);
    const keylog = path.join(folder, 'keys');
    const words = [
      '--cafile',
      broker.authority.caFile,
      '--insecure',
      '--tls-keylog',
      keylog,
      '--tls-version',
      'tlsv1.3',
    ];
    const sent = await ours('pub', [...place, ...words]);
    assert.equal(sent.code, 0, sent.errors);
    assert.match(await readFile(keylog, 'utf8'), /^CLIENT_TRAFFIC_SECRET_0 /m);
    assert.equal((await stat(keylog)).mode & 0o777, 0o600);
  });

  it('come from an options file', async () => {
    const config = path.join(folder, 'config');
    await mkdir(config, { recursive: true });
    await writeFile(
      path.join(config, 'mosquitto_sub'),
      `# mine\n-h 127.0.0.1\n-p ${broker.port('tcp')}\n-t option/file\n`,
    );
    await ours('pub', [...at, '-r', '-q', '1', '-t', 'option/file', '-m', 'read']);
    await using reader = new Program('sub', true, ['-C', '1', '-v'], '', { XDG_CONFIG_HOME: config });
    assert.equal(await reader.ended, 0, reader.errors);
    assert.equal(reader.output, 'option/file read\n');
    const named = await ours('sub', ['-o', path.join(config, 'mosquitto_sub'), '-C', '1']);
    assert.equal(named.output, 'read\n');
    assert.equal((await ours('sub', ['-o', path.join(config, 'none')])).code, 1);
  });

  it('resolve topic aliases of the broker', async () => {
    const words = '-V 5 -D connect topic-alias-maximum 5 -t alias -C 2 -d'.split(' ');
    await using reader = new Program('sub', true, [...at, ...words, '-F', '>%t %p']);
    await reader.until('Subscribed');
    await ours('pub', [...at, '-t', 'alias', '-m', 'x', '--repeat', '2']);
    assert.equal(await reader.ended, 0, reader.errors);
    assert.deepEqual(messagesOf(reader), ['>alias x', '>alias x']);
  });
});

describe('help', { skip: skipWithoutTheirs }, () => {
  for (const tool of ['pub', 'sub', 'rr', 'passwd'] as const) {
    it(`of ${tool} names every option that the mosquitto tool's own help names`, async () => {
      await using theirHelp = new Program(tool, false, ['--help'], '');
      await theirHelp.ended;
      const own = await ours(tool, ['--help']);
      assert.equal(own.code, 0);
      const words = `${theirHelp.output}${theirHelp.errors}`.match(/(?<=^ )--?[\w-]+(?= :)/gm) ?? [];
      assert.ok(words.length > 4, theirHelp.output);
      for (const word of words) assert.match(own.output, new RegExp(`(^|\\s|, )${word}(,|\\s)`, 'm'), word);
    });
  }
});

/** A SOCKS 5 proxy that asks for a password and leads everybody to one port. */
async function serveSocks(socket: net.Socket, port: number, asked: string[]): Promise<void> {
  socket.on('error', () => {});
  const next = async (): Promise<Buffer> => ((await once(socket, 'data')) as [Buffer])[0];
  await next();
  socket.write(Buffer.from([5, 2]));
  const credentials = await next();
  const nameEnd = 2 + credentials[1]!;
  asked.push(
    `${credentials.subarray(2, nameEnd).toString()}:${credentials.subarray(nameEnd + 1).toString()}`,
  );
  socket.write(Buffer.from([1, 0]));
  const request = await next();
  const hostEnd = 5 + request[4]!;
  asked.push(`${request.subarray(5, hostEnd).toString()}:${request.readUInt16BE(hostEnd)}`);
  const far = net.createConnection({ host: '127.0.0.1', port });
  await once(far, 'connect');
  far.on('error', () => {});
  socket.pipe(far).pipe(socket);
  socket.write(Buffer.from([5, 0, 0, 1, 0, 0, 0, 0, 0, 0]));
}
