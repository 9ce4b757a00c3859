import type {
  Alarm,
  AlarmTransition,
  Command,
  Device,
  DeviceEvent,
  DeviceId,
  IngestBatch,
  Quarantined,
  Reading,
} from '#model';
import type { AlarmPortChanges, BatchAddition } from './ports.ts';

/** Gathers what the next commit writes. A device, alarm or command that changes often is written once, as it ends. */
export class BatchBuilder {
  readings: Reading[] = [];
  events: DeviceEvent[] = [];
  transitions: AlarmTransition[] = [];
  quarantined: Quarantined[] = [];
  readonly #devices = new Set<DeviceId>();
  readonly #alarms = new Map<string, Alarm>();
  readonly #commands = new Map<string, Command>();

  /** Rows to write, roughly: devices and alarms are few. */
  get rows(): number {
    return this.readings.length + this.events.length + this.quarantined.length;
  }

  get isEmpty(): boolean {
    return (
      this.rows + this.transitions.length + this.#devices.size + this.#alarms.size + this.#commands.size === 0
    );
  }

  /** The device's record will be taken when the batch is built. */
  touch(id: DeviceId): void {
    this.#devices.add(id);
  }

  addEvents(events: readonly DeviceEvent[]): void {
    for (const event of events) {
      this.events.push(event);
      this.#devices.add(event.deviceId);
    }
  }

  addAlarms(changes: AlarmPortChanges | undefined): void {
    if (changes === undefined) return;
    for (const alarm of changes.alarms) this.#alarms.set(alarm.id, alarm);
    this.transitions.push(...changes.transitions);
  }

  addCommand(command: Command): void {
    this.#commands.set(command.id, command);
  }

  add(addition: BatchAddition): void {
    this.readings.push(...(addition.readings ?? []));
    this.addEvents(addition.events ?? []);
    for (const device of addition.devices ?? []) this.#devices.add(device.id);
    this.addAlarms({ alarms: addition.alarms ?? [], transitions: addition.transitions ?? [] });
    for (const command of addition.commands ?? []) this.addCommand(command);
    this.quarantined.push(...(addition.quarantined ?? []));
  }

  /** Everything so far; the builder is empty afterwards. */
  build(deviceOf: (id: DeviceId) => Device | undefined): IngestBatch {
    const devices: Device[] = [];
    for (const id of this.#devices) {
      const device = deviceOf(id);
      if (device !== undefined) devices.push(device);
    }
    const { readings, events, transitions, quarantined } = this;
    const batch: IngestBatch = {
      readings,
      devices,
      events,
      alarms: [...this.#alarms.values()],
      transitions,
      commands: [...this.#commands.values()],
      quarantined,
    };
    this.clear();
    return batch;
  }

  clear(): void {
    this.readings = [];
    this.events = [];
    this.transitions = [];
    this.quarantined = [];
    this.#devices.clear();
    this.#alarms.clear();
    this.#commands.clear();
  }
}
