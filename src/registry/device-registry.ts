import {
  deviceIdOfMac,
  type DecodedValue,
  type Device,
  type DeviceEvent,
  type DeviceEventKind,
  type DeviceId,
  type DeviceMessage,
  type DeviceState,
  type EpochMs,
} from '#model';
import { createDevice, DeviceEntry, type SequenceState } from './device-entry.ts';
import { deviceState, silenceLimit, type SilenceOptions } from './device-state.ts';
import type { WarmUpOptions } from './warm-up.ts';

/** Rules of silence and warm-up, who is approved, and what strangers may fill. */
export interface DeviceRegistryOptions extends SilenceOptions, WarmUpOptions {
  /** Device ids or MAC addresses that are approved from the start. */
  readonly approvedDevices: readonly string[];
  /** Devices that nobody has approved, at most: who invents MAC addresses fills no memory. */
  readonly maximumNewDevices?: number;
  /** Hellos that wait for the first reading of a device that is not known yet, at most. */
  readonly maximumWaitingHellos?: number;
}

/** Whether a device may come in, and the hello that waited for it. */
export interface Admission {
  /** Why not, for the quarantine; `undefined` = it may. */
  readonly refused: string | undefined;
  readonly hello: DeviceMessage | undefined;
}

/** What a reading told of its device. */
export interface Observation {
  /** The reading means nothing yet. */
  readonly warming: boolean;
  readonly events: readonly DeviceEvent[];
}

const admitted: Admission = { refused: undefined, hello: undefined };
const warmAndQuiet: Observation = { warming: false, events: [] };
const warmingAndQuiet: Observation = { warming: true, events: [] };

/**
 * Every device that was ever heard, by its id. Records change inside; what is handed out (`get`, `list`) is a copy that
 * does not. For each message the order is: `admit` (or `claimHello`), sequence supervision, then `onReading`/`onHello`.
 */
export class DeviceRegistry {
  readonly #options: DeviceRegistryOptions;
  readonly #maximumNew: number;
  readonly #maximumHellos: number;
  readonly #approved: ReadonlySet<string>;
  readonly #entries = new Map<DeviceId, DeviceEntry>();
  /** Who was last heard on a topic: a legacy hello names no MAC. */
  readonly #byTopic = new Map<string, DeviceId>();
  readonly #hellos = new Map<string, DeviceMessage>();
  #newDevices = 0;
  #refused = 0;
  #forgottenHellos = 0;

  constructor(options: DeviceRegistryOptions) {
    this.#options = options;
    this.#maximumNew = options.maximumNewDevices ?? 10_000;
    this.#maximumHellos = options.maximumWaitingHellos ?? 1_000;
    this.#approved = new Set(
      options.approvedDevices.map((name) => (name.includes(':') ? deviceIdOfMac(name) : name)),
    );
  }

  /** What was dropped: messages of devices beyond the bound, hellos that waited for nothing. */
  get dropped(): { readonly refusedMessages: number; readonly forgottenHellos: number } {
    return { refusedMessages: this.#refused, forgottenHellos: this.#forgottenHellos };
  }

  /** Takes up the devices of the store. `now` begins their silence anew: this process has listened to none of it. */
  restore(devices: Iterable<Device>, now: EpochMs): void {
    for (const device of devices) {
      const entry = new DeviceEntry(device, false, now);
      if (this.#approved.has(device.id)) entry.registration = 'approved';
      if (entry.registration === 'new') this.#newDevices += 1;
      this.#entries.set(device.id, entry);
      const holder = this.#byTopic.get(device.topic);
      const holderSeen = holder === undefined ? 0 : (this.#entries.get(holder)?.lastSeen ?? 0);
      if (device.lastSeen >= holderSeen) this.#byTopic.set(device.topic, device.id);
    }
  }

  get(id: DeviceId): Device | undefined {
    return this.#entries.get(id)?.toDevice();
  }

  list(): Device[] {
    return Array.from(this.#entries.values(), (entry) => entry.toDevice());
  }

  /** Lets the sender of a reading in, known or new, unless too many new ones wait for approval. */
  admit(id: DeviceId, message: DeviceMessage, now: EpochMs): Admission {
    if (this.#entries.has(id)) return admitted;
    const registration = this.#approved.has(id) ? 'approved' : 'new';
    if (registration === 'new' && this.#newDevices >= this.#maximumNew) {
      this.#refused += 1;
      return {
        refused: `device ${id}: ${this.#maximumNew} new devices wait for approval already`,
        hello: undefined,
      };
    }
    if (registration === 'new') this.#newDevices += 1;
    this.#entries.set(id, new DeviceEntry(createDevice(id, message, registration, now), true, now));
    const hello = this.#hellos.get(message.topic);
    this.#hellos.delete(message.topic);
    return hello === undefined ? admitted : { refused: undefined, hello };
  }

  /** Whose hello this is: of the device last heard on its topic. Without one the hello waits for the first reading there. */
  claimHello(message: DeviceMessage): DeviceId | undefined {
    const id = message.deviceId ?? this.#byTopic.get(message.topic);
    if (id !== undefined && this.#entries.has(id)) return id;
    this.#hellos.delete(message.topic);
    if (this.#hellos.size >= this.#maximumHellos) {
      for (const oldest of this.#hellos.keys()) {
        this.#hellos.delete(oldest);
        this.#forgottenHellos += 1;
        break;
      }
    }
    this.#hellos.set(message.topic, message);
    return undefined;
  }

  /** A boot announcement of a known device: its warm-up begins. */
  onHello(
    id: DeviceId,
    message: DeviceMessage,
    sequence: SequenceState,
    now: EpochMs,
  ): readonly DeviceEvent[] {
    const entry = this.#entries.get(id);
    if (entry === undefined) return [];
    entry.noteSequence(sequence);
    entry.warmUp.begin(message.receivedAt, now, this.#options);
    entry.lastRegularAt = 0;
    const events = [event(entry, 'hello', message.receivedAt, message.topic)];
    this.#hear(entry, message, now, events);
    return events;
  }

  /** A reading that is new. Its device must have been admitted. */
  onReading(
    id: DeviceId,
    message: DeviceMessage,
    values: readonly DecodedValue[],
    sequence: SequenceState,
    now: EpochMs,
  ): Observation {
    const entry = this.#entries.get(id);
    if (entry === undefined) return warmAndQuiet;
    entry.noteSequence(sequence);
    const events: DeviceEvent[] = [];
    if (entry.isFresh) this.#introduce(entry, message, events);
    // One that came late tells nothing about where the device is now.
    else if (message.receivedAt >= entry.lastSeen) this.#compareAddress(entry, message, events);
    this.#hear(entry, message, now, events);
    if (!message.requested) noteRegular(entry, message);
    if (
      !entry.warmUp.isOver &&
      entry.warmUp.onReading(values.every(isZero), message.receivedAt, this.#options)
    ) {
      events.push(event(entry, 'warm', message.receivedAt, 'its readings count'));
    }
    const warming = entry.warmUp.covers(message.receivedAt);
    if (events.length > 0) return { warming, events };
    return warming ? warmingAndQuiet : warmAndQuiet;
  }

  /** Takes over the counts after a message that was not new: such a one proves nothing of the device. */
  noteSequence(id: DeviceId, sequence: SequenceState): void {
    this.#entries.get(id)?.noteSequence(sequence);
  }

  /** Whether a reading of that device and reception time means nothing yet. */
  isWarming(id: DeviceId, receivedAt: EpochMs): boolean {
    return this.#entries.get(id)?.warmUp.covers(receivedAt) ?? false;
  }

  /** What the screen shows of the device. */
  state(device: Device, now: EpochMs, isGasActive: boolean): DeviceState {
    return deviceState(device, now, isGasActive, this.#options);
  }

  /** Notices who fell silent and whose warm-up is over. To be called about once a second. */
  tick(now: EpochMs): readonly DeviceEvent[] {
    const events: DeviceEvent[] = [];
    for (const entry of this.#entries.values()) {
      if (!entry.warmUp.isOver && entry.warmUp.tick(now))
        events.push(event(entry, 'warm', now, 'its readings count'));
      const quietMs = now - Math.max(entry.lastSeen, entry.heardSince);
      if (entry.isSilent || quietMs <= silenceLimit(entry.interval.value, this.#options)) continue;
      entry.isSilent = true;
      const seconds = Math.round((now - entry.lastSeen) / 1000);
      events.push(event(entry, 'silent', now, `nothing heard for ${seconds} s`));
    }
    return events;
  }

  /** A person approves a device. `undefined`: there is no such one, or it is approved already. */
  approve(
    id: DeviceId,
    by: string,
    now: EpochMs,
  ): { readonly device: Device; readonly event: DeviceEvent } | undefined {
    const entry = this.#entries.get(id);
    if (entry === undefined || entry.registration === 'approved') return undefined;
    entry.registration = 'approved';
    this.#newDevices -= 1;
    return { device: entry.toDevice(), event: event(entry, 'approved', now, `by ${by}`) };
  }

  #introduce(entry: DeviceEntry, message: DeviceMessage, events: DeviceEvent[]): void {
    entry.isFresh = false;
    this.#byTopic.set(entry.topic, entry.id);
    const name = entry.mac === null ? entry.id : `MAC ${entry.mac}`;
    const standing = entry.registration === 'new' ? 'not approved yet' : 'approved by the configuration';
    events.push(event(entry, 'new', message.receivedAt, `${entry.sensorType} sensor, ${name}, ${standing}`));
  }

  #compareAddress(entry: DeviceEntry, message: DeviceMessage, events: DeviceEvent[]): void {
    // Two devices may share a topic: the hello belongs to whom was heard last.
    if (this.#byTopic.get(message.topic) !== entry.id) this.#byTopic.set(message.topic, entry.id);
    entry.sensorType = message.sensorType;
    entry.commandTopic = message.commandTopic;
    entry.macSent = message.macSent;
    if (entry.ip === message.ip && entry.topic === message.topic && entry.site === message.site) return;
    const changes: string[] = [];
    if (entry.ip !== message.ip) changes.push(`IP ${entry.ip ?? 'none'} to ${message.ip ?? 'none'}`);
    if (entry.topic !== message.topic) changes.push(`topic ${entry.topic} to ${message.topic}`);
    if (entry.site !== message.site) changes.push(`site ${entry.site} to ${message.site}`);
    if (entry.topic !== message.topic && this.#byTopic.get(entry.topic) === entry.id)
      this.#byTopic.delete(entry.topic);
    entry.ip = message.ip;
    entry.topic = message.topic;
    entry.site = message.site;
    events.push(event(entry, 'address-changed', message.receivedAt, changes.join(', ')));
  }

  /** A stamp from a clock that runs ahead must not hide a silence to come. */
  #hear(entry: DeviceEntry, message: DeviceMessage, now: EpochMs, events: DeviceEvent[]): void {
    const heardAt = Math.min(message.receivedAt, now);
    if (heardAt > entry.lastSeen) entry.lastSeen = heardAt;
    if (!entry.isSilent || now - entry.lastSeen > silenceLimit(entry.interval.value, this.#options)) return;
    entry.isSilent = false;
    events.push(event(entry, 'heard-again', message.receivedAt, message.topic));
  }
}

function event(entry: DeviceEntry, kind: DeviceEventKind, at: EpochMs, detail: string): DeviceEvent {
  return { deviceId: entry.id, kind, at, detail };
}

/** Only readings that follow each other without a gap tell an interval. */
function noteRegular(entry: DeviceEntry, message: DeviceMessage): void {
  const { receivedAt, sequence } = message;
  if (receivedAt < entry.lastRegularAt) return;
  const before = entry.lastRegularSequence;
  const isFollowing = sequence === undefined || before === undefined || sequence === before + 1;
  if (entry.lastRegularAt > 0 && isFollowing) entry.interval.add(receivedAt - entry.lastRegularAt);
  entry.lastRegularAt = receivedAt;
  entry.lastRegularSequence = sequence;
}

function isZero(value: DecodedValue): boolean {
  return value.value === 0;
}
