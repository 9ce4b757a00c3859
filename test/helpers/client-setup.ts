import { Client, type ClientOptions } from '#client';
import { DavylampError, FakeClock, silentLogger, type Logger } from '#base';
import { SessionBroker, turnUntil } from './session-broker.ts';

/** A client and the broker that it talks to. */
export interface Setup {
  readonly clock: FakeClock;
  readonly broker: SessionBroker;
  readonly client: Client;
  readonly states: string[];
}

/** A client of MQTT 5 with a session that lasts and reconnects, but for `change`. Not connected. */
export function setUp(change: Partial<ClientOptions> = {}, log: Logger = silentLogger): Setup {
  const clock = new FakeClock();
  const broker = new SessionBroker();
  const client = new Client({
    dialer: broker.dialer,
    clock,
    log,
    clientId: 'c1',
    version: 5,
    cleanStart: false,
    keepAliveSeconds: 0,
    sessionExpirySeconds: 3600,
    reconnect: { minimumMs: 100, maximumMs: 1000 },
    ...change,
  });
  const states: string[] = [];
  client.onState = (state) => states.push(state);
  return { clock, broker, client, states };
}

/** Runs the event loop until the promise settles. */
export async function settled<T>(promise: Promise<T>, clock: FakeClock): Promise<T> {
  let isSettled = false;
  promise.then(
    () => (isSettled = true),
    () => (isSettled = true),
  );
  await turnUntil(() => isSettled, clock);
  return promise;
}

/** For `assert.rejects`. */
export function isError(code: string): (error: unknown) => boolean {
  return (error) => error instanceof DavylampError && error.code === code;
}
