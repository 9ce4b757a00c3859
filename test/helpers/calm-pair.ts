import assert from 'node:assert/strict';
import { silentLogger, sleep, SystemClock } from '#base';
import { Client } from '#client';
import { createDialer, type DialOptions } from '#listeners';

const pauseMs = 5;
/** A window that takes longer ends early, with what it has. */
const longestWindowMs = 5000;

const clock = new SystemClock();

/** A client that behaves. */
export function calmClient(
  clientId: string,
  door: Pick<DialOptions, 'port'> & Partial<DialOptions>,
  options: Partial<ConstructorParameters<typeof Client>[0]> = {},
): Client {
  return new Client({
    dialer: createDialer({ host: '127.0.0.1', tls: null, clock, ...door }),
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

/** What two clients saw while they exchanged messages. Of each: in ascending order. */
export interface CalmWindow {
  /** Milliseconds from the message to its acknowledgement and its arrival. */
  readonly times: readonly number[];
  /** What the broker handled meanwhile, by its own count. */
  readonly handled: readonly number[];
}

/** The value below which this share of all lies. */
export function quantile(ascending: readonly number[], share: number): number {
  return ascending[Math.floor((ascending.length - 1) * share)] ?? 0;
}

/** Two clients that behave: one publishes at QoS 1, the other gets it; the next begins a little after. */
export class CalmPair implements AsyncDisposable {
  readonly #publisher: Client;
  readonly #subscriber: Client;
  readonly #count: () => number;
  #sent = 0;
  #received = 0;
  #arrived: () => void = () => {};

  private constructor(port: number, count: () => number) {
    this.#publisher = calmClient('publisher', { port });
    this.#subscriber = calmClient('subscriber', { port });
    this.#count = count;
    this.#subscriber.onMessage = ({ payload }) => {
      assert.equal(payload.toString(), String(this.#received++), 'each message once, and in order');
      this.#arrived();
    };
  }

  /** `count`: packets that the broker has handled until now. */
  static async start(port: number, count: () => number): Promise<CalmPair> {
    const pair = new CalmPair(port, count);
    await pair.#publisher.connect();
    await pair.#subscriber.connect();
    await pair.#subscriber.subscribe([{ filter: 'calm', qos: 1 }]);
    return pair;
  }

  async exchange(messages: number): Promise<CalmWindow> {
    const times: number[] = [];
    const handled: number[] = [];
    const end = clock.monotonic() + longestWindowMs;
    for (let i = 0; i < messages && clock.monotonic() < end; i++) {
      const [begun, before] = [clock.monotonic(), this.#count()];
      const delivered = new Promise<void>((resolve) => (this.#arrived = resolve));
      await Promise.all([this.#publisher.publish('calm', String(this.#sent++), { qos: 1 }), delivered]);
      times.push(clock.monotonic() - begun);
      handled.push(this.#count() - before);
      await sleep(clock, pauseMs);
    }
    return { times: times.toSorted((a, b) => a - b), handled: handled.toSorted((a, b) => a - b) };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#publisher.close();
    await this.#subscriber.close();
  }
}
