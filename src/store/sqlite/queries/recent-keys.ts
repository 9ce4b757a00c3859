import type { DatabaseSync } from 'node:sqlite';
import type { MessageKey } from '../../reading-store.ts';
import { rowLimit } from './row-limit.ts';

interface KeyRow {
  readonly epoch: number;
  readonly sequence: number | null;
  readonly stampId: string;
  readonly at: number;
}

/** Keys of the device's newest messages, newest first, each once though a message may hold several metrics. */
export function prepareRecentKeys(database: DatabaseSync): (deviceId: string, limit: number) => MessageKey[] {
  const channels = database.prepare(
    `select channel.id from channel join device_key on device_key.key = channel.device where device_key.id = ?`,
  );
  const newest = database.prepare(
    `select epoch, sequence, stamp as stampId, at from reading
     where channel = ? order by at desc, id desc limit ?`,
  );
  return (deviceId, limit) => {
    const rows = channels
      .all(deviceId)
      .flatMap((channel) => newest.all(Number(channel['id']), rowLimit(limit))) as unknown as KeyRow[];
    rows.sort((a, b) => b.at - a.at);
    const keys = new Map<string, MessageKey>();
    for (const { epoch, sequence, stampId } of rows) {
      const identity = `${epoch}/${sequence}/${stampId}`;
      if (!keys.has(identity)) keys.set(identity, { epoch, sequence: sequence ?? undefined, stampId });
    }
    return [...keys.values()].slice(0, rowLimit(limit));
  };
}
