import { DavylampError, type Clock, type Logger } from '#base';
import type { Broker, ListenerProfile } from '#broker';
import type { Config, LimitsConfig, ListenerConfig } from '#config';
import { createListener, isAddressMissing, isSameDoor, type Listener, type ListenerBounds } from '#listeners';
import { ReasonCode } from '#mqtt';
import { HashTurns, loadTrust, type Trust } from '#security';
import type { ListenerView } from '../metrics/metrics-view.ts';
import type { PreparedChange } from './prepared-change.ts';
import type { Privileges } from './privileges.ts';

export interface DoorsContext {
  readonly broker: Broker;
  readonly clock: Clock;
  readonly log: Logger;
  readonly privileges: Privileges;
  /** Gets the secrets of TLS sessions; absent = nobody. */
  readonly keyLog?: (line: Buffer) => void;
  /** Told of each door that opens, for the log. */
  readonly onOpening?: (listener: ListenerConfig) => void;
}

/** One open door: a listener with its rules, as they are now. */
interface Door {
  config: ListenerConfig;
  profile: ListenerProfile;
  readonly trust: Trust;
  readonly listener: Listener;
  /** Connections are taken; false while a reload may still fail. */
  isOpen: boolean;
  /** For people: `outside tls 127.0.0.1:8883`. */
  readonly title: string;
}

/** All addresses of this machine. */
const wildcards = new Set(['', '*', '0.0.0.0', '::']);

/** All listeners of a broker, with who may come in and what they may do there. */
export class Doors {
  readonly #context: DoorsContext;
  readonly #turns = new HashTurns();
  #doors: Door[] = [];

  constructor(context: DoorsContext) {
    this.#context = context;
  }

  /** For people: `outside tls 127.0.0.1:8883`. */
  get titles(): readonly string[] {
    return this.#doors.map((door) => door.title);
  }

  /** What each counts, for monitoring. */
  get views(): readonly ListenerView[] {
    return this.#doors.map(({ config: { name, protocol }, listener: { statistics } }) => ({
      name,
      protocol,
      statistics,
    }));
  }

  /** Opens them in the order of the configuration. Rejects as `loadTrust` and listeners do. */
  async open(config: Config): Promise<void> {
    for (const listener of config.listeners) {
      const door = await this.#openIfThere(listener, config);
      if (door === null) continue;
      door.isOpen = true;
      this.#doors.push(door);
    }
  }

  /**
   * Prepares what `next` says: doors that stay get their new rules, certificates and bounds, new ones are opened and
   * not yet answered at, those that are gone will be closed. Rejects when one thing of it cannot be.
   */
  async prepare(next: Config): Promise<PreparedChange> {
    const pairs = next.listeners.map((config) => ({ config, door: this.#sameDoor(config, next) }));
    const kept = new Set(pairs.map(({ door }) => door));
    const gone = this.#doors.filter((door) => !kept.has(door));
    const warnings: string[] = [];
    const commits: (() => void)[] = [];
    for (const { config, door } of pairs) {
      if (door === undefined) this.#mustNotCollide(config, gone);
      else commits.push(await this.#prepareKept(door, config, next, warnings));
    }
    const opened: Door[] = [];
    const abort = async (): Promise<void> => {
      await Promise.all(opened.map((door) => door.listener.close()));
    };
    const doors: Door[] = [];
    try {
      for (const { config, door } of pairs) {
        if (door !== undefined) doors.push(door);
        else {
          const fresh = await this.#openIfThere(config, next);
          if (fresh === null) continue;
          opened.push(fresh);
          doors.push(fresh);
        }
      }
    } catch (error) {
      await abort();
      throw error;
    }
    const commit = (): void => {
      for (const apply of commits) apply();
      for (const door of opened) door.isOpen = true;
      for (const door of gone) this.#closeDoor(door);
      this.#doors = doors;
    };
    return { warnings, commit, abort };
  }

  /** Takes no more connections; those that are open are the broker's. */
  async close(): Promise<void> {
    await Promise.all(this.#doors.toReversed().map((door) => door.listener.close()));
  }

  /** The open door that this configuration is of: by its name where several look alike (port 0). */
  #sameDoor(config: ListenerConfig, next: Config): Door | undefined {
    const alike = this.#doors.filter((door) => isSameDoor(door.config, config));
    const named = alike.find((door) => door.config.name === config.name);
    if (named !== undefined) return named;
    const isTaken = (door: Door): boolean => next.listeners.some((other) => other.name === door.config.name);
    return alike.find((door) => !isTaken(door));
  }

  async #prepareKept(
    door: Door,
    config: ListenerConfig,
    next: Config,
    warnings: string[],
  ): Promise<() => void> {
    const trust = await door.trust.prepareReload(config);
    const listener = await door.listener.prepareReload(config, boundsOf(next.limits));
    warnings.push(...trust.warnings, ...listener.warnings);
    return () => {
      door.config = config;
      trust.commit();
      listener.commit();
      door.profile = profileOf(config, next, door.trust, door.profile.port);
    };
  }

  /** What stands at the place of a door that goes cannot be opened before it is gone, and might fail then. */
  #mustNotCollide(config: ListenerConfig, gone: readonly Door[]): void {
    const old = gone.find((door) => standInTheWay(door.config, config));
    if (old === undefined) return;
    const place = config.protocol === 'unix' ? config.path : `port ${config.port}`;
    throw new DavylampError(
      'CONFIG_INVALID',
      `listener ${config.name}: ${place} changes its kind or address, which needs a restart of the broker`,
    );
  }

  /** `null`: an optional listener whose address this machine does not have. */
  async #openIfThere(config: ListenerConfig, whole: Config): Promise<Door | null> {
    try {
      return await this.#openDoor(config, whole);
    } catch (error) {
      if (config.isOptional !== true || !isAddressMissing(error)) throw error;
      this.#context.log.notice(`listener ${config.name} is left out: this machine has no such address`);
      return null;
    }
  }

  async #openDoor(config: ListenerConfig, whole: Config): Promise<Door> {
    const { broker, clock, log, privileges, keyLog, onOpening } = this.#context;
    const trust = await loadTrust(config, { clock, turns: this.#turns });
    for (const warning of trust.warnings) log.warning(warning);
    const listener = createListener(
      config,
      (transport) => {
        if (door.isOpen) broker.accept(transport, door.profile);
        else transport.destroy();
      },
      {
        clock,
        log: log.child(`listener ${config.name}`),
        ...boundsOf(whole.limits),
        admit: (address) => broker.mayConnect(address, config.name),
        onRefused: (bound) => broker.countRefused(bound),
        ...(keyLog === undefined ? {} : { keyLog }),
      },
    );
    onOpening?.(config);
    const { address, port } =
      config.protocol === 'unix' ? await listener.start() : await privileges.asRoot(() => listener.start());
    broker.watchDoor(listener.statistics);
    const place = config.protocol === 'unix' ? address : `${address}:${port}`;
    const door: Door = {
      config,
      profile: profileOf(config, whole, trust, config.protocol === 'unix' ? config.path : port),
      trust,
      listener,
      isOpen: false,
      title: `${config.name} ${config.protocol} ${place}`,
    };
    return door;
  }

  /** Nobody stays who came in by rules that are not there any more. */
  #closeDoor(door: Door): void {
    const { broker, log } = this.#context;
    void door.listener.close();
    broker.disconnectListener(door.config.name, ReasonCode.AdministrativeAction, 'the listener is closed');
    log.notice(`listener ${door.config.name} is closed`);
  }
}

/** Both cannot be open at once. */
function standInTheWay(a: ListenerConfig, b: ListenerConfig): boolean {
  if (a.protocol === 'unix' || b.protocol === 'unix') return a.protocol === b.protocol && a.path === b.path;
  if (a.port !== b.port || a.port === 0) return false;
  return a.address === b.address || wildcards.has(a.address) || wildcards.has(b.address);
}

function boundsOf({ maximumConnections, maximumHandshakes }: LimitsConfig): ListenerBounds {
  return { maximumConnections, ...(maximumHandshakes === undefined ? {} : { maximumHandshakes }) };
}

function profileOf(
  listener: ListenerConfig,
  config: Config,
  trust: Trust,
  place: number | string = listener.port,
): ListenerProfile {
  return {
    name: listener.name,
    authenticator: trust.authenticator,
    authorizer: trust.authorizer,
    enhancedAuthenticator: trust.enhancedAuthenticator,
    stampSite: listener.stamp ? config.name : null,
    minimumQos: listener.minimumQos,
    sharedClientIds: new Set(listener.sharedClientIds),
    limits: { ...config.limits, ...listener.limits },
    port: place,
    ...(listener.mountPoint === undefined ? {} : { mountPoint: listener.mountPoint }),
  };
}
