import { isDeepStrictEqual } from 'node:util';
import { DavylampError, type Clock, type Dialer, type Logger } from '#base';
import { Bridge, localClientId } from '#bridges';
import type { Broker } from '#broker';
import type { BridgeConfig, Config } from '#config';
import { checkDialFiles, createDialer, type DialOptions } from '#listeners';
import { readSecret } from '../secrets.ts';
import { bridgeQueue } from './bridge-queue.ts';
import { bridgeReport } from './bridge-report.ts';
import { BridgeSlot, type MadeBridge } from './bridge-slot.ts';
import { insideDialer } from './inside-dialer.ts';
import type { BridgeView } from '../metrics/metrics-view.ts';
import type { PreparedChange } from './prepared-change.ts';

export interface BridgeSetContext {
  readonly broker: Broker;
  readonly clock: Clock;
  readonly log: Logger;
  /** Gets the secrets of TLS sessions; absent = nobody. */
  readonly keyLog?: (line: Buffer) => void;
}

/** All bridges of a broker. */
export class BridgeSet {
  readonly #context: BridgeSetContext;
  readonly #slots = new Map<string, BridgeSlot>();

  constructor(context: BridgeSetContext) {
    this.#context = context;
  }

  /** How they are, for monitoring. */
  get views(): readonly BridgeView[] {
    const { broker } = this.#context;
    const running = [...this.#slots.values()].map((slot) => slot.running);
    return running
      .filter((made) => made !== null)
      .map(({ config, bridge: { status } }) => ({
        name: config.name,
        status,
        queue: broker.queueOf(localClientId(config)),
      }));
  }

  /** Begins to connect them all, and resolves when their queues stand. Rejects with `FILE_UNREADABLE` for a password file. */
  async start(config: Config): Promise<void> {
    const made: MadeBridge[] = [];
    for (const one of config.bridges) {
      // A bridge whose certificates are missing tries again like one whose other side is away.
      const files = await checkDialFiles(this.#dialOptions(one)).catch(() => '');
      made.push(await this.#create(one, config, files));
    }
    for (const one of made) this.#slot(one.config.name).set(one, 'now');
    await Promise.all(made.map(({ bridge }) => bridge.queueStands));
  }

  /** Reads what the bridges of `next` need. Those that stay as they are go on undisturbed. */
  async prepare(next: Config): Promise<PreparedChange> {
    const made: MadeBridge[] = [];
    for (const config of next.bridges) {
      const files = await this.#checkFiles(config);
      const old = this.#slots.get(config.name)?.wanted ?? null;
      const fresh = await this.#create(config, next, files, old?.config);
      made.push(old !== null && isSame(old, fresh) ? old : fresh);
    }
    const commit = (): void => {
      for (const [name, slot] of this.#slots) {
        if (!made.some(({ config }) => config.name === name)) slot.set(null, 'now');
      }
      for (const one of made)
        this.#slot(one.config.name).set(one, one.config.reloadType === 'lazy' ? 'lazy' : 'now');
    };
    return { warnings: [], commit, abort: () => Promise.resolve() };
  }

  /** Says goodbye; the queues stay in the broker. */
  async close(): Promise<void> {
    await Promise.all([...this.#slots.values()].map((slot) => slot.close()));
  }

  #slot(name: string): BridgeSlot {
    const known = this.#slots.get(name);
    if (known !== undefined) return known;
    const { broker, clock } = this.#context;
    const slot = new BridgeSlot((made) =>
      broker.watchState(bridgeReport(made.config, made.bridge, broker, clock)),
    );
    this.#slots.set(name, slot);
    return slot;
  }

  async #create(
    config: BridgeConfig,
    whole: Config,
    files: string,
    former?: BridgeConfig,
  ): Promise<MadeBridge> {
    const { broker, clock, log } = this.#context;
    const password =
      config.password ?? (config.passwordFile === null ? undefined : await readSecret(config.passwordFile));
    const dialer = (place: { readonly host: string; readonly port: number }): Dialer =>
      createDialer({ ...this.#dialOptions(config), ...place });
    const clientId = localClientId(config);
    const bridge = new Bridge({
      config,
      brokerName: broker.linkName,
      localDialer: insideDialer(broker, `bridge ${config.name}`, bridgeQueue(config, whole)),
      remoteDialer: dialer({ host: config.host, port: config.port }),
      moreDialers: (config.moreAddresses ?? []).map(dialer),
      bounds: whole.limits,
      subscribed: () => broker.subscriptionsOf(clientId),
      ...(former === undefined ? {} : { formerTopics: former.topics }),
      queueDepth: () => {
        const queue = broker.queueOf(clientId);
        return queue === null ? 0 : queue.messages + queue.inflight;
      },
      publishLocally: (topic, payload) => void broker.publish({ topic, payload, qos: 1, retain: true }),
      clock,
      log: log.child(`bridge:${config.name}`),
      ...(password === undefined ? {} : { password }),
    });
    return { config, password, files, bridge };
  }

  /** Naming the bridge: what is wrong is told of before anything changes. */
  async #checkFiles(config: BridgeConfig): Promise<string> {
    try {
      return await checkDialFiles(this.#dialOptions(config));
    } catch (error) {
      if (!(error instanceof DavylampError)) throw error;
      throw new DavylampError(error.code, `bridge ${config.name}: ${error.message}`, { cause: error });
    }
  }

  #dialOptions(config: BridgeConfig): DialOptions {
    const { host, port, tls, localAddress, webSocketPath, tcpKeepAliveSeconds } = config;
    const { clock, keyLog } = this.#context;
    return {
      host,
      port,
      tls,
      clock,
      ...(localAddress === undefined ? {} : { localAddress }),
      ...(webSocketPath === undefined ? {} : { webSocketPath }),
      ...(tcpKeepAliveSeconds === undefined ? {} : { tcpKeepAliveSeconds }),
      ...(keyLog === undefined ? {} : { keyLog }),
    };
  }
}

/** Nothing needs a new link. Renewed files are used by the next dial anyway, which is soon enough where reload is lazy. */
function isSame(old: MadeBridge, fresh: MadeBridge): boolean {
  const isLazy = fresh.config.reloadType === 'lazy';
  if (!isLazy && old.files !== fresh.files) return false;
  return isDeepStrictEqual(old.config, fresh.config) && old.password === fresh.password;
}
