import { qualities, type Reading } from '#model';

/** Columns and joins that every query for whole readings shares. */
export const selectReading = `select device_key.id as deviceId, channel.metric, reading.value, source.unit,
    reading.epoch, reading.sequence, reading.at, reading.delay_ms as delayMs, reading.kind, reading.quality,
    reading.stamp as stampId, source.topic
  from reading
  join channel on channel.id = reading.channel
  join device_key on device_key.key = channel.device
  join source on source.id = reading.source`;

/** A row of `selectReading`. */
export type ReadingRow = Omit<Reading, 'sequence' | 'receivedAt' | 'kind' | 'quality'> & {
  readonly sequence: number | null;
  readonly delayMs: number;
  readonly kind: number;
  readonly quality: number;
};

export function toReading(row: ReadingRow): Reading {
  return {
    deviceId: row.deviceId,
    metric: row.metric,
    value: row.value,
    unit: row.unit,
    epoch: row.epoch,
    sequence: row.sequence ?? undefined,
    at: row.at,
    receivedAt: row.at + row.delayMs,
    kind: row.kind === 1 ? 'requested' : 'regular',
    quality: qualities[row.quality] ?? 'uncertain-time',
    stampId: row.stampId,
    topic: row.topic,
  };
}
