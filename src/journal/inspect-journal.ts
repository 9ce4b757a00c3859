import { closeSync, openSync, statSync } from 'node:fs';
import path from 'node:path';
import { checkVersion, folderVersion, readHeader, segmentNames } from './folder.ts';
import { JournalIndex } from './index/journal-index.ts';
import { Replay } from './index/replay.ts';
import { journalError } from './journal-error.ts';
import { scanSegment, searchBatches, type BatchSink } from './log/scan-segment.ts';
import { batchHeaderSize } from './records/format.ts';
import { RecordReader } from './records/record-reader.ts';

/** One file of a journal, as it was found. */
export interface SegmentReport {
  readonly name: string;
  readonly bytes: number;
  readonly batches: number;
  /** Wall time in milliseconds; 0 = its header cannot be read. */
  readonly createdAt: number;
  /** What is wrong, and at which byte; `null` = nothing. */
  readonly fault: string | null;
  /** The fault is more than an interrupted write at the end of the last file: a start refuses it. */
  readonly isDamaged: boolean;
}

/** What is in a journal. */
export interface JournalReport {
  readonly folder: string;
  readonly version: number;
  readonly segments: readonly SegmentReport[];
  readonly sessions: number;
  readonly subscriptions: number;
  /** Messages that wait for or are on their way to sessions; one for several counts for each. */
  readonly deliveries: number;
  readonly messages: number;
  readonly retained: number;
}

/**
 * Looks at a journal without changing it, also while a broker uses it: then its end may look like an interrupted write.
 * `null` when there is none in the folder. Throws `JOURNAL_UNUSABLE` when it cannot be read at all.
 */
export function inspectJournal(folder: string): JournalReport | null {
  try {
    const version = folderVersion(folder);
    if (version === null) return null;
    checkVersion(folder, version);
    const index = new JournalIndex();
    const replay = new Replay(index);
    const names = segmentNames(folder);
    const segments = names.map((name, at) => inspectSegment(folder, name, names[at + 1], replay));
    replay.finish();
    const { sessions, deliveryCount: deliveries, messages, retained } = index;
    let subscriptions = 0;
    for (const session of sessions.values()) subscriptions += session.subscriptions.size;
    return {
      folder,
      version,
      segments,
      sessions: sessions.size,
      subscriptions,
      deliveries,
      messages: messages.size,
      retained: retained.size,
    };
  } catch (error) {
    throw journalError(folder, 'read it', error);
  }
}

function inspectSegment(
  folder: string,
  name: string,
  next: string | undefined,
  replay: Replay,
): SegmentReport {
  const file = path.join(folder, name);
  const bytes = statSync(file).size;
  const header = readHeader(file);
  if (typeof header === 'string')
    return { name, bytes, batches: 0, createdAt: 0, fault: header, isDamaged: true };
  const reader = new RecordReader(Buffer.alloc(0), 0, 0);
  const apply: BatchSink = (batch, from, start, end) => {
    reader.bytes = from;
    reader.at = start;
    reader.end = end;
    return replay.apply(reader, batch.lsn + batchHeaderSize) ? null : 'holds a record that is none';
  };
  const nextBase = next === undefined ? Infinity : Number.parseInt(next, 16);
  const fd = openSync(file, 'r');
  try {
    const found = scanSegment(fd, header, nextBase, apply);
    let fault = found.fault === null ? null : `${found.fault} (at byte ${found.position})`;
    if (fault === null && nextBase !== Infinity && found.end !== nextBase) fault = 'is shorter than it was';
    if (fault === null && nextBase === Infinity && found.isSealed)
      fault = 'names a file behind it that is missing';
    let isDamaged = fault !== null;
    if (found.fault !== null && nextBase === Infinity) {
      isDamaged = false;
      searchBatches(fd, header, found.position, (later) => (isDamaged ||= later.durableLsn > found.end));
    }
    return { name, bytes, batches: found.batches, createdAt: header.createdAt, fault, isDamaged };
  } finally {
    closeSync(fd);
  }
}
