import { FakeClock, LineLogger, type Transport } from '#base';
import { Broker, type BrokerOptions, type ListenerProfile } from '#broker';
import type { LimitsConfig } from '#config';
import { MemoryJournal } from '#journal';
import { createListener, type Listener } from '#listeners';
import { openProfile, wideLimits } from './broker-harness.ts';
import { listenerConfig } from './listener-config.ts';
import type { WireTransport } from './wire-client.ts';

export interface WireServerOptions {
  readonly limits?: Partial<LimitsConfig>;
  readonly profile?: Partial<ListenerProfile>;
  readonly broker?: Partial<BrokerOptions>;
}

/** A real broker behind a real listener on a free port of loopback; only its time belongs to the test. */
export class WireServer {
  readonly clock = new FakeClock();
  readonly broker: Broker;
  /** What it logged, a line each. */
  readonly log: string[] = [];
  port = 0;
  readonly #listener: Listener;
  readonly #profile: ListenerProfile;
  #open = 0;
  #wake: (() => void) | null = null;

  constructor(transport: WireTransport, options: WireServerOptions = {}) {
    const log = new LineLogger({ clock: this.clock, level: 'debug', write: (line) => this.log.push(line) });
    this.broker = new Broker({
      clock: this.clock,
      log,
      limits: { ...wideLimits, ...options.limits },
      journal: new MemoryJournal(),
      name: 'test',
      version: '1.2.3',
      ...options.broker,
    });
    this.#profile = openProfile(options.profile);
    const context = { log, clock: this.clock, maximumConnections: 100 };
    const webSocket = transport.protocol === 'ws' ? { path: '/mqtt', allowedOrigins: [] } : null;
    const config = listenerConfig({ protocol: transport.protocol, webSocket });
    this.#listener = createListener(config, (one) => this.#accept(one), context);
  }

  async start(): Promise<this> {
    this.broker.start();
    this.port = (await this.#listener.start()).port;
    return this;
  }

  /** Until the broker has noticed that all but `count` connections are gone. */
  async untilOpen(count: number): Promise<void> {
    while (this.#open > count) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#listener.close();
    await this.broker.close();
  }

  #accept(transport: Transport): void {
    this.broker.accept(transport, this.#profile);
    const inner = transport.handler;
    this.#open++;
    transport.handler = {
      onBytes: (chunk) => inner.onBytes(chunk),
      onDrain: () => inner.onDrain(),
      onClose: (error) => {
        inner.onClose(error);
        this.#open--;
        this.#wake?.();
        this.#wake = null;
      },
    };
  }
}
