import type { DatabaseSync, StatementSync } from 'node:sqlite';
import {
  qualities,
  type Alarm,
  type AlarmTransition,
  type Command,
  type Device,
  type DeviceEvent,
  type IngestBatch,
  type Quarantined,
  type Reading,
} from '#model';
import { Interner } from './interner.ts';
import { prepareWrites, type Writes } from './writes.ts';

/** Bytes of an unreadable message that are kept. */
const quarantinedBytes = 1_024;

/** Writes batches, each in one transaction, with statements that are prepared once. */
export class Committer {
  readonly #database: DatabaseSync;
  readonly #quarantineRows: number;
  readonly #interner: Interner;
  readonly #writes: Writes;

  constructor(database: DatabaseSync, quarantineRows: number) {
    this.#database = database;
    this.#quarantineRows = quarantineRows;
    this.#interner = new Interner(database);
    this.#writes = prepareWrites(database);
  }

  /** Returns how many readings were new. Throws what SQLite throws, with everything rolled back. */
  commit(batch: IngestBatch): number {
    this.#database.exec('begin immediate');
    try {
      const inserted = this.#writeAll(batch);
      this.#database.exec('commit');
      return inserted;
    } catch (error) {
      this.#interner.forget();
      // A full disk rolls back by itself; everything else waits for us.
      if (this.#database.isTransaction) this.#database.exec('rollback');
      throw error;
    }
  }

  #writeAll(batch: IngestBatch): number {
    // Devices first: their readings carry what the newest record says.
    for (const device of batch.devices) this.#device(device);
    let inserted = 0;
    for (const reading of batch.readings) inserted += this.#reading(reading);
    for (const event of batch.events) this.#event(event);
    for (const alarm of batch.alarms) this.#alarm(alarm);
    for (const transition of batch.transitions) this.#transition(transition);
    for (const command of batch.commands) this.#command(command);
    for (const message of batch.quarantined) this.#quarantined(message);
    this.#writes.trimQuarantine.run(this.#quarantineRows);
    this.#writes.count.run(inserted, 'readings');
    this.#writes.count.run(1, 'commits');
    return inserted;
  }

  #reading(reading: Reading): number {
    if (!isStorable(reading)) {
      this.#quarantined(unstorable(reading));
      return 0;
    }
    const channel = this.#interner.channel(reading);
    const result = this.#writes.reading.run(
      channel.id,
      reading.epoch,
      reading.sequence ?? null,
      reading.at,
      reading.receivedAt - reading.at,
      reading.value,
      channel.sourceId,
      reading.kind === 'requested' ? 1 : 0,
      qualities.indexOf(reading.quality),
      reading.stampId,
    );
    return Number(result.changes);
  }

  #device(device: Device): void {
    this.#interner.describe(device);
    const { counts } = device;
    this.#writes.device.run(
      this.#interner.deviceKey(device.id),
      device.mac,
      device.macSent,
      device.ip,
      device.site,
      device.sensorType,
      device.protocol,
      device.topic,
      device.commandTopic,
      device.registration,
      integer(device.firstSeen),
      integer(device.lastSeen),
      integer(device.epoch),
      device.lastSequence === undefined ? null : integer(device.lastSequence),
      device.intervalMs ?? null,
      integer(device.warmUntil),
      integer(counts.missing),
      integer(counts.repeated),
      integer(counts.redelivered),
      integer(counts.resets),
    );
  }

  #event(event: DeviceEvent): void {
    const device = this.#interner.deviceKey(event.deviceId);
    this.#writes.event.run(device, event.kind, integer(event.at), event.detail);
  }

  #alarm(alarm: Alarm): void {
    this.#writes.alarm.run(
      alarm.id,
      this.#interner.deviceKey(alarm.deviceId),
      alarm.site,
      alarm.rule,
      alarm.priority,
      alarm.state,
      alarm.setPoint,
      alarm.raisedValue,
      alarm.peakValue,
      integer(alarm.raisedAt),
      integerOrNull(alarm.acknowledgedAt),
      alarm.acknowledgedBy,
      integerOrNull(alarm.returnedAt),
    );
  }

  #transition(transition: AlarmTransition): void {
    this.#writes.transition.run(
      transition.alarmId,
      this.#interner.deviceKey(transition.deviceId),
      transition.kind,
      transition.from,
      transition.to,
      integer(transition.at),
      transition.by,
      transition.value,
      transition.setPoint,
      transition.comment,
    );
  }

  #command(command: Command): void {
    this.#writes.command.run(
      command.id,
      this.#interner.deviceKey(command.deviceId),
      command.name,
      command.seconds,
      command.by,
      integer(command.at),
      command.state,
      integer(command.updatedAt),
      command.detail,
    );
  }

  #quarantined(message: Quarantined): void {
    const payload = message.payload.subarray(0, quarantinedBytes);
    const at = integer(message.at);
    if (isThere(this.#writes.sameQuarantined, at, message.topic, payload)) return;
    this.#writes.quarantined.run(at, message.topic, payload, integer(message.size), message.reason);
  }
}

function isThere(statement: StatementSync, at: number, topic: string, payload: Buffer): boolean {
  return statement.get(at, topic, payload) !== undefined;
}

/** Decoders bound these; a reading that slips through must not keep all others from being stored. */
function isStorable(reading: Reading): boolean {
  return (
    !Number.isNaN(reading.value) &&
    Number.isSafeInteger(reading.at) &&
    Number.isSafeInteger(reading.receivedAt - reading.at) &&
    Number.isSafeInteger(reading.epoch) &&
    (reading.sequence === undefined || Number.isSafeInteger(reading.sequence))
  );
}

function unstorable(reading: Reading): Quarantined {
  const { deviceId, metric, value, epoch, sequence, at, receivedAt } = reading;
  const payload = Buffer.from(
    `device=${deviceId} metric=${metric} value=${value} epoch=${epoch} sequence=${sequence} at=${at}`,
  );
  return {
    at: receivedAt,
    topic: reading.topic,
    payload,
    size: payload.length,
    reason: 'a number of the reading cannot be stored',
  };
}

/** SQLite's strict columns refuse fractions and what is beyond 64 bits; a record must not fail by that. */
function integer(value: number): number {
  if (Number.isSafeInteger(value)) return value;
  if (Number.isNaN(value)) return 0;
  return Math.trunc(Math.min(Math.max(value, Number.MIN_SAFE_INTEGER), Number.MAX_SAFE_INTEGER));
}

function integerOrNull(value: number | null): number | null {
  return value === null ? null : integer(value);
}
