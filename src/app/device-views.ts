import type { AlarmEngine } from '#alarms';
import type { AlarmView, DeviceView, ValueView } from '#api';
import type { Clock } from '#base';
import {
  deviceIdOfMac,
  type Alarm,
  type Device,
  type DeviceId,
  type DeviceState,
  type IngestBatch,
  type Reading,
} from '#model';
import type { DeviceRegistry } from '#registry';

/** What the screen shows of each device: the registry's record, its state now, and its latest values. */
export class DeviceViews {
  readonly #registry: DeviceRegistry;
  readonly #alarms: AlarmEngine;
  readonly #clock: Clock;
  /** By device id: names that the configuration gives. */
  readonly #names: ReadonlyMap<string, string>;
  readonly #values = new Map<DeviceId, Map<string, ValueView>>();
  /** The state that was last told, to notice what time alone changes. */
  readonly #told = new Map<DeviceId, DeviceState>();

  constructor(
    registry: DeviceRegistry,
    alarms: AlarmEngine,
    clock: Clock,
    names: ReadonlyMap<string, string>,
  ) {
    this.#names = new Map(
      [...names].map(([key, name]) => [key.includes(':') ? deviceIdOfMac(key) : key, name]),
    );
    this.#registry = registry;
    this.#alarms = alarms;
    this.#clock = clock;
  }

  restore(latest: Iterable<Reading>): void {
    for (const reading of latest) this.#keep(reading);
  }

  /** Takes up a committed batch; the views of the devices that it touched. */
  onBatch(batch: IngestBatch): readonly DeviceView[] {
    for (const reading of batch.readings) this.#keep(reading);
    const touched = new Set<DeviceId>(batch.devices.map((device) => device.id));
    for (const alarm of batch.alarms) touched.add(alarm.deviceId);
    return [...touched].map((id) => this.one(id)).filter((view) => view !== undefined);
  }

  /** Views of devices whose state is another one than was last told. */
  changedByTime(): readonly DeviceView[] {
    const now = this.#clock.now();
    return this.#registry
      .list()
      .filter((device) => this.#stateOf(device, now) !== this.#told.get(device.id))
      .map((device) => this.#view(device, now));
  }

  all(): readonly DeviceView[] {
    const now = this.#clock.now();
    return this.#registry.list().map((device) => this.#view(device, now));
  }

  one(id: DeviceId): DeviceView | undefined {
    const device = this.#registry.get(id);
    return device === undefined ? undefined : this.#view(device, this.#clock.now());
  }

  alarm(alarm: Alarm): AlarmView {
    const device = this.#registry.get(alarm.deviceId);
    return { ...alarm, device: device === undefined ? alarm.deviceId : this.#nameOf(device) };
  }

  #stateOf(device: Device, now: number): DeviceState {
    return this.#registry.state(device, now, this.#alarms.isActive(device.id));
  }

  #view(device: Device, now: number): DeviceView {
    const state = this.#stateOf(device, now);
    this.#told.set(device.id, state);
    const {
      id,
      mac,
      ip,
      site,
      sensorType,
      protocol,
      topic,
      registration,
      firstSeen,
      lastSeen,
      warmUntil,
      counts,
    } = device;
    return {
      id,
      mac,
      ip,
      site,
      name: this.#nameOf(device),
      sensorType,
      protocol,
      topic,
      state,
      registration,
      firstSeen,
      lastSeen,
      lastSequence: device.lastSequence ?? null,
      intervalMs: device.intervalMs ?? null,
      warmUntil,
      acceptsCommands: device.commandTopic !== null,
      counts,
      values: [...(this.#values.get(id)?.values() ?? [])],
    };
  }

  /** As configured; else `Gas 192.168.1.21` for a legacy detector, `host` for a native device. */
  #nameOf(device: Device): string {
    const given = this.#names.get(device.id);
    if (given !== undefined) return given;
    if (device.protocol === 'legacy') return `${device.sensorType} ${device.ip ?? device.id}`;
    return device.id.startsWith(`${device.site}.`) ? device.id.slice(device.site.length + 1) : device.id;
  }

  #keep(reading: Reading): void {
    const { deviceId, metric, value, unit, at, quality } = reading;
    let values = this.#values.get(deviceId);
    if (values === undefined) this.#values.set(deviceId, (values = new Map()));
    const before = values.get(metric);
    // One that came late is in the store, but it is not the latest.
    if (before === undefined || before.at <= at) values.set(metric, { metric, value, unit, at, quality });
  }
}
