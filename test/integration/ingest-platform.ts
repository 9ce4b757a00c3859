import { AlarmEngine } from '#alarms';
import { FakeClock } from '#base';
import { CommandLedger } from '#commands';
import type { AlarmRule, Device, DeviceId, IngestBatch, Reading } from '#model';
import type { UserProperty } from '#mqtt';
import { DeviceRegistry } from '#registry';
import { Decoders, Ingest, SequenceSupervisor } from '#telemetry';

/** Of the one detector. */
export const topic = 'outTopic/23.17.224.11/192.168.1.11';
export const id = '5ccf7f1418ad' as DeviceId;
/** What it says when it has started. */
export const hello = 'IOT Gas sensor prompt, HELLO!';
const gasRule: AlarmRule = {
  name: 'gas',
  metric: 'gas',
  setPoint: 1,
  deadband: 0,
  onDelayMs: 0,
  offDelayMs: 0,
  priority: 1,
};

/** What it says of the gas; `requested`: because it was asked. */
export function reading(sequence: number, value = 0, requested = false): string {
  return `${requested ? 'REQUESTED-' : ''}${sequence}-Gas Sensor IP:192.168.1.11 MAC:AD:18:14:7F:CF:5C Reading value=${value}`;
}

/** What a store keeps, with the unique key of its table of readings. */
export class Table {
  readonly rows = new Map<string, Reading>();
  readonly devices = new Map<DeviceId, Device>();
  readonly batches: IngestBatch[] = [];
  failure: Error | undefined;

  commit(batch: IngestBatch): void {
    if (this.failure !== undefined) throw this.failure;
    this.batches.push(batch);
    for (const row of batch.readings) {
      const key = `${row.deviceId}/${row.epoch}/${row.sequence ?? row.stampId}/${row.metric}`;
      if (!this.rows.has(key)) this.rows.set(key, row);
    }
    for (const device of batch.devices) this.devices.set(device.id, device);
  }

  get events(): string[] {
    return this.batches.flatMap(({ events }) => events.map(({ kind }) => kind));
  }

  get transitions(): string[] {
    return this.batches.flatMap(({ transitions }) => transitions.map(({ from, to }) => `${from}>${to}`));
  }
}

/** All cores, wired as the application wires them, over a table that keeps its rows in memory. */
export class Platform {
  readonly clock: FakeClock;
  readonly table: Table;
  readonly registry: DeviceRegistry;
  readonly alarms = new AlarmEngine([gasRule]);
  readonly ledger = new CommandLedger({ tenant: 'home' });
  readonly ingest: Ingest;
  readonly acknowledged: number[] = [];
  readonly live: IngestBatch[] = [];
  readonly failures: unknown[] = [];
  #stampCount = 0;
  #messageCount = 0;

  /** Begins with what `table` holds. */
  constructor(table = new Table(), clock = new FakeClock(), maximumNewDevices = 100) {
    this.table = table;
    this.clock = clock;
    this.registry = new DeviceRegistry({
      approvedDevices: [],
      warmUpMs: 180_000,
      warmProofMs: 20_000,
      silentAfterIntervals: 3,
      silentMinimumMs: 15_000,
      maximumNewDevices,
    });
    const supervisor = new SequenceSupervisor();
    this.registry.restore(table.devices.values(), clock.now());
    for (const device of table.devices.values()) {
      supervisor.restore(
        device,
        [...table.rows.values()].filter((row) => row.deviceId === device.id).slice(-100),
      );
    }
    this.ingest = new Ingest({
      clock,
      decoders: new Decoders({ siteAddresses: new Map() }),
      supervisor,
      registry: this.registry,
      alarms: this.alarms,
      commands: this.ledger,
      commit: (batch) => table.commit(batch),
      publishLive: (batch) => this.live.push(batch),
      onFailed: (error) => this.failures.push(error),
      limits: { batchRows: 3, batchDelayMs: 20 },
    });
  }

  /** Pushes a message that the site `north` stamps now (`stamp: undefined`), or as told (`null`: not at all). */
  push(text: string, stamp?: readonly UserProperty[] | null, onTopic = topic): void {
    const number = this.#messageCount;
    this.#messageCount += 1;
    const properties = stamp === null ? null : { userProperties: stamp ?? this.stamp() };
    this.ingest.push({
      topic: onTopic,
      payload: Buffer.from(text),
      properties,
      acknowledge: () => this.acknowledged.push(number),
    });
  }

  stamp(receivedAt = this.clock.now()): readonly UserProperty[] {
    this.#stampCount += 1;
    return [
      ['davy-site', 'north'],
      ['davy-received', String(receivedAt)],
      ['davy-id', `${this.clock.now().toString(36)}-${this.#stampCount.toString(36)}`],
    ];
  }
}
