import type { Timer, Transport } from '#base';
import type { LimitsConfig } from '#config';
import { ReasonCode, utf8Length, type PublishProperties, type Qos } from '#mqtt';
import { topicNameFault } from '#topics';
import { Connection } from './connection.ts';
import { BrokerCore, type BrokerOptions } from './core.ts';
import type { PacketTrace } from './events.ts';
import type { Hooks } from './hooks.ts';
import { sweepConnections } from './keep-alive.ts';
import { expiryTime, Message } from './message.ts';
import type { DoorStatistics, ListenerProfile, QueueView, Redirect, StateSource } from './ports.ts';
import { redirectCode } from './redirect.ts';
import { restore } from './restore.ts';
import type { Statistics } from './statistics.ts';
import { SysTopics } from './sys-topics.ts';
import { isStillWelcome } from './welcome.ts';

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

  /** What it calls itself to bridges. */
  get linkName(): string {
    return this.#core.linkName;
  }

  /** Where to put handlers: `broker.hooks.onClientConnected.push(…)`. */
  get hooks(): Hooks {
    return this.#core.hooks;
  }

  /** Takes over what the journal kept and begins to watch the time. Throws what the journal's `load` throws. */
  start(): void {
    const core = this.#core;
    core.journal.onState((state) => core.disk.onState(state));
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
    core.tell({ kind: 'connection', peer: transport.peer, port: profile.port ?? profile.name }, profile);
  }

  /**
   * Whether a connection from this address would be taken now. A listener asks before a handshake that costs more than
   * the answer; a refusal counts.
   */
  mayConnect(address: string, listener: string): boolean {
    return this.#core.admission.mayConnect(address, listener);
  }

  /** A listener has refused a connection by a bound of its own: it counts with those that are refused here. */
  countRefused(bound: 'connections' | 'handshakes'): void {
    const { statistics } = this.#core;
    statistics.connectionsRefused++;
    if (bound === 'connections') statistics.reached.connections++;
  }

  /** Tells what this part says of itself under `$SYS`, until the function that is returned is called. */
  watchState(source: StateSource): () => void {
    this.#core.sources.add(source);
    return () => {
      this.#core.sources.delete(source);
      this.#sys.clear(source);
    };
  }

  /** What waits for this client; `null` = it has no session. */
  queueOf(clientId: string): QueueView | null {
    const session = this.#core.sessions.get(clientId);
    if (session === undefined) return null;
    const { queue, inflight } = session;
    const [first] = inflight.inOrder();
    const oldest = (first === undefined ? null : inflight.deliveryOf(first)) ?? queue.oldest;
    const since = oldest === null || oldest.queuedAt === 0 ? null : oldest.queuedAt;
    const oldestMs = since === null ? 0 : Math.max(0, this.#core.timeNow() - since);
    return { messages: queue.length, bytes: queue.bytes, inflight: inflight.size, oldestMs };
  }

  /** The filters of this client's session. */
  subscriptionsOf(clientId: string): readonly string[] {
    return [...(this.#core.sessions.get(clientId)?.subscriptions.keys() ?? [])];
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
      const reason = core.retained.store(message, null);
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

  /** Ends the connections of one listener, after the packet that is being handled. */
  disconnectListener(name: string, reasonCode: ReasonCode, detail: string): void {
    this.#endThose((connection) => connection.profile.name === name, reasonCode, detail);
  }

  /**
   * After the trust rules have changed: ends the connections of those who would not get in any more (0x87), as their
   * listener's authenticator says. What is subscribed and queued is checked again by itself.
   */
  reviewClients(): void {
    this.#endThose(
      ({ profile, identity, ticket }) => !isStillWelcome(profile, identity, ticket),
      ReasonCode.NotAuthorized,
      'it may not sign in any more',
    );
  }

  /** Bounds of the broker as a whole from now on, and of clients that connect from now on. */
  changeLimits(limits: LimitsConfig): void {
    this.#core.limits = limits;
    this.#core.memory.look();
  }

  /** Shows every packet to `trace` from now on, or to nobody: `null`. */
  tracePackets(trace: PacketTrace | null): void {
    this.#core.trace = trace;
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
    // Those with a will first: the others are there to get it.
    for (const hasWill of [true, false]) {
      for (const connection of core.connections) {
        if ((connection.will !== null) === hasWill)
          connection.disconnect(reason, 'the broker shuts down', redirect?.serverReference);
      }
      core.turn.run();
    }
    if (core.connections.size > 0) await idle;
    core.sparing.close();
    core.traffic.close();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  #endThose(mustGo: (connection: Connection) => boolean, reasonCode: ReasonCode, detail: string): void {
    const { connections, turn } = this.#core;
    turn.addTask(() => {
      for (const connection of connections) if (mustGo(connection)) connection.disconnect(reasonCode, detail);
      return false;
    });
  }

  #onSweep(): void {
    const core = this.#core;
    core.tick();
    core.memory.look();
    core.memory.relieve();
    sweepConnections(core);
    core.lifecycle.sweep(core.now);
    for (const session of core.aging) core.deliverer.dropAged(session);
    core.pressure.sweep();
    core.replays.sweep();
    core.retained.sweepExpired(core.now);
  }
}
