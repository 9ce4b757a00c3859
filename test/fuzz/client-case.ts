import process from 'node:process';
import { LineLogger, FakeClock } from '#base';
import { Client, type ClientAuthentication, type ClientOptions } from '#client';
import type { Will } from '#mqtt';
import { connect as connectBridge, series, setUp } from '../helpers/scripted-bridge.ts';
import { SessionBroker, turnUntil } from '../helpers/session-broker.ts';
import { Random } from './random.ts';
import { hostileAnswer } from './server-source.ts';

/** The answers of a hostile broker that a case had, in the order in which they came. */
type Told = Buffer[];

/** A logger that keeps lines about faults of our own. */
function faultLog(clock: FakeClock, faults: string[]): LineLogger {
  return new LineLogger({
    clock,
    level: 'debug',
    write: (line) => {
      if (/^\S+ error[ :]/.test(line)) faults.push(line);
    },
  });
}

async function turns(count: number): Promise<void> {
  for (let turn = 0; turn < count; turn++) await new Promise((resolve) => setImmediate(resolve));
}

/** Until what is under way in memory has arrived, and what it causes as well. */
const arrivalTurns = 20;

/** A method that now and then fails, at once or later; what the broker says of itself at last is believed. */
function authenticationOf(random: Random): ClientAuthentication {
  return {
    method: 'TEST',
    begin: () => ({
      first: () => (random.oneIn(2) ? Buffer.from('first') : undefined),
      answer: (data) => {
        const choice = random.below(6);
        if (choice === 0) throw new Error('asked to throw');
        if (choice === 1) return Promise.reject(new Error('asked to reject'));
        return choice === 2 ? Promise.resolve(data) : data;
      },
      isProven: (data) => data?.toString() !== 'no',
    }),
  };
}

/** What a client may be told to be. */
function someOptions(random: Random, version: 4 | 5): Partial<ClientOptions> {
  const hasUser = random.oneIn(3);
  const will: Will = {
    topic: 'will',
    payload: Buffer.from('gone'),
    qos: 1,
    retain: true,
    delay: 1,
    properties: null,
  };
  return {
    ...(hasUser ? { username: 'user', ...(random.oneIn(2) ? { password: 'secret' } : {}) } : {}),
    ...(random.oneIn(4) ? { will } : {}),
    ...(version === 5 && random.oneIn(3) ? { authentication: authenticationOf(random) } : {}),
    ...(random.oneIn(4) ? { maximumPacketSize: 200 } : {}),
  };
}

/** Codes of CONNACK with which a broker refuses. */
const refusals = { 4: [1, 2, 3, 4, 5], 5: [0x80, 0x85, 0x87, 0x88, 0x97, 0x9c] } as const;

// What a client says when it is refused is not looked at here.
const forget = (promise: Promise<unknown>): void => void promise.catch(() => {});

/** The program around the client does something. */
function useClient(client: Client, random: Random): void {
  const qos = random.pick([0, 1, 2] as const);
  switch (random.below(7)) {
    case 0:
    case 1:
      forget(client.publish('a/b', 'x', { qos }));
      break;
    case 2:
      forget(client.publish('a/b', 'x'.repeat(300), { qos, retain: true, properties: { messageExpiry: 3 } }));
      break;
    case 3:
      client.publishQuietly('a/b', Buffer.from('quiet'), qos);
      break;
    case 4:
      forget(client.subscribe([{ filter: 'a/#', qos: 2 }]));
      break;
    case 5:
      forget(client.unsubscribe(['a/#']));
      break;
    default:
      forget(client.reauthenticate());
  }
}

/**
 * Our client at a broker that answers with anything at all, and then again behaves: a message at QoS 1 must get there.
 * Throws what went wrong; what the broker said comes into `told`.
 */
async function playClientCase(seed: number, told: Told): Promise<void> {
  const random = new Random(seed);
  const clock = new FakeClock();
  const faults: string[] = [];
  const broker = new SessionBroker();
  const version = random.pick([4, 5] as const);
  const options = someOptions(random, version);
  if (options.authentication !== undefined) broker.connackProperties = { authenticationMethod: 'TEST' };
  const client = new Client({
    dialer: broker.dialer,
    clock,
    log: faultLog(clock, faults),
    clientId: 'client',
    version,
    cleanStart: random.oneIn(2),
    keepAliveSeconds: random.pick([0, 10]),
    sessionExpirySeconds: random.pick([0, 100]),
    receiveMaximum: random.pick([2, 100]),
    manualAcknowledge: random.oneIn(3),
    maximumQueuedMessages: random.pick([3, 100]),
    reconnect: { minimumMs: 10, maximumMs: 50 },
    ...options,
  });
  client.onMessage = (message) => message.keep().acknowledge(random.pick([0, 0, 0x80]));
  forget(client.connect());
  await turnUntil(() => client.state === 'connected', clock);
  for (let step = random.below(10); step >= 0; step--) {
    const choice = random.below(10);
    if (choice < 5) {
      const bytes = hostileAnswer(random, version);
      told.push(bytes);
      broker.sendBytes(bytes);
    } else if (choice < 8) useClient(client, random);
    else if (choice === 8) {
      broker.connackCode = random.oneIn(2) ? 0 : random.pick(refusals[version]);
      broker.cut();
    } else clock.advance(random.pick([10, 1000, 20_000]));
    await turns(1);
  }
  broker.connackCode = 0;
  broker.cut();
  await turns(arrivalTurns);
  let isAnswered = false;
  // Where its queue is full of what waited it may have to be said again.
  const deliver = (): void => {
    if (client.state === 'closed') return;
    const later = (): void => void setImmediate(deliver);
    forget(client.publish('later', 'good', { qos: 1 }).then(() => (isAnswered = true), later));
  };
  deliver();
  await turnUntil(() => isAnswered, clock);
  forget(client.close());
  await turnUntil(() => client.state === 'closed', clock);
  if (faults.length > 0) throw new Error(faults.join(''));
}

/** Our bridge between a good broker and a hostile one: in the end what is published here must get there. */
async function playBridgeCase(seed: number, told: Told): Promise<void> {
  const random = new Random(seed);
  const faults: string[] = [];
  const protocolVersion = random.pick([4, 5] as const);
  const setup = setUp({ protocolVersion }, faultLog(new FakeClock(), faults));
  const { local, remote, bridge, clock } = setup;
  await connectBridge(setup);
  for (let step = random.below(6); step >= 0; step--) {
    const choice = random.below(8);
    if (choice < 4) {
      const bytes = hostileAnswer(random, protocolVersion);
      told.push(bytes);
      remote.sendBytes(bytes);
    } else if (choice < 6) for (const message of series(random.pick([1, 2]), 3)) local.publish(message);
    else if (choice === 6) remote.publish({ topic: 'a/b', payload: 'from there', qos: 2 });
    else clock.advance(random.pick([10, 1000, 20_000]));
    await turns(1);
  }
  remote.cut();
  // A remote that acknowledges what it has not got takes a message away: that is in its power, and must be over.
  await turns(arrivalTurns);
  local.publish({ topic: 'later', payload: 'good', qos: 1 });
  await turnUntil(() => remote.accepted.includes('later good'), clock);
  await bridge.close();
  if (faults.length > 0) throw new Error(faults.join(''));
}

/** Plays cases of our client and of our bridge in turn. What goes wrong, and how to see it again; `null` = nothing. */
export async function runPeerCases(seed: number, cases: number): Promise<string | null> {
  const uncaught: unknown[] = [];
  const onUncaught = (error: unknown): void => void uncaught.push(error);
  process.on('uncaughtException', onUncaught);
  process.on('unhandledRejection', onUncaught);
  try {
    return await playAll(seed, cases, uncaught);
  } finally {
    process.off('uncaughtException', onUncaught);
    process.off('unhandledRejection', onUncaught);
  }
}

async function playAll(seed: number, cases: number, uncaught: readonly unknown[]): Promise<string | null> {
  for (let count = 0; count < cases; count++) {
    for (const play of [playClientCase, playBridgeCase]) {
      const told: Buffer[] = [];
      try {
        await play(seed + count, told);
        if (uncaught.length > 0) throw uncaught[0] as Error;
      } catch (error) {
        const script = told.map((bytes) => bytes.toString('hex')).join('\n');
        return `seed ${seed + count}: ${[error, ...uncaught].map(String).join(', ')}; the other side had said\n${script}`;
      }
    }
  }
  return null;
}
