/**
 * Clients that abuse the broker, in a process of their own, over real sockets; meanwhile two that behave exchange
 * messages. Every message of theirs arrives, once and in order, and hardly later than in peace: by the clock, compared
 * with windows of peace between the attacks, and by what the broker handles of others until it is their turn. One table
 * with all figures is printed at the end.
 */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import process from 'node:process';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { silentLogger } from '#base';
import { hashPasswordAs } from '#security';
import { Broker } from 'davylamp/broker';
import { calmClient, CalmPair, quantile, type CalmWindow } from '../helpers/calm-pair.ts';
import { tlsParties } from '../helpers/tls-parties.ts';

const exchanges = 60;
/** The best of so many counts: a machine that is busy with something else for a while is nobody's attack. */
const windows = 3;
/** Times the median of peace, and so many milliseconds beside it. */
const allowedFactor = 20;
const allowedMs = 50;
/** Packets that the broker may handle while one message of theirs is on its way: a few turns of a few clients each. */
const allowedPackets = 200_000;

const attacker = fileURLToPath(new URL('../helpers/attacker.ts', import.meta.url));
const { server, folder } = await tlsParties();

type Counters = Broker['statistics'];

interface Attack {
  readonly kind: string;
  readonly title: string;
  readonly door?: 'plain' | 'secure' | 'passwords';
  /** Without bounds on rates: what one client may do at a stretch is all that is in its way. */
  readonly isUnlimited?: boolean;
  /** What the attack makes grow, and by how much until it counts as begun. */
  readonly count: (statistics: Counters) => number;
  readonly enough?: number;
  /** What else has to hold while it goes on. */
  readonly during?: (broker: Broker) => Promise<void>;
}

const attacks: readonly Attack[] = [
  {
    kind: 'deaf',
    title: 'subscribers that do not read: what is theirs is dropped, nothing of the others',
    count: ({ dropped }) => dropped['slow-client'],
  },
  {
    kind: 'flood',
    title: 'publishers that do not stop: they are read more slowly, the others are not',
    count: ({ reached }) => reached.rate,
  },
  {
    kind: 'reconnect',
    title: 'a client id that connects a thousand times a second: it is refused, the others are not',
    count: ({ reached }) => reached.flapping,
    during: ({ statistics }) => {
      assert.equal(statistics.clientsBanned, 1);
      return Promise.resolve();
    },
  },
  {
    kind: 'filters',
    title: 'thousands of filters',
    count: ({ packetsReceived }) => packetsReceived,
    enough: 500,
  },
  { kind: 'pings', title: 'PINGREQ without end', count: ({ reached }) => reached.rate },
  { kind: 'puback', title: 'PUBACK of nothing', count: ({ reached }) => reached.rate },
  { kind: 'pubrel', title: 'PUBREL of nothing', count: ({ reached }) => reached.rate },
  {
    kind: 'greed',
    title: 'a hundred clients with PINGREQ and no bound on their rate: they take turns',
    isUnlimited: true,
    count: ({ packetsReceived }) => packetsReceived,
    enough: 1_000_000,
  },
  {
    kind: 'retained',
    title: 'subscriptions to all that is retained, again and again: it comes in slices',
    count: ({ publishSent }) => publishSent,
    enough: 100_000,
  },
  {
    kind: 'handshakes',
    title: 'connections that never finish a TLS handshake: another address has places left',
    door: 'secure',
    count: ({ connectionsRefused }) => connectionsRefused,
    enough: 100,
    during: mayComeInByTls,
  },
  {
    kind: 'arrivals',
    title: 'whole TLS handshakes without end',
    door: 'secure',
    count: ({ connectionsAccepted }) => connectionsAccepted,
    enough: 300,
  },
  {
    kind: 'sign-ins',
    title: 'two thousand wrong passwords at once: a right one from elsewhere is verified in time',
    door: 'passwords',
    count: ({ reached }) => reached['sign-ins'],
    enough: 100,
    during: maySignIn,
  },
];

const passwordFile = join(folder, 'passwords');
const names = Array.from({ length: windows }, (_, i) => `good-${i}`);
const peaceful: number[] = [];
const table: string[][] = [];

before(async () => {
  const hash = await hashPasswordAs('argon2id', 'secret');
  // A user for each sign-in: one that is known by now would not have to wait.
  const lines = ['anna', ...names].map((name) => `${name}:${hash}\n`);
  await writeFile(passwordFile, lines.join(''), { mode: 0o600 });
});

after(() => {
  const head = [
    'attack',
    'p50 ms',
    'p99 ms',
    'max ms',
    'peace p50',
    'packets between',
    'packets/s',
    'p50 of 3',
  ];
  const widths = head.map((_, column) => Math.max(...[head, ...table].map((row) => row[column]!.length)));
  const line = (row: readonly string[]): string => row.map((cell, i) => cell.padStart(widths[i]!)).join('  ');
  console.log(`measured: under attack\n${[head, ...table].map(line).join('\n')}`);
});

/** A broker of its own for each attack: what is left of one in the system's buffers goes on for seconds. */
function startBroker(isUnlimited: boolean): Promise<Broker> {
  return Broker.start({
    listeners: [
      { name: 'plain', protocol: 'tcp', port: 0, allowAnonymous: true },
      { name: 'secure', protocol: 'tls', port: 0, allowAnonymous: true, tls: server },
      { name: 'passwords', protocol: 'tcp', port: 0, passwordFile },
    ],
    ...(isUnlimited ? { limits: { maximumMessageRate: 0, maximumByteRate: 0 } } : {}),
    log: silentLogger,
  });
}

function portOf(broker: Broker, door: string): number {
  return broker.listening.find(({ name }) => name === door)!.port;
}

async function mayComeInByTls(broker: Broker): Promise<void> {
  const tls = { ...server, certificateFile: null, keyFile: null };
  const door = { port: portOf(broker, 'secure'), localAddress: '127.0.0.2', tls };
  await using client = calmClient('by TLS', door);
  await client.connect();
}

async function maySignIn(broker: Broker): Promise<void> {
  const username = names.shift()!;
  const door = { port: portOf(broker, 'passwords'), localAddress: '127.0.0.2' };
  // It rejects when CONNACK says no, and when the broker's connect timeout ends the connection.
  await using client = calmClient(username, door, { username, password: 'secret' });
  await client.connect();
}

/** Exchanges messages under an attack that has reached what it is to reach. The windows, and packets a second. */
async function underAttack(
  attack: Attack,
  broker: Broker,
  pair: CalmPair,
  signal: AbortSignal,
): Promise<readonly [CalmWindow[], number]> {
  const { statistics } = broker;
  const count = (): number => attack.count(statistics);
  const goal = count() + (attack.enough ?? 1);
  const port = String(portOf(broker, attack.door ?? 'plain'));
  const child = spawn(process.execPath, ['--conditions=source', attacker, attack.kind, port], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  try {
    await once(child.stdout, 'data');
    while (count() < goal) {
      signal.throwIfAborted();
      await pair.exchange(10);
    }
    const found: CalmWindow[] = [];
    const [begun, received] = [performance.now(), statistics.packetsReceived];
    for (let i = 0; i < windows; i++) {
      const [window] = await Promise.all([pair.exchange(exchanges), attack.during?.(broker)]);
      found.push(window);
    }
    const rate = (statistics.packetsReceived - received) / (performance.now() - begun);
    return [found, rate * 1000];
  } finally {
    const ended = once(child, 'exit');
    child.kill('SIGKILL');
    await ended;
  }
}

for (const attack of attacks) {
  test(attack.title, { timeout: 60_000 }, async ({ signal }) => {
    await using broker = await startBroker(attack.isUnlimited === true);
    const { statistics } = broker;
    await using pair = await CalmPair.start(portOf(broker, 'plain'), () => statistics.packetsReceived);
    peaceful.push(quantile((await pair.exchange(exchanges)).times, 0.5));
    const [found, rate] = await underAttack(attack, broker, pair, signal);
    const medians = found.map(({ times }) => quantile(times, 0.5));
    const best = found[medians.indexOf(Math.min(...medians))]!;
    const all = found.flatMap(({ times }) => times).toSorted((a, b) => a - b);
    const between = Math.min(...found.map(({ handled }) => quantile(handled, 0.5)));
    const peace = quantile(
      peaceful.toSorted((a, b) => a - b),
      0.5,
    );
    table.push([
      attack.kind,
      ...[0.5, 0.99, 1].map((share) => quantile(all, share).toFixed(2)),
      peace.toFixed(2),
      String(between),
      String(Math.round(rate)),
      medians.map((median) => median.toFixed(2)).join(' '),
    ]);
    assert.equal(statistics.bugs, 0);
    const median = quantile(best.times, 0.5);
    const allowed = allowedFactor * peace + allowedMs;
    assert.ok(median <= allowed, `a median of ${median} ms where ${allowed} are allowed, in peace ${peace}`);
    assert.ok(between <= allowedPackets, `${between} packets of others are handled before one of theirs`);
  });
}
