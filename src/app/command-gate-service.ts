import { messageOf, type Clock, type Dialer, type Logger, type Timer } from '#base';
import { Client, type ReceivedMessage } from '#client';
import { CommandGate, type GateResult } from '#commands';
import type { CommandGateConfig } from '#config';
import { nativePrefix } from '#model';
import { Decoders } from '#telemetry';

export interface CommandGateServiceOptions {
  readonly config: CommandGateConfig;
  readonly tenant: string;
  readonly site: string;
  /** Into the site's own broker. */
  readonly dialer: Dialer;
  readonly clock: Clock;
  readonly log: Logger;
}

const tickMs = 1000;

/**
 * The site's door for commands from outside: takes them from its own broker, checks them (`CommandGate`), hands the good
 * ones to the detector, watches for the answer and publishes the result. Every command is logged.
 */
export class CommandGateService {
  readonly #options: CommandGateServiceOptions;
  readonly #gate: CommandGate;
  readonly #client: Client;
  /** Open commands: id → the topic that their detector speaks on. A topic is subscribed while one is open. */
  readonly #open = new Map<string, string>();
  readonly #stopped = new AbortController();
  #timer: Timer | undefined;

  constructor(options: CommandGateServiceOptions) {
    const { config, tenant, site, clock, log, dialer } = options;
    this.#options = options;
    const decoders = new Decoders({ siteAddresses: new Map() });
    this.#gate = new CommandGate({
      ...config,
      tenant,
      site,
      decode: (topic, payload, now) => decoders.decode(topic, payload, undefined, now),
    });
    this.#client = new Client({
      dialer,
      clock,
      log,
      clientId: `gate-${site}`,
      version: 5,
      cleanStart: true,
      keepAliveSeconds: 0,
      reconnect: { minimumMs: 100, maximumMs: 5000 },
    });
    this.#client.onMessage = (message) => this.#onMessage(message);
  }

  async start(): Promise<void> {
    const { tenant, site, clock } = this.#options;
    await this.#client.connect(this.#stopped.signal);
    await this.#client.subscribe([{ filter: `${nativePrefix}/${tenant}/${site}/+/command/+`, qos: 1 }]);
    this.#timer = clock.every(tickMs, () => {
      for (const result of this.#gate.tick(clock.now())) this.#publish(result);
    });
  }

  async close(): Promise<void> {
    this.#timer?.cancel();
    this.#stopped.abort(new Error('the command gate is closed'));
    await this.#client.close();
  }

  #onMessage(message: ReceivedMessage): void {
    const { clock, log } = this.#options;
    const now = clock.now();
    if (!message.topic.startsWith(`${nativePrefix}/`)) {
      for (const result of this.#gate.onLegacyMessage(message.topic, message.payload, now))
        this.#publish(result);
      return;
    }
    const outcome = this.#gate.accept(message.topic, message.payload, now);
    switch (outcome.kind) {
      case 'deliver':
        this.#deliver(outcome).catch((error: unknown) =>
          log.error(`command ${outcome.id}: ${messageOf(error)}`),
        );
        break;
      case 'refuse':
        this.#publish({ topic: outcome.resultTopic, result: outcome.result });
        break;
      case 'replay':
        log.notice('command came twice and was carried out once', { id: outcome.id });
        break;
      case 'unreadable':
        log.warning(`command refused: ${outcome.reason}`, { topic: message.topic });
        break;
      case 'ignored':
        break;
    }
  }

  /** Watches first, so that an answer that comes at once is seen. */
  async #deliver(command: { id: string; topic: string; payload: string; watch: string }): Promise<void> {
    const { clock, log } = this.#options;
    log.notice('command let in', { id: command.id, topic: command.topic, payload: command.payload });
    this.#open.set(command.id, command.watch);
    await this.#client.subscribe([{ filter: command.watch, qos: 0, retainHandling: 2 }]);
    const { reasonCode } = await this.#client.publish(command.topic, command.payload, { qos: 1 });
    const result = this.#gate.onDelivered(command.id, reasonCode, clock.now());
    if (result !== undefined) this.#publish(result);
  }

  #publish({ topic, result }: GateResult): void {
    const { log } = this.#options;
    log.notice(`command ${result.state}: ${result.detail}`, { id: result.id });
    this.#client.publish(topic, JSON.stringify(result), { qos: 1 }).catch((error: unknown) => {
      log.error(`the result of command ${result.id} could not be published: ${messageOf(error)}`);
    });
    if (result.state !== 'delivered') this.#forget(result.id);
  }

  #forget(id: string): void {
    const watch = this.#open.get(id);
    if (watch === undefined) return;
    this.#open.delete(id);
    for (const other of this.#open.values()) if (other === watch) return;
    this.#client.unsubscribe([watch]).catch((error: unknown) => {
      this.#options.log.warning(`${watch} is still watched: ${messageOf(error)}`);
    });
  }
}
