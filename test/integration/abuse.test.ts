/**
 * Clients that abuse the broker, in a process of their own, over real sockets; meanwhile two that behave exchange
 * messages. Every message of theirs arrives, in order; how long each took is printed, beside what it takes in peace.
 */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import process from 'node:process';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { silentLogger, sleep, SystemClock } from '#base';
import { Client, type ClientOptions } from '#client';
import { Broker } from 'davylamp/broker';
import { createDialer } from '#listeners';

const clock = new SystemClock();
const exchanges = 300;
const pauseMs = 5;
const attacker = fileURLToPath(new URL('../helpers/attacker.ts', import.meta.url));

let broker: Broker;
let port: number;
/** Milliseconds of the median without an attack. */
let peace = '';

before(async () => {
  broker = await Broker.start({
    listeners: [{ protocol: 'tcp', port: 0, allowAnonymous: true }],
    log: silentLogger,
  });
  port = broker.listening[0]!.port;
  peace = await exchangeMessages();
});

after(() => broker.close());

function createClient(clientId: string, at = port, options: Partial<ClientOptions> = {}): Client {
  return new Client({
    dialer: createDialer({ host: '127.0.0.1', port: at, tls: null, clock }),
    clock,
    log: silentLogger,
    clientId,
    version: 5,
    cleanStart: true,
    keepAliveSeconds: 60,
    reconnect: false,
    ...options,
  });
}

/** One publishes at QoS 1, the other gets it; the next begins a little after. The times of all of them, in words. */
async function exchangeMessages(): Promise<string> {
  const publisher = createClient('publisher');
  const subscriber = createClient('subscriber');
  const received: string[] = [];
  let arrived: () => void = () => {};
  subscriber.onMessage = ({ payload }) => {
    received.push(payload.toString());
    arrived();
  };
  await publisher.connect();
  await subscriber.connect();
  await subscriber.subscribe([{ filter: 'calm', qos: 1 }]);
  const times: number[] = [];
  for (let i = 0; i < exchanges; i++) {
    const begun = clock.monotonic();
    const delivered = new Promise<void>((resolve) => (arrived = resolve));
    await Promise.all([publisher.publish('calm', String(i), { qos: 1 }), delivered]);
    times.push(clock.monotonic() - begun);
    await sleep(clock, pauseMs);
  }
  assert.deepEqual(
    received,
    Array.from({ length: exchanges }, (_, i) => String(i)),
  );
  await publisher.close();
  await subscriber.close();
  return inWords(times);
}

function inWords(times: number[]): string {
  times.sort((a, b) => a - b);
  const at = (share: number): string => times[Math.floor((times.length - 1) * share)]!.toFixed(2);
  return `p50 ${at(0.5)}, p99 ${at(0.99)}, max ${at(1)} ms`;
}

/** A subscriber that has gone and lets messages wait for it. */
async function leaveSession(port: number, clientId: string): Promise<void> {
  const client = createClient(clientId, port, { cleanStart: false, sessionExpirySeconds: 3600 });
  await client.connect();
  await client.subscribe([{ filter: `for/${clientId}`, qos: 1 }]);
  await client.close();
}

/** Exchanges messages under an attack; gives what the counters have gained, by the one that `count` names. */
async function underAttack(kind: string, count: () => number): Promise<number> {
  const before = count();
  const accepted = broker.statistics.connectionsAccepted;
  const child = spawn(process.execPath, ['--conditions=source', attacker, kind, String(port)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  try {
    await once(child.stdout, 'data');
    let times = '';
    // The attack counts when it has reached a bound: until then they go on.
    do times = await exchangeMessages();
    while (count() === before);
    console.log(`measured: ${kind}: ${times}; in peace: ${peace}`);
    console.log(`measured: ${kind}: ${broker.statistics.connectionsAccepted - accepted} connections`);
  } finally {
    const ended = once(child, 'exit');
    child.kill('SIGKILL');
    await ended;
  }
  assert.equal(broker.statistics.bugs, 0);
  return count() - before;
}

test(
  'subscribers that do not read: what is theirs is dropped, nothing of the others',
  { timeout: 60_000 },
  async () => {
    const dropped = await underAttack('deaf', () => broker.statistics.dropped['slow-client']);
    console.log(`measured: deaf: ${dropped} messages at QoS 0 dropped for those who do not read`);
    assert.ok(dropped > 0);
  },
);

test(
  'publishers that do not stop: they are read more slowly, the others are not',
  { timeout: 60_000 },
  async () => {
    const before = broker.statistics.publishReceived;
    const slowed = await underAttack('flood', () => broker.statistics.reached.rate);
    console.log(
      `measured: flood: ${broker.statistics.publishReceived - before} messages taken, slowed ${slowed} times`,
    );
    assert.ok(slowed > 0);
  },
);

test(
  'a client id that connects a thousand times a second: it is refused, the others are not',
  { timeout: 60_000 },
  async () => {
    const refused = await underAttack('reconnect', () => broker.statistics.reached.flapping);
    console.log(`measured: reconnect: ${refused} refused, banned ${broker.statistics.clientsBanned} times`);
    assert.ok(refused > 0);
    assert.equal(broker.statistics.clientsBanned, 1);
  },
);

test(
  'absent clients for whom far more waits than there is memory: it stays bounded, who is there gets everything',
  { timeout: 60_000 },
  async () => {
    const mib = 1024 * 1024;
    const bound = 128 * mib;
    await using small = await Broker.start({
      listeners: [{ protocol: 'tcp', port: 0, allowAnonymous: true }],
      limits: { maximumMemory: bound, maximumByteRate: 0 },
      log: silentLogger,
    });
    const door = small.listening[0]!.port;
    const absent = Array.from({ length: 8 }, (_, i) => `absent-${i}`);
    for (const clientId of absent) await leaveSession(door, clientId);
    const publisher = createClient('publisher', door);
    await publisher.connect();
    const rounds = 400;
    let here = 0;
    let all: () => void = () => {};
    const everything = new Promise<void>((resolve) => (all = resolve));
    const count = (): void => {
      here++;
      if (here === rounds * absent.length) all();
    };
    await small.subscribe('for/#', count, { qos: 1 });
    const payload = Buffer.alloc(64 * 1024, 1);
    let most = 0;
    for (let i = 0; i < rounds; i++) {
      await Promise.all(absent.map((clientId) => publisher.publish(`for/${clientId}`, payload, { qos: 1 })));
      const { heapUsed, external } = process.memoryUsage();
      most = Math.max(most, heapUsed + external);
    }
    await everything;
    await publisher.close();
    const { dropped, queuedBytes } = small.statistics;
    console.log(
      `measured: absent: ${Math.round((rounds * absent.length * payload.length) / mib)} MiB sent, ` +
        `${Math.round(queuedBytes / mib)} MiB wait, ${Math.round(most / mib)} MiB at most of ${bound / mib}`,
    );
    assert.equal(here, rounds * absent.length);
    assert.ok(dropped.memory > 0);
    assert.equal(dropped['queue-full'], 0);
    assert.ok(queuedBytes < bound, `${queuedBytes} bytes`);
  },
);
