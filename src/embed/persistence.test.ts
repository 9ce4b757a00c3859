import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, test } from 'node:test';
import { silentLogger, SystemClock } from '#base';
import { Client, type ClientOptions } from '#client';
import { MemoryJournal } from '#journal';
import { createDialer } from '#listeners';
import { Broker, ReasonCode, type BrokerOptions } from './index.ts';

const clock = new SystemClock();
let folder: string;
let options: BrokerOptions;

beforeEach(async () => {
  folder = await mkdtemp(path.join(os.tmpdir(), 'davylamp-kept-'));
  options = {
    listeners: [{ port: 0, allowAnonymous: true }],
    log: silentLogger,
    persistence: { folder: path.join(folder, 'journal') },
  };
});

afterEach(() => rm(folder, { recursive: true, force: true }));

type OnMessage = NonNullable<Client['onMessage']>;

async function connect(
  broker: Broker,
  change: Partial<ClientOptions> = {},
  onMessage: OnMessage = () => {},
): Promise<Client> {
  const { address, port } = broker.listening[0] ?? { address: '', port: 0 };
  const client = new Client({
    dialer: createDialer({ host: address, port, tls: null, clock }),
    clock,
    log: silentLogger,
    clientId: 'c',
    version: 5,
    cleanStart: false,
    sessionExpirySeconds: 3600,
    keepAliveSeconds: 0,
    reconnect: false,
    ...change,
  });
  client.onMessage = onMessage; // before what waits comes
  await client.connect();
  return client;
}

test('sessions, what waits in them and retained messages are there after a clean end', async () => {
  {
    await using broker = await Broker.start(options);
    assert.equal(broker.queue('c'), null);
    const client = await connect(broker);
    await client.subscribe([{ filter: 't', qos: 1 }]);
    await client.close();
    assert.equal(broker.publish('t', 'four', { qos: 1 }), ReasonCode.Success);
    broker.publish('kept', 'retained', { qos: 1, retain: true });
    const { messages, bytes, inflight } = broker.queue('c') ?? {};
    assert.deepEqual({ messages, bytes, inflight }, { messages: 1, bytes: 5, inflight: 0 });
  }
  await using broker = await Broker.start(options);
  assert.equal(broker.queue('c')?.messages, 1);
  const texts: string[] = [];
  const both = Promise.withResolvers<void>();
  await using client = await connect(broker, { manualAcknowledge: true }, ({ topic, payload }) => {
    texts.push(`${topic}=${payload.toString()}`);
    if (texts.length === 2) both.resolve();
  });
  await client.subscribe([{ filter: 'kept', qos: 0 }]);
  await both.promise;
  assert.deepEqual(texts.toSorted(), ['kept=retained', 't=four']);
  const { messages, inflight } = broker.queue('c') ?? {};
  assert.deepEqual({ messages, inflight }, { messages: 0, inflight: 1 });
});

test('a folder that cannot be used is an error, never an empty broker', async () => {
  await using broker = await Broker.start(options);
  await assert.rejects(Broker.start({ ...options, listeners: [] }), { code: 'JOURNAL_UNUSABLE' });
  assert.equal(broker.listening.length, 1);
  const file = path.join(folder, 'file');
  await writeFile(file, '');
  const unusable = { ...options, persistence: { folder: file } };
  await assert.rejects(Broker.start(unusable), { code: 'JOURNAL_UNUSABLE' });
  const twice = { ...options, journal: new MemoryJournal() };
  await assert.rejects(Broker.start(twice), { code: 'CONFIG_INVALID', message: /give one/ });
});

test('the folder is free again when a listener could not open, and after close', async () => {
  await using other = await Broker.start({ listeners: [{ port: 0, allowAnonymous: true }] });
  const { port } = other.listening[0] ?? { port: 0 };
  const taken = { ...options, listeners: [{ port, allowAnonymous: true }] };
  await assert.rejects(Broker.start(taken), { code: 'PORT_TAKEN' });
  const first = await Broker.start(options);
  await first.close();
  await using second = await Broker.start(options);
  assert.equal(second.listening.length, 1);
});

test('at the bound of its disk space publishers are refused, and readers go on', async () => {
  const bounded = { folder: path.join(folder, 'journal'), maximumBytes: 1024 * 1024 };
  await using broker = await Broker.start({ ...options, persistence: bounded });
  const absent = await connect(broker, { clientId: 'absent' });
  await absent.subscribe([{ filter: 't', qos: 1 }]);
  await absent.close();
  await using publisher = await connect(broker, { clientId: 'p' });
  const text = 'x'.repeat(50_000);
  let reasonCode: number = ReasonCode.Success;
  for (let n = 0; n < 100 && reasonCode === ReasonCode.Success; n++)
    ({ reasonCode } = await publisher.publish('t', text, { qos: 1 }));
  assert.equal(reasonCode, ReasonCode.QuotaExceeded);
  const waiting = broker.queue('absent')?.messages ?? 0;
  assert.ok(waiting > 0);
  let seen = 0;
  const all = Promise.withResolvers<void>();
  await using _reader = await connect(broker, { clientId: 'absent' }, () => {
    seen++;
    if (seen === waiting) all.resolve();
  });
  await all.promise;
  while (reasonCode !== ReasonCode.Success)
    ({ reasonCode } = await publisher.publish('t', 'small', { qos: 1 }));
});
