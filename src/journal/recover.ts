import { closeSync, ftruncateSync, fsyncSync, openSync, rmSync } from 'node:fs';
import path from 'node:path';
import { damageError } from './journal-error.ts';
import { readSegments, syncFolderNow, type SegmentFile } from './folder.ts';
import { Replay, type Orphans } from './index/replay.ts';
import type { JournalIndex } from './index/journal-index.ts';
import { scanSegment, searchBatches, type BatchSink } from './log/scan-segment.ts';
import { Segment, SegmentList } from './log/segment.ts';
import { batchHeaderSize, segmentName } from './records/format.ts';
import { RecordReader } from './records/record-reader.ts';

/** What was found behind the last good commit and cut off: a write that a crash had interrupted. */
interface CutTail {
  readonly file: string;
  readonly bytes: number;
}

/** What reading the log gave. */
export interface Recovered {
  readonly segments: SegmentList;
  readonly salt: number;
  readonly headLsn: number;
  readonly cut: CutTail | null;
  readonly orphans: Orphans;
}

/**
 * Reads the log into the index. What lies behind the last good commit is cut off; anything else that is wrong ends
 * with `JOURNAL_UNUSABLE`, which names the file.
 */
export function recover(folder: string, index: JournalIndex): Recovered {
  const files = chainOf(folder, readSegments(folder));
  const replay = new Replay(index);
  const reader = new RecordReader(Buffer.alloc(0), 0, 0);
  const apply: BatchSink = (header, bytes, start, end) => {
    reader.bytes = bytes;
    reader.at = start;
    reader.end = end;
    return replay.apply(reader, header.lsn + batchHeaderSize) ? null : 'holds a record that is none';
  };
  const segments = new SegmentList();
  let headLsn = -1;
  let cut: CutTail | null = null;
  for (const [at, one] of files.entries()) {
    const next = files[at + 1];
    const read = readOne(folder, one, next?.header.base ?? Infinity, apply);
    const segment = new Segment(one.file, one.header.base, one.header.previousBase);
    segment.end = read.end;
    segments.add(segment);
    headLsn = Math.max(headLsn, read.headLsn);
    cut = read.cut;
  }
  dropHeads(folder, segments, headLsn);
  return {
    segments,
    salt: files[0]!.header.salt,
    headLsn: Math.max(headLsn, 0),
    cut,
    orphans: replay.finish(),
  };
}

/** The newest segments that follow each other without a gap, oldest first. */
function chainOf(folder: string, all: readonly SegmentFile[]): SegmentFile[] {
  const last = all.at(-1);
  if (last === undefined) throw damageError(folder, 'its first file', 'is missing');
  const chain = [last];
  for (;;) {
    const { base, previousBase, salt } = chain[0]!.header;
    const before = base === previousBase ? undefined : all.find(({ header }) => header.base === previousBase);
    if (before === undefined) return chain;
    if (before.header.salt !== salt)
      throw damageError(folder, path.basename(before.file), 'is of another journal');
    chain.unshift(before);
  }
}

function readOne(
  folder: string,
  { file, header }: SegmentFile,
  nextBase: number,
  apply: BatchSink,
): { end: number; headLsn: number; cut: CutTail | null } {
  const name = path.basename(file);
  const isLast = nextBase === Infinity;
  const fd = openSync(file, isLast ? 'r+' : 'r');
  try {
    const { end, headLsn, position, fault, isSealed, fileSize } = scanSegment(fd, header, nextBase, apply);
    if (!isLast) {
      if (fault !== null) throw damageError(folder, name, `${fault} (at byte ${position})`);
      if (end !== nextBase) throw damageError(folder, name, 'is shorter than it was');
      return { end, headLsn, cut: null };
    }
    if (isSealed) throw damageError(folder, segmentName(end), 'is missing');
    if (fault === null) return { end, headLsn, cut: null };
    let isDamage = false;
    searchBatches(fd, header, position, (later) => (isDamage ||= later.durableLsn > end));
    if (isDamage) throw damageError(folder, name, `${fault} (at byte ${position})`);
    ftruncateSync(fd, position);
    fsyncSync(fd);
    return { end, headLsn, cut: { file, bytes: fileSize - position } };
  } finally {
    closeSync(fd);
  }
}

/** Removes what the log had left behind; `JOURNAL_UNUSABLE` when it begins too late. */
function dropHeads(folder: string, segments: SegmentList, headLsn: number): void {
  const { head } = segments;
  const isWhole = headLsn === -1 ? head?.base === head?.previousBase : head!.base <= headLsn;
  if (head === undefined || !isWhole) throw damageError(folder, 'a file before the oldest', 'is missing');
  const first = head.base;
  while (segments.head !== segments.tail && segments.head!.end <= headLsn) {
    rmSync(segments.head!.file);
    segments.removeHead();
  }
  for (const { file, header } of readSegments(folder)) if (header.base < first) rmSync(file);
  syncFolderNow(folder);
}
