import { randomBytes } from 'node:crypto';
import { SystemClock, messageOf, type Clock, type Logger } from '#base';
import { Broker } from '#broker';
import { createPublishProperties } from '#client';
import type { Config, ConfigWarning, ListenerConfig } from '#config';
import { BridgeSet } from './broker/bridge-set.ts';
import { openingLines } from './broker/broker-lines.ts';
import { Doors } from './broker/doors.ts';
import { openBrokerJournal, type OpenedJournal } from './broker/broker-journal.ts';
import { insideDialer } from './broker/inside-dialer.ts';
import { MosquittoLines, createPacketLines } from './broker/mosquitto-lines.ts';
import { prepareAll, type PreparedChange } from './broker/prepared-change.ts';
import { Privileges } from './broker/privileges.ts';
import { whatNeedsRestart } from './broker/what-needs-restart.ts';
import { openLog, type RoleLog } from './logging.ts';
import { MetricsEndpoint } from './metrics/metrics-endpoint.ts';
import type { MetricsView, Phase } from './metrics/metrics-view.ts';
import { readConfig } from './read-config.ts';
import { SignalWatch, reportReady, waitForStop, type RoleSignals } from './stop-signal.ts';
import { warningLine } from './warning-line.ts';

/** A log line that is published is worth this long to a client that is away. */
const logLineSeconds = 20;

/** Where a role's configuration comes from: read at the start, and again at each SIGHUP. */
export interface ConfigSource {
  /** For people: the file. */
  readonly title: string;
  /** Rejects with `FILE_UNREADABLE` or `CONFIG_INVALID`. */
  read(): Promise<{ config: Config; warnings: readonly ConfigWarning[] }>;
}

/** `davylamp site|relay|cloud -c FILE`: runs until SIGINT or SIGTERM, ends with 0 after a clean stop. */
export async function runRole(role: Config['role'], file: string, version: string): Promise<number> {
  const stop = waitForStop();
  using signals = new SignalWatch();
  try {
    const source: ConfigSource = { title: file, read: () => readConfig(role, file) };
    const { config, warnings } = await source.read();
    const clock = new SystemClock();
    const log = await openLog(config, clock);
    for (const warning of warnings) log.logger.warning(warningLine(warning));
    await using running = await RunningRole.start(config, { clock, log, version });
    reportReady();
    log.logger.notice(`${role} ${config.name} runs`, { listeners: running.listening.join(', ') });
    signals.serve(answersOf(running, source, log.logger));
    await stop.signalled;
    await signals.retire();
    log.logger.notice(`${role} ${config.name} stops`);
  } finally {
    stop.release();
  }
  return 0;
}

/** What a running role does at SIGHUP, SIGUSR1 and SIGUSR2. */
export function answersOf(running: RunningRole, source: ConfigSource, log: Logger): RoleSignals {
  return {
    onReload: () => reload(running, source, log),
    onSave: () => running.tellOfSaving(),
    onTell: () => running.tellState(),
  };
}

/**
 * Reads the configuration again and makes it so: all of it, or nothing. Never rejects: what is wrong is said in a line
 * for each thing, and the role goes on as it was.
 */
async function reload(running: RunningRole, source: ConfigSource, log: Logger): Promise<void> {
  log.info('Reloading config.', { from: source.title });
  let change: PreparedChange;
  let warnings: readonly ConfigWarning[];
  try {
    const read = await source.read();
    warnings = read.warnings;
    change = await running.prepare(read.config);
  } catch (error) {
    const faults = error instanceof Error ? error.message.split('\n') : [messageOf(error)];
    for (const fault of faults) log.error(`not reloaded, everything stays as it was: ${fault}`);
    return;
  }
  try {
    change.commit();
  } catch (error) {
    log.error(`BUG, please report it: reloaded in part, restart it now: ${messageOf(error)}`);
    return;
  }
  for (const warning of [...warnings.map(warningLine), ...change.warnings]) log.warning(warning);
  log.notice('reloaded', { listeners: running.listening.join(', ') });
}

/** What a role is given beside its configuration. */
export interface RoleContext {
  readonly clock: Clock;
  readonly log: RoleLog;
  readonly version: string;
  /** Default: stay who we are. */
  readonly privileges?: Privileges;
  /** Gets the secrets of TLS sessions; absent = nobody. */
  readonly keyLog?: (line: Buffer) => void;
}

/** A role at work: broker, listeners, bridges, command gate, platform thread. Disposed of, it says goodbye to everybody. */
export class RunningRole implements AsyncDisposable {
  readonly #context: RoleContext;
  readonly #broker: Broker;
  readonly #doors: Doors;
  readonly #bridges: BridgeSet;
  readonly #metrics: MetricsEndpoint;
  readonly #journal: OpenedJournal;
  /** Undoes what was begun, in reverse order. */
  readonly #stack = new AsyncDisposableStack();
  /** As it was at the start: what cannot change is compared with it. */
  readonly #config: Config;
  #screen: string | null = null;
  #phase: Phase = 'starting';

  private constructor(config: Config, context: RoleContext, opened: OpenedJournal) {
    this.#config = config;
    this.#journal = opened;
    this.#context = context;
    const { clock, log, version, keyLog } = context;
    const { logger, mosquitto } = log;
    const broker = new Broker({
      clock,
      log: mosquitto === null ? logger.child('broker') : faultsOnly(logger),
      limits: config.limits,
      journal: opened.journal,
      name: config.name,
      // Names are given by people, and two brokers of one machine may have the same.
      linkName: `${config.name}~${randomBytes(6).toString('base64url')}`,
      version,
      gathersMessages: config.gathersMessages ?? true,
      ...(mosquitto === null ? {} : { events: new MosquittoLines(mosquitto, mosquitto.shows('debug')) }),
      ...(config.sysIntervalSeconds === undefined ? {} : { sysIntervalSeconds: config.sysIntervalSeconds }),
    });
    this.#broker = broker;
    const privileges = context.privileges ?? Privileges.drop(undefined);
    const keys = keyLog === undefined ? {} : { keyLog };
    const onOpening = (listener: ListenerConfig): void => {
      for (const line of openingLines(listener)) mosquitto?.line('information', line);
    };
    this.#doors = new Doors({ broker, clock, log: logger, privileges, onOpening, ...keys });
    this.#bridges = new BridgeSet({ broker, clock, log: logger, ...keys });
    this.#metrics = new MetricsEndpoint({ clock, log: logger, look: () => this.#look() });
  }

  /** Wires and starts one role. Everything that was begun is undone when a later part fails. */
  static async start(config: Config, context: RoleContext): Promise<RunningRole> {
    const opened = await openBrokerJournal(config, context.clock, context.log.logger);
    const role = new RunningRole(config, context, opened);
    role.#stack.defer(() => opened.close()); // begun first, closed last
    if (opened.report !== null) role.#broker.watchState(opened.report);
    await using guard = new AsyncDisposableStack();
    guard.use(role);
    await role.#start();
    guard.move();
    return role;
  }

  get broker(): Broker {
    return this.#broker;
  }

  /** For people: `outside tls 127.0.0.1:8883`. */
  get listening(): readonly string[] {
    return [...this.#doors.titles, this.#screen, this.#metrics.title].filter((title) => title !== null);
  }

  /**
   * Reads, checks and opens everything that `next` needs, and changes nothing yet. What cannot change without a restart
   * is named in the warnings and stays. Rejects when one thing of it cannot be.
   */
  async prepare(next: Config): Promise<PreparedChange> {
    const needRestart = whatNeedsRestart(this.#config, next);
    const change = await prepareAll([
      () => this.#context.log.prepare(next),
      () => this.#bridges.prepare(next),
      () => this.#metrics.prepare(next),
      // Last: new listeners are open from here on.
      () => this.#doors.prepare(next),
    ]);
    return {
      warnings: [...change.warnings, ...needRestart.map((what) => `${what} changes at the next start`)],
      commit: () => {
        this.#broker.changeLimits(next.limits);
        change.commit();
        this.#broker.reviewClients();
        this.#tracePackets();
      },
      abort: () => change.abort(),
    };
  }

  /** SIGUSR1: other brokers write their state to the disk then. */
  tellOfSaving(): void {
    const isKept = (this.#config.persistence ?? null) !== null;
    this.#context.log.logger.notice(
      isKept ? 'what is acknowledged is on the disk already' : 'persistence is off: there is nothing to save',
    );
  }

  /** SIGUSR2: a line about what the broker holds. */
  tellState(): void {
    const { clientsConnected, sessions, subscriptions, retainedMessages, queuedMessages } =
      this.#broker.statistics;
    this.#context.log.logger.notice('state', {
      clients: clientsConnected,
      sessions,
      subscriptions,
      retained: retainedMessages,
      queued: queuedMessages,
    });
  }

  [Symbol.asyncDispose](): Promise<void> {
    this.#phase = 'stopping';
    return this.#stack.disposeAsync();
  }

  async #start(): Promise<void> {
    const { log } = this.#context;
    this.#stack.defer(() => this.#broker.close());
    this.#broker.start();
    log.mosquitto?.publishBy((topic, line) => {
      const properties = createPublishProperties({ messageExpiry: logLineSeconds });
      this.#broker.publish({ topic, payload: Buffer.from(line), qos: 2, retain: false, properties });
    });
    // A bridge's queue stands before the first detector can publish.
    this.#stack.defer(() => this.#bridges.close());
    await this.#bridges.start(this.#config);
    // Before the doors: a probe sees that it starts, and that it stops.
    this.#stack.defer(() => this.#metrics.close());
    await this.#metrics.open(this.#config);
    this.#stack.defer(() => this.#doors.close());
    await this.#doors.open(this.#config);
    await this.#startCommandGate();
    await this.#startPlatform();
    this.#phase = 'running';
  }

  #look(): MetricsView {
    const { role, name } = this.#config;
    return {
      role,
      name,
      version: this.#context.version,
      phase: this.#phase,
      statistics: this.#broker.statistics,
      journal: this.#journal.statistics(),
      listeners: this.#doors.views,
      bridges: this.#bridges.views,
    };
  }

  #tracePackets(): void {
    const { mosquitto } = this.#context.log;
    if (mosquitto === null) return;
    this.#broker.tracePackets(mosquitto.shows('debug') ? createPacketLines(mosquitto) : null);
  }

  async #startCommandGate(): Promise<void> {
    const { commands, tenant, name } = this.#config;
    if (commands === null) return;
    const { CommandGateService } = await import('./command-gate-service.ts');
    const gate = new CommandGateService({
      config: commands,
      tenant,
      site: name,
      dialer: insideDialer(this.#broker, 'command gate'),
      clock: this.#context.clock,
      log: this.#context.log.logger.child('commands'),
    });
    this.#stack.defer(() => gate.close());
    await gate.start();
  }

  async #startPlatform(): Promise<void> {
    const { platform } = this.#config;
    if (platform === null) return;
    const { PlatformThread } = await import('./platform-host.ts');
    const { clock, log, version } = this.#context;
    const thread = new PlatformThread({
      config: this.#config,
      platform,
      clock,
      log: log.logger.child('platform'),
      version,
    });
    this.#stack.defer(() => thread.close());
    await thread.start();
    this.#screen = `screen http://${platform.api.address}:${thread.apiPort}/`;
  }
}

/** Where Mosquitto's lines tell of clients, the broker's own are of its troubles. */
function faultsOnly(log: Logger): Logger {
  return {
    ...log,
    notice: () => {},
    info: () => {},
    debug: () => {},
    child: (name) => faultsOnly(log.child(name)),
  };
}
