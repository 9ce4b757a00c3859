import type {
  Alarm,
  AlarmTransition,
  Command,
  Device,
  DeviceEvent,
  IngestBatch,
  Quarantined,
  Reading,
} from '#model';

/** A result that an embedded database has at once and a database server sends later. */
export type Awaitable<T> = T | Promise<T>;

/** What tells one message of a device from another: enough to know a redelivery after a restart. */
export interface MessageKey {
  readonly epoch: number;
  readonly sequence: number | undefined;
  /** Empty for a message without a stamp. */
  readonly stampId: string;
}

/** How much the store holds. */
export interface StoreCounts {
  readonly devices: number;
  readonly readings: number;
  readonly events: number;
  readonly alarms: number;
  /** Alarms that are not yet normal and acknowledged. */
  readonly openAlarms: number;
  readonly transitions: number;
  readonly commands: number;
  /** Unreadable messages that are still kept; older ones made room. */
  readonly quarantined: number;
  /** Batches committed since the store was made. */
  readonly commits: number;
}

/**
 * What the platform needs of a database. One writer at a time owns a store.
 *
 * The results are `Awaitable`: SQLite is in the process and answers at once (its adapter declares plain results, so a
 * caller that holds it need not await); MariaDB and PostgreSQL return promises from the same methods, with `commit` as
 * one transaction on one connection and at most one `commit` under way. A caller that holds only this port awaits.
 *
 * Every method fails with `STORE_UNUSABLE` when the database does; nothing of a failed `commit` is kept.
 */
export interface ReadingStore {
  /**
   * Writes a batch: all of it or nothing. When it returns, the batch survives a power cut.
   * A reading that is there already (same device, metric and message) is left alone, events, transitions and
   * quarantined messages likewise; devices, alarms and commands are replaced by their newer record. So the same batch
   * may be committed again after a crash that left its fate open.
   * @returns how many readings were new.
   */
  commit(batch: IngestBatch): Awaitable<number>;
  /** All devices, by id. */
  devices(): Awaitable<readonly Device[]>;
  /** Alarms that are not yet normal and acknowledged, newest first. */
  openAlarms(): Awaitable<readonly Alarm[]>;
  /** Open alarms first, then the others; newest first in each group. */
  alarms(limit: number): Awaitable<readonly Alarm[]>;
  /** The life of one alarm, oldest first. */
  transitions(alarmId: string): Awaitable<readonly AlarmTransition[]>;
  /** Readings of one device, newest first by the time of measurement; `metric` leaves only that one. */
  readings(deviceId: string, limit: number, metric?: string): Awaitable<readonly Reading[]>;
  /** The newest reading of each device and metric. */
  latestValues(): Awaitable<readonly Reading[]>;
  /** Keys of the device's newest messages, newest first, each once. */
  recentKeys(deviceId: string, limit: number): Awaitable<readonly MessageKey[]>;
  /** What supervision and registry noticed, newest first. */
  events(limit: number, deviceId?: string): Awaitable<readonly DeviceEvent[]>;
  /** Messages that could not be read, newest first. */
  quarantine(limit: number): Awaitable<readonly Quarantined[]>;
  /** Commands, newest first. */
  commands(limit: number, deviceId?: string): Awaitable<readonly Command[]>;
  /** Commands that still wait for evidence: pending, sent or delivered; oldest first. */
  openCommands(): Awaitable<readonly Command[]>;
  counts(): Awaitable<StoreCounts>;
  /** Gives the database back. May be called twice. */
  close(): Awaitable<void>;
}
