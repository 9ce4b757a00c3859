/** Debian's mosquitto_pub, mosquitto_sub and mosquitto_rr against the broker. */
import assert from 'node:assert/strict';
import { spawn, type ChildProcess } from 'node:child_process';
import { existsSync } from 'node:fs';
import { after, before, describe, it } from 'node:test';
import { SystemClock, silentLogger } from '#base';
import { Client, createPublishProperties } from '#client';
import { createDialer } from '#listeners';
import { ClientBroker, user } from './client-broker.ts';

const isMissing = !existsSync('/usr/bin/mosquitto_rr');
const skip = isMissing ? 'mosquitto_pub is not installed (apt-get install mosquitto-clients)' : false;

const versions = ['mqttv31', 'mqttv311', 'mqttv5'] as const;
let broker: ClientBroker;
const running = new Set<ChildProcess>();

before(async () => {
  if (!isMissing) broker = await ClientBroker.start();
});

after(async () => {
  for (const child of running) child.kill('SIGKILL');
  if (!isMissing) await broker[Symbol.asyncDispose]();
});

/** One of the programs while it runs. */
class Program {
  readonly child: ChildProcess;
  readonly ended: Promise<number | null>;
  output = '';
  errors = '';
  #wake: () => void = () => {};

  constructor(name: string, args: readonly string[], input?: string) {
    // Into a pipe these programs write what they print only when they end; stdbuf becomes the program, by exec.
    this.child = spawn('/usr/bin/stdbuf', ['-oL', name, ...args], { stdio: ['pipe', 'pipe', 'pipe'] });
    running.add(this.child);
    this.child.stdin!.on('error', () => {});
    this.child.stdin!.end(input);
    this.child.stdout!.on('data', (chunk: Buffer) => {
      this.output += chunk.toString();
      this.#wake();
    });
    this.child.stderr!.on('data', (chunk: Buffer) => {
      this.errors += chunk.toString();
    });
    this.ended = new Promise((resolve) => {
      this.child.once('close', (code) => {
        running.delete(this.child);
        resolve(code);
        this.#wake();
      });
    });
  }

  get lines(): string[] {
    return this.output.split('\n').slice(0, -1);
  }

  async until(condition: () => boolean): Promise<void> {
    while (!condition()) {
      if (this.child.exitCode !== null) assert.fail(`ended with ${this.child.exitCode}: ${this.errors}`);
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }
}

/** Runs to the end and expects success; gives back what it printed. */
async function run(name: string, args: readonly string[], input?: string): Promise<string> {
  const program = new Program(name, args, input);
  assert.equal(await program.ended, 0, `${name} ${args.join(' ')}: ${program.errors}`);
  return program.output;
}

/** Arguments without spaces in them. */
function words(text: string): string[] {
  return text.split(' ');
}

function at(listener = 'tcp'): string[] {
  return ['-h', 'localhost', '-p', String(broker.port(listener))];
}

/** A subscriber that is ready: `-d` says so when SUBACK has come. */
async function subscriber(args: readonly string[], listener = 'tcp'): Promise<Program> {
  const program = new Program('mosquitto_sub', [...at(listener), '-d', ...args]);
  await program.until(() => program.output.includes('Subscribed (mid:'));
  return program;
}

/** Without what `-d` prints. */
function messagesOf(program: Program): string[] {
  return program.lines.filter((line) => !/^(Client |Subscribed )/.test(line));
}

for (const version of versions) {
  describe(`Mosquitto's clients as ${version}`, { skip }, () => {
    for (const qos of ['0', '1', '2']) {
      it(`carry 500 lines at QoS ${qos}, in order`, async () => {
        const topic = `lines/${version}/${qos}`;
        const sub = await subscriber(['-V', version, '-q', qos, '-t', topic, '-C', '500']);
        const texts = Array.from({ length: 500 }, (_, n) => `line ${n}`);
        await run(
          'mosquitto_pub',
          [...at(), '-V', version, '-q', qos, '-t', topic, '-l'],
          texts.join('\n') + '\n',
        );
        assert.equal(await sub.ended, 0, sub.errors);
        assert.deepEqual(messagesOf(sub), texts);
      });
    }

    it('get what is retained, and nothing after it was cleared', async () => {
      const topic = `retained/${version}`;
      await run('mosquitto_pub', [...at(), '-V', version, '-q', '1', '-r', '-t', topic, '-m', 'kept']);
      const first = await run('mosquitto_sub', [
        ...at(),
        '-V',
        version,
        '-t',
        topic,
        '-C',
        '1',
        '-F',
        '%r %p',
      ]);
      assert.equal(first, '1 kept\n');
      await run('mosquitto_pub', [...at(), '-V', version, '-q', '1', '-r', '-n', '-t', topic]);
      await run('mosquitto_pub', [
        ...at(),
        '-V',
        version,
        '-r',
        '-q',
        '1',
        '-t',
        `${topic}/end`,
        '-m',
        'end',
      ]);
      const second = await run('mosquitto_sub', [...at(), '-V', version, '-t', `${topic}/#`, '-C', '1']);
      assert.equal(second, 'end\n');
    });

    it('leave a will when they are killed, and when they go only if they say so', async () => {
      const topic = `will/${version}`;
      const watcher = await subscriber(['-V', version, '-q', '1', '-t', `${topic}/#`]);
      const will = ['--will-topic', `${topic}/gone`, '--will-payload', 'gone', '--will-qos', '1'];
      const polite = await subscriber(['-V', version, '-t', 'nothing', ...will]);
      polite.child.kill('SIGINT');
      await polite.ended;
      if (version === 'mqttv5') await watcher.until(() => messagesOf(watcher).length > 0);
      const killed = await subscriber(['-V', version, '-t', 'nothing', ...will]);
      killed.child.kill('SIGKILL');
      await watcher.until(() => messagesOf(watcher).length > (version === 'mqttv5' ? 1 : 0));
      await run('mosquitto_pub', [...at(), '-t', `${topic}/end`, '-q', '1', '-m', 'end']);
      await watcher.until(() => messagesOf(watcher).includes('end'));
      // With MQTT 5 mosquitto_sub says DISCONNECT with will (0x04) when it is interrupted.
      assert.deepEqual(messagesOf(watcher), version === 'mqttv5' ? ['gone', 'gone', 'end'] : ['gone', 'end']);
      watcher.child.kill();
    });

    it('keep their session: what came meanwhile comes later', async () => {
      const topic = `session/${version}`;
      const session = ['-V', version, '-i', `session-${version}`, '-c', '-q', '2', '-t', topic];
      await run('mosquitto_sub', [...at(), ...session, '-E']);
      const texts = Array.from({ length: 100 }, (_, n) => String(n));
      await run(
        'mosquitto_pub',
        [...at(), '-V', version, '-q', '2', '-t', topic, '-l'],
        texts.join('\n') + '\n',
      );
      const later = await run('mosquitto_sub', [...at(), ...session, '-C', '100']);
      assert.equal(later, texts.join('\n') + '\n');
    });

    it('share a subscription', async () => {
      const args = [
        '-V',
        version,
        '-q',
        '1',
        '-t',
        `$share/${version}/jobs/${version}`,
        '-t',
        `end/${version}`,
      ];
      const members = [await subscriber(args), await subscriber(args)];
      const texts = Array.from({ length: 60 }, (_, n) => String(n));
      await run(
        'mosquitto_pub',
        [...at(), '-V', version, '-q', '1', '-t', `jobs/${version}`, '-l'],
        texts.join('\n') + '\n',
      );
      await run('mosquitto_pub', [...at(), '-q', '1', '-t', `end/${version}`, '-m', 'end']);
      for (const member of members) await member.until(() => messagesOf(member).includes('end'));
      const shares = members.map((member) => messagesOf(member).filter((text) => text !== 'end'));
      assert.deepEqual(shares.flat().toSorted(), texts.toSorted());
      assert.ok(shares.every((share) => share.length > 10));
      for (const member of members) member.child.kill();
    });

    it('sign in with a password over TCP and with a certificate over TLS, and say why when they may not', async () => {
      const right = ['-V', version, '-u', user.name, '-P', user.password];
      await run('mosquitto_pub', [...at('private'), ...right, '-q', '1', '-t', 'allowed/x', '-m', 'x']);
      const wrong = new Program('mosquitto_pub', [
        ...at('private'),
        '-V',
        version,
        '-u',
        user.name,
        '-P',
        'x',
        '-t',
        'a',
        '-m',
        'x',
      ]);
      assert.notEqual(await wrong.ended, 0);
      assert.match(wrong.errors, /bad user ?name or password|not authorised/i);
      const files = await broker.authority.issue('detector-9');
      const tls = ['--cafile', broker.authority.caFile];
      const own = ['--cert', files.certificateFile!, '--key', files.keyFile!];
      await run('mosquitto_pub', [
        ...at('mutual'),
        '-V',
        version,
        ...tls,
        ...own,
        '-q',
        '2',
        '-t',
        'x',
        '-m',
        'x',
      ]);
      const nobody = new Program('mosquitto_pub', [
        ...at('mutual'),
        '-V',
        version,
        ...tls,
        '-q',
        '1',
        '-t',
        'x',
        '-m',
        'x',
      ]);
      assert.notEqual(await nobody.ended, 0);
      const sub = await subscriber(
        ['-V', version, ...tls, '-q', '2', '-t', `tls/${version}`, '-C', '1'],
        'tls',
      );
      const large = 'x'.repeat(500_000);
      await run(
        'mosquitto_pub',
        [...at('tls'), '-V', version, ...tls, '-q', '2', '-t', `tls/${version}`, '-s'],
        large,
      );
      assert.equal(await sub.ended, 0);
      assert.equal(messagesOf(sub).join(''), large);
    });

    it('wait in vain where nothing comes (-W): 27', async () => {
      const program = new Program('mosquitto_sub', [
        ...at(),
        '-V',
        version,
        '-t',
        `silent/${version}`,
        '-W',
        '1',
      ]);
      assert.equal(await program.ended, 27);
    });
  });
}

describe("Mosquitto's clients with MQTT 5", { skip }, () => {
  it('see properties as they were sent', async () => {
    const format = '%t|%q|%C|%R|%D|%P|%p';
    const sub = await subscriber([...words('-V 5 -q 1 -t properties -C 1'), '-F', format]);
    const properties = [
      'user-property colour red',
      'user-property colour blue',
      'content-type text/plain',
      'response-topic answer/here',
      'correlation-data c1',
      'message-expiry-interval 60',
    ].flatMap((property) => words(`-D publish ${property}`));
    await run('mosquitto_pub', [...at(), '-V', '5', '-q', '1', '-t', 'properties', '-m', 'x', ...properties]);
    assert.equal(await sub.ended, 0);
    assert.deepEqual(messagesOf(sub), ['properties|1|text/plain|answer/here|c1|colour:red colour:blue|x']);
  });

  it('keep to a receive maximum and a maximum packet size of theirs', async () => {
    const sub = await subscriber(
      words('-V 5 -q 2 -t small -C 200 -D connect receive-maximum 1 -D connect maximum-packet-size 1000'),
    );
    const texts = Array.from({ length: 200 }, (_, n) => String(n));
    await run('mosquitto_pub', [...at(), '-V', '5', '-q', '2', '-t', 'small', '-m', 'x'.repeat(2000)]);
    await run('mosquitto_pub', [...at(), '-V', '5', '-q', '2', '-t', 'small', '-l'], texts.join('\n') + '\n');
    assert.equal(await sub.ended, 0);
    assert.deepEqual(messagesOf(sub), texts);
  });

  it('a delayed will comes when its time is up', async () => {
    const watcher = await subscriber(['-q', '1', '-t', 'late/#', '-C', '2']);
    const will = '--will-topic late/gone --will-payload gone --will-qos 1 -D will will-delay-interval 1';
    const killed = await subscriber(words(`-V 5 -t nothing -i late -c ${will}`));
    killed.child.kill('SIGKILL');
    await killed.ended;
    await run('mosquitto_pub', [...at(), '-t', 'late/first', '-q', '1', '-m', 'first']);
    assert.equal(await watcher.ended, 0);
    assert.deepEqual(messagesOf(watcher), ['first', 'gone']);
  });

  it('mosquitto_rr gets its answer', async () => {
    const dialer = createDialer({ host: '127.0.0.1', port: broker.port('tcp'), tls: null });
    const client = new Client({
      dialer,
      clock: new SystemClock(),
      log: silentLogger,
      clientId: 'responder',
      version: 5,
      cleanStart: true,
      keepAliveSeconds: 0,
      reconnect: false,
    });
    await client.connect();
    client.onMessage = ({ payload, properties }) => {
      const correlationData = properties?.correlationData;
      void client.publish(properties?.responseTopic ?? 'lost', `${payload.toString()}!`, {
        qos: 1,
        properties: createPublishProperties({ correlationData }),
      });
    };
    await client.subscribe([{ filter: 'question', qos: 1 }]);
    const rr = [...at(), '-V', '5', '-q', '1', '-t', 'question', '-e', 'rr/answer', '-m', 'well'];
    assert.equal(await run('mosquitto_rr', rr), 'well!\n');
    await client.close();
  });

  it('are told when they may not: publish by reason code, subscribe by SUBACK', async () => {
    const right = ['-V', '5', '-u', user.name, '-P', user.password];
    const pub = new Program('mosquitto_pub', [
      ...at('private'),
      ...right,
      '-q',
      '1',
      '-t',
      'forbidden',
      '-m',
      'x',
    ]);
    await pub.ended;
    assert.match(pub.errors, /Not authorized/i);
    const sub = new Program('mosquitto_sub', [
      ...at('private'),
      ...right,
      '-q',
      '1',
      '-t',
      'forbidden',
      '-W',
      '3',
    ]);
    await sub.ended;
    assert.match(sub.errors, /All subscription requests were denied/);
  });
});
