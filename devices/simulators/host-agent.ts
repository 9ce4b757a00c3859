import { messageOf, type Clock, type Dialer, type Logger, type Timer } from '#base';
import { Client } from '#client';
import { nativePrefix } from '#model';
import type { HostMetricsSource } from './host-metrics.ts';

export interface HostAgentOptions {
  readonly dialer: Dialer;
  readonly clock: Clock;
  readonly log: Logger;
  readonly tenant: string;
  readonly site: string;
  /** Topic level of this machine; `host` unless said. */
  readonly device?: string;
  readonly clientId: string;
  readonly username?: string;
  readonly password?: Buffer | string;
  readonly metrics: HostMetricsSource;
  /** 5,000 unless said. */
  readonly intervalMs?: number;
}

export interface HostAgentStatistics {
  /** Readings that the broker has taken. */
  acknowledged: number;
  /** Readings that the broker refused. */
  refused: number;
  /** Readings that were not sent, because too many waited for an answer or the connection ended for good. */
  dropped: number;
}

/** Readings that may wait for the broker's answer: a minute at the usual interval; newer ones are then dropped. */
const maximumUnanswered = 12;
const keepAliveSeconds = 15;
const retry = { minimumMs: 500, maximumMs: 10_000 } as const;

/**
 * Publishes what a machine says of itself as Davylamp JSON readings on `davy/v1/<tenant>/<site>/<device>/reading`
 * (MQTT 5, QoS 1), and on `…/state` a retained `online`, with a will that turns it into `offline`.
 */
export class HostAgent {
  readonly statistics: HostAgentStatistics = { acknowledged: 0, refused: 0, dropped: 0 };
  readonly #options: HostAgentOptions;
  readonly #readingTopic: string;
  readonly #stateTopic: string;
  readonly #stopped = new AbortController();
  /** Tells boots apart: sequence numbers begin again with each. */
  readonly #boot: string;
  #client: Client | undefined;
  #timer: Timer | undefined;
  #sequence = 0;
  #unanswered = 0;

  constructor(options: HostAgentOptions) {
    const { tenant, site, device = 'host' } = options;
    this.#options = options;
    this.#readingTopic = `${nativePrefix}/${tenant}/${site}/${device}/reading`;
    this.#stateTopic = `${nativePrefix}/${tenant}/${site}/${device}/state`;
    this.#boot = Math.round(options.clock.now()).toString(36);
  }

  /** Begins to publish; connects, and connects again, by itself. */
  start(): void {
    const { dialer, clock, log, clientId, username, password, intervalMs = 5000 } = this.#options;
    const client = new Client({
      dialer,
      clock,
      log,
      clientId,
      version: 5,
      cleanStart: true,
      keepAliveSeconds,
      reconnect: retry,
      will: {
        topic: this.#stateTopic,
        payload: Buffer.from('offline'),
        qos: 1,
        retain: true,
        delay: 0,
        properties: null,
      },
      ...(username === undefined ? {} : { username }),
      ...(password === undefined ? {} : { password }),
    });
    this.#client = client;
    client.onState = (state) => {
      if (state === 'connected') this.#publishState(client, 'online');
    };
    client.connect(this.#stopped.signal).catch((error: unknown) => {
      if (!this.#stopped.signal.aborted)
        log.error(`host agent cannot connect: ${messageOf(error)}`, { broker: dialer.target });
    });
    this.#timer = clock.every(intervalMs, () => this.#publishReading(client));
  }

  /** Says `offline` itself (an orderly end has no will), then disconnects. */
  async close(): Promise<void> {
    this.#timer?.cancel();
    const client = this.#client;
    if (client === undefined) return;
    if (client.state === 'connected') {
      const said = client.publish(this.#stateTopic, 'offline', { qos: 1, retain: true });
      // A broker that does not answer must not keep the agent from ending.
      const waited = new Promise<void>((resolve) => this.#options.clock.after(1000, resolve));
      await Promise.race([
        said.then(
          () => {},
          () => {},
        ),
        waited,
      ]);
    }
    this.#stopped.abort(new Error('the host agent is stopped'));
    await client.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #publishState(client: Client, state: 'online' | 'offline'): void {
    client.publish(this.#stateTopic, state, { qos: 1, retain: true }).catch((error: unknown) => {
      this.#options.log.debug(`state was not taken: ${messageOf(error)}`);
    });
  }

  #publishReading(client: Client): void {
    if (this.#unanswered >= maximumUnanswered) {
      this.statistics.dropped++;
      return;
    }
    const { clock, metrics } = this.#options;
    const reading = {
      seq: ++this.#sequence,
      boot: this.#boot,
      at: Math.round(clock.now()),
      type: 'host',
      values: metrics.read(),
    };
    this.#unanswered++;
    client
      .publish(this.#readingTopic, JSON.stringify(reading), { qos: 1 })
      .then(
        (result) => {
          if (result.reasonCode < 0x80) this.statistics.acknowledged++;
          else this.statistics.refused++;
        },
        () => {
          this.statistics.dropped++;
        },
      )
      .finally(() => {
        this.#unanswered--;
      });
  }
}
