import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import {
  DavylampError,
  LineLogger,
  SystemClock,
  type Clock,
  type Dialer,
  type Logger,
  SparingLog,
} from '#base';
import { Broker as BrokerCore, type ListenerProfile, type QueueView, type Statistics } from '#broker';
import { createPublishProperties } from '#client';
import type { LimitsConfig, ListenerConfig } from '#config';
import { createListener, createMemoryDialer, isAddressMissing, type BoundAddress } from '#listeners';
import { ReasonCode, reasonName } from '#mqtt';
import { allowAll, HashTurns, loadTrust, type Trust } from '#security';
import { InsideSubscription } from './inside-subscription.ts';
import { checkListeners, defaultConfig, hasOwnRules, listenerConfig } from './listener-config.ts';
import { connectHooks } from './observe.ts';
import type {
  BrokerHooks,
  BrokerOptions,
  Listening,
  MessageHandler,
  PublishOptions,
  SubscribeOptions,
} from './options.ts';
import { openKept } from './persistence.ts';
import { authorizes, HookAuthorizer, joinMethods, withHook, type HookContext } from './trust.ts';

interface Parts {
  readonly core: BrokerCore;
  readonly clock: Clock;
  readonly log: Logger;
  readonly hooks: BrokerHooks;
}

/**
 * An MQTT broker inside one's own program. `start` opens its doors, `close` (or `await using`) closes them and everything
 * behind them.
 */
export class Broker implements AsyncDisposable {
  readonly #core: BrokerCore;
  readonly #parts: Parts;
  readonly #hookContext: HookContext;
  readonly #turns = new HashTurns();
  readonly #authorizers: HookAuthorizer[] = [];
  readonly #listening: Listening[] = [];
  /** Nobody can guess it: no client from outside gets at these sessions. */
  readonly #insideName = `inside-${randomBytes(16).toString('hex')}`;
  readonly #inside = new Map<string, InsideSubscription>();
  readonly #insideDialer: Dialer;
  /** Closes what was opened, last first. */
  readonly #stack = new AsyncDisposableStack();
  #closed: Promise<void> | null = null;

  private constructor(parts: Parts) {
    this.#parts = parts;
    this.#core = parts.core;
    const { hooks, log, core, clock } = parts;
    this.#hookContext = {
      hooks,
      log: new SparingLog(clock, log, 10),
      expel: (clientId) =>
        core.disconnect(clientId, ReasonCode.ImplementationSpecificError, 'internal error'),
    };
    const name = this.#insideName;
    const profile: ListenerProfile = {
      name,
      authenticator: { authenticate: () => ({ reasonCode: ReasonCode.Success, name }) },
      authorizer: allowAll,
      stampSite: null,
      minimumQos: 0,
      sharedClientIds: new Set(),
    };
    this.#insideDialer = createMemoryDialer((transport) => core.accept(transport, profile), undefined, clock);
  }

  /**
   * Opens every listener, or none: rejects with `CONFIG_INVALID`, `CREDENTIALS_INVALID`, `FILE_UNREADABLE`,
   * `PORT_TAKEN`, `LISTEN_FAILED` or `TLS_INVALID`, naming the listener, and with `JOURNAL_UNUSABLE`: a broker that has
   * forgotten everything does not start by mistake.
   */
  static async start(options: BrokerOptions): Promise<Broker> {
    const { hooks = {}, clock = new SystemClock(), name = 'embedded', gathersMessages = false } = options;
    const defaults = defaultConfig();
    const listeners = options.listeners.map((listener, i) => listenerConfig(listener, i, defaults.listener));
    checkListeners(listeners, hooks.authenticate !== undefined);
    const limits = { ...defaults.limits, ...options.limits };
    const log = loggerOf(options, clock);
    const kept = await openKept(options, { clock, log, defaultBytes: defaults.maximumBytes });
    const { journal } = kept;
    const version = packageVersion();
    const core = new BrokerCore({ clock, log, limits, journal, name, version, gathersMessages });
    const broker = new Broker({ core, clock, log, hooks });
    broker.#stack.defer(() => kept.close()); // begun first, closed last
    await using guard = new AsyncDisposableStack();
    guard.use(broker);
    await broker.#open(options, listeners, limits);
    guard.move();
    return broker;
  }

  /** Where clients reach it, in the order of the options. */
  get listening(): readonly Listening[] {
    return this.#listening;
  }

  /** The first listener's URL, such as `mqtt://127.0.0.1:1883`; empty where there is no listener. */
  get url(): string {
    return this.#listening[0]?.url ?? '';
  }

  /** Counters since the start; they go on counting. */
  get statistics(): Readonly<Statistics> {
    return this.#core.statistics;
  }

  /**
   * Publishes to whoever has subscribed, at once and without access rules. Gives `Success` or `NoMatchingSubscribers`.
   * Throws `USAGE` for a topic that cannot be published on, and `QUEUE_FULL` where no more can be retained.
   */
  publish(topic: string, payload: Buffer | string, options: PublishOptions = {}): ReasonCode {
    const { qos = 0, retain = false, properties } = options;
    this.#mustRun();
    const bytes = typeof payload === 'string' ? Buffer.from(payload) : payload;
    const isReserved = topic === '$SYS' || topic.startsWith('$SYS/');
    const reasonCode = isReserved
      ? ReasonCode.TopicNameInvalid
      : this.#core.publish({
          topic,
          payload: bytes,
          qos,
          retain,
          ...(properties === undefined ? {} : { properties: createPublishProperties(properties) }),
        });
    if (reasonCode < 0x80) return reasonCode;
    if (reasonCode === ReasonCode.QuotaExceeded)
      throw new DavylampError(
        'QUEUE_FULL',
        `topic ${JSON.stringify(topic)}: no more messages can be retained`,
      );
    throw new DavylampError(
      'USAGE',
      `cannot publish on topic ${JSON.stringify(topic)}: ${reasonName(reasonCode)}`,
    );
  }

  /**
   * Calls `handler` for each message of the filter (`$share/<group>/<filter>` as well), until the result is closed.
   * Rejects with `REFUSED` for what is no filter. The subscription counts as a client of the broker.
   */
  async subscribe(
    filter: string,
    handler: MessageHandler,
    options: SubscribeOptions = {},
  ): Promise<AsyncDisposable & { close(): Promise<void> }> {
    this.#mustRun();
    const { clock, log } = this.#parts;
    const clientId = `$inside/${randomBytes(12).toString('hex')}`;
    const context = { dialer: this.#insideDialer, clock, log };
    const subscription = new InsideSubscription(clientId, filter, handler, context);
    this.#inside.set(clientId, subscription);
    const close = async (): Promise<void> => {
      await subscription.close();
      this.#inside.delete(clientId);
    };
    try {
      await subscription.start(options);
    } catch (error) {
      await close();
      throw error;
    }
    return { close, [Symbol.asyncDispose]: close };
  }

  /** What waits for this client, connected or not; `null` = it has no session. */
  queue(clientId: string): QueueView | null {
    return this.#core.queueOf(clientId);
  }

  /** Ends this client's connection with a reason (default: administrative action). False = it is not connected. */
  disconnect(clientId: string, reasonCode: ReasonCode = ReasonCode.AdministrativeAction): boolean {
    return this.#core.disconnect(clientId, reasonCode, reasonName(reasonCode));
  }

  /** The `authorize…` hooks answer otherwise from now on: what is subscribed and queued is asked about again. */
  rulesChanged(): void {
    for (const authorizer of this.#authorizers) authorizer.rulesChanged();
  }

  /** Closes the listeners, says goodbye to every client and resolves when all are gone. Calling it again is harmless. */
  close(): Promise<void> {
    this.#closed ??= this.#stack.disposeAsync();
    return this.#closed;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #open(
    options: BrokerOptions,
    listeners: readonly ListenerConfig[],
    limits: LimitsConfig,
  ): Promise<void> {
    const { core, hooks } = this.#parts;
    connectHooks(core.hooks, hooks, { listener: this.#insideName, clients: this.#inside });
    this.#stack.defer(() => core.close());
    core.start();
    for (const listener of listeners) {
      const bound = await this.#openListener(listener, options, limits);
      if (bound === null) continue;
      const { name, protocol } = listener;
      const { address, port } = bound;
      this.#listening.push({ name, protocol, address, port, url: urlOf(listener, address, port) });
    }
    this.#stack.defer(async () => {
      await Promise.all([...this.#inside.values()].map((one) => one.close()));
    });
  }

  /** `null`: it is optional, and this machine does not have its address. */
  async #openListener(
    listener: ListenerConfig,
    options: BrokerOptions,
    limits: LimitsConfig,
  ): Promise<BoundAddress | null> {
    const { core, clock, log } = this.#parts;
    const trust = await loadTrust(listener, { clock, turns: this.#turns });
    for (const warning of trust.warnings) log.warning(warning);
    const profile = this.#profileOf(listener, trust, options, limits);
    const opened = createListener(listener, (transport) => core.accept(transport, profile), {
      clock,
      log: log.child(`listener:${listener.name}`),
      maximumConnections: limits.maximumConnections,
      ...(limits.maximumHandshakes === undefined ? {} : { maximumHandshakes: limits.maximumHandshakes }),
      admit: (address) => core.mayConnect(address, listener.name),
      onRefused: (bound) => core.countRefused(bound),
    });
    this.#stack.defer(() => opened.close());
    let bound: BoundAddress;
    try {
      bound = await opened.start();
    } catch (error) {
      if (listener.isOptional !== true || !isAddressMissing(error)) throw error;
      log.notice(`listener ${listener.name} is left out: this machine has no such address`);
      return null;
    }
    core.watchDoor(opened.statistics);
    return bound;
  }

  #profileOf(
    listener: ListenerConfig,
    trust: Trust,
    options: BrokerOptions,
    limits: LimitsConfig,
  ): ListenerProfile {
    const context = this.#hookContext;
    const rules = hasOwnRules(listener) ? trust.authenticator : null;
    let { authorizer } = trust;
    if (authorizes(context.hooks)) {
      const hooked = new HookAuthorizer(authorizer, context);
      this.#authorizers.push(hooked);
      authorizer = hooked;
    }
    return {
      name: listener.name,
      authenticator: withHook(rules, listener.name, context),
      authorizer,
      enhancedAuthenticator: joinMethods(trust.enhancedAuthenticator, options.enhancedAuthenticator),
      stampSite: listener.stamp ? (options.name ?? 'embedded') : null,
      minimumQos: listener.minimumQos,
      sharedClientIds: new Set(listener.sharedClientIds),
      limits: { ...limits, ...listener.limits },
      ...(listener.mountPoint === undefined ? {} : { mountPoint: listener.mountPoint }),
    };
  }

  #mustRun(): void {
    if (this.#closed !== null) throw new DavylampError('USAGE', 'the broker is closed; start another one');
  }
}

function loggerOf({ log = 'warning' }: BrokerOptions, clock: Clock): Logger {
  if (typeof log !== 'string') return log;
  return new LineLogger({ clock, level: log, write: (line) => void process.stderr.write(line) });
}

const schemes = { tcp: 'mqtt', tls: 'mqtts', unix: 'unix', ws: 'ws', wss: 'wss' } as const;

function urlOf({ protocol, webSocket }: ListenerConfig, address: string, port: number): string {
  if (protocol === 'unix') return `unix:${address}`;
  // Who listens everywhere is reached here by the loopback address.
  const reached = address === '0.0.0.0' ? '127.0.0.1' : address === '::' ? '::1' : address;
  const host = reached.includes(':') ? `[${reached}]` : reached;
  return `${schemes[protocol]}://${host}:${port}${webSocket?.path ?? ''}`;
}

/** `src/embed` in the checkout, `dist/src/embed` in the package. */
function packageVersion(): string {
  const up = import.meta.filename.endsWith('.ts') ? '../..' : '../../..';
  const file = path.resolve(import.meta.dirname, up, 'package.json');
  return (JSON.parse(readFileSync(file, 'utf8')) as { readonly version: string }).version;
}
