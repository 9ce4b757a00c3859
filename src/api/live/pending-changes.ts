import type { CommandView, DeviceView, LiveEvent, ReadingView, RoomView, StatusView } from '../types.ts';

/** Readings of one device that wait for the next flush; a screen draws no more in that time. */
export const maximumPendingReadings = 100;

/**
 * Changes that wait to be sent together. What replaces its forerunner (a device, a command, the status, the rooms)
 * stands here once; readings are gathered by device, the oldest giving way at the bound.
 */
export class PendingChanges {
  readonly #devices = new Map<string, DeviceView>();
  readonly #readings = new Map<string, ReadingView[]>();
  readonly #commands = new Map<string, CommandView>();
  #rooms: readonly RoomView[] | undefined;
  #status: StatusView | undefined;
  #dropped = 0;

  /** Readings that gave way so far. They are missing from the live feed only, never from the store. */
  get dropped(): number {
    return this.#dropped;
  }

  get isEmpty(): boolean {
    return (
      this.#devices.size + this.#readings.size + this.#commands.size === 0 &&
      this.#rooms === undefined &&
      this.#status === undefined
    );
  }

  add(event: LiveEvent): void {
    switch (event.kind) {
      case 'devices':
        for (const device of event.devices) this.#devices.set(device.id, device);
        break;
      case 'readings':
        this.#addReadings(event.deviceId, event.readings);
        break;
      case 'command':
        this.#commands.set(event.command.id, event.command);
        break;
      case 'rooms':
        this.#rooms = event.rooms;
        break;
      case 'status':
        this.#status = event.status;
        break;
      case 'alarms':
        // Never waits: the feed sends it at once.
        break;
    }
  }

  /** Everything that waits, as few events as possible; nothing waits afterwards. */
  take(): LiveEvent[] {
    const events: LiveEvent[] = [];
    if (this.#devices.size > 0) events.push({ kind: 'devices', devices: [...this.#devices.values()] });
    for (const [deviceId, readings] of this.#readings) events.push({ kind: 'readings', deviceId, readings });
    for (const command of this.#commands.values()) events.push({ kind: 'command', command });
    if (this.#rooms !== undefined) events.push({ kind: 'rooms', rooms: this.#rooms });
    if (this.#status !== undefined) events.push({ kind: 'status', status: this.#status });
    this.clear();
    return events;
  }

  clear(): void {
    this.#devices.clear();
    this.#readings.clear();
    this.#commands.clear();
    this.#rooms = undefined;
    this.#status = undefined;
  }

  #addReadings(deviceId: string, added: readonly ReadingView[]): void {
    const waiting = this.#readings.get(deviceId) ?? [];
    const all = [...waiting, ...added];
    const excess = Math.max(0, all.length - maximumPendingReadings);
    this.#dropped += excess;
    this.#readings.set(deviceId, all.slice(excess));
  }
}
