import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { mkdtemp, open, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { Writable } from 'node:stream';
import { after, before, describe, it } from 'node:test';
import { FakeClock } from '#base';
import { mosquittoLogTypes, type MosquittoLogConfig } from '#config';
import { FileSink } from './file-sink.ts';
import { maximumWaitingBytes, type LogSink, type SinkOwner } from './log-sink.ts';
import { MosquittoLog } from './mosquitto-log.ts';
import { StreamSink } from './stream-sink.ts';
import { SyslogSink } from './syslog-sink.ts';
import { TopicSink } from './topic-sink.ts';

/** Keeps what sinks complain of. */
class Owner implements SinkOwner {
  readonly lost: number[] = [];
  readonly faults: string[] = [];
  readonly faulted = Promise.withResolvers<void>();

  onLost(_sink: LogSink, count: number): void {
    this.lost.push(count);
  }

  onFault(_sink: LogSink, message: string): void {
    this.faults.push(message);
    this.faulted.resolve();
  }
}

describe('log in the form of Mosquitto', () => {
  let folder = '';
  before(async () => {
    folder = await mkdtemp(path.join(os.tmpdir(), 'davylamp-log-'));
  });
  after(() => rm(folder, { recursive: true, force: true }));

  const configOf = (file: string, other: Partial<MosquittoLogConfig> = {}): MosquittoLogConfig => ({
    destinations: [{ kind: 'file', path: file }],
    types: new Set(['error', 'warning', 'notice', 'information']),
    connectionMessages: true,
    timestamp: true,
    timestampFormat: null,
    facility: 3,
    ...other,
  });
  const clockAt = (ms: number): FakeClock => new FakeClock(ms);

  it('writes lines of the chosen types with seconds before them, readable by the owner alone', async () => {
    const file = path.join(folder, 'types.log');
    const log = new MosquittoLog(configOf(file), clockAt(1_700_000_000_500));
    await log.start();
    for (const type of mosquittoLogTypes) log.line(type, `a line of ${type}`);
    log.logger('listener 1883').warning('told\nby a peer', { id: 'x y' });
    await log.close();
    assert.equal(
      await readFile(file, 'utf8'),
      [
        '1700000000: a line of error',
        '1700000000: a line of warning',
        '1700000000: a line of notice',
        '1700000000: a line of information',
        '1700000000: Warning: listener 1883: told\\x0aby a peer id="x y"',
        '',
      ].join('\n'),
    );
    assert.equal((await stat(file)).mode & 0o777, 0o600);
    assert.equal(log.shows('debug'), false);
  });

  it('writes the time in a form of choice, or none', async () => {
    const file = path.join(folder, 'time.log');
    const clock = clockAt(Date.UTC(2026, 0, 2, 3, 4, 5));
    const log = new MosquittoLog(configOf(file, { timestampFormat: '%s %%' }), clock);
    await log.start();
    log.line('notice', 'one');
    clock.advance(1000);
    log.line('notice', 'two');
    (await log.prepare(configOf(file, { timestamp: false }))).commit();
    log.line('notice', 'three');
    await log.close();
    const at = Date.UTC(2026, 0, 2, 3, 4, 5) / 1000;
    assert.equal(await readFile(file, 'utf8'), `${at} %: one\n${at + 1} %: two\nthree\n`);
  });

  it('opens a renamed file anew and loses no line', async () => {
    const file = path.join(folder, 'rotated.log');
    const config = configOf(file, { timestamp: false });
    const log = new MosquittoLog(config, clockAt(0));
    await log.start();
    log.line('notice', 'before');
    await rename(file, `${file}.1`);
    log.line('notice', 'between');
    (await log.prepare(config)).commit();
    log.line('notice', 'after');
    await log.close();
    const all = (await readFile(`${file}.1`, 'utf8')) + (await readFile(file, 'utf8'));
    assert.equal(all, 'before\nbetween\nafter\n');
    assert.match(await readFile(file, 'utf8'), /after\n$/);
  });

  it('keeps its destinations when a new one cannot be opened', async () => {
    const file = path.join(folder, 'kept.log');
    const log = new MosquittoLog(configOf(file, { timestamp: false }), clockAt(0));
    await log.start();
    const wanted = configOf(file, {
      destinations: [
        { kind: 'file', path: file },
        { kind: 'file', path: path.join(folder, 'no such folder', 'x.log') },
      ],
    });
    await assert.rejects(log.prepare(wanted), { code: 'FILE_UNWRITABLE', message: /no such folder.*ENOENT/ });
    log.line('notice', 'still here');
    await log.close();
    assert.equal(await readFile(file, 'utf8'), 'still here\n');
  });

  it('writes the last line of a process that ends at once, behind what waits', async () => {
    const file = path.join(folder, 'crash.log');
    const log = new MosquittoLog(configOf(file, { timestamp: false }), clockAt(0));
    await log.start();
    log.line('notice', 'one');
    log.lineNow('Error: the end');
    assert.equal(readFileSync(file, 'utf8'), 'one\nError: the end\n');
    await log.close();
  });

  it('publishes lines, but none of debugging and none while it publishes', async () => {
    const owner = new Owner();
    const sink = new TopicSink(owner);
    const seen: string[] = [];
    sink.publish = (topic, line) => seen.push(`${topic} ${line}`);
    sink.write('1', 'notice');
    sink.write('2', 'subscribe');
    sink.write('3', 'debug');
    assert.deepEqual(seen, []);
    await new Promise((resolve) => setImmediate(resolve));
    assert.deepEqual(seen, ['$SYS/broker/log/N 1', '$SYS/broker/log/M/subscribe 2']);
    for (let i = 0; i < 1003; i++) sink.write('x', 'error');
    await new Promise((resolve) => setImmediate(resolve));
    assert.equal(seen.length, 1002);
    assert.deepEqual(owner.lost, [3]);
  });

  it('counts the lines that a slow reader does not take', async () => {
    const owner = new Owner();
    let taken = '';
    let go = (): void => {};
    const stream = new Writable({
      highWaterMark: 16,
      write(chunk: Buffer, _encoding, done) {
        taken += chunk.toString();
        go = done;
      },
    });
    const sink = new StreamSink(stream, owner);
    const line = 'x'.repeat(99_999);
    for (let i = 0; i < 15; i++) sink.write(line);
    assert.ok(stream.writableLength <= maximumWaitingBytes + 100_000);
    const waiting = Math.round(stream.writableLength / 100_000);
    for (let i = 0; i < waiting; i++) {
      go();
      await new Promise((resolve) => setImmediate(resolve));
    }
    assert.equal(taken.length, waiting * 100_000);
    assert.deepEqual(owner.lost, [15 - waiting]);
  });

  it('writes to standard output or error that is a file without waiting for the disk', async () => {
    const file = path.join(folder, 'standard');
    const handle = await open(file, 'w');
    const sink = FileSink.ofDescriptor(handle.fd, 'standard error', new Owner());
    sink.write('one');
    sink.write('two');
    await sink.close();
    await handle.close();
    assert.equal(await readFile(file, 'utf8'), 'one\ntwo\n');
  });

  it('tells once of a full disk', async (t) => {
    const owner = new Owner();
    const sink = await FileSink.open('/dev/full', owner).catch(() => null);
    if (sink === null) return t.skip('there is no /dev/full');
    sink.write('one');
    await owner.faulted.promise;
    sink.write('two');
    await sink.close();
    assert.deepEqual(owner.faults, ['/dev/full: ENOSPC']);
  });

  it('hands lines with facility and severity to the logger program', async () => {
    const owner = new Owner();
    const file = path.join(folder, 'syslog');
    const program = path.join(folder, 'logger');
    await writeFile(program, `#!/bin/sh\necho "$@" > ${file}\ncat >> ${file}\n`, { mode: 0o755 });
    const sink = new SyslogSink(16, owner, program);
    sink.write('one', 'error');
    sink.write('two', 'subscribe');
    await sink.close();
    assert.equal(
      await readFile(file, 'utf8'),
      `--tag mosquitto --id=${process.pid} --prio-prefix\n<131>one\n<133>two\n`,
    );
    assert.deepEqual(owner.faults, []);
  });

  it('says what is missing where there is no logger program', async () => {
    const owner = new Owner();
    const sink = new SyslogSink(3, owner, path.join(folder, 'no-such-program'));
    sink.write('one', 'error');
    await owner.faulted.promise;
    sink.write('two', 'error');
    await sink.close();
    assert.equal(owner.faults.length, 1);
    assert.match(owner.faults[0] ?? '', /ENOENT.*install util-linux/);
  });
});
