import { randomInt } from 'node:crypto';
import path from 'node:path';
import {
  BatchFlag,
  batchHeaderSize,
  encodeSegmentHeader,
  formatVersion,
  segmentName,
  writeBatchHeader,
} from '../records/format.ts';
import type { LogFiles } from './log-files.ts';
import { Segment } from './segment.ts';

/** Ends the names of files that are not finished. */
export const unfinished = '.new';

/** A new salt for a journal. */
export function createSalt(): number {
  return randomInt(0x1_0000_0000);
}

/** Makes a segment that survives a crash before anything is written to it; rejects with what the system says. */
export async function createSegment(
  files: LogFiles,
  folder: string,
  base: number,
  previousBase: number,
  salt: number,
  now: number,
): Promise<{ readonly segment: Segment; readonly fd: number }> {
  const file = path.join(folder, segmentName(base));
  const temporary = `${file}${unfinished}`;
  const fd = await files.create(temporary);
  try {
    const header = encodeSegmentHeader({ version: formatVersion, base, previousBase, salt, createdAt: now });
    await files.write(fd, [header], 0);
    await files.syncData(fd);
    await files.rename(temporary, file);
    await files.syncFolder(folder);
  } catch (error) {
    await files.close(fd);
    await files.remove(temporary).catch(() => {}); // the next start removes it
    throw error;
  }
  return { segment: new Segment(file, base, previousBase), fd };
}

/** Says in a full segment that a later one exists: so that its loss is noticed. */
export async function sealSegment(
  files: LogFiles,
  fd: number,
  segment: Segment,
  headLsn: number,
  salt: number,
): Promise<void> {
  const seal = Buffer.alloc(batchHeaderSize);
  const lsn = segment.end;
  writeBatchHeader(seal, { length: 0, flags: BatchFlag.Seal, lsn, durableLsn: lsn, headLsn }, salt);
  await files.write(fd, [seal], segment.positionOf(lsn));
  await files.syncData(fd);
}
