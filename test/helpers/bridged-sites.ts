import { silentLogger, type Dialer, type FakeClock, type Transport } from '#base';
import { Broker, type Journal } from '#broker';
import { Bridge } from '#bridges';
import { Client, type ClientOptions } from '#client';
import type { BridgeConfig, BridgeTopicConfig } from '#config';
import { MemoryJournal } from '#journal';
import { createMemoryDialer } from '#listeners';
import { bridgeConfig } from './bridge-config.ts';
import { openProfile, wideLimits } from './broker-harness.ts';
import { turnUntil } from './session-broker.ts';

/** A whole broker, reached through memory; every connection can be cut. */
export class Site {
  readonly name: string;
  readonly broker: Broker;
  readonly dialer: Dialer;

  constructor(name: string, clock: FakeClock, journal: Journal = new MemoryJournal(), limits = wideLimits) {
    this.name = name;
    const profile = openProfile({ name });
    this.broker = new Broker({
      clock,
      log: silentLogger,
      limits,
      journal,
      name,
      version: '0.0.0',
    });
    this.broker.start();
    this.dialer = createMemoryDialer((transport) => {
      this.broker.accept(transport, profile);
    });
  }

  /** As the broker itself. */
  publish(topic: string, payload: string): void {
    this.broker.publish({ topic, payload: Buffer.from(payload), qos: 1, retain: false });
  }
}

/** A bridge between two of them, not started. */
export function createBridge(
  from: Site,
  to: Site,
  clock: FakeClock,
  topics: readonly BridgeTopicConfig[],
  change: Partial<BridgeConfig> = {},
  [localDialer, remoteDialer]: readonly [Dialer, Dialer] = [from.dialer, to.dialer],
): Bridge {
  const clientId = `${from.name}-${to.name}`;
  const config = bridgeConfig({ name: to.name, clientId, topics, ...change });
  return new Bridge({ config, brokerName: from.name, localDialer, remoteDialer, clock, log: silentLogger });
}

/** A client that is connected and has a session that lasts. */
export async function connectClient(
  site: Site,
  clock: FakeClock,
  change: Partial<ClientOptions> = {},
): Promise<Client> {
  const made = new Client({
    dialer: site.dialer,
    clock,
    log: silentLogger,
    clientId: `client-of-${site.name}`,
    version: 5,
    cleanStart: false,
    keepAliveSeconds: 0,
    sessionExpirySeconds: 3600,
    reconnect: { minimumMs: 100, maximumMs: 1000 },
    ...change,
  });
  await made.connect();
  return made;
}

/** A subscriber of `gas/#` at QoS 0, whom a slow journal does not delay. */
export class Watcher {
  readonly got: string[] = [];
  readonly #client: Client;

  constructor(site: Site, clock: FakeClock) {
    this.#client = new Client({
      dialer: site.dialer,
      clock,
      log: silentLogger,
      clientId: 'subscriber',
      version: 5,
      cleanStart: true,
      keepAliveSeconds: 0,
      reconnect: false,
    });
    this.#client.onMessage = (message) => this.got.push(message.payload.toString());
  }

  async start(turns: { advance(milliseconds: number): void }): Promise<void> {
    let isReady = false;
    const ready = this.#client
      .connect()
      .then(() => this.#client.subscribe([{ filter: 'gas/#', qos: 0 }]))
      .then(() => {
        isReady = true;
      });
    await turnUntil(() => isReady, turns);
    await ready;
  }

  close(): Promise<void> {
    return this.#client.close();
  }
}

/** A dialer that remembers its last connection, to cut it. */
export class CutDialer implements Dialer {
  readonly target = 'memory';
  readonly #dialer: Dialer;
  #transport: Transport | null = null;

  constructor(dialer: Dialer) {
    this.#dialer = dialer;
  }

  async dial(...[handler, signal]: Parameters<Dialer['dial']>): Promise<Transport> {
    this.#transport = await this.#dialer.dial(handler, signal);
    return this.#transport;
  }

  cut(): void {
    this.#transport?.destroy();
  }
}

/** Publishes until something arrives: from then on the bridge has its subscription. */
export async function waitForPath(sender: Client, receiver: Client, clock: FakeClock): Promise<void> {
  let arrived = false;
  receiver.onMessage = () => {
    arrived = true;
  };
  const probe = Buffer.from('probe');
  await turnUntil(() => arrived || (sender.publishQuietly('gas/probe', probe, 0) && false), clock);
  // The last probe is behind all others.
  await sender.publish('gas/last', '', { qos: 1 });
  let isLast = false;
  receiver.onMessage = (message) => {
    isLast ||= message.topic === 'gas/last';
  };
  await turnUntil(() => isLast, clock);
}

/** A dialer whose other end is out of reach until it is said to be there. */
export class LateDialer implements Dialer {
  readonly target = 'memory';
  isReachable = false;
  readonly #dialer: Dialer;

  constructor(dialer: Dialer) {
    this.#dialer = dialer;
  }

  dial(...[handler, signal]: Parameters<Dialer['dial']>): Promise<Transport> {
    return this.isReachable ? this.#dialer.dial(handler, signal) : Promise.reject(new Error('not there yet'));
  }
}
