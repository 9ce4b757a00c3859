import { DavylampError, SparingLog, messageOf, type Clock, type Logger, type Timer } from '#base';
import { AlarmEngine } from '#alarms';
import {
  toReadingView,
  type AlarmView,
  type BridgesView,
  type DemoPort,
  type DeviceView,
  type LiveEvent,
  type PlatformPort,
  type StatusView,
} from '#api';
import { Client, type ReceivedMessage } from '#client';
import { CommandLedger } from '#commands';
import type { PlatformConfig } from '#config';
import { createDialer } from '#listeners';
import {
  nativePrefix,
  parseDeviceId,
  type Command,
  type CommandName,
  type DeviceEvent,
  type IngestBatch,
  type Quarantined,
  type Reading,
  type AlarmTransition,
} from '#model';
import { DeviceRegistry } from '#registry';
import { openSqliteStore, type SqliteStore } from '#store';
import { Decoders, Ingest, SequenceSupervisor } from '#telemetry';
import { BridgeViews, bridgeViewFilters } from './bridge-views.ts';
import { createDemoPort } from './demo/demo-port.ts';
import { DeviceViews } from './device-views.ts';
import { FlushSchedule } from './flush-schedule.ts';

export interface PlatformOptions {
  readonly config: PlatformConfig;
  readonly name: string;
  readonly tenant: string;
  readonly version: string;
  readonly clock: Clock;
  readonly log: Logger;
  /** A commit failed, or the broker refused us for good: this platform is at its end; another begins from the store. */
  readonly onFailed: (error: unknown) => void;
}

const tickMs = 1000;
const statusMs = 2000;
/** Messages that the broker may have under way to us: a batch being committed and the next one arriving. */
const receiveMaximum = 4000;
/** Redeliveries after a restart are looked for among this many of a device's last rows. */
const recentRows = 1100;
const sessionExpirySeconds = 7 * 24 * 3600;

/**
 * Ingest, registry, alarms, commands and store, wired: a client of the role's broker like any other (MQTT 5, QoS 1,
 * persistent session). Owns the store; everything here is synchronous between a message and its commit.
 */
export class Platform implements PlatformPort {
  readonly demo: DemoPort | undefined;
  readonly #options: PlatformOptions;
  readonly #store: SqliteStore;
  readonly #registry: DeviceRegistry;
  readonly #alarms: AlarmEngine;
  readonly #ledger: CommandLedger;
  readonly #ingest: Ingest;
  readonly #schedule: FlushSchedule;
  readonly #views: DeviceViews;
  readonly #client: Client;
  readonly #bridges = new BridgeViews();
  readonly #listeners = new Set<(event: LiveEvent) => void>();
  readonly #timers: Timer[] = [];
  readonly #stopped = new AbortController();
  readonly #unreadable: SparingLog;

  /** Opens the store and takes up what it holds. Errors: STORE_UNUSABLE, FILE_UNWRITABLE. */
  constructor(options: PlatformOptions) {
    const { config, clock, log, tenant } = options;
    this.#options = options;
    this.#unreadable = new SparingLog(clock, log.child('ingest'));
    this.#store = openSqliteStore({ file: config.storeFile, quarantineRows: config.quarantineRows });
    this.#registry = new DeviceRegistry(config);
    this.#alarms = new AlarmEngine(config.alarmRules);
    this.#ledger = new CommandLedger({ tenant });
    const supervisor = new SequenceSupervisor();
    this.#ingest = new Ingest({
      clock,
      decoders: new Decoders(config),
      supervisor,
      registry: this.#registry,
      alarms: this.#alarms,
      commands: this.#ledger,
      commit: (batch) => void this.#store.commit(batch),
      publishLive: (batch) => this.#publishLive(batch),
      onFailed: options.onFailed,
      limits: config,
    });
    this.#schedule = new FlushSchedule(this.#ingest, clock, config.batchDelayMs);
    this.#views = new DeviceViews(this.#registry, this.#alarms, clock, config.deviceNames);
    this.#restore(supervisor);
    this.#client = new Client({
      dialer: createDialer({ host: '', port: 0, path: config.brokerSocket, tls: null, clock }),
      clock,
      log: log.child('ingest'),
      clientId: `platform-${options.name}`,
      version: 5,
      cleanStart: false,
      sessionExpirySeconds,
      receiveMaximum,
      keepAliveSeconds: 15,
      manualAcknowledge: true,
      reconnect: { minimumMs: 50, maximumMs: 5000 },
    });
    this.#client.onMessage = (message) => this.#onMessage(message);
    this.demo = config.demoControl === null ? undefined : createDemoPort(config.demoControl);
  }

  #restore(supervisor: SequenceSupervisor): void {
    const now = this.#options.clock.now();
    const devices = this.#store.devices();
    this.#registry.restore(devices, now);
    for (const device of devices) supervisor.restore(device, this.#store.readings(device.id, recentRows));
    const changes = this.#alarms.restore(this.#store.openAlarms(), now);
    if (changes !== undefined) this.#ingest.add(changes);
    this.#ledger.restore(this.#store.openCommands(), new Map(devices.map((device) => [device.id, device])));
    this.#views.restore(this.#store.latestValues());
  }

  /** Signs in at the broker and begins to take readings. */
  async start(): Promise<void> {
    const { tenant, clock } = this.#options;
    await this.#client.connect(this.#stopped.signal);
    const own = `${nativePrefix}/${tenant}`;
    const filters = ['outTopic/#', `${own}/+/+/reading`, `${own}/+/+/command/+/result`];
    await this.#client.subscribe(filters.map((filter) => ({ filter, qos: 1 as const })));
    await this.#watchBridges();
    this.#timers.push(
      clock.every(tickMs, () => this.#tick()),
      clock.every(statusMs, () => this.#emit({ kind: 'status', status: this.status() })),
    );
  }

  /** A broker may keep `$SYS` to itself: then there is nothing to show. */
  async #watchBridges(): Promise<void> {
    try {
      await this.#client.subscribe(bridgeViewFilters.map((filter) => ({ filter, qos: 0 as const })));
    } catch (error) {
      this.#options.log.info(`the broker does not tell of its bridges: ${messageOf(error)}`);
    }
  }

  /** Commits what has come, then leaves broker and store. */
  async close(): Promise<void> {
    for (const timer of this.#timers) timer.cancel();
    this.#schedule.close();
    this.#ingest.flush();
    this.#stopped.abort(new Error('the platform is closed'));
    await this.#client.close();
    this.#store.close();
  }

  #onMessage(message: ReceivedMessage): void {
    if (this.#bridges.onMessage(message.topic, message.payload)) {
      message.acknowledge();
      return;
    }
    this.#ingest.push({
      topic: message.topic,
      payload: message.payload,
      properties: message.properties,
      acknowledge: () => message.acknowledge(),
    });
    this.#schedule.onPush();
  }

  #tick(): void {
    this.#ingest.tick();
    this.#ingest.flush();
    if (this.#listeners.size === 0) return;
    const changed = this.#views.changedByTime();
    if (changed.length > 0) this.#emit({ kind: 'devices', devices: changed });
    if (this.demo !== undefined) {
      this.demo.rooms().then(
        (rooms) => this.#emit({ kind: 'rooms', rooms }),
        (error: unknown) => this.#options.log.debug(`the demo's rooms are unknown: ${messageOf(error)}`),
      );
    }
  }

  /** What was committed, to who looks on. */
  #publishLive(batch: IngestBatch): void {
    const touched = this.#views.onBatch(batch);
    for (const { topic, reason } of batch.quarantined) {
      const what = 'a message cannot be read and is kept in the quarantine';
      this.#unreadable.warning(`${what}: ${reason}`, { topic }, what);
    }
    if (this.#listeners.size === 0) return;
    if (touched.length > 0) this.#emit({ kind: 'devices', devices: touched });
    const byDevice = Map.groupBy(batch.readings, (reading) => reading.deviceId);
    for (const [deviceId, readings] of byDevice) {
      this.#emit({ kind: 'readings', deviceId, readings: readings.map(toReadingView) });
    }
    if (batch.alarms.length > 0)
      this.#emit({ kind: 'alarms', alarms: batch.alarms.map((alarm) => this.#views.alarm(alarm)) });
    for (const command of batch.commands) this.#emit({ kind: 'command', command });
  }

  #emit(event: LiveEvent): void {
    for (const listener of this.#listeners) listener(event);
  }

  listen(listener: (event: LiveEvent) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  status(): StatusView {
    const { name, tenant, version, clock } = this.#options;
    return {
      name,
      tenant,
      version,
      time: clock.now(),
      demo: this.demo !== undefined,
      linksDown: this.#bridges.down(),
      counts: this.#ingest.counts,
    };
  }

  bridges(): BridgesView {
    return this.#bridges.view();
  }

  devices(): readonly DeviceView[] {
    return this.#views.all();
  }

  readings(deviceId: string, limit: number, metric: string | undefined): readonly Reading[] | undefined {
    const id = parseDeviceId(deviceId);
    if (id === undefined || this.#registry.get(id) === undefined) return undefined;
    return metric === undefined ? this.#store.readings(id, limit) : this.#store.readings(id, limit, metric);
  }

  alarms(limit: number): readonly AlarmView[] {
    return this.#store.alarms(limit).map((alarm) => this.#views.alarm(alarm));
  }

  transitions(alarmId: string): readonly AlarmTransition[] {
    return this.#store.transitions(alarmId);
  }

  events(limit: number, deviceId: string | undefined): readonly DeviceEvent[] {
    return deviceId === undefined ? this.#store.events(limit) : this.#store.events(limit, deviceId);
  }

  quarantine(limit: number): readonly Quarantined[] {
    return this.#store.quarantine(limit);
  }

  commands(limit: number, deviceId: string | undefined): readonly Command[] {
    return deviceId === undefined ? this.#store.commands(limit) : this.#store.commands(limit, deviceId);
  }

  acknowledge(alarmId: string, by: string, comment: string): AlarmView | undefined {
    const changes = this.#alarms.acknowledge(alarmId, by, comment, this.#options.clock.now());
    if (changes === undefined) return undefined;
    this.#commit(changes);
    const alarm = changes.alarms[0];
    return alarm === undefined ? undefined : this.#views.alarm(alarm);
  }

  command(deviceId: string, name: CommandName, seconds: number | null, by: string): Command | string {
    const { clock, log } = this.#options;
    const id = parseDeviceId(deviceId);
    const device = id === undefined ? undefined : this.#registry.get(id);
    if (device === undefined) return `there is no device ${deviceId}`;
    const created = this.#ledger.create(device, name, seconds, by, clock.now());
    if (typeof created === 'string') return created;
    const { command, request, topic } = created;
    this.#commit({ commands: [command] });
    log.notice('command given', { id: command.id, device: device.id, command: name, by });
    this.#client
      .publish(topic, JSON.stringify(request), {
        qos: 1,
        properties: { messageExpiry: Math.ceil((request.expiresAt - request.at) / 1000) },
      })
      .then(
        () => this.#ledger.onSent(command.id, clock.now()),
        (error: unknown) => this.#ledger.onUnsendable(command.id, messageOf(error), clock.now()),
      )
      .then((changed) => {
        if (changed !== undefined) this.#commit({ commands: [changed] });
      })
      .catch(this.#options.onFailed);
    return command;
  }

  approve(deviceId: string, by: string): DeviceView | undefined {
    const id = parseDeviceId(deviceId);
    const approved = id === undefined ? undefined : this.#registry.approve(id, by, this.#options.clock.now());
    if (approved === undefined) return undefined;
    this.#commit({ devices: [approved.device], events: [approved.event] });
    return this.#views.one(approved.device.id);
  }

  /** Adds to what is pending and commits at once: who asked gets an answer that is on disk. */
  #commit(addition: Partial<IngestBatch>): void {
    this.#ingest.add(addition);
    this.#ingest.flush();
    if (this.#ingest.isPending)
      throw new DavylampError('STORE_UNUSABLE', 'the store could not commit; the platform starts again');
  }
}
