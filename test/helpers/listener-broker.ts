import assert from 'node:assert/strict';
import { LineLogger, SystemClock, type Logger } from '#base';
import { Broker } from '#broker';
import type { LimitsConfig, ListenerConfig } from '#config';
import { MemoryJournal } from '#journal';
import { createListener, type Listener } from '#listeners';
import { loadTrust } from '#security';
import { openProfile, wideLimits } from './broker-harness.ts';

/** A listener that is open. */
interface Opened {
  readonly config: ListenerConfig;
  readonly listener: Listener;
  readonly port: number;
}

/** A whole broker with real listeners of a test, each with the rules that its configuration names. */
export class ListenerBroker implements AsyncDisposable {
  readonly broker: Broker;
  readonly lines: string[] = [];
  readonly #clock = new SystemClock();
  readonly #log: Logger;
  readonly #opened = new Map<string, Opened>();
  readonly #stack = new AsyncDisposableStack();

  constructor(limits: LimitsConfig = wideLimits) {
    const clock = this.#clock;
    this.#log = new LineLogger({ clock, level: 'debug', write: (line) => this.lines.push(line) });
    const log = this.#log.child('broker');
    const journal = new MemoryJournal();
    this.broker = new Broker({ clock, log, limits, journal, name: 'listeners', version: '0' });
    this.#stack.defer(() => this.broker.close());
    this.broker.start();
  }

  async open(config: ListenerConfig): Promise<void> {
    const { name, minimumQos } = config;
    const { authenticator, authorizer } = await loadTrust(config);
    const profile = openProfile({ name, authenticator, authorizer, minimumQos });
    const log = this.#log.child(`listener:${name}`);
    const context = { clock: this.#clock, log, maximumConnections: 1000 };
    const listener = createListener(config, (transport) => this.broker.accept(transport, profile), context);
    this.#stack.defer(() => listener.close());
    this.#opened.set(name, { config, listener, port: (await listener.start()).port });
  }

  port(name: string): number {
    return this.#named(name).port;
  }

  /** The configuration of a listener as it was opened, changed. */
  async reload(name: string, change: Partial<ListenerConfig>): Promise<void> {
    const { config, listener } = this.#named(name);
    const prepared = await listener.prepareReload({ ...config, ...change });
    prepared.commit();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#stack.disposeAsync();
    // Whatever a client did, no fault of ours may have shown.
    assert.equal(this.broker.statistics.bugs, 0, this.lines.find((line) => line.includes('BUG')) ?? '');
  }

  #named(name: string): Opened {
    const opened = this.#opened.get(name);
    assert.ok(opened !== undefined, `there is a listener ${name}`);
    return opened;
  }
}
