import { batch, computed, signal, type ReadonlySignal, type Signal } from '@preact/signals';
import type {
  AlarmView,
  CommandView,
  DeviceView,
  LiveEvent,
  ReadingView,
  RoomView,
  StatusView,
  ValueView,
} from '../../../src/api/types.ts';
import type { DeviceLog } from './device-log.ts';
import {
  byActivity,
  byPriority,
  countDevices,
  groupDevices,
  needsAcknowledge,
  type SiteGroup,
} from './overview.ts';

/** Whether what the screen shows can be believed. Times are this machine's. */
export type Feed =
  | { readonly kind: 'connecting'; readonly since: number }
  | { readonly kind: 'live' }
  | { readonly kind: 'stale'; readonly since: number };

/** One line for the operator: what was done, or why it was not. */
export interface Notice {
  readonly kind: 'done' | 'failed';
  readonly text: string;
}

/** Alarms that are over and are kept for the list. */
export const maximumPastAlarms = 500;

/**
 * All that the screen knows. Each device has a signal of its own, so that a reading redraws one tile and not 500;
 * the order of the tiles is a signal that changes only when the order does.
 */
export class ScreenStore {
  readonly feed: Signal<Feed>;
  /** This machine's clock, moved once a second. */
  readonly localNow: Signal<number>;
  readonly devices = signal<ReadonlyMap<string, Signal<DeviceView>>>(new Map());
  readonly alarms = signal<ReadonlyMap<string, AlarmView>>(new Map());
  readonly rooms = signal<ReadonlyMap<string, RoomView>>(new Map());
  readonly status = signal<StatusView | null>(null);
  readonly filter = signal('');
  readonly notice = signal<Notice | null>(null);
  /** Text for screen readers: said at once, over everything else. */
  readonly announcement = signal('');
  /** History of the device whose page is open. */
  readonly log = signal<DeviceLog | null>(null);
  /** Whole snapshots received: goes up with every new connection of the feed. */
  readonly snapshots = signal(0);
  /** Events of the feed that could not be read. */
  readonly unreadable = signal(0);

  /** Sites and their devices in the order in which they are shown. */
  readonly groups: ReadonlySignal<readonly SiteGroup[]>;

  /** Server's clock minus this machine's: ages are right even where the local clock is not. */
  readonly #clockOffset = signal(0);
  /** Goes up when a device changes in what places, counts or finds it: not with each reading. */
  readonly #order = signal(0);
  #lastGroups: readonly SiteGroup[] = [];

  /** Now by the server's clock, the one that readings are stamped with. */
  readonly now = computed(() => this.localNow.value + this.#clockOffset.value);
  readonly stale = computed(() => this.feed.value.kind === 'stale');
  readonly isDemo = computed(() => this.status.value?.demo === true);
  readonly counts = computed(() => countDevices(this.#listDevices()));
  readonly activeAlarms = computed(() =>
    [...this.alarms.value.values()].filter((alarm) => alarm.state !== 'normal').sort(byPriority),
  );
  readonly unacknowledged = computed(() => this.activeAlarms.value.filter(needsAcknowledge).length);
  readonly alarmList = computed(() => [...this.alarms.value.values()].sort(byActivity));

  constructor(startedAt: number) {
    this.feed = signal<Feed>({ kind: 'connecting', since: startedAt });
    this.localNow = signal(startedAt);
    this.groups = computed(() => {
      const next = groupDevices(this.#listDevices(), this.filter.value);
      if (!isSame(this.#lastGroups, next)) this.#lastGroups = next;
      return this.#lastGroups;
    });
  }

  /** Takes one event of the feed. `snapshot`: it is the first of its kind on this connection and stands for all. */
  apply(event: LiveEvent, snapshot: boolean): void {
    batch(() => {
      switch (event.kind) {
        case 'devices':
          this.setDevices(event.devices, snapshot);
          if (snapshot) this.snapshots.value += 1;
          break;
        case 'readings':
          this.#addReadings(event.deviceId, event.readings);
          break;
        case 'alarms':
          this.setAlarms(event.alarms, snapshot);
          break;
        case 'command':
          this.addCommand(event.command);
          break;
        case 'status':
          this.status.value = event.status;
          this.#clockOffset.value = event.status.time - this.localNow.value;
          break;
        case 'rooms':
          this.setRooms(event.rooms);
          break;
      }
    });
  }

  /** Adds or replaces devices; with `all`, those that are not named are gone. */
  setDevices(devices: readonly DeviceView[], all: boolean): void {
    const known = this.devices.value;
    const next = new Map(all ? [] : known);
    let changed = all && known.size !== devices.length;
    for (const device of devices) {
      const existing = known.get(device.id);
      if (existing === undefined) {
        changed = true;
        next.set(device.id, signal(device));
      } else {
        if (!isSamePlace(existing.peek(), device)) this.#order.value += 1;
        existing.value = device;
        next.set(device.id, existing);
      }
    }
    if (changed || all) this.devices.value = next;
  }

  /** Adds or replaces alarms, and says the new ones aloud. */
  setAlarms(alarms: readonly AlarmView[], all: boolean): void {
    const known = this.alarms.value;
    const next = new Map(all ? [] : known);
    for (const alarm of alarms) next.set(alarm.id, alarm);
    const past = [...next.values()].filter((alarm) => alarm.state === 'normal').sort(byActivity);
    for (const alarm of past.slice(maximumPastAlarms)) next.delete(alarm.id);
    this.alarms.value = next;

    const fresh = alarms.filter(
      (alarm) => alarm.state === 'unacknowledged' && known.get(alarm.id)?.state !== 'unacknowledged',
    );
    const first = fresh.sort(byPriority)[0];
    if (first === undefined) return;
    const more = fresh.length > 1 ? ` and ${fresh.length - 1} more` : '';
    this.announcement.value = `Alarm: ${first.rule} at ${first.device}, site ${first.site}${more}`;
  }

  /** Notes a command's newest state where its device's page is open. */
  addCommand(command: CommandView): void {
    this.log.value?.addCommands([command]);
  }

  /** Adds or replaces rooms of the demo. */
  setRooms(rooms: readonly RoomView[]): void {
    const next = new Map(this.rooms.value);
    for (const room of rooms) next.set(room.deviceId, room);
    this.rooms.value = next;
  }

  /** All devices, for those who care about their order only. */
  #listDevices(): readonly DeviceView[] {
    void this.#order.value; // subscribes: the devices themselves are only peeked at
    return [...this.devices.value.values()].map((device) => device.peek());
  }

  #addReadings(deviceId: string, readings: readonly ReadingView[]): void {
    if (this.log.value?.id === deviceId) this.log.value.addReadings(readings);
    const device = this.devices.value.get(deviceId);
    if (device !== undefined) device.value = withReadings(device.peek(), readings);
  }
}

/** The device with the newest of these readings as its values: the feed sends readings more often than devices. */
function withReadings(device: DeviceView, readings: readonly ReadingView[]): DeviceView {
  const values = new Map<string, ValueView>(device.values.map((value) => [value.metric, value]));
  let { lastSeen, lastSequence } = device;
  for (const reading of readings) {
    const { metric, value, unit, at, quality, receivedAt, sequence } = reading;
    if ((values.get(metric)?.at ?? 0) <= at) values.set(metric, { metric, value, unit, at, quality });
    if (receivedAt >= lastSeen) {
      lastSeen = receivedAt;
      lastSequence = sequence ?? lastSequence;
    }
  }
  return { ...device, values: [...values.values()], lastSeen, lastSequence };
}

/** Everything of a device that its place, the counts or the filter depend on. */
const placeFields = [
  'state',
  'registration',
  'site',
  'name',
  'mac',
  'ip',
  'topic',
] as const satisfies readonly (keyof DeviceView)[];

function isSamePlace(a: DeviceView, b: DeviceView): boolean {
  return placeFields.every((field) => a[field] === b[field]);
}

function isSame(a: readonly SiteGroup[], b: readonly SiteGroup[]): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}
