import type { DatabaseSync } from 'node:sqlite';
import type { Device } from '#model';

type DeviceRow = Omit<Device, 'lastSequence' | 'intervalMs' | 'counts'> &
  Device['counts'] & { readonly lastSequence: number | null; readonly intervalMs: number | null };

/** All devices, by id. */
export function prepareDevices(database: DatabaseSync): () => Device[] {
  const select = database.prepare(
    `select device_key.id, mac, mac_sent as macSent, ip, site, sensor_type as sensorType, protocol, topic,
       command_topic as commandTopic, registration, first_seen as firstSeen, last_seen as lastSeen, epoch,
       last_sequence as lastSequence, interval_ms as intervalMs, warm_until as warmUntil,
       missing, repeated, redelivered, resets
     from device join device_key using (key) order by device_key.id`,
  );
  return () => (select.all() as unknown as DeviceRow[]).map((row) => toDevice(row));
}

function toDevice(row: DeviceRow): Device {
  const { missing, repeated, redelivered, resets, lastSequence, intervalMs, ...rest } = row;
  return {
    ...rest,
    lastSequence: lastSequence ?? undefined,
    intervalMs: intervalMs ?? undefined,
    counts: { missing, repeated, redelivered, resets },
  };
}
