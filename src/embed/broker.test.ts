import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { test } from 'node:test';
import { FakeClock, LineLogger, silentLogger, SystemClock } from '#base';
import { Client, type ClientOptions } from '#client';
import { createDialer } from '#listeners';
import { hashPassword, hashScram, scramSha256 } from '#security';
import { until } from '../../test/helpers/scripted-broker.ts';
import { Broker, ReasonCode, type BrokerOptions, type EnhancedAuthenticator } from './index.ts';

const clock = new SystemClock();
const open = { listeners: [{ port: 0, allowAnonymous: true }], log: silentLogger } satisfies BrokerOptions;

function clientOf(broker: Broker, options: Partial<ClientOptions> = {}): Client {
  const { address, port } = broker.listening[0] ?? { address: '', port: 0 };
  return new Client({
    dialer: createDialer({ host: address, port, tls: null, clock }),
    clock,
    log: silentLogger,
    clientId: 'c',
    version: 5,
    cleanStart: true,
    keepAliveSeconds: 0,
    reconnect: false,
    ...options,
  });
}

/** Keeps the lines of a log. */
function recorder(): { readonly log: LineLogger; readonly lines: string[] } {
  const lines: string[] = [];
  const write = (line: string): number => lines.push(line);
  return { log: new LineLogger({ clock: new FakeClock(), level: 'warning', write }), lines };
}

/** Payloads that a client gets, and a way to wait for the next. */
function inbox(client: Client): () => Promise<string> {
  const messages: string[] = [];
  let wake: () => void = () => {};
  client.onMessage = ({ topic, payload }) => {
    messages.push(`${topic}=${payload.toString()}`);
    wake();
  };
  return async () => {
    while (messages.length === 0) await new Promise<void>((resolve) => (wake = resolve));
    return messages.shift() ?? '';
  };
}

test('options that cannot be meant are refused, naming the listener', async () => {
  const cases: readonly (readonly [BrokerOptions['listeners'][number], RegExp])[] = [
    [{ port: 0 }, /^listener listener-1: nobody could sign in/],
    [{ name: 'door', port: 0, requireCertificate: true }, /^listener door: certificates need TLS/],
    [{ port: 0, requirePassword: true, allowAnonymous: true }, /contradict/],
    [{ port: 0, identityFromCertificate: true, tls: {}, requirePassword: true }, /need a file/],
  ];
  for (const [listener, message] of cases)
    await assert.rejects(Broker.start({ listeners: [listener] }), { code: 'CONFIG_INVALID', message });
  const twice = { name: 'x', port: 0, allowAnonymous: true };
  await assert.rejects(Broker.start({ listeners: [twice, twice] }), {
    code: 'CONFIG_INVALID',
    message: /^listener x: another one has this name/,
  });
  await assert.rejects(Broker.start({ listeners: [{ port: 0, passwordFile: '/nowhere/at-all' }] }), {
    code: 'FILE_UNREADABLE',
  });
});

test('a listener that cannot open takes back those that did', async () => {
  await using first = await Broker.start(open);
  const port = first.listening[0]?.port ?? 0;
  const other = await Broker.start(open);
  const free = other.listening[0]?.port ?? 0;
  await other.close();
  await assert.rejects(
    Broker.start({
      listeners: [
        { port: free, allowAnonymous: true },
        { port, allowAnonymous: true },
      ],
    }),
    { code: 'PORT_TAKEN', message: /^listener listener-2: / },
  );
  await using again = await Broker.start({ listeners: [{ port: free, allowAnonymous: true }] });
  assert.equal(again.url, `mqtt://127.0.0.1:${free}`);
});

test('the hook is asked after the listener’s own rules, and both have to say yes', async (context) => {
  const folder = await mkdtemp(path.join(os.tmpdir(), 'davylamp-embed-'));
  context.after(() => rm(folder, { recursive: true }));
  const passwordFile = path.join(folder, 'passwords');
  const entries = ['anna', 'otto'].map(async (name) => `${name}:${await hashPassword('secret', 1000)}\n`);
  await writeFile(passwordFile, (await Promise.all(entries)).join(''), { mode: 0o600 });
  const asked: string[] = [];
  await using broker = await Broker.start({
    listeners: [{ name: 'door', port: 0, passwordFile }],
    log: silentLogger,
    hooks: {
      authenticate({ verifiedName, listener, clientId }) {
        asked.push(`${clientId} ${verifiedName} ${listener}`);
        return verifiedName === 'anna';
      },
    },
  });
  const codeOf = async (username: string, password: string): Promise<string> => {
    await using client = clientOf(broker, { username, password });
    return await client.connect().then(
      () => 'connected',
      (error: Error) => error.message.replace(/^.*: /, ''),
    );
  };
  assert.equal(await codeOf('anna', 'secret'), 'connected');
  assert.match(await codeOf('otto', 'secret'), /^not authorized/);
  assert.match(await codeOf('anna', 'guess'), /^bad user name or password/);
  assert.deepEqual(asked, ['c anna door', 'c otto door']);
});

test('each decision of the hook is answered as it says, and a hook that fails lets nobody in', async () => {
  const { log, lines } = recorder();
  const names: (string | null)[] = [];
  await using broker = await Broker.start({
    listeners: [{ port: 0 }],
    log,
    hooks: {
      authenticate: ({ clientId }) => {
        switch (clientId) {
          case 'yes':
            return true;
          case 'named':
            return Promise.resolve({ name: 'somebody' });
          case 'anonymous':
            return { name: null };
          case 'banned':
            return { reasonCode: ReasonCode.Banned };
          case 'odd':
            return { reasonCode: ReasonCode.Success };
          case 'throws':
            throw new Error('no database');
          case 'rejects':
            return Promise.reject(new Error('no database'));
          default:
            return false;
        }
      },
      connected: ({ name }) => void names.push(name),
    },
  });
  const outcomes: string[] = [];
  for (const clientId of ['yes', 'named', 'anonymous', 'banned', 'odd', 'throws', 'rejects', 'no']) {
    await using client = clientOf(broker, { clientId, username: 'user' });
    const refused = await client.connect().then(
      () => '',
      (error: Error) => /: ([a-z ]+)/.exec(error.message)?.[1]?.trim() ?? error.message,
    );
    outcomes.push(refused);
  }
  assert.deepEqual(names, ['user', 'somebody', null]);
  const unavailable = 'server unavailable';
  const expected = ['', '', '', 'banned', 'not authorized', unavailable, unavailable, 'not authorized'];
  assert.deepEqual(outcomes, expected);
  assert.equal(lines.filter((line) => /hook authenticate failed.*no database/.test(line)).length, 2);
});

test('a hook that decides and throws costs the client concerned its connection, whoever was sending', async () => {
  const { log, lines } = recorder();
  await using broker = await Broker.start({
    ...open,
    log,
    hooks: {
      authorizePublish: (_client, topic) => {
        if (topic === 'bad') throw new Error('publish');
        return true;
      },
      authorizeSubscribe: (_client, filter) => {
        if (filter === 'bad') throw new Error('subscribe');
        return true;
      },
      authorizeRead: ({ clientId }) => {
        if (clientId === 'reader') throw new Error('read');
        return true;
      },
    },
  });
  const ended = async (client: Client): Promise<void> => {
    if (client.state === 'closed') return;
    await new Promise<void>((resolve) => {
      client.onState = (state) => {
        if (state === 'closed') resolve();
      };
    });
  };
  await using sender = clientOf(broker, { clientId: 'sender' });
  await using reader = clientOf(broker, { clientId: 'reader' });
  await using neighbour = clientOf(broker, { clientId: 'neighbour' });
  for (const client of [sender, reader, neighbour]) await client.connect();
  const next = inbox(neighbour);
  await reader.subscribe([{ filter: 't', qos: 0 }]);
  await neighbour.subscribe([{ filter: '#', qos: 0 }]);
  await sender.publish('t', 'x', { qos: 1 });
  await ended(reader);
  assert.equal(await next(), 't=x');
  await sender.publish('bad', 'x').catch(() => {});
  await ended(sender);
  assert.equal(neighbour.state, 'connected');
  const [code] = await neighbour.subscribe([{ filter: 'bad', qos: 0 }]).catch(() => [0x87]);
  assert.equal(code, ReasonCode.NotAuthorized);
  await ended(neighbour);
  for (const hook of ['authorizePublish', 'authorizeSubscribe', 'authorizeRead'])
    assert.equal(lines.filter((line) => line.includes(`hook ${hook} failed`)).length, 1, hook);
});

test('what may be read is asked for each message, and again when the rules change', async () => {
  let secret = 'secret';
  await using broker = await Broker.start({
    ...open,
    hooks: { authorizeRead: (_client, topic) => topic !== secret },
  });
  await using client = clientOf(broker);
  await client.connect();
  const next = inbox(client);
  await client.subscribe([{ filter: '#', qos: 1 }]);
  broker.publish('secret', '1', { qos: 1 });
  broker.publish('open', '2', { qos: 1 });
  assert.equal(await next(), 'open=2');
  secret = 'open';
  broker.rulesChanged();
  broker.publish('open', '3', { qos: 1 });
  broker.publish('secret', '4', { qos: 1 });
  assert.equal(await next(), 'secret=4');
  assert.equal(broker.statistics.dropped['not-authorized'], 2);
});

test('SCRAM from a file and a method of one’s own stand beside each other', async (context) => {
  const folder = await mkdtemp(path.join(os.tmpdir(), 'davylamp-embed-'));
  context.after(() => rm(folder, { recursive: true }));
  const scramFile = path.join(folder, 'scram');
  await writeFile(scramFile, `anna:${await hashScram('secret', 4096)}\n`, { mode: 0o600 });
  const enhancedAuthenticator: EnhancedAuthenticator = {
    methods: ['WORD'],
    begin: () => ({
      step: (data) =>
        data?.toString() === 'please'
          ? { kind: 'success', name: 'polite', data: undefined }
          : { kind: 'failure', reasonCode: ReasonCode.NotAuthorized, detail: 'rude' },
    }),
  };
  const names: (string | null)[] = [];
  await using broker = await Broker.start({
    listeners: [{ port: 0, scramFile }],
    log: silentLogger,
    enhancedAuthenticator,
    hooks: { connected: ({ name }) => void names.push(name) },
  });
  const word = (text: string): NonNullable<ClientOptions['authentication']> => ({
    method: 'WORD',
    begin: () => ({ first: () => Buffer.from(text), answer: () => undefined, isProven: () => true }),
  });
  for (const authentication of [scramSha256({ username: 'anna', password: 'secret' }), word('please')]) {
    await using client = clientOf(broker, { authentication });
    await client.connect();
  }
  await assert.rejects(clientOf(broker, { authentication: word('now') }).connect(), {
    code: 'CONNECTION_REFUSED',
  });
  await assert.rejects(clientOf(broker, { username: 'anna', password: 'secret' }).connect(), {
    code: 'CONNECTION_REFUSED',
  });
  assert.deepEqual(names, ['anna', 'polite']);
});

test('the program subscribes: retained messages, shares, QoS, and handlers that fail', async () => {
  const { log, lines } = recorder();
  const observed: string[] = [];
  await using broker = await Broker.start({
    ...open,
    log,
    hooks: {
      connected: ({ clientId }) => void observed.push(clientId),
      subscribed: ({ clientId }) => void observed.push(clientId),
      delivered: (_message, clientId) => void observed.push(clientId),
      disconnected: ({ clientId }) => void observed.push(clientId),
    },
  });
  broker.publish('kept', 'before', { retain: true });
  const seen: string[] = [];
  let finish: () => void = () => {};
  const finished = new Promise<void>((resolve) => (finish = resolve));
  const subscription = await broker.subscribe(
    'kept',
    ({ payload, retain }) => {
      seen.push(`${payload.toString()} ${retain}`);
      if (payload.toString() === 'throw') throw new Error('handler out of order');
      if (payload.toString() === 'reject') return Promise.reject(new Error('handler out of order'));
      if (payload.toString() === 'last') finish();
      return undefined;
    },
    { qos: 2 },
  );
  const shared: string[] = [];
  for (const member of ['one', 'two'])
    await broker.subscribe('$share/g/kept', () => void shared.push(member), { qos: 1 });
  const without: string[] = [];
  await using _skips = await broker.subscribe(
    'kept',
    ({ payload }) => void without.push(payload.toString()),
    {
      sendRetained: false,
    },
  );
  for (const text of ['throw', 'reject', 'last']) broker.publish('kept', text, { qos: 2 });
  await finished;
  await until('all messages', () => without.length + shared.length === 6);
  assert.deepEqual(seen, ['before true', 'throw false', 'reject false', 'last false']);
  assert.deepEqual(without, ['throw', 'reject', 'last']);
  assert.deepEqual(shared.toSorted(), ['one', 'one', 'two']);
  assert.equal(lines.filter((line) => line.includes('handler out of order')).length, 2);
  await subscription.close();
  await subscription.close();
  assert.equal(broker.publish('kept', 'nobody', { qos: 0 }), ReasonCode.Success, 'others are left');
  assert.equal(seen.length, 4);
  await broker.close();
  assert.deepEqual(observed, [], 'the program is not told of itself');
});

test('what cannot be published or subscribed is an error that says why', async () => {
  await using broker = await Broker.start({ listeners: [], limits: { maximumRetainedMessages: 0 } });
  assert.equal(broker.url, '');
  assert.equal(broker.publish('nobody/listens', 'x'), ReasonCode.NoMatchingSubscribers);
  for (const topic of ['', 'a/#', '$SYS/broker/version'])
    assert.throws(() => broker.publish(topic, 'x'), { code: 'USAGE', message: /cannot publish on topic/ });
  assert.throws(() => broker.publish('t', 'x', { retain: true }), { code: 'QUEUE_FULL' });
  await assert.rejects(
    broker.subscribe('a/#/b', () => {}),
    { code: 'REFUSED', message: /"a\/#\/b"/ },
  );
  await broker.close();
  await broker.close();
  assert.throws(() => broker.publish('t', 'x'), { code: 'USAGE' });
  await assert.rejects(
    broker.subscribe('t', () => {}),
    { code: 'USAGE' },
  );
});

test('a client from outside gets no session of the program, and can be sent away', async () => {
  const inside: string[] = [];
  await using broker = await Broker.start({
    ...open,
    hooks: { authorizeSubscribe: () => true, dropped: (_policy, clientId) => void inside.push(clientId) },
  });
  await broker.subscribe('t', () => {});
  await using client = clientOf(broker, { clientId: 'c' });
  await client.connect();
  assert.equal(broker.statistics.clientsConnected, 2);
  const over = new Promise<string>((resolve) => {
    client.onState = (_state, detail = '') => resolve(detail);
  });
  assert.equal(broker.disconnect('c'), true);
  assert.match(await over, /administrative action/);
  assert.equal(broker.disconnect('c'), false);
});

test('a WebSocket listener is opened as any other', async () => {
  await using broker = await Broker.start({
    listeners: [{ webSocket: {}, port: 0, allowAnonymous: true }],
    log: silentLogger,
  });
  const [listening] = broker.listening;
  assert.equal(listening?.protocol, 'ws');
  assert.equal(broker.url, `ws://127.0.0.1:${listening?.port}/mqtt`);
  const dialer = createDialer({
    host: '127.0.0.1',
    port: listening?.port ?? 0,
    tls: null,
    webSocketPath: '/mqtt',
  });
  await using client = clientOf(broker, { dialer });
  await client.connect();
  assert.equal((await client.publish('t', 'x', { qos: 1 })).reasonCode, ReasonCode.NoMatchingSubscribers);
});
