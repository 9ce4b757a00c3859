/** The broker as a process: exit codes and their time, the background, the pid file, the user, what `--test-config` says. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { chmod, readFile, stat } from 'node:fs/promises';
import net from 'node:net';
import process from 'node:process';
import { describe, it } from 'node:test';
import { davylamp, eventually, freePort, runProgram, type Outcome } from '../../helpers/demo-process.ts';
import { TestAuthority } from '../../helpers/test-certificates.ts';
import {
  asOurselves,
  ConfFolder,
  DropInBroker,
  isOpen,
  skipWithoutMosquitto,
  Subscriber,
} from './drop-in-broker.ts';

const isRoot = process.getuid?.() === 0;

describe('davylamp broker as a process', () => {
  it('listens soon, ends with 0 after SIGTERM and after SIGINT, and the port is free again', async () => {
    await using folder = await ConfFolder.create();
    for (const signal of ['SIGTERM', 'SIGINT'] as const) {
      const port = await freePort();
      const file = await folder.write('m.conf', `${asOurselves}listener ${port} 127.0.0.1\n`);
      const start = performance.now();
      const broker = await DropInBroker.start(file, port);
      console.log(`measured: listening ${Math.round(performance.now() - start)} ms after the start`);
      const stopAt = performance.now();
      broker.kill(signal);
      const { code } = await broker.ended;
      console.log(`measured: ended ${Math.round(performance.now() - stopAt)} ms after ${signal}`);
      assert.equal(code, 0, broker.stderr);
      assert.equal(await isOpen(port), false);
      assert.match(broker.stderr, /^\d{10}: davylamp version \S+ starting$/m);
      assert.match(broker.stderr, /^\d{10}: davylamp version \S+ running$/m);
      assert.match(broker.stderr, /^\d{10}: davylamp version \S+ terminating$/m);
    }
  });

  it('ends with 3 and names file, line and keyword where the configuration is wrong', async () => {
    await using folder = await ConfFolder.create();
    const file = await folder.write(
      'm.conf',
      'listener 1883\nallow_anonymus true\nmax_inflight_messages many\n',
    );
    const broker = new DropInBroker(file);
    const { code, milliseconds } = await broker.ended;
    console.log(`measured: configuration error ${Math.round(milliseconds)} ms after the start`);
    assert.equal(code, 3);
    assert.match(broker.stderr, /m\.conf:2: .*allow_anonymus.*allow_anonymous/);
    assert.match(broker.stderr, /m\.conf:3: .*max_inflight_messages/);
    assert.doesNotMatch(broker.stderr, /\n\s+at /);
  });

  it('ends with 1 where a listener cannot be opened', async () => {
    await using folder = await ConfFolder.create();
    const other = net.createServer().listen(0, '127.0.0.1');
    await once(other, 'listening');
    const { port } = other.address() as net.AddressInfo;
    const file = await folder.write(
      'm.conf',
      `${asOurselves}listener ${port} 127.0.0.1\nallow_anonymous true\n`,
    );
    const broker = new DropInBroker(file);
    const { code } = await broker.ended;
    other.close();
    assert.equal(code, 1, broker.stderr);
    assert.match(broker.stderr, new RegExp(`${port} is taken; choose another port`));
  });

  it('ends with 1 where TLS cannot be set up, and says which file is why', async () => {
    await using folder = await ConfFolder.create();
    const broken = await folder.write('broken.pem', 'no certificate\n');
    const port = await freePort();
    for (const certificate of [broken, folder.file('missing.pem')]) {
      const file = await folder.write(
        'm.conf',
        `${asOurselves}listener ${port} 127.0.0.1\ncertfile ${certificate}\nkeyfile ${broken}\nallow_anonymous true\n`,
      );
      const broker = new DropInBroker(file);
      const { code } = await broker.ended;
      assert.equal(code, 1, broker.stderr);
      assert.ok(broker.stderr.includes(certificate), broker.stderr);
    }
  });

  it('tests a configuration without opening anything', async () => {
    await using folder = await ConfFolder.create();
    const port = await freePort();
    const good = await folder.write('good.conf', `listener ${port} 127.0.0.1\nallow_anonymous true\n`);
    const outcome = await davylamp('broker', '-c', good, '--test-config');
    assert.equal(outcome.code, 0, outcome.stderr);
    assert.match(outcome.stdout, /good\.conf: no error/);
    assert.equal(await isOpen(port), false);
    const bad = await folder.write('bad.conf', 'listener here\n');
    const refused = await davylamp('broker', '-c', bad, '--test-config');
    assert.equal(refused.code, 3);
    assert.match(refused.stderr, /bad\.conf:1: /);
    assert.equal((await davylamp('broker', '-c', folder.file('none.conf'), '--test-config')).code, 3);
    assert.equal((await davylamp('broker', '--test-config')).code, 2);
  });

  it(
    'without a file listens on loopback alone and lets everybody in',
    { skip: skipWithoutMosquitto },
    async () => {
      const port = await freePort();
      await using _broker = await DropInBroker.start(null, port, { args: ['-p', String(port)] });
      const pub = await runProgram('mosquitto_pub', ['-p', String(port), '-t', 'a', '-m', 'b', '-q', '1']);
      assert.equal(pub.code, 0, pub.stderr);
      const { stdout } = await runProgram('ss', ['-Htln', `sport = :${port}`]);
      if (stdout !== '') assert.match(stdout, /^(\S+\s+){3}(127\.0\.0\.1|\[::1\]):/);
      assert.doesNotMatch(stdout, /0\.0\.0\.0:\d+ .*\n.*0\.0\.0\.0:\d+/);
    },
  );

  it('goes on in the background with -d, with its number in the pid file', async () => {
    await using folder = await ConfFolder.create();
    const port = await freePort();
    const pidFile = folder.file('broker.pid');
    const file = await folder.write(
      'm.conf',
      `${asOurselves}listener ${port} 127.0.0.1\nallow_anonymous true\npid_file ${pidFile}\nlog_dest file ${folder.file('log')}\n`,
    );
    const outcome = await davylamp('broker', '-d', '-c', file);
    assert.equal(outcome.code, 0, outcome.stderr);
    assert.equal(await isOpen(port), true, 'it listens when the command returns');
    const pid = Number(await readFile(pidFile, 'utf8'));
    try {
      assert.equal(await parentOf(pid), 1);
      const link = await runProgram('readlink', [`/proc/${pid}/fd/2`]);
      assert.equal(link.stdout.trim(), '/dev/null');
    } finally {
      process.kill(pid, 'SIGTERM');
    }
    await eventually('its end', async () => ((await isOpen(port)) ? undefined : true));
    await eventually('the pid file to go', () => (existsSync(pidFile) ? undefined : true));
    assert.match(await folder.read('log'), /terminating\n$/);
  });

  it('says with -d what is wrong, and with which exit code', async () => {
    await using folder = await ConfFolder.create();
    const wrong = await folder.write('wrong.conf', 'allow_anonymus true\n');
    const outcome = await davylamp('broker', '-d', '-c', wrong);
    assert.equal(outcome.code, 3);
    assert.match(outcome.stderr, /wrong\.conf:1: .*allow_anonymus/);
    const other = net.createServer().listen(0, '127.0.0.1');
    await once(other, 'listening');
    const { port } = other.address() as net.AddressInfo;
    const taken = await folder.write('taken.conf', `${asOurselves}listener ${port} 127.0.0.1\n`);
    const second = await davylamp('broker', '-d', '-c', taken);
    other.close();
    assert.equal(second.code, 1);
    assert.match(second.stderr, /is taken/);
  });

  it('a pid file that cannot be written ends the start', async () => {
    await using folder = await ConfFolder.create();
    const file = await folder.write('m.conf', `${asOurselves}pid_file ${folder.file('none/x.pid')}\n`);
    const broker = new DropInBroker(file, { args: ['-p', String(await freePort())] });
    assert.equal((await broker.ended).code, 1);
    assert.match(broker.stderr, /pid_file .*none\/x\.pid cannot be written \(ENOENT\)/);
  });

  it(
    'becomes another user after it has opened a port of root, and writes its files as that user',
    { skip: isRoot ? false : 'only root can become another user' },
    async () => {
      await using folder = await ConfFolder.create();
      await chmod(folder.path, 0o777);
      const port = await freePortOfRoot();
      const file = await folder.write(
        'm.conf',
        `user nobody\nlistener ${port} 127.0.0.1\nallow_anonymous true\nlog_dest file ${folder.file('log')}\npid_file ${folder.file('pid')}\n`,
      );
      await using broker = await DropInBroker.start(file, port);
      const pid = Number(await eventually('the pid', () => folder.read('pid').catch(() => undefined)));
      await eventually('the user', async () => {
        const status = await readFile(`/proc/${pid}/status`, 'utf8');
        return /^Uid:\s+65534\s+65534\s+65534\s+65534$/m.test(status) &&
          /^Gid:\s+65534\s+65534\s+65534\s+65534$/m.test(status)
          ? true
          : undefined;
      });
      const groups = /^Groups:(.*)$/m.exec(await readFile(`/proc/${pid}/status`, 'utf8'))?.[1]?.trim();
      assert.doesNotMatch(` ${groups} `, / 0 /);
      assert.equal((await stat(folder.file('log'))).uid, 65_534);
      assert.equal((await stat(folder.file('pid'))).uid, 65_534);
      assert.equal((await broker.stop()).code, 0);
    },
  );

  it(
    'warns of a key that only root can read, and refuses the reload that cannot read it',
    { skip: isRoot ? false : 'only root can become another user' },
    async () => {
      await using folder = await ConfFolder.create();
      await using authority = await TestAuthority.create();
      const { certificateFile, keyFile } = await authority.issue('server', 'IP:127.0.0.1');
      for (const name of [folder.path, authority.folder]) await chmod(name, 0o755);
      await chmod(keyFile!, 0o600);
      const port = await freePort();
      const file = await folder.write(
        'm.conf',
        `user nobody\nlistener ${port} 127.0.0.1\ncertfile ${certificateFile}\nkeyfile ${keyFile}\nallow_anonymous true\n`,
      );
      await chmod(file, 0o644);
      await using broker = await DropInBroker.start(file, port);
      await broker.logged(`${keyFile} can be read by root alone; a reload will not be able to`);
      broker.kill('SIGHUP');
      await broker.logged(/not reloaded, everything stays as it was: .*may not be read by this user/);
      assert.equal(await isOpen(port), true);
    },
  );

  it('refuses a user that does not exist', { skip: isRoot ? false : 'only for root' }, async () => {
    await using folder = await ConfFolder.create();
    const file = await folder.write('m.conf', 'user nobody-of-that-name\n');
    const broker = new DropInBroker(file);
    assert.equal((await broker.ended).code, 3);
    assert.match(broker.stderr, /user nobody-of-that-name: there is no such user/);
  });

  it(
    'tells its clients that it ends, and publishes their wills',
    { skip: skipWithoutMosquitto },
    async () => {
      await using folder = await ConfFolder.create();
      const port = await freePort();
      const file = await folder.write(
        'm.conf',
        `${asOurselves}listener ${port} 127.0.0.1\nallow_anonymous true\n`,
      );
      await using broker = await DropInBroker.start(file, port);
      const common = ['-p', String(port), '-V', '5'];
      await using watcher = await Subscriber.start(...common, '-t', 'will/#', '-i', 'watcher');
      await using _mortal = await Subscriber.start(
        ...common,
        '-t',
        'x',
        '-i',
        'mortal',
        '--will-topic',
        'will/mortal',
        '--will-payload',
        'gone',
      );
      assert.equal((await broker.stop()).code, 0);
      assert.deepEqual(watcher.messages, ['gone']);
      await eventually('the goodbye', () => (/DISCONNECT \(139\)/.test(watcher.stdout) ? true : undefined));
    },
  );

  for (const signal of ['SIGTERM', 'SIGKILL'] as const) {
    it(`keeps sessions and retained messages over ${signal}`, { skip: skipWithoutMosquitto }, async () => {
      await using folder = await ConfFolder.create();
      const port = await freePort();
      const file = await folder.write(
        'm.conf',
        `${asOurselves}listener ${port} 127.0.0.1\nallow_anonymous true\npersistence true\npersistence_location ${folder.file('data')}/\n`,
      );
      const publish = (words: string): Promise<Outcome> =>
        runProgram('mosquitto_pub', `-p ${port} -q 2 ${words}`.split(' '));
      const durable = `-p ${port} -c -i keeper -q 2 -t kept/#`.split(' ');
      {
        await using broker = await DropInBroker.start(file, port);
        const left = await runProgram('mosquitto_sub', [...durable, '-E']);
        assert.equal(left.code, 0, left.stderr);
        assert.equal((await publish('-t kept/1 -m queued')).code, 0);
        assert.equal((await publish('-t other -m retained -r')).code, 0);
        broker.kill(signal);
        await broker.ended;
      }
      await using _again = await DropInBroker.start(file, port);
      const queued = await runProgram('mosquitto_sub', [...durable, '-C', '1', '-W', '10']);
      assert.equal(queued.stdout.trim(), 'queued', queued.stderr);
      const retained = await runProgram('mosquitto_sub', `-p ${port} -t other -C 1 -W 10`.split(' '));
      assert.equal(retained.stdout.trim(), 'retained', retained.stderr);
    });
  }

  it('tells systemd when it listens', async (t) => {
    if ((await runProgram('systemd-notify', ['--version'])).code !== 0)
      return t.skip('systemd-notify is not installed');
    await using folder = await ConfFolder.create();
    const socket = folder.file('notify');
    const receiver = `import socket,sys\ns=socket.socket(socket.AF_UNIX,socket.SOCK_DGRAM)\ns.bind(${JSON.stringify(socket)})\nprint("bound",flush=True)\nprint(s.recv(4096).decode(),flush=True)\n`;
    const listening = runProgram('python3', ['-c', receiver]);
    await eventually('the socket', () => (existsSync(socket) ? true : undefined));
    const port = await freePort();
    const file = await folder.write('m.conf', `${asOurselves}listener ${port} 127.0.0.1\n`);
    await using _broker = await DropInBroker.start(file, port, { environment: { NOTIFY_SOCKET: socket } });
    assert.match((await listening).stdout, /READY=1/);
  });

  it('answers SIGUSR1 and SIGUSR2 with a line, and does not open a debugger', async () => {
    await using folder = await ConfFolder.create();
    const port = await freePort();
    const file = await folder.write('m.conf', `${asOurselves}listener ${port} 127.0.0.1\n`);
    await using broker = await DropInBroker.start(file, port);
    await broker.logged('running');
    broker.kill('SIGUSR1');
    await broker.logged('persistence is off');
    broker.kill('SIGUSR2');
    await broker.logged('state clients=0');
    assert.doesNotMatch(broker.stderr, /[Dd]ebugger/);
  });
});

/** A port that only root may open. */
async function freePortOfRoot(): Promise<number> {
  for (let port = 1023; port > 600; port--) {
    if (!(await isOpen(port))) return port;
  }
  throw new Error('there is no free port below 1024');
}

async function parentOf(pid: number): Promise<number> {
  return Number(/^PPid:\s+(\d+)$/m.exec(await readFile(`/proc/${pid}/status`, 'utf8'))?.[1]);
}
