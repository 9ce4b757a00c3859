/** A broker whose process is killed, and one whose journal is damaged: nothing is lost, and nothing is silently empty. */
import assert from 'node:assert/strict';
import { readFile, readdir, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { describe, it } from 'node:test';
import { SystemClock, silentLogger } from '#base';
import { Client } from '#client';
import { createDialer } from '#listeners';
import { RoleProcess } from '../faults/role-process.ts';
import { davylamp, eventually, freePort, temporaryFolder } from '../helpers/demo-process.ts';

const clock = new SystemClock();
const messages = 200;

interface Setup extends AsyncDisposable {
  readonly broker: RoleProcess;
  readonly journal: string;
  readonly port: number;
}

async function setUp(): Promise<Setup> {
  const folder = await temporaryFolder();
  const port = await freePort();
  const file = path.join(folder, 'broker.toml');
  await writeFile(
    file,
    `role = "relay"\nname = "kept"\n[[listener]]\nname = "all"\naddress = "127.0.0.1"\nport = ${port}\nallow_anonymous = true\n`,
  );
  const broker = new RoleProcess('broker', ['relay', '-c', file]);
  await broker.start();
  return {
    broker,
    journal: path.join(folder, 'journal'),
    port,
    [Symbol.asyncDispose]: async () => {
      await broker[Symbol.asyncDispose]();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

async function connect(port: number, clientId: string, cleanStart = false): Promise<Client> {
  const client = new Client({
    dialer: createDialer({ host: '127.0.0.1', port, tls: null, clock }),
    clock,
    log: silentLogger,
    clientId,
    version: 5,
    cleanStart,
    sessionExpirySeconds: 3600,
    keepAliveSeconds: 10,
    reconnect: false,
  });
  return client;
}

/** An absent subscriber with messages at QoS 1 and 2, and a retained one. */
async function fill(port: number): Promise<void> {
  const subscriber = await connect(port, 'subscriber');
  await subscriber.connect();
  await subscriber.subscribe([{ filter: 'kept/#', qos: 2 }]);
  await subscriber.close();
  const publisher = await connect(port, 'publisher', true);
  await publisher.connect();
  const all = Array.from({ length: messages }, (_, index) =>
    publisher.publish(`kept/${index % 3}`, String(index), { qos: index % 2 === 0 ? 1 : 2 }),
  );
  await Promise.all(all);
  await publisher.publish('state', 'here', { qos: 1, retain: true });
  await publisher.close();
}

async function collect(port: number, count: number): Promise<string[]> {
  const got: string[] = [];
  const subscriber = await connect(port, 'subscriber');
  subscriber.onMessage = ({ payload }) => void got.push(payload.toString());
  await subscriber.connect();
  await subscriber.subscribe([{ filter: 'state', qos: 1 }]);
  await eventually('what was kept', () => (got.length >= count ? true : undefined));
  await subscriber.close();
  return got;
}

describe('the journal of a broker', () => {
  it('gives back after kill -9 what was acknowledged, once and in order', { timeout: 120_000 }, async () => {
    await using setup = await setUp();
    await fill(setup.port);
    await setup.broker.kill();
    await setup.broker.start();
    const got = await collect(setup.port, messages + 1);
    // Order is kept within a quality of service (MQTT 5, 4.6): even numbers at 1, odd ones at 2.
    for (const odd of [0, 1]) {
      assert.deepEqual(
        got.filter((text) => Number(text) % 2 === odd),
        Array.from({ length: messages / 2 }, (_, index) => String(2 * index + odd)),
      );
    }
    assert.ok(got.includes('here'), 'the retained message');
  });

  it('stops the start when it is damaged, and is repaired by command', { timeout: 120_000 }, async () => {
    await using setup = await setUp();
    await fill(setup.port);
    await setup.broker.stop();
    const name = (await readdir(setup.journal)).find((one) => one.endsWith('.log'));
    const file = path.join(setup.journal, name ?? '');
    const bytes = await readFile(file);
    bytes[700] = (bytes[700] ?? 0) ^ 0xff;
    await writeFile(file, bytes);
    await assert.rejects(setup.broker.start(), (error: Error) => {
      assert.match(error.message, /ended with 1/);
      assert.match(error.message, /run: davylamp journal repair \S*journal/);
      return true;
    });
    const inspected = await davylamp('journal', 'inspect', setup.journal);
    assert.equal(inspected.code, 1);
    assert.match(inspected.stdout, /damaged/);
    const repaired = await davylamp('journal', 'repair', setup.journal);
    assert.equal(repaired.code, 0, repaired.stderr);
    assert.match(repaired.stdout, /commits saved/);
    await setup.broker.start();
    assert.equal((await davylamp('journal', 'inspect', setup.journal, '--json')).code, 0);
  });

  it('belongs to one broker at a time', { timeout: 60_000 }, async () => {
    await using setup = await setUp();
    const other = path.join(path.dirname(setup.journal), 'other.toml');
    const port = await freePort();
    await writeFile(
      other,
      `role = "relay"\nname = "other"\n[[listener]]\nname = "all"\naddress = "127.0.0.1"\nport = ${port}\nallow_anonymous = true\n`,
    );
    const outcome = await davylamp('relay', '-c', other);
    assert.equal(outcome.code, 1);
    assert.match(outcome.stderr, /journal \S+: another Davylamp uses it/);
  });
});
