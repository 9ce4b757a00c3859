import type { Timer, Transport } from '#base';
import { ReasonCode, utf8Length, type PublishProperties, type Qos } from '#mqtt';
import { topicNameFault } from '#topics';
import { Connection } from './connection.ts';
import { BrokerCore, type BrokerOptions } from './core.ts';
import type { Hooks } from './hooks.ts';
import { sweepConnections } from './keep-alive.ts';
import { expiryTime, Message } from './message.ts';
import type { DoorStatistics, ListenerProfile, Redirect } from './ports.ts';
import { redirectCode } from './redirect.ts';
import { restore } from './restore.ts';
import type { Statistics } from './statistics.ts';
import { SysTopics } from './sys-topics.ts';

/** A message that the program around the broker publishes. */
export interface OwnMessage {
  readonly topic: string;
  readonly payload: Buffer;
  readonly qos: Qos;
  readonly retain: boolean;
  readonly properties?: PublishProperties;
}

const sweepMs = 1000;

/** An MQTT 3.1, 3.1.1 and 5 broker over whatever transports it is given. It does no I/O of its own. */
export class Broker {
  readonly #core: BrokerCore;
  readonly #sys: SysTopics;
  #sweep: Timer | null = null;

  constructor(options: BrokerOptions) {
    this.#core = new BrokerCore(options);
    this.#sys = new SysTopics(this.#core);
  }

  /** Counters since the start. */
  get statistics(): Statistics {
    return this.#core.statistics;
  }

  /** Where to put handlers: `broker.hooks.onClientConnected.push(…)`. */
  get hooks(): Hooks {
    return this.#core.hooks;
  }

  /** Takes over what the journal kept and begins to watch the time. Throws what the journal's `load` throws. */
  start(): void {
    const core = this.#core;
    core.journal.onDurable(() => {
      for (const connection of core.deferring) connection.releaseDeferred();
    });
    restore(core);
    this.#sweep = core.clock.every(sweepMs, () => this.#onSweep());
    this.#sys.start();
  }

  /** Takes a client's transport over, with its handler. Beyond the bounds of connections it is closed at once. */
  accept(transport: Transport, profile: ListenerProfile): void {
    const core = this.#core;
    core.statistics.connectionsAccepted++;
    if (!core.admission.mayConnect(transport.peer.address, profile.name)) {
      transport.destroy();
      return;
    }
    const connection = new Connection(core, transport, profile);
    core.admission.enter(connection);
    transport.handler = connection;
  }

  /**
   * Whether a connection from this address would be taken now. A listener asks before a handshake that costs more than
   * the answer; a refusal counts.
   */
  mayConnect(address: string, listener: string): boolean {
    return this.#core.admission.mayConnect(address, listener);
  }

  /** Publishes what a listener counts with the broker's own counters. */
  watchDoor(statistics: Readonly<DoorStatistics>): void {
    this.#core.doors.push(statistics);
  }

  /**
   * Publishes from inside, as a client that may do everything would. `TopicNameInvalid`, `QuotaExceeded` (the
   * retained messages are at their bound), `NoMatchingSubscribers` or 0.
   */
  publish(own: OwnMessage): ReasonCode {
    const core = this.#core;
    core.tick();
    const fault = topicNameFault(own.topic, core.limits.maximumTopicLevels);
    if (fault !== ReasonCode.Success) return fault;
    const properties = own.properties ?? null;
    const expiresAt = expiryTime(properties, core.now);
    const { topic, payload, qos, retain } = own;
    const message = new Message(topic, utf8Length(topic), payload, qos, retain, properties, '', expiresAt);
    if (retain) {
      const reason = core.retained.store(message);
      if (reason !== ReasonCode.Success) return reason;
    }
    const route = core.router.route(topic);
    core.deliverer.deliver(route, message, null);
    core.tellPublished(message, null);
    return route.isEmpty ? ReasonCode.NoMatchingSubscribers : ReasonCode.Success;
  }

  /**
   * Ends the connection of this client, after the packet that is being handled; its session and will follow the usual
   * rules. False when there is no such client.
   */
  disconnect(clientId: string, reasonCode: ReasonCode, detail: string): boolean {
    const { sessions, turn } = this.#core;
    const connection = sessions.get(clientId)?.connection ?? null;
    if (connection === null) return false;
    turn.addTask(() => {
      connection.disconnect(reasonCode, detail);
      return false;
    });
    return true;
  }

  /**
   * Ends every connection (MQTT 5: DISCONNECT 0x8B, or with `redirect` 0x9C or 0x9D and where to go) and stops the
   * timers; wills are published as after any end that a client did not ask for. Resolves when the transports are gone.
   */
  async close(redirect: Redirect | null = null): Promise<void> {
    const core = this.#core;
    core.isClosing = true;
    this.#sweep?.cancel();
    this.#sys.stop();
    core.throttles.stop();
    const idle = new Promise<void>((resolve) => {
      core.onIdle = resolve;
    });
    const reason = redirect === null ? ReasonCode.ServerShuttingDown : redirectCode(redirect);
    for (const connection of core.connections) {
      connection.disconnect(reason, 'the broker shuts down', redirect?.serverReference);
    }
    core.turn.run();
    if (core.connections.size > 0) await idle;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  #onSweep(): void {
    const core = this.#core;
    core.tick();
    core.memory.look();
    sweepConnections(core);
    core.lifecycle.sweep(core.now);
    core.pressure.sweep();
    core.replays.sweep();
    core.retained.sweepExpired(core.now);
  }
}
