import type { DatabaseSync, StatementSync } from 'node:sqlite';
import type { Device, Reading } from '#model';

/** What a device last said of itself: goes with each of its readings. */
interface DeviceMemo {
  readonly key: number;
  sensorType: string;
  protocol: string;
  macSent: string;
  ip: string;
  /** Rises when one of the four above changes. */
  version: number;
  readonly channels: Map<string, ChannelMemo>;
}

/** A device's metric, with the source of its last reading. */
interface ChannelMemo {
  readonly id: number;
  topic: string;
  unit: string;
  version: number;
  sourceId: number;
}

/** Texts that are remembered before all are forgotten and read again from the tables: bounds what peers can grow. */
const maximumMemos = 100_000;

/**
 * Finds or makes the small integers that stand for devices, metrics and sources, and remembers them.
 * After a rollback `forget` must be called: rows that were just made are gone again.
 */
export class Interner {
  readonly #devices = new Map<string, DeviceMemo>();
  readonly #findDevice: StatementSync;
  readonly #addDevice: StatementSync;
  readonly #findChannel: StatementSync;
  readonly #addChannel: StatementSync;
  readonly #findSource: StatementSync;
  readonly #addSource: StatementSync;
  #memos = 0;

  constructor(database: DatabaseSync) {
    this.#findDevice = database.prepare(
      `select key, coalesce(sensor_type, '') as sensorType, coalesce(protocol, '') as protocol,
         coalesce(mac_sent, '') as macSent, coalesce(ip, '') as ip
       from device_key left join device using (key) where id = ?`,
    );
    this.#addDevice = database.prepare('insert into device_key (id) values (?)');
    this.#findChannel = database.prepare('select id from channel where device = ? and metric = ?');
    this.#addChannel = database.prepare('insert into channel (device, metric) values (?, ?)');
    const columns = ['topic', 'unit', 'sensor_type', 'protocol', 'mac_sent', 'ip'];
    this.#findSource = database.prepare(`select id from source where ${columns.join(' = ? and ')} = ?`);
    this.#addSource = database.prepare(`insert into source (${columns.join()}) values (?, ?, ?, ?, ?, ?)`);
  }

  forget(): void {
    this.#devices.clear();
    this.#memos = 0;
  }

  /** The key of a device. A device need not have a record yet. */
  deviceKey(id: string): number {
    return this.#device(id).key;
  }

  /** Takes over what the device's newest record says, for the readings that follow. */
  describe(device: Device): void {
    const memo = this.#device(device.id);
    memo.sensorType = device.sensorType;
    memo.protocol = device.protocol;
    memo.macSent = device.macSent ?? device.mac ?? '';
    memo.ip = device.ip ?? '';
    memo.version++;
  }

  /** The channel of a reading, with `sourceId` set for it. */
  channel(reading: Reading): ChannelMemo {
    const device = this.#device(reading.deviceId);
    let channel = device.channels.get(reading.metric);
    if (channel === undefined) {
      const id = idOf(this.#findChannel.get(device.key, reading.metric));
      channel = {
        id: id ?? Number(this.#addChannel.run(device.key, reading.metric).lastInsertRowid),
        topic: '',
        unit: '',
        version: -1,
        sourceId: 0,
      };
      device.channels.set(reading.metric, channel);
      this.#memos++;
    }
    if (
      channel.version !== device.version ||
      channel.topic !== reading.topic ||
      channel.unit !== reading.unit
    ) {
      channel.sourceId = this.#source(device, reading);
      channel.topic = reading.topic;
      channel.unit = reading.unit;
      channel.version = device.version;
    }
    return channel;
  }

  #device(id: string): DeviceMemo {
    const known = this.#devices.get(id);
    if (known !== undefined) return known;
    if (this.#memos >= maximumMemos) this.forget();
    const row = this.#findDevice.get(id) as Omit<DeviceMemo, 'version' | 'channels'> | undefined;
    const memo: DeviceMemo = {
      key: row?.key ?? Number(this.#addDevice.run(id).lastInsertRowid),
      sensorType: row?.sensorType ?? '',
      protocol: row?.protocol ?? '',
      macSent: row?.macSent ?? '',
      ip: row?.ip ?? '',
      version: 0,
      channels: new Map(),
    };
    this.#devices.set(id, memo);
    this.#memos++;
    return memo;
  }

  #source(device: DeviceMemo, reading: Reading): number {
    const values = [
      reading.topic,
      reading.unit,
      device.sensorType,
      device.protocol,
      device.macSent,
      device.ip,
    ] as const;
    return idOf(this.#findSource.get(...values)) ?? Number(this.#addSource.run(...values).lastInsertRowid);
  }
}

function idOf(row: Record<string, unknown> | undefined): number | undefined {
  return row === undefined ? undefined : Number(row['id']);
}
